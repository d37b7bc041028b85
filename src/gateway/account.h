// Account: one configured account at work: what it knows, its running collection and the probes that wait for
// it. The rules are AccountState's; this adds the lock, the waiting, the token and the data.
//
// An account lives as long as its name is configured. A reload gives it other settings: the collection that
// runs ends then, what it has read stays, and the next probe starts another. So there are never two at once.
//
// Resource type, held by shared_ptr: a running collection keeps its account alive. All methods may be called
// from any thread.
#pragma once

#include "gateway/account_log.h"
#include "gateway/account_settings.h"
#include "gateway/account_state.h"
#include "gateway/latencies.h"
#include "gateway/published.h"
#include "gateway/token_watch.h"
#include "gateway/trace.h"
#include "gateway/waiting_places.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/base/log.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/config/bounded_tokens.h"
#include "sqlbak_gateway/gateway/account_view.h"
#include "sqlbak_gateway/gateway/collector.h"
#include "sqlbak_gateway/history/history.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace sqlbak_gateway::gateway {

// What all accounts share. Everything outlives them.
struct AccountServices {
  const Clock& clock;
  const Logger& log;
  Collector& collector;
  history::History& history;
  const config::BoundedTokens& tokens;
  WaitingPlaces& waiting;
  const std::atomic<std::uint64_t>& max_response_bytes;  // for collections that start from now on
  Latencies& latencies;
  std::uint64_t seed;  // spreads the accounts' collections
};

// A request names the settings that it was received under. If a reload has replaced them meanwhile, the
// request starts nothing and waits for nothing; if the token came from another place then, it is shown
// nothing, because the access rules of that time were made for what was there.
class Account final : public std::enable_shared_from_this<Account> {
 public:
  using Settings = std::shared_ptr<const AccountSettings>;

  // `key` is never used again for another account.
  Account(Settings settings, upstream::AccountKey key, const AccountServices& services);

  upstream::AccountKey key() const { return key_; }

  // Answers a probe that arrived at `arrived`: from memory, or after a collection that it starts or joins,
  // waiting no longer than `deadline`. Blocks.
  ProbeAnswer probe(const Settings& settings, SteadyTime arrived, Deadline deadline) EXCLUDES(mutex_);

  AccountFigures figures() const EXCLUDES(mutex_);
  AccountView view(const Settings& settings) const EXCLUDES(mutex_);

  // Puts other settings in force. What is known is judged anew, and is shown at once unless the token comes
  // from another place now.
  void reconfigure(Settings settings) EXCLUDES(mutex_);
  // A reload happened: a failing account may be tried again at once.
  void end_backoff() EXCLUDES(mutex_);
  // The account is no longer configured, or the gateway stops: ends the running collection and releases every
  // waiting probe. It answers from memory from now on.
  void retire() EXCLUDES(mutex_);

 private:
  class Run;
  struct Remembered {
    std::shared_ptr<const AccountMemory> memory;
    bool history_known = false;  // the history was read, and what it knew is in `memory`
  };
  struct Activity {
    TraceBook traces;
    AccountCounters counters;
  };

  // A collection, from the probe that finds it due to what it has read.
  std::optional<SystemTime> begin_if_due(const Settings& settings, SteadyTime now) EXCLUDES(mutex_);
  void start(const Settings& settings, SystemTime t, Deadline deadline) EXCLUDES(mutex_);
  void recall(const Settings& settings, const std::string& token_fingerprint, Deadline deadline)
      EXCLUDES(mutex_);
  void fail_to_start(const Settings& settings, SystemTime t, std::string message) EXCLUDES(mutex_);
  void progressed(const Settings& settings, std::shared_ptr<const Snapshot> snapshot) EXCLUDES(mutex_);
  void write_down(const Run& run, std::shared_ptr<const AccountMemory> so_far) EXCLUDES(mutex_);
  void ended(const Run& run, sqlbak::CollectionOutcome outcome, std::shared_ptr<const Trace> trace)
      EXCLUDES(mutex_);
  void conclude(const sqlbak::CollectionOutcome& outcome, std::shared_ptr<const Trace> trace,
                std::shared_ptr<const Published> data) REQUIRES(mutex_);

  bool wait_for_end(Deadline deadline) REQUIRES(mutex_);
  void look_for_a_new_token(const Settings& settings, SteadyTime now, Deadline deadline) EXCLUDES(mutex_);
  bool in_force(const Settings& settings) const REQUIRES(mutex_) {
    return !retired_ && settings == settings_;
  }
  bool continues_memory(const Run& run) const REQUIRES(mutex_);
  const AccountState& seen_under(const Settings& settings) const REQUIRES(mutex_);
  AccountFigures figures_of(const AccountState& state) const REQUIRES(mutex_);
  std::shared_ptr<const Published> published(const Settings& settings,
                                             std::shared_ptr<const Snapshot> snapshot) EXCLUDES(mutex_);

  const upstream::AccountKey key_;
  const AccountServices services_;
  const AccountLog log_;
  TokenWatch token_;
  WaitingPlaces::OfAccount waiting_;

  mutable Mutex mutex_;
  Condition changed_;
  Settings settings_ GUARDED_BY(mutex_);  // never null
  AccountState state_ GUARDED_BY(mutex_);
  Remembered remembered_ GUARDED_BY(mutex_);
  Activity activity_ GUARDED_BY(mutex_);
  bool retired_ GUARDED_BY(mutex_) = false;
};

}  // namespace sqlbak_gateway::gateway
