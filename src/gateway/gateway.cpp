#include "sqlbak_gateway/gateway/gateway.h"

#include "gateway/page/page_assets.h"
#include "gateway/page/page_html.h"
#include "gateway/page/page_json.h"
#include "gateway/page/page_model.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/config/check.h"
#include "sqlbak_gateway/evaluation/findings.h"
#include "sqlbak_gateway/gateway/debug_page.h"
#include "sqlbak_gateway/gateway/discovery.h"
#include "sqlbak_gateway/http/encoding.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds";
constexpr std::size_t kWorthCompressing = 1024;  // bytes; below it the saving is not worth the work

// Who may ask for a path, where there is access control.
enum class Audience {
  everybody,  // without credentials
  callers,    // with credentials; they see what they may see
  operators,  // with the right to see everything
  machine,    // operators; without access control, only from this machine
};

struct KnownPath {
  std::string_view path;  // one that ends with '/' (but for "/") stands for everything below it
  std::string_view methods;
  Audience audience;
  http::Urgency urgency = http::Urgency::ordinary;
};

constexpr std::string_view kAccountPages = "/accounts/";
constexpr std::string_view kAssets = "/assets/";

constexpr std::array<KnownPath, 11> kPaths = {{
    {"/", "GET, HEAD", Audience::callers, http::Urgency::urgent},
    {"/accounts.json", "GET, HEAD", Audience::callers, http::Urgency::urgent},
    {kAccountPages, "GET, HEAD", Audience::callers, http::Urgency::urgent},
    {kAssets, "GET, HEAD", Audience::callers, http::Urgency::urgent},
    {"/probe", "GET, HEAD", Audience::callers},
    {"/metrics", "GET, HEAD", Audience::operators, http::Urgency::urgent},
    {"/sd", "GET, HEAD", Audience::callers},
    {"/config", "GET, HEAD", Audience::machine},
    {"/-/healthy", "GET, HEAD", Audience::everybody, http::Urgency::immediate},
    {"/-/ready", "GET, HEAD", Audience::everybody, http::Urgency::immediate},
    {"/-/reload", "POST", Audience::machine},
}};

const KnownPath* known(std::string_view path) {
  const auto found = std::find_if(kPaths.begin(), kPaths.end(), [&](const KnownPath& k) {
    const bool below = k.path.size() > 1 && k.path.back() == '/';
    return below ? path.size() > k.path.size() && path.starts_with(k.path) : path == k.path;
  });
  return found == kPaths.end() ? nullptr : &*found;
}

bool allows(const KnownPath& path, std::string_view method) {
  return path.methods == method || (path.methods == "GET, HEAD" && (method == "GET" || method == "HEAD"));
}

http::Response denied_for_now(int status, std::string text, Duration retry_after) {
  http::Response response = http::text_response(status, std::move(text));
  response.headers.push_back(
      {"Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(retry_after).count())});
  return response;
}

http::Response unauthorised(const Access& access, const Access::Verdict& verdict) {
  switch (verdict.denial) {
    case Access::Denial::throttled:
      return denied_for_now(429, "too many failed attempts; try again later\n", verdict.retry_after);
    case Access::Denial::busy:
      return denied_for_now(503, "busy checking other passwords, so this one was not checked; try again\n",
                            verdict.retry_after);
    case Access::Denial::unknown:
      break;
  }
  http::Response response =
      http::text_response(401, "credentials are needed, and these are none that are known\n");
  // A browser that is offered what nobody has would ask its user for a password in vain.
  if (access.takes_passwords()) {
    response.headers.push_back({"WWW-Authenticate", "Basic realm=\"sqlbak-gateway\", charset=\"UTF-8\""});
  }
  if (access.takes_bearer_tokens()) {
    response.headers.push_back({"WWW-Authenticate", "Bearer realm=\"sqlbak-gateway\""});
  }
  return response;
}

// A positive, finite number of seconds; nothing where there is no header.
Result<std::optional<Duration>> scrape_timeout(const http::Request& request) {
  const std::optional<std::string_view> header = request.header(kTimeoutHeader);
  if (!header) return std::optional<Duration>();
  double seconds = 0;
  const auto [end, error] = std::from_chars(header->data(), header->data() + header->size(), seconds);
  if (error != std::errc{} || end != header->data() + header->size() || !std::isfinite(seconds) ||
      seconds <= 0) {
    return Error{std::string(kTimeoutHeader) + " must be a positive number of seconds, like 10 or 9.5"};
  }
  constexpr double kLongest = 3600;  // longer than any scrape, and safely inside a Duration
  return std::optional<Duration>(
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::min(seconds, kLongest))));
}

http::Response exposition_response(SharedBodies::Body body, bool gzip) {
  http::Response response;
  response.content_type = kExpositionType;
  response.body = std::move(body);
  if (gzip) response.content_encoding = "gzip";
  return response;
}

// At most half of the requests in flight may wait for a collection, so that the others are answered.
std::size_t waiting_places(const config::ServerConfig& server) {
  return std::max<std::size_t>(1, server.max_requests_in_flight / 2);
}

SharedBodies::Body encoded(std::string text, bool& gzip) {
  gzip = gzip && text.size() >= kWorthCompressing;
  return std::make_shared<const std::string>(gzip ? http::gzip(text) : std::move(text));
}

// Every answer, in the end. Bodies that are shared come compressed already.
http::Response compressed(http::Response response, const http::Request& request) {
  const bool already = !response.content_encoding.empty();
  if (!already && (!response.body || response.body->size() < kWorthCompressing)) return response;
  response.headers.push_back({"Vary", "Accept-Encoding"});
  if (!already && http::accepts_gzip(request)) {
    response.body = std::make_shared<const std::string>(http::gzip(*response.body));
    response.content_encoding = "gzip";
  }
  return response;
}

// The very same for an account that there is not, and for one that the caller may not see.
http::Response no_such_account() {
  return http::text_response(404, "no such account; /sd and / list those there are\n");
}

http::Response no_such_page() {
  return http::text_response(404, "no such page; / lists what there is\n");
}

constexpr std::string_view kHtmlType = "text/html; charset=utf-8";
constexpr std::string_view kJsonType = "application/json";

// Nothing from elsewhere, no inline script or style, in nobody's frame.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

http::Response page_response(std::string text, std::string_view type) {
  http::Response response = http::text_response(200, std::move(text));
  response.content_type = type;
  response.headers = {{"Vary", "Accept"},
                      {"Cache-Control", "no-store"},
                      {"Content-Security-Policy", std::string(kContentSecurityPolicy)},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"}};
  return response;
}

// Its address changes with its content.
http::Response asset_response(PageAsset asset) {
  http::Response response = http::text_response(200, std::string(content(asset)));
  response.content_type = content_type(asset);
  response.headers = {{"Cache-Control", "private, max-age=86400"}, {"X-Content-Type-Options", "nosniff"}};
  return response;
}

// JSON is named in Accept, with a weight above 0 and above that of HTML, where HTML is named too.
bool prefers_json(const http::Request& request) {
  const std::string_view accept = request.header("Accept").value_or("");
  double json = 0;
  double html = 0;
  for (std::string_view rest = accept; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view range = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const std::string_view type = trimmed(range.substr(0, range.find(';')));
    double weight = 1;
    if (const std::size_t q = range.find("q="); q != std::string_view::npos) {
      const std::string_view number = trimmed(range.substr(q + 2));
      std::from_chars(number.data(), number.data() + number.size(), weight);
    }
    if (equal_ignoring_case(type, "application/json")) json = weight;
    if (equal_ignoring_case(type, "text/html")) html = weight;
  }
  return json > 0 && json > html;
}

}  // namespace

std::string_view path_label(std::string_view path) {
  const KnownPath* found = known(path);
  return found ? found->path : "other";
}

struct Gateway::Generation {
  config::Config config;
  std::size_t files_rejected = 0;
  std::map<std::string, std::shared_ptr<Account>, std::less<>> accounts;
  std::unique_ptr<Access> access;
  std::shared_ptr<Account> single;  // of the single-account mode; else null

  std::vector<AccountOnPage> visible_to(const Caller& caller) const {
    std::vector<AccountOnPage> visible;
    for (const auto& [name, account] : accounts) {
      if (caller.may_see(name)) visible.push_back({&account->config(), account->view()});
    }
    return visible;
  }
};

Gateway::Gateway(config::LoadOutcome first, Dependencies dependencies)
    : deps_(std::move(dependencies)),
      started_(deps_.clock.steady_now()),
      waiting_(waiting_places(first.config->server)),
      max_response_bytes_(first.config->upstream.max_response_bytes) {
  last_reload_succeeded_ = first.rejected.empty();
  last_reload_success_ = deps_.clock.system_now();
  generation_ = make_generation(std::move(first), nullptr);
  tell_history(*generation_);
}

Gateway::~Gateway() = default;

void Gateway::tell_history(const Generation& now) {
  std::vector<std::string> names;
  for (const auto& [name, account] : now.accounts) names.push_back(name);
  deps_.history.configured(std::move(names));
}

std::shared_ptr<const Gateway::Generation> Gateway::make_generation(config::LoadOutcome loaded,
                                                                    const Generation* former) {
  auto made = std::make_shared<Generation>();
  made->config = std::move(*loaded.config);
  made->files_rejected = loaded.rejected.size();
  made->access = former ? std::make_unique<Access>(made->config.access, *former->access)
                        : std::make_unique<Access>(made->config.access, deps_.tokens.unbounded(), deps_.clock,
                                                   deps_.try_password);
  const AccountServices services{.clock = deps_.clock,
                                 .log = deps_.log,
                                 .collector = deps_.collector,
                                 .history = deps_.history,
                                 .tokens = deps_.tokens,
                                 .waiting = waiting_,
                                 .max_response_bytes = max_response_bytes_,
                                 .observer = metrics_};
  for (const auto& [name, config] : made->config.accounts) {
    std::shared_ptr<Account> before;
    if (former) {
      if (const auto found = former->accounts.find(name); found != former->accounts.end())
        before = found->second;
    }
    if (before && before->config() == config) {
      made->accounts.emplace(name, before);
      continue;
    }
    const upstream::AccountKey key{next_key_++};
    auto account =
        std::make_shared<Account>(config, key, services, deps_.seed + static_cast<std::uint64_t>(key));
    if (before) account->prepare_to_succeed(*before);
    made->accounts.emplace(name, std::move(account));
  }
  if (made->config.single_account) made->single = made->accounts.begin()->second;
  return made;
}

std::shared_ptr<const Gateway::Generation> Gateway::generation() const {
  MutexLock lock(mutex_);
  return generation_;
}

std::shared_ptr<Account> Gateway::account(std::string_view name) const {
  const auto now = generation();
  const auto found = now->accounts.find(name);
  return found == now->accounts.end() ? nullptr : found->second;
}

http::Urgency Gateway::urgency(std::string_view path) const {
  const KnownPath* found = known(path);
  if (!found) return http::Urgency::ordinary;
  // The single-account mode's /metrics waits like a probe.
  return path == "/metrics" && generation()->single ? http::Urgency::ordinary : found->urgency;
}

http::Response Gateway::handle(const http::Request& request) {
  return compressed(answer(request), request);
}

http::Response Gateway::answer(const http::Request& request) {
  // Checking a password takes its time, and Prometheus waits for that too.
  const SteadyTime arrived = deps_.clock.steady_now();
  const auto now = generation();
  const KnownPath* path = known(request.path);
  if (path && path->audience == Audience::everybody) {
    if (!allows(*path, request.method)) return http::method_not_allowed(path->methods);
    if (path->path == "/-/healthy") return http::text_response(200, "sqlbak-gateway is healthy.\n");
    MutexLock lock(mutex_);
    return shutting_down_ ? http::text_response(503, "sqlbak-gateway is shutting down.\n")
                          : http::text_response(200, "sqlbak-gateway is ready.\n");
  }

  const Access::Verdict verdict = now->access->check(request, urgency(request.path));
  if (!verdict.caller) return unauthorised(*now->access, verdict);
  const Caller& caller = *verdict.caller;
  if (!path) return no_such_page();
  if (path->audience != Audience::callers && !caller.operator_rights) {
    return http::text_response(403, "this needs an access entry with accounts = [\"*\"]\n");
  }
  if (path->audience == Audience::machine && !now->access->enabled() && !request.peer_is_loopback) {
    return http::text_response(403, "without [[access]] entries this is answered to this machine only\n");
  }
  if (!allows(*path, request.method)) return http::method_not_allowed(path->methods);

  if (path->path == "/probe") return probe(*now, caller, request, arrived);
  if (path->path == "/metrics") return own_metrics(*now, request, arrived);
  if (path->path == "/-/reload") return reload_response();
  if (path->path == "/config") return http::text_response(200, config::masked(now->config));
  if (path->path == "/sd") {
    std::vector<const config::AccountConfig*> visible;
    for (const auto& [name, account] : now->accounts) {
      if (caller.may_see(name)) visible.push_back(&account->config());
    }
    // An empty list would make Prometheus forget targets that only a mistake in a file has taken away.
    if (visible.empty() && now->files_rejected > 0) {
      return http::text_response(
          503, "files of accounts_dir were rejected, and with them every account for you; see the log\n");
    }
    if (now->config.server.advertise.empty() && request.host().empty()) {
      return http::text_response(400,
                                 "a request without a Host cannot be told how to reach the gateway; set "
                                 "server.advertise\n");
    }
    http::Response response = http::text_response(
        200, discovery_document(visible, advertised(now->config.server, request.scheme(), request.host())));
    response.content_type = "application/json";
    return response;
  }
  if (path->path == kAccountPages) return account_page(*now, caller, request);
  if (path->path == kAssets) {
    const std::optional<PageAsset> asset = page_asset(request.path);
    return asset ? asset_response(*asset) : no_such_page();
  }
  return overview_page(*now, caller, request);
}

http::Response Gateway::overview_page(const Generation& now, const Caller& caller,
                                      const http::Request& request) {
  const ListQuery query = list_query(request, account_subsets(), account_orders());
  const bool json = request.path != "/" || prefers_json(request);
  const Overview page = overview(now.visible_to(caller), query, json ? Paging::everything : Paging::pages,
                                 facts_for(now, caller));
  return json ? page_response(to_json(page), kJsonType) : page_response(to_html(page), kHtmlType);
}

http::Response Gateway::account_page(const Generation& now, const Caller& caller,
                                     const http::Request& request) {
  std::string_view name = request.path;
  name.remove_prefix(kAccountPages.size());
  const auto visible = [&](std::string_view account) {
    return caller.may_see(account) ? now.accounts.find(account) : now.accounts.end();
  };
  constexpr std::string_view kSuffix = ".json";
  bool json = prefers_json(request);
  auto found = visible(name);
  // An account may be called "acme.json": its name goes before the suffix.
  if (found == now.accounts.end() && name.ends_with(kSuffix)) {
    name.remove_suffix(kSuffix.size());
    found = visible(name);
    json = true;
  }
  if (found == now.accounts.end()) return no_such_account();
  const ListQuery query = list_query(request, job_subsets(), job_orders());
  const AccountDetail page =
      account_detail({&found->second->config(), found->second->view()}, query,
                     json ? Paging::everything : Paging::pages, facts_for(now, caller));
  return json ? page_response(to_json(page), kJsonType) : page_response(to_html(page), kHtmlType);
}

GatewayFacts Gateway::facts_for(const Generation& now, const Caller& caller) const {
  GatewayFacts facts;
  facts.version = build_info().version;
  facts.uptime = deps_.clock.steady_now() - started_;
  facts.now = deps_.clock.system_now();
  if (caller.operator_rights) {
    MutexLock lock(mutex_);
    facts.configuration = {last_reload_succeeded_, last_reload_success_, now.files_rejected};
  }
  return facts;
}

http::Response Gateway::probe(const Generation& now, const Caller& caller, const http::Request& request,
                              SteadyTime arrived) {
  const std::vector<std::string_view> names = request.parameters("account");
  if (names.size() != 1 || names.front().empty()) {
    return http::text_response(400, "name exactly one account, as in /probe?account=acme\n");
  }
  const auto found = now.accounts.find(names.front());
  if (found == now.accounts.end() || !caller.may_see(names.front())) {
    metrics_.unknown_account();
    return no_such_account();
  }
  const std::vector<std::string_view> debug_values = request.parameters("debug");
  if (!debug_values.empty() && debug_values.front() == "true") return debug(*found->second, request, arrived);
  return exposition_of(*found->second, request, arrived, nullptr);
}

Result<ProbeAnswer> Gateway::answer_of(Account& account, const http::Request& request, SteadyTime arrived) {
  const Result<std::optional<Duration>> timeout = scrape_timeout(request);
  if (!timeout) return timeout.error();
  const Duration budget = probe_budget(*timeout, generation()->config.server.timeout_offset);
  return account.probe(arrived, Deadline::after(arrived, budget));
}

http::Response Gateway::debug(Account& account, const http::Request& request, SteadyTime arrived) {
  const Result<ProbeAnswer> answer = answer_of(account, request, arrived);
  if (!answer) return http::text_response(400, answer.error().message + "\n");
  return http::text_response(
      200, debug_page({&account.config(), account.view()}, deps_.clock.system_now(), TraceDetail::every_step,
                      exposition_text(*answer, account.config())));
}

http::Response Gateway::exposition_of(Account& account, const http::Request& request, SteadyTime arrived,
                                      const Generation* own_metrics_of) {
  const Result<ProbeAnswer> answer = answer_of(account, request, arrived);
  if (!answer) return http::text_response(400, answer.error().message + "\n");
  bool gzip = http::accepts_gzip(request);
  const SharedBodies::Key key{static_cast<std::uint64_t>(account.key()), answer->version, gzip};
  const bool shareable = answer->result == ProbeResult::fresh && !own_metrics_of;
  if (shareable) {
    if (const SharedBodies::Shared shared = bodies_.find(key, answer->at); shared.body) {
      return exposition_response(shared.body, shared.gzip);
    }
  }
  std::string text = exposition_text(*answer, account.config());
  if (own_metrics_of) text += metrics_.render(state(*own_metrics_of));
  SharedBodies::Body body = encoded(std::move(text), gzip);
  if (shareable) bodies_.keep(key, answer->at, {body, gzip});
  return exposition_response(std::move(body), gzip);
}

http::Response Gateway::own_metrics(const Generation& now, const http::Request& request, SteadyTime arrived) {
  if (now.single) return exposition_of(*now.single, request, arrived, &now);
  return exposition_response(std::make_shared<const std::string>(metrics_.render(state(now))), false);
}

GatewayState Gateway::state(const Generation& now) const {
  GatewayState state;
  for (const auto& [name, account] : now.accounts) state.accounts.push_back(account);
  state.config_files_rejected = now.files_rejected;
  state.history = deps_.history.status();
  if (deps_.certificate_expiry) state.certificate_expiry = deps_.certificate_expiry();
  MutexLock lock(mutex_);
  state.last_reload_succeeded = last_reload_succeeded_;
  state.last_reload_success = last_reload_success_;
  return state;
}

http::Response Gateway::reload_response() {
  const Result<void> reloaded = reload();
  if (!reloaded) return http::text_response(500, reloaded.error().message + "\n");
  return http::text_response(200, "configuration reloaded\n");
}

Result<void> Gateway::reload() {
  MutexLock one_at_a_time(reload_mutex_);
  const auto former = generation();
  config::LoadOutcome loaded = deps_.load(former->config);
  for (const config::Diagnostic& warning : loaded.warnings) {
    deps_.log.warn("configuration", {{"warning", to_text(warning)}});
  }
  std::string errors;
  for (const config::Diagnostic& error : loaded.errors)
    errors += (errors.empty() ? "" : "\n") + to_text(error);
  std::shared_ptr<const Generation> next;
  if (loaded.config) {
    next = make_generation(std::move(loaded), former.get());
    // No new address is served under the old access rules, and no old one under the new.
    const auto ready = [&] { put_in_force(*former, next); };
    if (!deps_.listen) {
      ready();
    } else if (const Result<void> listening = deps_.listen(next->config.server, ready); !listening) {
      errors = listening.error().message;
      next.reset();
    }
  }
  if (!next) {
    deps_.log.error("configuration not reloaded; the running one stays in force", {{"error", errors}});
    MutexLock lock(mutex_);
    last_reload_succeeded_ = false;
    return Error{errors};
  }

  const config::UpstreamConfig& limits = next->config.upstream;
  deps_.collector.set_limits({.max_concurrent_requests = limits.max_concurrent_requests,
                              .requests_per_second = limits.requests_per_second});
  waiting_.set_places(waiting_places(next->config.server));
  max_response_bytes_ = limits.max_response_bytes;
  {
    MutexLock lock(mutex_);
    last_reload_succeeded_ = true;
    last_reload_success_ = deps_.clock.system_now();
  }
  for (const auto& [name, account] : next->accounts) account->end_backoff();
  tell_history(*next);
  if (next->config.history != former->config.history) {
    deps_.log.warn("a change of [history] is put in force by a restart; the history stays as it is");
  }
  deps_.log.info("configuration reloaded", {{"accounts", next->accounts.size()}});
  return {};
}

// Before anybody probes the new accounts, so that no two collect at once. A probe that still finds a former
// one is answered from memory.
void Gateway::put_in_force(const Generation& former, const std::shared_ptr<const Generation>& next) {
  for (const auto& [name, account] : former.accounts) {
    const auto found = next->accounts.find(name);
    if (found == next->accounts.end()) {
      account->retire();
    } else if (found->second != account) {
      found->second->succeed(*account);
    }
  }
  bool stopping = false;
  {
    MutexLock lock(mutex_);
    generation_ = next;
    stopping = shutting_down_;
  }
  if (!stopping) return;
  for (const auto& [name, account] : next->accounts) account->retire();  // shut_down() has not seen them
}

void Gateway::shut_down() {
  std::shared_ptr<const Generation> now;
  {
    MutexLock lock(mutex_);
    shutting_down_ = true;
    now = generation_;
  }
  for (const auto& [name, account] : now->accounts) account->retire();
}

}  // namespace sqlbak_gateway::gateway
