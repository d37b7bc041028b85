#include "config/single_account.h"

#include "config/schema.h"
#include "config/token_text.h"
#include "config/url.h"
#include "sqlbak_gateway/base/text.h"

#include <charconv>
#include <string>

namespace sqlbak_gateway::config {
namespace {

class Variables {
 public:
  Variables(const Environment& environment, std::vector<Diagnostic>& errors)
      : environment_(environment), errors_(errors) {}

  std::optional<std::string> text(const std::string& name) const { return environment_(name); }
  void malformed(const std::string& name, const std::string& message) {
    errors_.emplace_back().message = "environment variable " + name + ' ' + message;
  }
  // A whole number within the range; nothing where the variable is not set or malformed.
  std::optional<std::int64_t> number(const std::string& name, std::int64_t min, std::int64_t max) {
    const auto value = text(name);
    if (!value) return std::nullopt;
    const std::string_view digits = trimmed(*value);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size() || number < min || number > max) {
      malformed(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max) +
                          ", and is \"" + json_escaped(value->substr(0, 100)) + '"');
      return std::nullopt;
    }
    return number;
  }

 private:
  const Environment& environment_;
  std::vector<Diagnostic>& errors_;
};

// Where the token is: in the one variable, or in the file that the other one names.
TokenSource token_source(Variables& variables) {
  const auto file = variables.text(kTokenFileVariable);
  const auto token = variables.text(kTokenVariable);
  if (!file) {
    const auto checked = checked_token(Secret(token.value_or("")));
    if (!checked) variables.malformed(kTokenVariable, checked.error().message);
    return {TokenSource::Kind::environment, kTokenVariable, {}};
  }
  if (token) {
    variables.malformed(kTokenFileVariable,
                        "is set, and so is " + std::string(kTokenVariable) + ": set one of them");
  } else if (file->empty()) {
    variables.malformed(kTokenFileVariable, "is empty: it must name the file that holds the token");
  }
  return {TokenSource::Kind::file, *file, {}};
}

// Kubernetes gives every pod such a variable for a service named "exporter".
bool is_of_kubernetes(std::string_view port) {
  return port.starts_with("tcp://") || port.starts_with("udp://") || port.starts_with("sctp://");
}

}  // namespace

std::optional<std::string> single_account_variable(const Environment& environment) {
  for (const char* variable : {kTokenFileVariable, kTokenVariable}) {
    if (environment(variable)) return variable;
  }
  return std::nullopt;
}

SingleAccount single_account_from(const Environment& environment, const AccountConfig& defaults) {
  SingleAccount single;
  single.account = defaults;
  single.account.name = "default";

  Variables variables(environment, single.errors);
  single.account.token = token_source(variables);
  if (const auto seconds = variables.number("CHECK_INTERVAL", 1, 86'400)) {
    single.account.cache_ttl = std::chrono::seconds(*seconds);
  }
  if (const auto hours = variables.number("JOBRUNS_LOOKBACK_HOURS", 1, 87'600)) {
    single.account.lookback = std::chrono::hours(*hours);
  }
  if (const auto text = variables.text("EXPORTER_PORT"); text && is_of_kubernetes(*text)) {
    single.warnings.emplace_back().message = "environment variable EXPORTER_PORT is \"" +
                                             json_escaped(text->substr(0, 100)) +
                                             "\", which Kubernetes sets for a service named \"exporter\": it "
                                             "is ignored; enableServiceLinks: false keeps it away";
  } else if (const auto port = variables.number("EXPORTER_PORT", 1, 65'535)) {
    single.listen = ListenAddress{"0.0.0.0", static_cast<std::uint16_t>(*port)};
  }
  if (const auto text = variables.text("SQLBAK_API_URL")) {
    auto url = parse_api_url(*text);
    if (!url) {
      variables.malformed("SQLBAK_API_URL", url.error().message);
    } else {
      single.account.api_url = std::move(*url);
    }
  }
  if (single.account.max_stale < single.account.cache_ttl) {
    variables.malformed("CHECK_INTERVAL", "is longer than max_stale (" +
                                              format_duration(single.account.max_stale) +
                                              "): data would be dropped while still fresh");
  }
  settle_scrape_timeout(single.account);
  return single;
}

}  // namespace sqlbak_gateway::config
