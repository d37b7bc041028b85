#include "program/configuration.h"

#include "sqlbak_gateway/config/check.h"
#include "sqlbak_gateway/gateway/own_metrics.h"

#include <cstdlib>
#include <utility>

namespace sqlbak_gateway {
std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

config::LoadOutcome load_files(const config::Flags& flags, config::LoadMode mode,
                               const config::Config* running) {
  config::LoadOptions options;
  options.mode = mode;
  options.environment = environment;
  options.listen_override = flags.listen_addresses;
  options.running = running;
  return config::load(flags.config_file, options);
}

config::LoadOutcome load(const config::Flags& flags, config::LoadMode mode,
                         const config::BoundedTokens& tokens, const config::Config* running) {
  config::LoadOutcome loaded = load_files(flags, mode, running);
  if (loaded.config) check_named_files(*loaded.config, tokens, loaded.warnings, loaded.warnings);
  return loaded;
}

void check_named_files(const config::Config& config, const config::BoundedTokens& tokens,
                       std::vector<config::Diagnostic>& errors, std::vector<config::Diagnostic>& warnings) {
  config::CheckedFiles files = config::check_files(config, tokens);
  append(errors, std::move(files.errors));
  append(warnings, std::move(files.warnings));
}

void log_outcome(const config::LoadOutcome& loaded, const Logger& log) {
  for (const config::Diagnostic& warning : loaded.warnings) {
    log.warn("configuration", {{"warning", to_text(warning)}});
  }
  for (const config::RejectedFile& rejected : loaded.rejected) {
    for (const config::Diagnostic& error : rejected.errors) {
      log.error(rejected.in_part ? "account left out of a configuration file"
                                 : "configuration file skipped, with all its accounts",
                {{"error", to_text(error)}});
    }
  }
  for (const config::Diagnostic& error : loaded.errors) {
    log.error("configuration", {{"error", to_text(error)}});
  }
}

std::string user_agent() {
  return "sqlbak-gateway/" + gateway::build_info().version;
}

upstream::GlobalLimits limits_of(const config::UpstreamConfig& upstream) {
  return {.max_concurrent_requests = upstream.max_concurrent_requests,
          .requests_per_second = upstream.requests_per_second};
}

std::optional<http::TlsFiles> tls_files_of(const config::ServerConfig& server) {
  if (!server.tls) return std::nullopt;
  return http::TlsFiles{server.tls->cert_file, server.tls->key_file, server.tls->client_ca_file};
}

std::vector<http::Listener> listeners_of(const config::ServerConfig& server) {
  std::vector<http::Listener> listeners;
  for (const ListenAddress& address : server.listen) {
    listeners.push_back({address, tls_files_of(server)});
  }
  return listeners;
}

}  // namespace sqlbak_gateway
