// The keys of [defaults] and of an account, with the rules that tie them together.
#include "config/file.h"
#include "config/schema.h"
#include "config/url.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <cctype>

namespace sqlbak_gateway::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kDay = hours(24);
constexpr Duration kTenYears = 3650 * kDay;
constexpr std::size_t kMaxLabels = 32;
constexpr std::size_t kMaxLabelBytes = 1024;
// Prometheus looks back this far for a sample, so graphs of slower scrapes have gaps.
constexpr Duration kComfortableScrapeInterval = minutes(2);
// Prometheus's own default.
constexpr Duration kScrapeTimeout = seconds(10);

constexpr std::string_view kTokenRefusal =
    "in the file itself is refused: use token_file = \"PATH\" (a file that holds nothing but the token), "
    "token_env = "
    "\"VARIABLE\", or token_credential = \"NAME\" (systemd's LoadCredential=)";

Key<AccountConfig> api_url_key() {
  return {"api_url",
          "URL",
          "https, or http to a loopback address; without credentials, query and fragment",
          [](Reader& reader, const Slot& slot, AccountConfig& account) {
            const auto text = reader.nonempty_text(slot);
            if (!text) return;
            auto url = parse_api_url(*text);
            if (!url) {
              reader.error(slot.value.at, slot.path + ' ' + url.error().message);
            } else {
              account.api_url = std::move(*url);
            }
          },
          [](const AccountConfig& account) { return toml_string(account.api_url); },
          true};
}

// The user and password of a URL as a client sends them.
Result<std::string> decoded_userinfo(const std::string& userinfo) {
  std::string query;
  for (const char c : userinfo) query += c == '+' ? "%2B" : std::string(1, c);
  return percent_decoded(query);
}

void read_proxy(Reader& reader, const Slot& slot, AccountConfig& account) {
  const auto text = reader.text(slot);
  if (!text) return;
  if (text->empty()) {
    account.proxy = Proxy{};
    return;
  }
  const auto url = parse_url(*text);
  const auto wrong = [&](const std::string& message) {
    reader.error(slot.value.at, slot.path + ' ' + message);
  };
  if (!url) return wrong(url.error().message);
  const auto schemes = {"http", "https", "socks5", "socks5h"};
  if (std::find(schemes.begin(), schemes.end(), url->scheme) == schemes.end()) {
    return wrong("must begin with http://, https://, socks5:// or socks5h://");
  }
  if (!url->path.empty() && url->path != "/")
    return wrong("must end with the host or the port: a proxy has no path");
  auto credentials = decoded_userinfo(url->userinfo);
  if (!credentials) return wrong("has a '%' in its credentials that two hexadecimal digits do not follow");
  account.proxy = Proxy{origin(*url), Secret(std::move(*credentials))};
}

std::string write_proxy(const AccountConfig& account) {
  if (!account.proxy) return "";
  std::string url = account.proxy->url;
  if (!account.proxy->credentials.empty()) url.insert(url.find("://") + 3, std::string(kMasked) + '@');
  return toml_string(url);
}

// Why `name` cannot be a label of an account; empty if it can.
std::string label_trouble(const std::string& name) {
  const auto in_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0 ||
      !std::all_of(name.begin(), name.end(), in_name)) {
    return "is not a label name: letters, digits and '_', not beginning with a digit";
  }
  if (name.rfind("__", 0) == 0) return "begins with \"__\", which Prometheus keeps for itself";
  if (name.rfind("exported_", 0) == 0)
    return "begins with \"exported_\", which Prometheus uses for collisions";
  if (std::binary_search(kReservedLabels.begin(), kReservedLabels.end(), name)) {
    return "would collide with a label that metrics already have";
  }
  return "";
}

void read_labels(Reader& reader, const Slot& slot, AccountConfig& account) {
  if (!reader.expect(slot, Node::Kind::table, "a table of labels")) return;
  for (const Member& member : slot.value.members) {
    const Slot label = member_slot(slot, member);
    if (const std::string trouble = label_trouble(member.key); !trouble.empty()) {
      reader.error(label.key_at, label.path + ' ' + trouble);
    } else if (auto value = reader.nonempty_text(label)) {
      if (value->size() > kMaxLabelBytes) {
        reader.error(label.value.at,
                     label.path + " is longer than " + std::to_string(kMaxLabelBytes) + " bytes");
      }
      account.labels[member.key] = std::move(*value);
    }
  }
  if (account.labels.size() > kMaxLabels) {
    reader.error(slot.key_at, slot.path + " makes " + std::to_string(account.labels.size()) +
                                  " labels: at most " + std::to_string(kMaxLabels) + " are allowed");
  }
}

std::string write_labels(const AccountConfig& account) {
  std::string text;
  for (const auto& [name, value] : account.labels)
    text += (text.empty() ? "" : ", ") + name + " = " + toml_string(value);
  return text.empty() ? text : "{ " + text + " }";
}

std::string write_max_ages(const MaxAges& ages) {
  std::string text;
  for (const Key<MaxAges>& key : max_age_keys()) {
    const std::string value = key.write(ages);
    if (!value.empty()) text += (text.empty() ? "" : ", ") + std::string(key.name) + " = " + value;
  }
  return text.empty() ? text : "{ " + text + " }";
}

template <typename Target>
Key<Target> max_age_key() {
  return {"max_age", std::string(kTable), "",
          [](Reader& reader, const Slot& slot, Target& target) {
            read_table(reader, slot, max_age_keys(), target.max_age);
          },
          [](const Target& target) { return write_max_ages(target.max_age); }};
}

Key<AccountConfig> token_key(std::string_view name, TokenSource::Kind kind, std::string type,
                             std::string range, std::optional<std::string> (*read)(Reader&, const Slot&)) {
  return {name, std::move(type), std::move(range),
          [=](Reader& reader, const Slot& slot, AccountConfig& account) {
            if (kind != TokenSource::Kind::file && reader.own_tokens_only()) {
              reader.error(slot.key_at, slot.path +
                                            " may not be set in a file of accounts_dir, as "
                                            "accounts_dir_own_tokens is set: use token_file");
            } else if (auto value = read(reader, slot)) {
              account.token = TokenSource{kind, std::move(*value), {}, reader.place(slot.value.at)};
            }
          },
          [=](const AccountConfig& account) {
            const bool shown = account.token.kind == kind && !account.token.name.empty();
            return shown ? toml_string(account.token.name) : std::string();
          }};
}

std::optional<std::string> read_token_file(Reader& reader, const Slot& slot) {
  auto path = reader.path(slot);
  if (path && reader.less_trusted() && !lies_below(*path, reader.token_directory())) {
    reader.error(slot.value.at, slot.path + " must lie below " + json_escaped(reader.token_directory()) +
                                    ", because it is named by a file of accounts_dir");
  }
  return path;
}

std::optional<std::string> read_credential_name(Reader& reader, const Slot& slot) {
  auto text = reader.nonempty_text(slot);
  if (text && (text->find('/') != std::string::npos || *text == "." || *text == ".." || text->size() > 255)) {
    reader.error(slot.value.at,
                 slot.path + " must be the name of a credential as in LoadCredential=, not a path");
    return std::nullopt;
  }
  return text;
}

template <typename Override>
void read_overrides(Reader& reader, const Slot& slot, const Keys<Override>& keys,
                    std::vector<Override>& overrides) {
  if (!reader.expect(slot, Node::Kind::table, "a table of tables")) return;
  for (const Member& member : slot.value.members) {
    const Slot one = member_slot(slot, member);
    if (member.key.empty()) {
      reader.error(one.key_at, slot.path + " has an empty name, which can match nothing");
      continue;
    }
    Override override;
    override.selector = member.key;
    override.place = reader.place(one.key_at);
    read_table(reader, one, keys, override);
    overrides.push_back(std::move(override));
  }
}

// The place where the table sets `first`, else `second`; empty if it sets neither.
const Member* set_here(const Slot& table, std::string_view first, std::string_view second) {
  const Member* member = table.value.find(first);
  return member != nullptr ? member : table.value.find(second);
}

void read_account(Reader& reader, const Slot& slot, const std::string& name, const AccountConfig& defaults,
                  Accounts& accounts) {
  if (!is_account_name(name)) {
    reader.error(slot.key_at,
                 slot.path + " is not an account's name: 1 to 64 letters, digits, '.', '_' or '-'");
  }
  if (!reader.expect(slot, Node::Kind::table, "a table")) return;
  AccountConfig account = defaults;
  account.name = name;
  account.place = reader.place(slot.key_at);
  read_table(reader, slot, account_keys(), account);
  check_account_settings(reader, slot, account);
  settle_scrape_timeout(account);
  if (account.token.kind == TokenSource::Kind::file) account.token.below = reader.token_directory();

  int tokens = 0;
  for (const std::string_view token : {"token_file", "token_env", "token_credential"}) {
    if (slot.value.find(token) != nullptr) ++tokens;
  }
  if (tokens != 1 && slot.value.find("token") == nullptr) {
    reader.error(slot.key_at,
                 slot.path + " needs exactly one of token_file, token_env and token_credential, and has " +
                     (tokens == 0 ? "none" : "several"));
  }
  accounts.emplace(name, std::move(account));
}

}  // namespace

bool is_account_name(std::string_view text) {
  const auto in_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), in_name);
}

void read_accounts(Reader& reader, const Slot& slot, const AccountConfig& defaults, Accounts& accounts) {
  if (!reader.expect(slot, Node::Kind::table, "a table of accounts")) return;
  for (const Member& member : slot.value.members) {
    read_account(reader, member_slot(slot, member), member.key, defaults, accounts);
  }
}

void check_account_settings(Reader& reader, const Slot& table, const AccountConfig& account) {
  if (table.value.kind != Node::Kind::table) return;
  if (const Member* set = set_here(table, "max_stale", "cache_ttl");
      set && account.max_stale < account.cache_ttl) {
    reader.error(set->value.at, table.path + ": max_stale (" + format_duration(account.max_stale) +
                                    ") is shorter than cache_ttl (" + format_duration(account.cache_ttl) +
                                    "): data would be dropped while still fresh");
  }
  if (const Member* set = set_here(table, "collection_timeout", "request_timeout");
      set && account.collection_timeout < account.request_timeout) {
    reader.error(set->value.at,
                 table.path + ": collection_timeout (" + format_duration(account.collection_timeout) +
                     ") is shorter than request_timeout (" + format_duration(account.request_timeout) +
                     "): one slow request would end the collection");
  }
  const Member* timeout = set_here(table, "scrape_timeout", "scrape_interval");
  if (timeout == nullptr) return;
  if (!account.scrape_interval) {
    if (account.scrape_timeout) {
      reader.error(timeout->value.at, table.path + ": scrape_timeout needs scrape_interval beside it");
    }
    return;
  }
  if (account.scrape_timeout && *account.scrape_timeout > *account.scrape_interval) {
    reader.error(timeout->value.at,
                 table.path + ": scrape_timeout (" + format_duration(*account.scrape_timeout) +
                     ") is longer than scrape_interval (" + format_duration(*account.scrape_interval) +
                     "), which Prometheus refuses");
  }
  if (const Member* interval = table.value.find("scrape_interval");
      interval && *account.scrape_interval > kComfortableScrapeInterval) {
    reader.warning(interval->value.at,
                   table.path + ": scrape_interval (" + format_duration(*account.scrape_interval) +
                       ") is above 2m: graphs and alerts will have gaps, because Prometheus looks "
                       "back 5m and may miss a scrape");
  }
}

void settle_scrape_timeout(AccountConfig& account) {
  if (account.scrape_interval && !account.scrape_timeout) {
    account.scrape_timeout = std::min(kScrapeTimeout, *account.scrape_interval);
  }
}

const Keys<MaxAges>& max_age_keys() {
  static const Keys<MaxAges> keys = [] {
    Keys<MaxAges> made;
    for (const BackupType type : kBackupTypes) {
      if (type == BackupType::unknown) continue;
      constexpr Duration kMin = minutes(1);
      made.push_back({name(type), "duration", format_duration(kMin) + " to " + format_duration(kTenYears),
                      [=](Reader& reader, const Slot& slot, MaxAges& ages) {
                        if (const auto age = reader.duration(slot, kMin, kTenYears)) ages[index(type)] = *age;
                      },
                      [=](const MaxAges& ages) {
                        const auto& age = ages[index(type)];
                        return age ? toml_string(format_duration(*age)) : std::string();
                      }});
    }
    return made;
  }();
  return keys;
}

const Keys<JobOverride>& job_keys() {
  static const Keys<JobOverride> keys = {optional_boolean_key("ignore", &JobOverride::ignore),
                                         max_age_key<JobOverride>()};
  return keys;
}

const Keys<ServerOverride>& server_override_keys() {
  static const Keys<ServerOverride> keys = {optional_boolean_key("ignore", &ServerOverride::ignore)};
  return keys;
}

const Keys<AccountConfig>& default_keys() {
  static const Keys<AccountConfig> keys = [] {
    using A = AccountConfig;
    Key<A> ca_file = path_key("ca_file", &A::ca_file, "a PEM file; default: the system's", &A::ca_file_place);
    ca_file.trusted_only = true;
    return Keys<A>{
        api_url_key(),
        duration_key("lookback", &A::lookback, hours(1), kTenYears),
        duration_key("cache_ttl", &A::cache_ttl, seconds(1), kDay),
        duration_key("max_stale", &A::max_stale, minutes(1), kTenYears),
        duration_key("request_timeout", &A::request_timeout, seconds(1), minutes(10)),
        duration_key("collection_timeout", &A::collection_timeout, seconds(1), kDay),
        integer_key("max_concurrent_requests", &A::max_concurrent_requests, 1u, 1'000u),
        rate_key("requests_per_second", &A::requests_per_second),
        duration_key("settings_ttl", &A::settings_ttl, Duration::zero(), 30 * kDay),
        choice_key(
            "names", &A::names,
            Choices<MetricNames>{
                {"seed", MetricNames::seed}, {"clean", MetricNames::clean}, {"both", MetricNames::both}}),
        boolean_key("summary", &A::summary),
        integer_key("max_series", &A::max_series, std::uint64_t{100}, std::uint64_t{10'000'000}),
        integer_key("max_label_bytes", &A::max_label_bytes, 100u, 4096u),
        max_age_key<A>(),
        optional_duration_key("scrape_interval", &A::scrape_interval, seconds(1), kDay),
        optional_duration_key("scrape_timeout", &A::scrape_timeout, seconds(1), kDay),
        {"proxy", "URL",
         "http, https, socks5 or socks5h, with or without credentials; `\"\"`: no proxy at all", read_proxy,
         write_proxy, true},
        ca_file,
        {"labels", "table of strings", "at most 32; see below", read_labels, write_labels},
        refused_key<A>("token", kTokenRefusal),
    };
  }();
  return keys;
}

const Keys<AccountConfig>& token_keys() {
  static const Keys<AccountConfig> keys = {
      token_key("token_file", TokenSource::Kind::file, "path", "a file that holds nothing but the token",
                read_token_file),
      token_key("token_env", TokenSource::Kind::environment, "string", "the name of an environment variable",
                [](Reader& reader, const Slot& slot) { return reader.variable_name(slot); }),
      token_key("token_credential", TokenSource::Kind::credential, "string",
                "the name of a systemd credential", read_credential_name),
  };
  return keys;
}

const Keys<AccountConfig>& account_keys() {
  static const Keys<AccountConfig> keys = [] {
    Keys<AccountConfig> made = token_keys();
    made.insert(made.end(), default_keys().begin(), default_keys().end());
    made.push_back({"jobs", std::string(kTable), "",
                    [](Reader& reader, const Slot& slot, AccountConfig& account) {
                      read_overrides(reader, slot, job_keys(), account.jobs);
                    },
                    nullptr});
    made.push_back({"servers", std::string(kTable), "",
                    [](Reader& reader, const Slot& slot, AccountConfig& account) {
                      read_overrides(reader, slot, server_override_keys(), account.servers);
                    },
                    nullptr});
    return made;
  }();
  return keys;
}

bool operator==(const Proxy& a, const Proxy& b) {
  return a.url == b.url && equal_in_constant_time(a.credentials, b.credentials);
}

}  // namespace sqlbak_gateway::config
