#include "sqlbak_gateway/config/load.h"

#include "config/file.h"
#include "config/schema.h"
#include "config/single_account.h"
#include "sqlbak_gateway/base/loopback.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

namespace sqlbak_gateway::config {
namespace {

// Some 20,000 accounts.
constexpr std::size_t kMaxFileBytes = 8u << 20;

std::string defined_already(const std::string& name, const Place& where) {
  return "account \"" + name + "\" is already defined in " + to_text({where, ""});
}

std::string disputed(const std::string& name) {
  return "account \"" + name + "\" is defined in more than one file of accounts_dir: none of them is used";
}

// The text of a file as a tree; empty if there is none, and then notes an error.
std::optional<Node> parse_file(Reader& reader) {
  const auto text = read_file(reader.file(), kMaxFileBytes);
  if (!text) {
    reader.error({}, text.error().message);
    return std::nullopt;
  }
  ParsedToml parsed = parse_toml(*text);
  for (const SyntaxError& error : parsed.errors) reader.error(error.at, error.message);
  if (!parsed.errors.empty()) return std::nullopt;
  return std::move(parsed.root);
}

// The files of accounts_dir in the order of their names: *.toml except hidden ones, which editors leave
// behind.
Result<std::vector<std::string>> account_files(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.front() != '.' && entry->path().extension() == ".toml") files.push_back(entry->path().string());
  }
  if (error) return Error{"accounts_dir " + directory + " cannot be read: " + error.message()};
  std::sort(files.begin(), files.end());
  return files;
}

class Loading {
 public:
  Loading(std::string file, const LoadOptions& options) : file_(std::move(file)), options_(options) {}

  LoadOutcome outcome() {
    if (read_main_file()) {
      read_accounts_dir();
      apply_single_account_mode();
      apply_surroundings();
      compare_with_running();
      warn();
    }
    if (outcome_.errors.empty()) outcome_.config = std::move(draft_.config);
    return std::move(outcome_);
  }

 private:
  Config& config() { return draft_.config; }
  void error(Place place, std::string message) {
    outcome_.errors.push_back({std::move(place), std::move(message)});
  }
  void warning(Place place, std::string message) {
    outcome_.warnings.push_back({std::move(place), std::move(message)});
  }

  // Whether it makes sense to go on.
  bool read_main_file() {
    std::error_code error;
    const bool absent = !std::filesystem::exists(file_, error) && !error;
    if (absent && single_account_variable(options_.environment)) return true;
    Reader reader(file_, Trust::full);
    const auto root = parse_file(reader);
    if (root) {
      const Slot whole{"", {}, *root};
      read_table(reader, whole, main_keys(), draft_);
      sets_cache_ttl_ = sets("defaults", "cache_ttl", *root);
      sets_listen_ = sets("server", "listen", *root);
      sets_history_path_ = sets("history", "path", *root);
      if (const Member* dir = root->find("accounts_dir")) accounts_dir_place_ = reader.place(dir->value.at);
      if (const Member* server = root->find("server")) {
        const Member* listen = server->value.find("listen");
        listen_place_ = reader.place(listen != nullptr ? listen->value.at : server->at);
      }
    } else if (absent) {
      reader.error(
          {},
          "write one (gateway.toml in the documentation's examples has every key), name another with "
          "--config.file, or set SQLBAK_API_TOKEN (or SQLBAK_API_TOKEN_FILE) to run for a single account "
          "without a file");
    }
    append(outcome_.errors, reader.take_errors());
    append(outcome_.warnings, reader.take_warnings());
    return root.has_value();
  }

  static bool sets(std::string_view table, std::string_view key, const Node& root) {
    const Member* member = root.find(table);
    return member != nullptr && member->value.find(key) != nullptr;
  }

  void read_accounts_dir() {
    if (config().accounts_dir.empty()) return;
    const auto files = account_files(config().accounts_dir);
    if (!files) {
      error(accounts_dir_place_, files.error().message);
      return;
    }
    for (const auto& [name, account] : config().accounts) claimed_.emplace(name, account.place);
    for (const std::string& file : *files) read_account_file(file);
    for (const auto& [name, why] : disputed_) config().accounts[name] = without_token(name, why);
  }

  void read_account_file(const std::string& file) {
    Reader reader(file, config().accounts_dir_own_tokens ? Trust::own_tokens : Trust::less);
    Accounts accounts;
    if (const auto root = parse_file(reader)) {
      const Slot whole{"", {}, *root};
      for (const Member& member : root->members) {
        if (member.key == "accounts") {
          read_accounts(reader, member_slot(whole, member), draft_.defaults, accounts);
        } else if (is_main_key(member.key)) {
          reader.error(member.at, member.key +
                                      " may not be set in a file of accounts_dir, which holds "
                                      "[accounts.NAME] tables only: set it in the main file");
        } else {
          reader.unknown_key(whole, member, {"accounts"});
        }
      }
    }
    const bool sound = !reader.has_errors();
    for (const std::string& name : claimed_before(reader, accounts)) accounts.erase(name);
    append(outcome_.warnings, reader.take_warnings());
    std::vector<Diagnostic> errors = reader.take_errors();
    if (sound) config().accounts.merge(accounts);
    if (errors.empty()) return;
    if (options_.mode == LoadMode::start) {
      outcome_.rejected.push_back({file, std::move(errors), sound});
    } else {
      append(outcome_.errors, std::move(errors));
    }
  }

  // Those of the accounts that another file defines too. The names of a file that is rejected count as well:
  // a mistake in it must not hand them to somebody else.
  std::vector<std::string> claimed_before(Reader& reader, const Accounts& accounts) {
    std::vector<std::string> names;
    for (const auto& [name, account] : accounts) {
      const auto [first, unclaimed] = claimed_.emplace(name, account.place);
      if (unclaimed) continue;
      names.push_back(name);
      std::string message = defined_already(name, first->second);
      if (first->second.file != file_ && is_account_name(name)) {
        message += ": whose it is cannot be told, so neither is used";
        // Only the log says where, because the account's tenant must not learn whose files there are.
        disputed_.emplace(name, disputed(name));
      }
      reader.error({account.place.line, account.place.column}, std::move(message));
    }
    return names;
  }

  // A placeholder for an account whose definition cannot be trusted. It answers that its configuration is
  // wrong.
  AccountConfig without_token(const std::string& name, const std::string& why) const {
    AccountConfig account = draft_.defaults;
    account.name = name;
    account.place = claimed_.at(name);
    account.token = {TokenSource::Kind::none, why, {}};
    settle_scrape_timeout(account);
    return account;
  }

  static bool is_main_key(std::string_view name) {
    const auto& keys = main_keys();
    return std::any_of(keys.begin(), keys.end(), [&](const Key<Draft>& key) { return key.name == name; });
  }

  void apply_single_account_mode() {
    const std::optional<std::string> variable = single_account_variable(options_.environment);
    if (!variable) return;
    if (!config().accounts.empty()) {
      const auto uses_variable = [&](const auto& entry) { return entry.second.token.name == *variable; };
      if (std::none_of(config().accounts.begin(), config().accounts.end(), uses_variable)) {
        warning({},
                *variable +
                    " is set, but accounts are configured: the accounts win, and the variable is ignored");
      }
      return;
    }
    if (!outcome_.rejected.empty() || !outcome_.errors.empty()) return;
    SingleAccount single = single_account_from(options_.environment, single_account_defaults());
    append(outcome_.errors, std::move(single.errors));
    append(outcome_.warnings, std::move(single.warnings));
    if (single.listen) {
      config().server.listen = {*single.listen};
    } else if (!sets_listen_) {
      config().server.listen = {{"0.0.0.0", 8000}};
    }
    config().single_account = true;
    config().accounts.emplace(single.account.name, std::move(single.account));
  }

  AccountConfig single_account_defaults() const {
    AccountConfig defaults = draft_.defaults;
    if (!sets_cache_ttl_) defaults.cache_ttl = std::chrono::seconds(60);
    return defaults;
  }

  // Applies flags and what the service manager has set.
  void apply_surroundings() {
    if (!options_.listen_override.empty()) {
      config().server.listen = options_.listen_override;
      listen_place_ = {};
    }
    const std::string state = options_.environment("STATE_DIRECTORY").value_or("");
    if (!sets_history_path_ && !state.empty()) {
      config().history.path = resolved(state.substr(0, state.find(':')), "history.db");
    }
  }

  void compare_with_running() {
    if (options_.mode != LoadMode::reload || options_.running == nullptr || !outcome_.errors.empty()) return;
    const bool had_accounts = !options_.running->accounts.empty() && !options_.running->single_account;
    if (had_accounts && (config().accounts.empty() || config().single_account)) {
      error({file_, 0, 0},
            "configures no account, and a reload would drop all that are running: if that is "
            "meant, restart the gateway");
    }
  }

  void warn() {
    if (!outcome_.errors.empty()) return;
    if (config().accounts.empty()) {
      warning({file_, 0, 0}, "no account is configured: there is nothing to collect");
    }
    const auto& listen = config().server.listen;
    const auto exposed = std::find_if(listen.begin(), listen.end(),
                                      [](const ListenAddress& a) { return !is_loopback(a.host); });
    const bool access = !config().access.empty();
    const bool tls = config().server.tls.has_value();
    if (exposed != listen.end() && !(access && tls)) {
      warning(listen_place_, "listening on " + to_text(*exposed) + ", which is not loopback, without " +
                                 (access ? "[server.tls]: passwords and tokens cross the network in the clear"
                                         : (tls ? "[[access]]" : "[[access]] and [server.tls]") +
                                               std::string(": whoever can connect sees every account")));
    }
  }

  const std::string file_;
  const LoadOptions& options_;
  LoadOutcome outcome_;
  Draft draft_;
  std::map<std::string, Place> claimed_;         // names of accounts, and where they were first defined
  std::map<std::string, std::string> disputed_;  // those that several files of accounts_dir define, and which
  bool sets_cache_ttl_ = false;
  bool sets_listen_ = false;
  bool sets_history_path_ = false;
  Place accounts_dir_place_;
  Place listen_place_;
};

}  // namespace

void append(std::vector<Diagnostic>& to, std::vector<Diagnostic> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::string to_text(const Diagnostic& diagnostic) {
  const auto& [file, line, column] = diagnostic.place;
  std::string text = json_escaped(file);
  if (line > 0) text += ':' + std::to_string(line);
  if (line > 0 && column > 0) text += ':' + std::to_string(column);
  if (!text.empty() && !diagnostic.message.empty()) text += ": ";
  return text + diagnostic.message;
}

LoadOutcome load(const std::string& file, const LoadOptions& options) {
  return Loading(resolved(std::filesystem::current_path().string(), file), options).outcome();
}

}  // namespace sqlbak_gateway::config
