#include "sqlbak_gateway/config/check.h"

#include "config/file.h"
#include "config/schema.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

namespace sqlbak_gateway::config {
namespace {

// The keys of a table that have a value, one on each line.
template <typename Target>
std::string written(const Keys<Target>& keys, const Target& target) {
  std::string text;
  for (const Key<Target>& key : keys) {
    const std::string value = key.write ? key.write(target) : std::string();
    if (!value.empty()) text += std::string(key.name) + " = " + value + '\n';
  }
  return text;
}

template <typename Override>
std::string written(const std::string& header, const Keys<Override>& keys,
                    const std::vector<Override>& overrides) {
  std::string text;
  for (const Override& override : overrides) {
    text += "\n[" + header + '.' + toml_key(override.selector) + "]\n" + written(keys, override);
  }
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// The places of accounts that are defined in several files, because one customer may use another's token.
std::string written_elsewhere(const Config& config, const std::vector<std::string>& accounts) {
  std::vector<std::string> places;
  std::set<std::string> files;
  for (const std::string& name : accounts) {
    const Place& place = config.accounts.at(name).place;
    places.push_back(to_text({place, ""}));
    files.insert(place.file);
  }
  return files.size() > 1 ? " (" + joined(places) + ')' : std::string();
}

std::string counted(std::size_t count, std::string_view one, std::string_view several) {
  return std::to_string(count) + ' ' + std::string(count == 1 ? one : several);
}

std::vector<std::string> matching(const Config& config, std::string_view glob) {
  std::vector<std::string> names;
  for (const auto& [name, account] : config.accounts) {
    if (glob_matches(glob, name)) names.push_back(name);
  }
  return names;
}

}  // namespace

std::string masked(const Config& config) {
  std::string text = written(main_keys(), Draft{config, {}});
  text += "\n[server]\n" + written(server_keys(), config.server);
  if (config.server.tls) text += "\n[server.tls]\n" + written(tls_keys(), *config.server.tls);
  for (const AccessEntry& entry : config.access) text += "\n[[access]]\n" + written(access_keys(), entry);
  text += "\n[upstream]\n" + written(upstream_keys(), config.upstream);
  text += "\n[history]\n" + written(history_keys(), config.history);
  for (const auto& [name, account] : config.accounts) {
    const std::string header = "accounts." + toml_key(name);
    text += "\n[" + header + "]  # " +
            (account.place.file.empty() ? "environment" : to_text({account.place, ""})) + '\n';
    text += written(account_keys(), account);
    text += written(header + ".jobs", job_keys(), account.jobs);
    text += written(header + ".servers", server_override_keys(), account.servers);
  }
  return text;
}

std::string check_report(const Config& config) {
  std::vector<std::string> addresses;
  for (const ListenAddress& address : config.server.listen) addresses.push_back(to_text(address));
  std::string text = counted(config.accounts.size(), "account", "accounts") +
                     (config.single_account ? " (single-account mode)" : "") + "; listening on " +
                     joined(addresses) + (config.server.tls ? " with TLS" : " without TLS") + '\n';
  if (config.access.empty()) return text + "no access control: whoever can connect sees every account\n";
  for (const AccessEntry& entry : config.access) {
    text += "access \"" + entry.name + "\" (" + (entry.bearer_token ? "bearer token" : "password") + "):\n";
    for (const std::string& glob : entry.accounts) {
      const std::vector<std::string> names = matching(config, glob);
      text += "  " + toml_string(glob) + ": " +
              (glob == "*" ? "everything: " + counted(names.size(), "account", "accounts") +
                                 ", /metrics, /config and /-/reload"
               : names.empty() ? "matches no account"
                               : joined(names)) +
              '\n';
    }
  }
  return text;
}

std::vector<std::vector<std::string>> accounts_sharing_a_token(const std::map<std::string, Secret>& tokens) {
  std::map<std::string_view, std::vector<std::string>> by_token;
  for (const auto& [account, token] : tokens) by_token[token.reveal()].push_back(account);
  std::vector<std::vector<std::string>> sharing;
  for (auto& [token, accounts] : by_token) {
    if (accounts.size() > 1) sharing.push_back(std::move(accounts));
  }
  std::sort(sharing.begin(), sharing.end());
  return sharing;
}

namespace {

// Notes what is wrong with the files that a configuration names.
class FilesCheck {
 public:
  void tls(const TlsFiles& tls) {
    readable(tls.cert_file_place, "server.tls.cert_file", tls.cert_file);
    readable(tls.key_file_place, "server.tls.key_file", tls.key_file);
    readable(tls.client_ca_file_place, "server.tls.client_ca_file", tls.client_ca_file);
  }

  void authorities(const AccountConfig& account) {
    // Most accounts have the file of [defaults]. An error in it is noted once.
    if (!authorities_seen_.insert(to_text({account.ca_file_place, account.ca_file})).second) return;
    const auto authorities = readable(account.ca_file_place, "ca_file", account.ca_file);
    if (authorities && authorities->find("CERTIFICATE-----") == std::string::npos) {
      refuse(account.ca_file_place, "ca_file", account.ca_file,
             "holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----");
    }
  }

  // `whose` names the account or access entry.
  void unreadable(const TokenSource& source, const std::string& whose, const Error& error) {
    std::vector<Diagnostic>& notes = source.kind == TokenSource::Kind::file ? found_.errors : found_.warnings;
    notes.push_back({source.place, whose + ": " + error.message});
  }

  void warn(Diagnostic warning) { found_.warnings.push_back(std::move(warning)); }
  CheckedFiles take() { return std::move(found_); }

 private:
  static constexpr std::size_t kMaxPemBytes = 8u << 20;

  void refuse(const Place& place, std::string_view key, const std::string& path, std::string_view why) {
    found_.errors.push_back({place, std::string(key) + ' ' + path + ' ' + std::string(why)});
  }
  // The content of a file that must be readable; empty if no file is named, or after noting the error.
  std::optional<std::string> readable(const Place& place, std::string_view key, const std::string& path) {
    if (path.empty()) return std::nullopt;
    auto content = read_file(path, kMaxPemBytes);
    if (content) return std::move(content).value();
    refuse(place, key, path, content.error().message);
    return std::nullopt;
  }

  CheckedFiles found_;
  std::set<std::string> authorities_seen_;
};

}  // namespace

CheckedFiles check_files(const Config& config, const BoundedTokens& tokens) {
  std::vector<TokenSource> sources;
  for (const AccessEntry& entry : config.access) {
    if (entry.bearer_token) sources.push_back(*entry.bearer_token);
  }
  for (const auto& [name, account] : config.accounts) sources.push_back(account.token);
  const std::vector<TokenLook> looks = tokens.look(sources);
  auto look = looks.begin();

  FilesCheck check;
  if (config.server.tls) check.tls(*config.server.tls);
  for (const AccessEntry& entry : config.access) {
    if (!entry.bearer_token) continue;
    const Result<Secret>& token = (look++)->token;
    if (!token) check.unreadable(*entry.bearer_token, "access \"" + entry.name + '"', token.error());
  }
  std::map<std::string, Secret> read;
  for (const auto& [name, account] : config.accounts) {
    check.authorities(account);
    const Result<Secret>& token = (look++)->token;
    if (account.token.kind == TokenSource::Kind::none) continue;  // load() has noted the error
    if (token) {
      read.emplace(name, *token);
    } else {
      check.unreadable(account.token, "account \"" + name + '"', token.error());
    }
  }
  for (const auto& sharing : accounts_sharing_a_token(read)) {
    check.warn({config.accounts.at(sharing.front()).place,
                "accounts " + joined(sharing) + written_elsewhere(config, sharing) +
                    " have the same token: they share one rate limit, and see the same data"});
  }
  return check.take();
}

}  // namespace sqlbak_gateway::config
