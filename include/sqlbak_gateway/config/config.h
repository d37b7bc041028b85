// Config: the whole configuration, checked and complete: defaults filled in, [defaults] merged into every
// account, paths absolute. Plain data. docs/configuration.md explains each member under the key of the same
// name.
//
// Value types; copyable, comparable. Comparing two AccountConfigs answers "did a reload change this
// account?". Tokens and scrape bearer tokens are not in here, only where to find them (token.h).
#pragma once

#include "sqlbak_gateway/account/backup_type.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/listen_address.h"
#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/base/secret.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::config {

// Where something is written, for messages. All places compare equal, so that a comment added above an
// account does not make it a changed account.
struct Place {
  std::string file;  // empty if not from a file (single-account mode, a flag)
  int line = 0;      // from 1; 0 for the file as a whole
  int column = 0;    // from 1
  friend bool operator==(const Place&, const Place&) { return true; }
};

using sqlbak_gateway::ListenAddress;

// "127.0.0.1:8000", "[::]:8000", "localhost:8000"; ":8000" is 0.0.0.0. Equal hosts get equal texts.
Result<ListenAddress> parse_listen_address(std::string_view text);

// 1 to 64 letters, digits, '.', '_' or '-'.
bool is_account_name(std::string_view text);

struct TlsFiles {
  std::string cert_file;
  std::string key_file;
  std::string client_ca_file;  // empty if clients need no certificate
  Place place = {};
  Place cert_file_place = {};
  Place key_file_place = {};
  Place client_ca_file_place = {};
  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

struct ServerConfig {
  std::vector<ListenAddress> listen = {{"127.0.0.1", 8000}};
  Duration timeout_offset = std::chrono::milliseconds(500);
  std::uint32_t max_requests_in_flight = 256;
  std::string advertise;  // "https://host:port"; empty for the request's Host and the listener's scheme
  std::optional<TlsFiles> tls;
  friend bool operator==(const ServerConfig&, const ServerConfig&) = default;
};

// Where a token is found. token.h reads it.
struct TokenSource {
  enum class Kind { file, environment, credential, none };
  Kind kind = Kind::file;
  std::string name;   // an absolute path, a variable, a credential of systemd, or why there is no token
  std::string below;  // the directory that a token file must lie in, links followed; empty for anywhere
  Place place = {};
  friend bool operator==(const TokenSource&, const TokenSource&) = default;
};

// One [[access]] entry. It holds exactly one kind of credential: password_bcrypt or bearer_token.
struct AccessEntry {
  std::string name;        // the user name of HTTP basic auth; unique
  Secret password_bcrypt;  // $2a$, $2b$ or $2y$, 60 characters, cost at most 14; empty if there is none
  std::optional<TokenSource> bearer_token;
  std::vector<std::string> accounts;  // names or globs (glob_matches); never empty
  Place place;
  friend bool operator==(const AccessEntry& a, const AccessEntry& b);
};

// Limits over all accounts together.
struct UpstreamConfig {
  std::uint32_t max_concurrent_requests = 64;
  double requests_per_second = 200;  // 0 for no limit
  std::uint64_t max_response_bytes = 16u << 20;
  friend bool operator==(const UpstreamConfig&, const UpstreamConfig&) = default;
};

struct HistoryConfig {
  enum class Kind { sqlite, memory };
  Kind kind = Kind::sqlite;
  std::string path = "/var/lib/sqlbak-gateway/history.db";
  friend bool operator==(const HistoryConfig&, const HistoryConfig&) = default;
};

// Which names an account's metrics have: the published exporter's, the convention-clean ones, or both.
enum class MetricNames { seed, clean, both };

// The configured max_age of each backup type; empty if it is to be inferred. Never set for
// BackupType::unknown.
using MaxAges = std::array<std::optional<Duration>, kBackupTypeCount>;

// [accounts.NAME.jobs."SELECTOR"]
struct JobOverride {
  std::string selector;        // an id, a name, or "server/job"
  std::optional<bool> ignore;  // never late, never counted; false takes back what a server's override says
  MaxAges max_age;             // values that are set take precedence over the account's
  Place place;
  friend bool operator==(const JobOverride&, const JobOverride&) = default;
};

// [accounts.NAME.servers."SELECTOR"]
struct ServerOverride {
  std::string selector;  // an id or a name
  std::optional<bool> ignore;
  Place place;
  friend bool operator==(const ServerOverride&, const ServerOverride&) = default;
};

struct Proxy {
  std::string url;     // without credentials; empty for no proxy, whatever the environment says
  Secret credentials;  // "user:password" with escapes decoded, or empty
  friend bool operator==(const Proxy& a, const Proxy& b);
};

struct AccountConfig {
  std::string name;
  TokenSource token;
  std::map<std::string, std::string> labels;

  std::string api_url = "https://sqlbak.com/public-api/v1";  // without a trailing '/', credentials or query
  std::optional<Proxy> proxy;  // if empty, HTTPS_PROXY and NO_PROXY of the environment count
  std::string ca_file;         // empty for the system's authorities
  Place ca_file_place;         // where it was set: in the account, or in [defaults]

  Duration lookback = std::chrono::hours(168);
  Duration cache_ttl = std::chrono::seconds(270);
  Duration max_stale = std::chrono::hours(24);  // at least cache_ttl
  Duration request_timeout = std::chrono::seconds(30);
  Duration collection_timeout = std::chrono::minutes(10);  // without progress; at least request_timeout
  std::uint32_t max_concurrent_requests = 8;
  double requests_per_second = 50;  // 0 for no limit of its own
  Duration settings_ttl = std::chrono::minutes(15);

  MetricNames names = MetricNames::seed;
  bool summary = true;
  std::uint64_t max_series = 50'000;
  std::uint32_t max_label_bytes = 1'000;
  MaxAges max_age;

  // Handed out by /sd. Both or neither are set, the timeout not above the interval.
  std::optional<Duration> scrape_interval;
  std::optional<Duration> scrape_timeout;

  std::vector<JobOverride> jobs;        // ascending by selector
  std::vector<ServerOverride> servers;  // ascending by selector

  Place place;
  friend bool operator==(const AccountConfig&, const AccountConfig&) = default;
};

struct Config {
  ServerConfig server;
  std::vector<AccessEntry> access;  // in the file's order; empty for no access control
  UpstreamConfig upstream;
  HistoryConfig history;
  std::map<std::string, AccountConfig, std::less<>> accounts;  // by name
  std::string accounts_dir;                                    // absolute; empty: none
  bool accounts_dir_own_tokens = false;
  // One account, `default`, from SQLBAK_API_TOKEN (or _FILE) and its companions: /metrics serves it too.
  bool single_account = false;
  friend bool operator==(const Config&, const Config&) = default;
};

// Label names an account may not set, because a metric of the catalogue or Prometheus itself uses them;
// exported_* and __* are refused besides. Sorted.
inline constexpr std::array<std::string_view, 20> kReservedLabels = {
    "account", "app_type",  "backup_type", "enabled", "endpoint", "instance", "job",
    "job_id",  "job_name",  "job_type",    "le",      "metric",   "quantile", "reason",
    "row_key", "server_id", "server_name", "source",  "state",    "status"};

}  // namespace sqlbak_gateway::config
