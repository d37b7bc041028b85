#include "sqlbak_gateway/config/flags.h"

#include "sqlbak_gateway/base/text.h"

#include <functional>
#include <set>
#include <string_view>

namespace sqlbak_gateway::config {
namespace {

struct Flag {
  std::string_view name;
  std::string_view value;  // the name of its value in --help; empty if it takes none
  std::string_view help;   // one or more lines
  std::function<Result<void>(Flags&, const std::string& value)> set;
};

// Stores the value in `field`, or returns the Error.
template <typename T>
Result<void> store(Result<T> parsed, T& field) {
  if (!parsed) return parsed.error();
  field = std::move(*parsed);
  return {};
}

const std::vector<Flag>& known_flags() {
  static const std::vector<Flag> known = {
      {"config.file", "PATH", "The configuration file.\nDefault: /etc/sqlbak-gateway/gateway.toml",
       [](Flags& flags, const std::string& value) { return flags.config_file = value, Result<void>(); }},
      {"config.check", "",
       "Check everything, print every mistake as FILE:LINE:COLUMN\n"
       "and what each access entry matches, and exit: 0 or 1",
       [](Flags& flags, const std::string&) { return flags.config_check = true, Result<void>(); }},
      {"web.listen-address", "HOST:PORT",
       "Listen there, not where the file says; for example\n"
       "127.0.0.1:8000, [::]:8000 or :8000. Repeatable",
       [](Flags& flags, const std::string& value) {
         ListenAddress address;
         auto stored = store(parse_listen_address(value), address);
         if (stored) flags.listen_addresses.push_back(address);
         return stored;
       }},
      {"probe", "ACCOUNT",
       "Collect that account once: metrics to standard output,\n"
       "what happened to standard error, with --log.level=debug\n"
       "request by request; exit 0 when it succeeded",
       [](Flags& flags, const std::string& value) -> Result<void> {
         if (!is_account_name(value))
           return Error{"is not an account's name: 1 to 64 letters, digits, '.', '_' or '-'"};
         flags.probe = value;
         return {};
       }},
      {"log.level", "LEVEL", "debug, info, warn or error. Default: info",
       [](Flags& flags, const std::string& value) { return store(parse_log_level(value), flags.log_level); }},
      {"log.format", "FORMAT", "logfmt or json. Default: logfmt",
       [](Flags& flags, const std::string& value) {
         return store(parse_log_format(value), flags.log_format);
       }},
      {"version", "", "Print the version and exit",
       [](Flags& flags, const std::string&) { return flags.version = true, Result<void>(); }},
      {"help", "", "Print this text and exit",
       [](Flags& flags, const std::string&) { return flags.help = true, Result<void>(); }},
  };
  return known;
}

const Flag* find_flag(std::string_view name) {
  for (const Flag& flag : known_flags()) {
    if (flag.name == (name == "h" ? "help" : name)) return &flag;
  }
  return nullptr;
}

Error unknown_flag(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Flag& flag : known_flags()) names.push_back(flag.name);
  const auto near = nearest(name, names);
  return {"unknown flag --" + json_escaped(name) +
          (near ? ": did you mean --" + *near + "?" : ": see --help")};
}

}  // namespace

Result<Flags> parse_flags(const std::vector<std::string>& arguments) {
  Flags flags;
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument.size() < 2 || argument.front() != '-' || argument == "--") {
      return Error{"unexpected argument \"" + json_escaped(argument) + "\": see --help"};
    }
    argument.remove_prefix(argument.substr(0, 2) == "--" ? 2 : 1);
    const std::size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const Flag* flag = find_flag(name);
    if (flag == nullptr) return unknown_flag(name);
    const std::string dashed = "--" + std::string(flag->name);
    if (!seen.insert(flag->name).second && flag->name != "web.listen-address") {
      return Error{dashed + " is given twice"};
    }
    std::string value;
    if (flag->value.empty()) {
      if (equals != std::string_view::npos) return Error{dashed + " takes no value"};
    } else {
      if (equals != std::string_view::npos) {
        value = std::string(argument.substr(equals + 1));
      } else if (i + 1 < arguments.size()) {
        value = arguments[++i];
      }
      if (value.empty()) return Error{dashed + " needs a value: " + std::string(flag->value)};
    }
    if (const auto set = flag->set(flags, value); !set) return Error{dashed + ": " + set.error().message};
  }
  return flags;
}

std::string help_text() {
  constexpr std::size_t kColumn = 35;
  std::string text =
      "sqlbak-gateway serves the state of many SqlBak accounts to Prometheus: one target each, at\n"
      "/probe?account=NAME.\n"
      "\n"
      "Usage: sqlbak-gateway [flags]\n"
      "\n"
      "Flags:\n";
  for (const Flag& flag : known_flags()) {
    std::string left = "  --" + std::string(flag.name);
    if (!flag.value.empty()) left += '=' + std::string(flag.value);
    std::string_view rest = flag.help;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      left.resize(kColumn, ' ');
      text += left + std::string(rest.substr(0, end)) + '\n';
      left.clear();
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
  }
  text +=
      "\n"
      "Signals: SIGHUP reloads the configuration; SIGTERM and SIGINT stop cleanly.\n"
      "\n"
      "For a single account no file is needed. These variables are those of SqlBak's published exporter:\n"
      "  SQLBAK_API_TOKEN         the account's token\n"
      "  SQLBAK_API_TOKEN_FILE    or a file that holds it\n"
      "  CHECK_INTERVAL           seconds between collections (60)\n"
      "  EXPORTER_PORT            port to listen on, on all addresses (8000)\n"
      "  JOBRUNS_LOOKBACK_HOURS   how far back runs are counted (168)\n"
      "  SQLBAK_API_URL           another address of the API\n";
  return text;
}

}  // namespace sqlbak_gateway::config
