// The tables of the configuration as data: each key with its name, its documentation, how it is read and how
// it is shown. Parsing, "did you mean", the documentation and /config all follow from these.
#pragma once

#include "config/reader.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/config/config.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sqlbak_gateway::config {

// One key of a table that is read into a Target.
template <typename Target>
struct Key {
  std::string_view name;
  std::string type;
  std::string range;
  std::function<void(Reader&, const Slot&, Target&)> read;
  // The value as TOML, secrets masked; "" where there is none.
  std::function<std::string(const Target&)> write;
  bool trusted_only = false;      // refused in files of accounts_dir
  std::string_view refusal = {};  // not a key at all, but what people try: this is why not
};

template <typename Target>
using Keys = std::vector<Key<Target>>;

inline constexpr std::string_view kTable =
    "table";  // the type of a key whose members are documented one by one
inline constexpr std::string_view kMasked = "<masked>";

// Everything a main file says. `defaults` are the built-in ones with [defaults] on top.
struct Draft {
  Config config;
  AccountConfig defaults;
};

const Keys<Draft>& main_keys();
const Keys<ServerConfig>& server_keys();
const Keys<TlsFiles>& tls_keys();
const Keys<AccessEntry>& access_keys();
const Keys<UpstreamConfig>& upstream_keys();
const Keys<HistoryConfig>& history_keys();
const Keys<AccountConfig>& default_keys();  // what [defaults] and every account may set
const Keys<AccountConfig>& token_keys();    // where an account's token is found
const Keys<AccountConfig>& account_keys();  // both, and overrides for jobs and servers
const Keys<MaxAges>& max_age_keys();
const Keys<JobOverride>& job_keys();
const Keys<ServerOverride>& server_override_keys();

using Accounts = decltype(Config::accounts);

// Reads the table `accounts` of one file into `accounts`, each account starting from `defaults`.
void read_accounts(Reader& reader, const Slot& slot, const AccountConfig& defaults, Accounts& accounts);

// Checks keys that limit each other, where `table` sets at least one of them.
void check_account_settings(Reader& reader, const Slot& table, const AccountConfig& account);

// Gives an account with a scrape interval a scrape timeout: Prometheus's own default, or the interval where
// that is shorter.
void settle_scrape_timeout(AccountConfig& account);

// Reads every key of the table that is known, in the order of `keys`, and notes the others.
template <typename Target>
void read_table(Reader& reader, const Slot& table, const Keys<Target>& keys, Target& target) {
  if (!reader.expect(table, Node::Kind::table, "a table")) return;
  for (const Key<Target>& key : keys) {
    const Member* member = table.value.find(key.name);
    if (member == nullptr) continue;
    const Slot slot = member_slot(table, *member);
    if (!key.refusal.empty()) {
      reader.error(slot.key_at, slot.path + ' ' + std::string(key.refusal));
    } else if (key.trusted_only && reader.less_trusted()) {
      reader.error(slot.key_at,
                   slot.path + " may not be set in a file of accounts_dir: set it in the main file");
    } else {
      key.read(reader, slot, target);
    }
  }
  std::vector<std::string_view> known;
  for (const Key<Target>& key : keys) {
    if (key.refusal.empty()) known.push_back(key.name);
  }
  for (const Member& member : table.value.members) {
    const auto is_member = [&](const Key<Target>& key) { return key.name == member.key; };
    if (std::none_of(keys.begin(), keys.end(), is_member)) reader.unknown_key(table, member, known);
  }
}

template <typename Target>
Key<Target> refused_key(std::string_view name, std::string_view why) {
  return {name, "", "", nullptr, nullptr, false, why};
}

template <typename Target>
Key<Target> duration_key(std::string_view name, Duration Target::*member, Duration min, Duration max) {
  return {name, "duration", format_duration(min) + " to " + format_duration(max),
          [=](Reader& reader, const Slot& slot, Target& target) {
            if (const auto value = reader.duration(slot, min, max)) target.*member = *value;
          },
          [=](const Target& target) { return toml_string(format_duration(target.*member)); }};
}

template <typename Target>
Key<Target> optional_duration_key(std::string_view name, std::optional<Duration> Target::*member,
                                  Duration min, Duration max) {
  return {name, "duration", format_duration(min) + " to " + format_duration(max),
          [=](Reader& reader, const Slot& slot, Target& target) {
            if (const auto value = reader.duration(slot, min, max)) target.*member = *value;
          },
          [=](const Target& target) {
            return target.*member ? toml_string(format_duration(*(target.*member))) : std::string();
          }};
}

template <typename Target, typename Integer>
Key<Target> integer_key(std::string_view name, Integer Target::*member, Integer min, Integer max) {
  return {name, "integer", std::to_string(min) + " to " + std::to_string(max),
          [=](Reader& reader, const Slot& slot, Target& target) {
            if (const auto value = reader.whole_number(slot, min, max))
              target.*member = static_cast<Integer>(*value);
          },
          [=](const Target& target) { return std::to_string(target.*member); }};
}

template <typename Target>
Key<Target> rate_key(std::string_view name, double Target::*member) {
  return {name, "number",
          format_number(Reader::kMinRate) + " to " + format_number(Reader::kMaxRate) + ", or 0 for no limit",
          [=](Reader& reader, const Slot& slot, Target& target) {
            if (const auto value = reader.rate(slot)) target.*member = *value;
          },
          [=](const Target& target) { return format_number(target.*member); }};
}

template <typename Target>
Key<Target> boolean_key(std::string_view name, bool Target::*member) {
  return {name, "boolean", "",
          [=](Reader& reader, const Slot& slot, Target& target) {
            if (const auto value = reader.boolean(slot)) target.*member = *value;
          },
          [=](const Target& target) { return std::string(target.*member ? "true" : "false"); }};
}

template <typename Target>
Key<Target> optional_boolean_key(std::string_view name, std::optional<bool> Target::*member) {
  return {name, "boolean", "",
          [=](Reader& reader, const Slot& slot, Target& target) {
            if (const auto value = reader.boolean(slot)) target.*member = *value;
          },
          [=](const Target& target) {
            return target.*member ? std::string(*(target.*member) ? "true" : "false") : std::string();
          }};
}

template <typename Target>
Key<Target> path_key(std::string_view name, std::string Target::*member, std::string range = {},
                     Place Target::*place = nullptr) {
  return {name, "path", std::move(range),
          [=](Reader& reader, const Slot& slot, Target& target) {
            auto value = reader.path(slot);
            if (!value) return;
            target.*member = std::move(*value);
            if (place != nullptr) target.*place = reader.place(slot.value.at);
          },
          [=](const Target& target) {
            return (target.*member).empty() ? std::string() : toml_string(target.*member);
          }};
}

template <typename Value>
using Choices = std::vector<std::pair<std::string_view, Value>>;

template <typename Target, typename Value>
Key<Target> choice_key(std::string_view name, Value Target::*member, Choices<Value> choices) {
  std::string list;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    list += (i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ") + toml_string(choices[i].first);
  }
  return {name, "string", list,
          [=](Reader& reader, const Slot& slot, Target& target) {
            const auto text = reader.text(slot);
            if (!text) return;
            for (const auto& [choice, value] : choices) {
              if (choice == *text) {
                target.*member = value;
                return;
              }
            }
            reader.error(slot.value.at,
                         slot.path + " is " + toml_string(text->substr(0, 100)) + ": it must be " + list);
          },
          [=](const Target& target) {
            for (const auto& [choice, value] : choices) {
              if (value == target.*member) return toml_string(choice);
            }
            return std::string();
          }};
}

}  // namespace sqlbak_gateway::config
