// The Authorization header is parsed and checked against the access entries. Only the exact credentials get
// in, and no header can be understood in two ways.
#include "fuzz/fuzz.h"
#include "gateway/access.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/http/authorization.h"
#include "support/manual_clock.h"

#include <crypt.h>

namespace sqlbak_gateway::fuzz {
namespace {

constexpr std::string_view kName = "acme";
constexpr std::string_view kPassword = "battery staple";
constexpr std::string_view kToken = "scrape-secret";

std::vector<config::AccessEntry> entries() {
  std::vector<config::AccessEntry> made(2);
  crypt_data data{};
  made[0].name = kName;
  made[0].password_bcrypt =
      Secret(crypt_r(std::string(kPassword).c_str(), "$2b$04$abcdefghijklmnopqrstuu", &data));
  made[0].accounts = {"acme-*"};
  made[1].name = "operator";
  made[1].bearer_token = config::TokenSource{config::TokenSource::Kind::environment, "SCRAPE", ""};
  made[1].accounts = {"*"};
  return made;
}

}  // namespace
}  // namespace sqlbak_gateway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sqlbak_gateway;
  using namespace sqlbak_gateway::fuzz;
  static testing::ManualClock clock;
  static const config::TokenReader tokens(
      [](const std::string&) { return std::optional(std::string(kToken)); });
  static const config::BoundedTokens bounded_tokens(tokens, clock);
  static gateway::Access access(entries(), bounded_tokens, clock);

  const std::string_view header = text_of(data, size);
  const std::optional<http::Credentials> credentials = http::parse_authorization(header);
  http::Request request;
  request.peer_address = "192.0.2.1";
  request.headers.push_back({"authorization", std::string(header)});
  clock.advance(std::chrono::seconds(10));
  const gateway::Access::Verdict verdict = access.check(request);

  bool right = false;
  if (credentials) {
    if (const auto* basic = std::get_if<http::BasicCredentials>(&*credentials)) {
      require(basic->name.find(':') == std::string::npos, "a name holds no colon", basic->name);
      require(basic->name.find('\0') == std::string::npos &&
                  basic->password.reveal().find('\0') == std::string_view::npos,
              "no NUL cuts a password short");
      right = basic->name == kName && basic->password.reveal() == kPassword;
    } else {
      right = std::get<http::BearerCredentials>(*credentials).token.reveal() == kToken;
    }
  }
  require(verdict.caller.has_value() == right || verdict.denial == gateway::Access::Denial::throttled,
          "the right credentials get in, and no others", header);
  if (verdict.caller) {
    const bool is_operator = verdict.caller->name == "operator";
    require(
        verdict.caller->operator_rights == is_operator && verdict.caller->may_see("globex") == is_operator,
        "and only as far as they go");
  }
  return 0;
}
