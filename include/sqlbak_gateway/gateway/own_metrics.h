// OwnMetrics: the gateway's own /metrics. Others keep plain counters; here they are gathered into the
// families of the catalogue and written out by prometheus-cpp's serializer.
//
// Resource type, safe from any thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/gateway/account_view.h"
#include "sqlbak_gateway/history/history.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sqlbak_gateway::gateway {

class Latencies;

struct BuildInfo {
  std::string version;
  std::string revision;
  std::string compiler;
};
// Of this program.
BuildInfo build_info();

// What /metrics says beside the counters kept in here. Value type, gathered for each answer.
struct GatewayState {
  struct Account {
    std::string name;
    AccountFigures figures;
  };
  std::vector<Account> accounts;
  double requests_per_second = 0;  // the limit of API requests, all accounts together; 0: there is none
  bool last_reload_succeeded = true;
  SystemTime last_reload_success{};
  std::size_t config_files_rejected = 0;
  history::HistoryStatus history;
  std::optional<SystemTime> certificate_expiry;  // empty without TLS
};

class OwnMetrics {
 public:
  OwnMetrics();
  ~OwnMetrics();
  OwnMetrics(const OwnMetrics&) = delete;
  OwnMetrics& operator=(const OwnMetrics&) = delete;

  // Where accounts tell how long requests take.
  Latencies& latencies() { return *latencies_; }
  void unknown_account() EXCLUDES(mutex_);
  // `path` is what path_label() (routes.h) makes of it, never a client's text.
  void http_answered(std::string_view path, int status) EXCLUDES(mutex_);
  // `reason` is one of a fixed list.
  void http_rejected(std::string_view reason) EXCLUDES(mutex_);

  // The exposition text.
  std::string render(const GatewayState& state) const EXCLUDES(mutex_);

 private:
  const std::unique_ptr<Latencies> latencies_;
  mutable Mutex mutex_;
  std::uint64_t unknown_accounts_ GUARDED_BY(mutex_) = 0;
  std::map<std::pair<std::string, int>, std::uint64_t> http_answers_ GUARDED_BY(mutex_);
  std::map<std::string, std::uint64_t, std::less<>> http_rejections_ GUARDED_BY(mutex_);
};

}  // namespace sqlbak_gateway::gateway
