// What Prometheus asks for: probes, the gateway's own metrics, and the targets.
#include "gateway/account.h"
#include "gateway/discovery.h"
#include "gateway/routes/handlers.h"
#include "gateway/routes/responses.h"
#include "sqlbak_gateway/gateway/debug_page.h"
#include "sqlbak_gateway/http/encoding.h"

#include <memory>
#include <utility>
#include <vector>

namespace sqlbak_gateway::gateway {
namespace {

// Waits as a probe does. The Error is the client's.
Result<ProbeAnswer> answer_of(const ConfiguredAccount& account, const Asked& asked) {
  const Result<std::optional<Duration>> timeout = scrape_timeout(asked.request);
  if (!timeout) return timeout.error();
  const Duration budget = probe_budget(*timeout, asked.now.config.server.timeout_offset);
  return account.probe(asked.arrived, Deadline::after(asked.arrived, budget));
}

http::Response debug(const ConfiguredAccount& account, const Asked& asked) {
  const Result<ProbeAnswer> answer = answer_of(account, asked);
  if (!answer) return http::text_response(400, answer.error().message + "\n");
  return http::text_response(200,
                             debug_page(account.on_page(), asked.clock.system_now(), TraceDetail::every_step,
                                        exposition_text(*answer, account.config())));
}

http::Response probe(const ConfiguredAccount& account, const Asked& asked) {
  const Result<ProbeAnswer> answer = answer_of(account, asked);
  if (!answer) return http::text_response(400, answer.error().message + "\n");
  bool gzip = http::accepts_gzip(asked.request);
  const ResponseCache::Key key{static_cast<std::uint64_t>(account.account()->key()), answer->version, gzip};
  const bool cacheable = answer->result == ProbeResult::fresh;
  if (cacheable) {
    if (const ResponseCache::Cached cached = asked.response_cache.find(key, answer->at); cached.body) {
      return exposition_response(cached.body, cached.gzip);
    }
  }
  ResponseCache::Body body = exposition_body(exposition_text(*answer, account.config()), gzip);
  if (cacheable) asked.response_cache.keep(key, answer->at, {body, gzip});
  return exposition_response(std::move(body), gzip);
}

}  // namespace

http::Response answer_probe(const Asked& asked) {
  const std::vector<std::string_view> names = asked.request.parameters("account");
  if (names.size() != 1 || names.front().empty()) {
    return http::text_response(400, "name exactly one account, as in /probe?account=acme\n");
  }
  const ConfiguredAccount* account = asked.now.find(names.front());
  if (!account || !asked.caller.may_see(names.front())) {
    asked.gateway.metrics().unknown_account();
    return no_such_account();
  }
  const std::vector<std::string_view> debug_values = asked.request.parameters("debug");
  if (!debug_values.empty() && debug_values.front() == "true") return debug(*account, asked);
  return probe(*account, asked);
}

// In the single-account mode those of the account come first.
http::Response answer_metrics(const Asked& asked) {
  std::string text;
  if (asked.now.single) {
    const Result<ProbeAnswer> answer = answer_of(*asked.now.single, asked);
    if (!answer) return http::text_response(400, answer.error().message + "\n");
    text = exposition_text(*answer, asked.now.single->config());
  }
  text += asked.gateway.metrics().render(asked.gateway.state(asked.now));
  return exposition_response(std::make_shared<const std::string>(std::move(text)), false);
}

http::Response answer_discovery(const Asked& asked) {
  std::vector<const config::AccountConfig*> visible;
  for (const auto& [name, account] : asked.now.accounts) {
    if (asked.caller.may_see(name)) visible.push_back(&account.config());
  }
  // An empty list would make Prometheus forget targets that only a mistake in a file has taken away.
  if (visible.empty() && asked.now.files_rejected > 0) {
    return http::text_response(
        503, "files of accounts_dir were rejected, and with them every account for you; see the log\n");
  }
  const config::ServerConfig& server = asked.now.config.server;
  if (server.advertise.empty() && asked.request.host().empty()) {
    return http::text_response(400,
                               "a request without a Host cannot be told how to reach the gateway; set "
                               "server.advertise\n");
  }
  http::Response response = http::text_response(
      200, discovery_document(visible, advertised(server, asked.request.scheme(), asked.request.host())));
  response.content_type = kJsonType;
  return response;
}

}  // namespace sqlbak_gateway::gateway
