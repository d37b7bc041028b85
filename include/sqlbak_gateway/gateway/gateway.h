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
    // When the server's certificate expires. Empty: never.
    std::function<std::optional<SystemTime>()> certificate_expiry = nullptr;
    TryPassword try_password = bcrypt_matches;
  };

  // `first` must hold a configuration.
  Gateway(config::LoadOutcome first, Dependencies dependencies);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;
  ~Gateway();

  // What is in force; never null.
  std::shared_ptr<const Generation> generation() const EXCLUDES(mutex_);
  // A reload (reload.h) is prepare(), and then commit() or refuse(). One reload at a time.
  //
  // What `loaded` comes to; nothing has changed yet. The Error says what is wrong with the configuration.
  Result<std::shared_ptr<const Generation>> prepare(config::LoadOutcome loaded) EXCLUDES(mutex_);
  // Puts in force what prepare() returned.
  void commit(const std::shared_ptr<const Generation>& next) EXCLUDES(mutex_);
  // The running configuration stays: notes and logs why, and returns it.
  Error refuse(Error why) EXCLUDES(mutex_);

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
  std::uint64_t next_key_ = 1;  // the constructor's, then prepare()'s

  mutable Mutex mutex_;
  std::shared_ptr<const Generation> generation_ GUARDED_BY(mutex_);
  bool last_reload_succeeded_ GUARDED_BY(mutex_) = true;
  SystemTime last_reload_success_ GUARDED_BY(mutex_){};
  bool shutting_down_ GUARDED_BY(mutex_) = false;
};

}  // namespace sqlbak_gateway::gateway
