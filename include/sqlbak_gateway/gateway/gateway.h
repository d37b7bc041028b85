// Gateway: owns the accounts and follows reloads. What requests are answered with is Routes' affair
// (routes.h).
//
// What a configuration comes to is a generation: accounts and access rules, immutable once made, swapped as a
// whole by a reload. A request works on the generation it arrived in. Resource type; all methods may be
// called from any thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/log.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/config/bounded_tokens.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/config/load.h"
#include "sqlbak_gateway/gateway/bcrypt.h"
#include "sqlbak_gateway/gateway/collector.h"
#include "sqlbak_gateway/gateway/configured_account.h"
#include "sqlbak_gateway/gateway/own_metrics.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::gateway {

struct Generation;  // src/gateway/generation.h
class WaitingPlaces;

class Gateway {
 public:
  struct Dependencies {
    const Clock& clock;
    const Logger& log;
    Collector& collector;
    history::History& history;
    const config::BoundedTokens& tokens;
    std::uint64_t seed = 0;  // spreads the accounts' collections
    // Reads the configuration anew, for a reload. `running` is what is in force.
    std::function<config::LoadOutcome(const config::Config& running)> load;
    // Makes the listeners follow a reload, and calls `ready` after closing those that go and before accepting
    // from those that are new; an Error keeps the running configuration, and then it is not called. Empty:
    // nothing listens.
    std::function<Result<void>(const config::ServerConfig& server, const std::function<void()>& ready)>
        listen;
    // When the server's certificate expires. Empty: never.
    std::function<std::optional<SystemTime>()> certificate_expiry;
    TryPassword try_password = bcrypt_matches;
  };

  // `first` must hold a configuration.
  Gateway(config::LoadOutcome first, Dependencies dependencies);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;
  ~Gateway();

  // What is in force; never null.
  std::shared_ptr<const Generation> generation() const EXCLUDES(mutex_);
  // Reads the configuration and puts it in force, or leaves everything as it is and says why.
  Result<void> reload() EXCLUDES(reload_mutex_);

  // The account of that name; empty if there is none.
  std::optional<ConfiguredAccount> account(std::string_view name) const;
  OwnMetrics& metrics() { return metrics_; }
  // What the own metrics say beside their counters.
  GatewayState state(const Generation& now) const EXCLUDES(mutex_);
  struct ReloadState {
    bool succeeded = true;      // the latest one
    SystemTime last_success{};  // or the start
  };
  ReloadState reload_state() const EXCLUDES(mutex_);
  // From now on nobody waits for a collection any more.
  void shut_down() EXCLUDES(mutex_);
  bool shutting_down() const EXCLUDES(mutex_);

 private:
  void tell_history(const Generation& now);
  std::shared_ptr<const Generation> make_generation(config::LoadOutcome loaded, const Generation* former);
  // `next` is in force from now on.
  void put_in_force(const Generation& former, const std::shared_ptr<const Generation>& next) EXCLUDES(mutex_);

  const Dependencies deps_;
  OwnMetrics metrics_;
  const std::unique_ptr<WaitingPlaces> waiting_;
  std::atomic<std::uint64_t> max_response_bytes_;
  std::uint64_t next_key_ = 1;  // under reload_mutex_ but for the constructor

  Mutex reload_mutex_;  // one reload at a time
  mutable Mutex mutex_;
  std::shared_ptr<const Generation> generation_ GUARDED_BY(mutex_);
  bool last_reload_succeeded_ GUARDED_BY(mutex_) = true;
  SystemTime last_reload_success_ GUARDED_BY(mutex_){};
  bool shutting_down_ GUARDED_BY(mutex_) = false;
};

}  // namespace sqlbak_gateway::gateway
