// Bytes of a client. The request reader parses them, and how they arrive must not matter. A gateway answers,
// and its answer must be one that can be sent.
#include "fuzz/fuzz.h"
#include "http/request_reader.h"
#include "simulator/in_process_transport.h"
#include "simulator/scenarios.h"
#include "simulator/simulator.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/gateway/gateway.h"
#include "sqlbak_gateway/gateway/reload.h"
#include "sqlbak_gateway/gateway/routes.h"
#include "sqlbak_gateway/http/authorization.h"
#include "sqlbak_gateway/http/encoding.h"
#include "support/manual_clock.h"

#include <algorithm>

namespace sqlbak_gateway::fuzz {
namespace {

constexpr std::string_view kSecret = "scrape-secret";

// A gateway in process whose only account has no token, so that no probe ever waits.
struct SmallGateway {
  class NoLog final : public LogSink {
   public:
    void write(std::string_view line) override {
      require(is_valid_utf8(line), "log lines are valid UTF-8", line);
      require(std::count(line.begin(), line.end(), '\n') == 1, "one line is one line", line);
    }
  };
  static config::LoadOutcome configuration(bool access) {
    config::LoadOutcome outcome;
    outcome.config.emplace();
    config::AccountConfig& account = outcome.config->accounts["acme"];
    account.name = "acme";
    account.token = {config::TokenSource::Kind::environment, "NONE", ""};
    if (access) {
      config::AccessEntry entry;
      entry.name = "operator";
      entry.bearer_token = config::TokenSource{config::TokenSource::Kind::environment, "SCRAPE", ""};
      entry.accounts = {"*"};
      outcome.config->access.push_back(entry);
    }
    return outcome;
  }
  explicit SmallGateway(bool access)
      : gateway(configuration(access), {.clock = clock,
                                        .log = log,
                                        .collector = collector,
                                        .history = *history,
                                        .tokens = bounded_tokens,
                                        .seed = 1}),
        routes(gateway, clock, [this, access] {
          return gateway::reload(gateway,
                                 {.load = [access](const config::Config&) { return configuration(access); },
                                  .rebind = nullptr,
                                  .resume = nullptr});
        }) {}

  testing::ManualClock clock;
  NoLog lines;
  Logger log{lines, clock, LogLevel::debug, LogFormat::logfmt};
  simulator::Simulator api{simulator::World(), clock};
  simulator::InProcessTransport transport{api, clock};
  gateway::Collector collector{clock, transport, {}, 1};
  config::TokenReader tokens{[](const std::string& name) -> std::optional<std::string> {
    return name == "SCRAPE" ? std::optional<std::string>(kSecret) : std::nullopt;
  }};
  config::BoundedTokens bounded_tokens{tokens, clock};
  std::unique_ptr<history::History> history = history::make_memory_history();
  gateway::Gateway gateway;
  gateway::Routes routes;
};

// Whether the client itself sent the text in a place that the answer may repeat.
bool says_secret(const http::Request& request) {
  const auto holds = [](std::string_view text) { return text.find(kSecret) != std::string_view::npos; };
  return holds(request.authority) || holds(request.path) || holds(request.raw_query) ||
         std::any_of(request.query.begin(), request.query.end(),
                     [&](const http::NamedValue& parameter) {
                       return holds(parameter.name) || holds(parameter.value);
                     }) ||
         std::any_of(request.headers.begin(), request.headers.end(), [&](const http::NamedValue& header) {
           return !equal_ignoring_case(header.name, "Authorization") && holds(header.value);
         });
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

// Gives all the bytes to the reader in pieces of that size.
std::vector<http::Reading> read(std::string_view bytes, std::size_t piece, const http::Limits& limits) {
  http::RequestReader reader(limits);
  std::vector<http::Reading> all;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.append(bytes.substr(at, piece));
    for (;;) {
      http::Reading reading = reader.next();
      if (std::holds_alternative<http::Incomplete>(reading)) break;
      const bool refused = std::holds_alternative<http::Refused>(reading);
      all.push_back(std::move(reading));
      if (refused) return all;
    }
  }
  return all;
}

void require_same(const http::Reading& whole, const http::Reading& pieces) {
  require(whole.index() == pieces.index(), "how bytes arrive changes nothing");
  if (const auto* a = std::get_if<http::Complete>(&whole)) {
    const auto& b = std::get<http::Complete>(pieces);
    require(a->request.method == b.request.method && a->request.path == b.request.path &&
                a->request.raw_query == b.request.raw_query && a->request.query == b.request.query &&
                a->request.headers == b.request.headers && a->request.body == b.request.body &&
                a->request.authority == b.request.authority && a->keep_alive == b.keep_alive,
            "how bytes arrive changes no request", a->request.path);
  } else if (const auto* refused = std::get_if<http::Refused>(&whole)) {
    require(refused->status == std::get<http::Refused>(pieces).status, "how bytes arrive changes no refusal",
            refused->text);
  }
}

void require_request(const http::Request& request, const http::Limits& limits) {
  require(request.path.starts_with('/') || request.path == "*", "a path starts with a slash", request.path);
  require(is_valid_utf8(request.path) && !has_control_character(request.path), "paths are clean text",
          request.path);
  require(request.headers.size() <= limits.max_headers, "headers are bounded");
  require(request.body.size() <= limits.max_body_bytes, "bodies are bounded");
  for (const http::NamedValue& header : request.headers) {
    require(
        !header.name.empty() && !has_control_character(header.name) && !has_control_character(header.value),
        "headers hold no control characters", header.name);
    require(header.value == trimmed(header.value), "header values are trimmed", header.value);
  }
}

void require_answer(SmallGateway& behind, const http::Request& request, bool may_enter) {
  const http::Response response = behind.routes.answer(request);
  require(response.status >= 200 && response.status < 600, "the status is one");
  require(!has_control_character(response.content_type), "the content type is clean");
  for (const http::NamedValue& header : response.headers) {
    require(!has_control_character(header.value), "headers of an answer hold no control characters",
            header.name);
  }
  if (response.body && response.content_encoding.empty()) {
    require(is_valid_utf8(*response.body), "text that goes out is valid UTF-8", *response.body);
    require(says_secret(request) || response.body->find(kSecret) == std::string::npos, "no secret goes out");
  }
  const bool health = request.path == "/-/healthy" || request.path == "/-/ready";
  if (!may_enter && !health) {
    require(
        response.status == 401 || response.status == 404 || response.status == 405 || response.status == 400,
        "who has no credentials sees nothing", request.path + " " + std::to_string(response.status));
  }
}

}  // namespace
}  // namespace sqlbak_gateway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sqlbak_gateway;
  using namespace sqlbak_gateway::fuzz;
  static SmallGateway open(false);
  static SmallGateway guarded(true);
  http::Limits limits;
  limits.max_request_line_bytes = 512;
  limits.max_header_bytes = 1024;
  limits.max_headers = 20;
  limits.max_body_bytes = 256;

  const std::string_view bytes = text_of(data, size);
  const std::vector<http::Reading> whole = read(bytes, std::max<std::size_t>(bytes.size(), 1), limits);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
    const std::vector<http::Reading> pieces = read(bytes, piece, limits);
    require(whole.size() == pieces.size(), "how bytes arrive changes nothing");
    for (std::size_t i = 0; i < whole.size(); ++i) require_same(whole[i], pieces[i]);
  }
  for (const http::Reading& reading : whole) {
    const auto* complete = std::get_if<http::Complete>(&reading);
    if (!complete) {
      const auto& refused = std::get<http::Refused>(reading);
      require(refused.status >= 400 && is_valid_utf8(refused.text), "a refusal says why", refused.text);
      continue;
    }
    http::Request request = complete->request;
    require_request(request, limits);
    (void)http::accepts_gzip(request);
    request.peer_address = "192.0.2.1";
    require_answer(open, request, true);
    const auto credentials = http::credentials_of(request);
    const auto* bearer = credentials ? std::get_if<http::BearerCredentials>(&*credentials) : nullptr;
    require_answer(guarded, request, bearer && bearer->token.reveal() == kSecret);
  }
  return 0;
}
