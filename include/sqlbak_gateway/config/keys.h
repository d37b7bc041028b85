// The keys of the configuration file, as the parser knows them. docs/configuration.md and etc/gateway.toml
// are checked against this table, which is also what the parser reads by: a key cannot be read and not be
// documented.
#pragma once

#include <string>
#include <vector>

namespace sqlbak_gateway::config {

struct DocumentedKey {
  std::string table;  // "" (top level), "server", "server.tls", "access", "accounts.NAME.jobs.SELECTOR", …
  std::string name;
  std::string type;      // "duration", "integer", "list of strings", …
  std::string fallback;  // its default as TOML text; empty: none
  std::string range;     // what is accepted; empty: anything of the type
};

// In the order of the documentation.
std::vector<DocumentedKey> documented_keys();

}  // namespace sqlbak_gateway::config
