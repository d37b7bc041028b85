// The keys of the configuration file. The parser reads by this table, and docs/configuration.md and
// etc/gateway.toml are checked against it, so every key that can be read is documented.
#pragma once

#include <string>
#include <vector>

namespace sqlbak_gateway::config {

struct DocumentedKey {
  std::string table;  // "" (top level), "server", "server.tls", "access", "accounts.NAME.jobs.SELECTOR", …
  std::string name;
  std::string type;      // "duration", "integer", "list of strings", …
  std::string fallback;  // its default as TOML text; empty if there is none
  std::string range;     // what is accepted; empty for anything of the type
};

// All keys, in the order of the documentation.
std::vector<DocumentedKey> documented_keys();

}  // namespace sqlbak_gateway::config
