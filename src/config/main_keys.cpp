// The keys of the main file, except those of accounts and their defaults.
#include "config/schema.h"
#include "config/url.h"

#include <algorithm>
#include <cctype>

namespace sqlbak_gateway::config {
namespace {

using std::chrono::minutes;

constexpr std::size_t kMaxListeners = 16;
constexpr int kMinBcryptCost = 4;
constexpr int kMaxBcryptCost = 14;  // 0.8 s of CPU for each check; each step doubles it

std::string written_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) list += (list.size() == 1 ? "" : ", ") + toml_string(text);
  return list + ']';
}

// The strings of a list that must not be empty, each with its slot.
template <typename Visit>
bool for_each_text(Reader& reader, const Slot& slot, std::string_view expected, const Visit& visit) {
  if (!reader.expect(slot, Node::Kind::array, expected)) return false;
  if (slot.value.items.empty()) {
    reader.error(slot.value.at, slot.path + " is an empty list: give at least one, or leave the key out");
    return false;
  }
  for (const Node& item : slot.value.items) {
    const Slot one{"an item of " + slot.path, item.at, item};
    if (const auto text = reader.nonempty_text(one)) visit(one, *text);
  }
  return true;
}

Key<ServerConfig> listen_key() {
  return {"listen", "list of HOST:PORT", "1 to 16 addresses; port 0 is any free one",
          [](Reader& reader, const Slot& slot, ServerConfig& server) {
            std::vector<ListenAddress> addresses;
            const bool listed = for_each_text(
                reader, slot, "a list of strings", [&](const Slot& item, const std::string& text) {
                  const auto address = parse_listen_address(text);
                  if (!address) {
                    reader.error(item.value.at, slot.path + ": " + address.error().message);
                  } else if (address->port != 0 &&
                             std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) {
                    reader.error(item.value.at, slot.path + " names " + to_text(*address) + " twice");
                  } else {
                    addresses.push_back(*address);
                  }
                });
            if (addresses.size() > kMaxListeners) {
              reader.error(slot.value.at, slot.path + " names " + std::to_string(addresses.size()) +
                                              " addresses: it must be 1 to " + std::to_string(kMaxListeners));
            } else if (listed) {
              server.listen = std::move(addresses);
            }
          },
          [](const ServerConfig& server) {
            std::vector<std::string> texts;
            for (const ListenAddress& address : server.listen) texts.push_back(to_text(address));
            return written_list(texts);
          }};
}

Key<ServerConfig> advertise_key() {
  return {"advertise", "URL", "http:// or https://, a host and maybe a port, no path",
          [](Reader& reader, const Slot& slot, ServerConfig& server) {
            const auto text = reader.nonempty_text(slot);
            if (!text) return;
            const auto url = parse_url(*text);
            if (!url) {
              reader.error(slot.value.at, slot.path + ' ' + url.error().message);
            } else if ((url->scheme != "http" && url->scheme != "https") || !url->userinfo.empty() ||
                       (!url->path.empty() && url->path != "/")) {
              reader.error(
                  slot.value.at,
                  slot.path + " must be http:// or https://, a host and maybe a port, and nothing else");
            } else {
              server.advertise = origin(*url);
            }
          },
          [](const ServerConfig& server) {
            return server.advertise.empty() ? std::string() : toml_string(server.advertise);
          }};
}

void read_tls(Reader& reader, const Slot& slot, ServerConfig& server) {
  TlsFiles tls;
  tls.place = reader.place(slot.key_at);
  read_table(reader, slot, tls_keys(), tls);
  if (slot.value.kind != Node::Kind::table) return;
  for (const std::string_view required : {"cert_file", "key_file"}) {
    if (slot.value.find(required) == nullptr) {
      reader.error(slot.key_at, '[' + slot.path + "] needs " + std::string(required));
    }
  }
  server.tls = tls;
}

// "$2b$12$" and 53 characters of crypt's alphabet. crypt would take anything else for another kind of hash.
bool is_bcrypt(std::string_view text) {
  const auto in_alphabet = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '/';
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() == 60 && text[0] == '$' && text[1] == '2' &&
         (text[2] == 'a' || text[2] == 'b' || text[2] == 'y') && text[3] == '$' && digit(text[4]) &&
         digit(text[5]) && text[6] == '$' && std::all_of(text.begin() + 7, text.end(), in_alphabet);
}

Key<AccessEntry> password_key() {
  return {"password_bcrypt", "string", "a bcrypt hash ($2a$, $2b$ or $2y$, 60 characters) of cost 4 to 14",
          [](Reader& reader, const Slot& slot, AccessEntry& entry) {
            const auto text = reader.nonempty_text(slot);
            if (!text) return;
            if (!is_bcrypt(*text)) {
              reader.error(slot.value.at,
                           slot.path +
                               " is not a bcrypt hash ($2a$, $2b$ or $2y$, 60 characters): make one with "
                               "htpasswd -nBC 10 NAME, and take what follows the colon");
              return;
            }
            const int cost = (text->at(4) - '0') * 10 + (text->at(5) - '0');
            if (cost < kMinBcryptCost || cost > kMaxBcryptCost) {
              reader.error(slot.value.at, slot.path + " has cost " + std::to_string(cost) + ": it must be " +
                                              std::to_string(kMinBcryptCost) + " to " +
                                              std::to_string(kMaxBcryptCost));
              return;
            }
            entry.password_bcrypt = Secret(*text);
          },
          [](const AccessEntry& entry) {
            return entry.password_bcrypt.empty() ? std::string() : toml_string(kMasked);
          }};
}

Key<AccessEntry> bearer_key(std::string_view name, TokenSource::Kind kind) {
  return {name, kind == TokenSource::Kind::file ? "path" : "string",
          kind == TokenSource::Kind::file ? "a file that holds nothing but the token"
                                          : "the name of an environment variable",
          [=](Reader& reader, const Slot& slot, AccessEntry& entry) {
            if (kind == TokenSource::Kind::file) {
              if (auto path = reader.path(slot))
                entry.bearer_token = TokenSource{kind, std::move(*path), {}, reader.place(slot.value.at)};
            } else if (auto variable = reader.variable_name(slot)) {
              entry.bearer_token = TokenSource{kind, std::move(*variable), {}, reader.place(slot.value.at)};
            }
          },
          [=](const AccessEntry& entry) {
            const bool shown = entry.bearer_token && entry.bearer_token->kind == kind;
            return shown ? toml_string(entry.bearer_token->name) : std::string();
          }};
}

Key<AccessEntry> globs_key() {
  return {"accounts", "list of strings", "at least one account name or glob (`*`, `?`); required",
          [](Reader& reader, const Slot& slot, AccessEntry& entry) {
            for_each_text(reader, slot, "a list of strings", [&](const Slot& item, const std::string& glob) {
              const auto in_names_and_globs = [](char c) {
                return c == '*' || c == '?' || is_account_name({&c, 1});
              };
              if (!std::all_of(glob.begin(), glob.end(), in_names_and_globs)) {
                reader.error(item.value.at,
                             slot.path + ": " + toml_string(glob.substr(0, 100)) +
                                 " can match no account: a glob is letters, digits, '.', '_', '-', '*', '?'");
              } else {
                entry.accounts.push_back(glob);
              }
            });
          },
          [](const AccessEntry& entry) {
            return entry.accounts.empty() ? std::string() : written_list(entry.accounts);
          }};
}

Key<AccessEntry> user_key() {
  return {
      "name", "string", "1 to 64 letters, digits, `.`, `_`, `-`, `@`; unique; required",
      [](Reader& reader, const Slot& slot, AccessEntry& entry) {
        const auto text = reader.text(slot);
        if (!text) return;
        std::string without_at = *text;
        std::replace(without_at.begin(), without_at.end(), '@', '.');
        if (!is_account_name(without_at)) {
          reader.error(slot.value.at, slot.path + " must be 1 to 64 letters, digits, '.', '_', '-' or '@'");
        } else {
          entry.name = *text;
        }
      },
      [](const AccessEntry& entry) { return entry.name.empty() ? std::string() : toml_string(entry.name); }};
}

void read_access_entry(Reader& reader, const Slot& slot, std::vector<AccessEntry>& entries) {
  AccessEntry entry;
  entry.place = reader.place(slot.key_at);
  read_table(reader, slot, access_keys(), entry);
  if (slot.value.kind != Node::Kind::table) return;
  for (const std::string_view required : {"name", "accounts"}) {
    if (slot.value.find(required) == nullptr) {
      reader.error(slot.key_at, "an [[access]] entry needs " + std::string(required));
    }
  }
  int credentials = 0;
  // Refused keys count too, so that the refusal is the only message.
  for (const std::string_view credential :
       {"password_bcrypt", "bearer_token_file", "bearer_token_env", "password", "bearer_token"}) {
    if (slot.value.find(credential) != nullptr) ++credentials;
  }
  if (credentials != 1) {
    reader.error(slot.key_at,
                 "an [[access]] entry needs exactly one of password_bcrypt, bearer_token_file and "
                 "bearer_token_env, and this one has " +
                     std::string(credentials == 0 ? "none" : "several"));
  }
  const auto same_name = [&](const AccessEntry& other) {
    return !entry.name.empty() && other.name == entry.name;
  };
  if (const auto other = std::find_if(entries.begin(), entries.end(), same_name); other != entries.end()) {
    reader.error(slot.value.find("name")->value.at, "access entry " + toml_string(entry.name) +
                                                        " is already defined in line " +
                                                        std::to_string(other->place.line));
  }
  entries.push_back(std::move(entry));
}

void read_access(Reader& reader, const Slot& slot, Draft& draft) {
  if (!reader.expect(slot, Node::Kind::array, "a list of entries, each beginning with [[access]]")) return;
  if (slot.value.items.empty()) {
    reader.error(slot.value.at,
                 "access is an empty list, which would let everybody in: add an [[access]] entry, or "
                 "leave it out");
  }
  for (const Node& item : slot.value.items)
    read_access_entry(reader, {slot.path, item.at, item}, draft.config.access);
}

// A table of the main file that is read into one member of the Config.
template <typename Target>
Key<Draft> table_key(std::string_view name, Target Config::*member, const Keys<Target>& (*keys)()) {
  return {name, std::string(kTable), "",
          [=](Reader& reader, const Slot& slot, Draft& draft) {
            read_table(reader, slot, keys(), draft.config.*member);
          },
          nullptr};
}

}  // namespace

bool operator==(const AccessEntry& a, const AccessEntry& b) {
  return a.name == b.name && equal_in_constant_time(a.password_bcrypt, b.password_bcrypt) &&
         a.bearer_token == b.bearer_token && a.accounts == b.accounts;
}

const Keys<TlsFiles>& tls_keys() {
  static const Keys<TlsFiles> keys = {
      path_key("cert_file", &TlsFiles::cert_file, "a PEM file, the chain included; required",
               &TlsFiles::cert_file_place),
      path_key("key_file", &TlsFiles::key_file, "a PEM file; required", &TlsFiles::key_file_place),
      path_key("client_ca_file", &TlsFiles::client_ca_file,
               "a PEM file; with it a client certificate is needed to connect",
               &TlsFiles::client_ca_file_place),
  };
  return keys;
}

const Keys<ServerConfig>& server_keys() {
  static const Keys<ServerConfig> keys = {
      listen_key(),
      duration_key("timeout_offset", &ServerConfig::timeout_offset, Duration::zero(), minutes(1)),
      integer_key("max_requests_in_flight", &ServerConfig::max_requests_in_flight, 1u, 10'000u),
      advertise_key(),
      {"tls", std::string(kTable), "", read_tls, nullptr},
  };
  return keys;
}

const Keys<AccessEntry>& access_keys() {
  static const Keys<AccessEntry> keys = {
      user_key(),
      password_key(),
      bearer_key("bearer_token_file", TokenSource::Kind::file),
      bearer_key("bearer_token_env", TokenSource::Kind::environment),
      globs_key(),
      refused_key<AccessEntry>("password",
                               "in the clear is refused: give its hash as password_bcrypt, made with "
                               "htpasswd -nBC 10 NAME"),
      refused_key<AccessEntry>("bearer_token",
                               "in the file itself is refused: use bearer_token_file = \"PATH\" or "
                               "bearer_token_env = \"VARIABLE\""),
  };
  return keys;
}

const Keys<UpstreamConfig>& upstream_keys() {
  static const Keys<UpstreamConfig> keys = {
      integer_key("max_concurrent_requests", &UpstreamConfig::max_concurrent_requests, 1u, 1'000u),
      rate_key("requests_per_second", &UpstreamConfig::requests_per_second),
      {"max_response_bytes", "size", "64KiB to 1GiB",
       [](Reader& reader, const Slot& slot, UpstreamConfig& upstream) {
         if (const auto bytes = reader.size(slot, 64u << 10, 1u << 30)) upstream.max_response_bytes = *bytes;
       },
       [](const UpstreamConfig& upstream) { return toml_string(format_size(upstream.max_response_bytes)); }},
  };
  return keys;
}

const Keys<HistoryConfig>& history_keys() {
  static const Keys<HistoryConfig> keys = {
      choice_key("kind", &HistoryConfig::kind,
                 Choices<HistoryConfig::Kind>{{"sqlite", HistoryConfig::Kind::sqlite},
                                              {"memory", HistoryConfig::Kind::memory}}),
      path_key("path", &HistoryConfig::path,
               "with `$STATE_DIRECTORY` set, the default is `history.db` in it"),
  };
  return keys;
}

const Keys<Draft>& main_keys() {
  static const Keys<Draft> keys = {
      {"accounts_dir", "path", "an existing directory, without the main file in it",
       [](Reader& reader, const Slot& slot, Draft& draft) {
         auto path = reader.path(slot);
         if (!path) return;
         if (*path == reader.directory()) {
           reader.error(slot.value.at, "accounts_dir must be another directory than the main file's own");
         } else {
           draft.config.accounts_dir = std::move(*path);
         }
       },
       [](const Draft& draft) {
         const std::string& path = draft.config.accounts_dir;
         return path.empty() ? std::string() : toml_string(path);
       }},
      {"accounts_dir_own_tokens", "boolean", "",
       [](Reader& reader, const Slot& slot, Draft& draft) {
         if (const auto value = reader.boolean(slot)) draft.config.accounts_dir_own_tokens = *value;
       },
       [](const Draft& draft) { return draft.config.accounts_dir_own_tokens ? "true" : "false"; }},
      table_key("server", &Config::server, server_keys),
      {"access", std::string(kTable), "", read_access, nullptr},
      table_key("upstream", &Config::upstream, upstream_keys),
      table_key("history", &Config::history, history_keys),
      {"defaults", std::string(kTable), "",
       [](Reader& reader, const Slot& slot, Draft& draft) {
         read_table(reader, slot, default_keys(), draft.defaults);
         check_account_settings(reader, slot, draft.defaults);
       },
       nullptr},
      {"accounts", std::string(kTable), "",
       [](Reader& reader, const Slot& slot, Draft& draft) {
         read_accounts(reader, slot, draft.defaults, draft.config.accounts);
       },
       nullptr},
  };
  return keys;
}

}  // namespace sqlbak_gateway::config
