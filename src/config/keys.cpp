#include "config/keys.h"

#include "config/schema.h"

namespace sqlbak_gateway::config {
namespace {

template <typename Target>
void append(std::vector<DocumentedKey>& documented, std::string table, const Keys<Target>& keys) {
  const Target built_in{};
  for (const Key<Target>& key : keys) {
    if (!key.refusal.empty() || key.type == kTable) continue;
    documented.push_back({table, std::string(key.name), key.type, key.write(built_in), key.range});
  }
}

}  // namespace

std::vector<DocumentedKey> documented_keys() {
  std::vector<DocumentedKey> documented;
  append(documented, "", main_keys());
  append(documented, "server", server_keys());
  append(documented, "server.tls", tls_keys());
  append(documented, "access", access_keys());
  append(documented, "upstream", upstream_keys());
  append(documented, "history", history_keys());
  append(documented, "defaults", default_keys());
  append(documented, "defaults.max_age", max_age_keys());
  append(documented, "accounts.NAME", token_keys());
  append(documented, "accounts.NAME.jobs.SELECTOR", job_keys());
  append(documented, "accounts.NAME.jobs.SELECTOR.max_age", max_age_keys());
  append(documented, "accounts.NAME.servers.SELECTOR", server_override_keys());
  return documented;
}

}  // namespace sqlbak_gateway::config
