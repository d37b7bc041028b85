#include "program/commands.h"
#include "program/configuration.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/config/check.h"
#include "sqlbak_gateway/config/token.h"

#include <chrono>
#include <cstdlib>

namespace sqlbak_gateway {
namespace {

constexpr Duration kRenewBefore = std::chrono::hours(24 * 14);

void check_certificate(const config::ServerConfig& server, SystemTime now, config::LoadOutcome& loaded) {
  const Result<http::CertificateFacts> checked = http::check_tls_files(*tls_files_of(server));
  if (!checked) {
    loaded.errors.push_back({server.tls->place, "server.tls: " + checked.error().message});
  } else if (checked->not_after < now + kRenewBefore) {
    loaded.warnings.push_back(
        {server.tls->cert_file_place, "server.tls: the certificate expires, or has expired, on " +
                                          format_time(checked->not_after) + ": renew it, then reload"});
  }
}

}  // namespace

int check_command(const config::Flags& flags) {
  config::LoadOutcome loaded = load_files(flags, config::LoadMode::check);
  if (loaded.config) {
    const RealClock clock;
    const config::TokenReader reader(environment);
    const config::BoundedTokens tokens(reader, clock);
    check_named_files(*loaded.config, tokens, loaded.errors, loaded.warnings);
    const config::ServerConfig& server = loaded.config->server;
    if (server.tls && loaded.errors.empty()) check_certificate(server, clock.system_now(), loaded);
  }
  for (const config::Diagnostic& warning : loaded.warnings) {
    print(stderr, "warning: " + to_text(warning) + "\n");
  }
  for (const config::Diagnostic& error : loaded.errors) print(stderr, "error: " + to_text(error) + "\n");
  if (!loaded.config || !loaded.errors.empty()) return kFailed;
  print(stdout, check_report(*loaded.config));
  return EXIT_SUCCESS;
}

}  // namespace sqlbak_gateway
