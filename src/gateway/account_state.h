// AccountState: when an account is collected and what a probe gets meanwhile. The pure logic behind "a probe
// that never lies": fresh, joined, started, last good, pending, backoff. Every call is told the time; nothing
// here waits, locks or sends. Not thread-safe: Account guards it with its mutex.
//
// The rules, in the words of docs/architecture.md ("The life of a probe"):
//   - Data are fresh while less than cache_ttl (less a jitter of up to 10 %, so that accounts spread) has
//     passed since their collection started, and for at least half of cache_ttl after it ended.
//   - Otherwise a probe starts a collection, or joins the one that runs: never two at once.
//   - A probe does not wait for a collection that has already been running longer than the probe may wait.
//   - A failed collection never replaces good data, and is repeated after 30 s at the earliest, then with a
//     doubling backoff up to 10 minutes. A backfill that goes on is no failure.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/gateway/account_view.h"
#include "sqlbak_gateway/sqlbak/collection.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace sqlbak_gateway::gateway {

inline constexpr Duration kFirstBackoff = std::chrono::seconds(30);
inline constexpr Duration kLongestBackoff = std::chrono::minutes(10);
inline constexpr double kLargestJitter = 0.1;  // of cache_ttl, downwards

class AccountState {
 public:
  explicit AccountState(Duration cache_ttl) : cache_ttl_(cache_ttl) {}

  // What the data of a probe that arrives now have to do with time.
  enum class Freshness {
    fresh,      // answer from memory
    due,        // a collection has to be started
    running,    // one runs already: join it
    backed_off  // the latest one failed, and it is too early to try again
  };
  Freshness freshness(SteadyTime now) const;

  // Whether a probe that may wait until `deadline` should wait for the running collection.
  bool worth_waiting(SteadyTime now, Deadline deadline) const;

  // A collection starts; `now_system` becomes its T. `jitter` in [0, 1) spreads the accounts. Only when none
  // runs.
  void began(SteadyTime now, SystemTime now_system, double jitter);
  // A backfill has read more jobs: shown until the collection ends. Never replaces data of a completed
  // collection, unless these are disowned() first.
  void progressed(std::shared_ptr<const Published> data);
  // The running collection ended after `api_requests` attempts on the wire. `data`: what it read; null if it
  // failed.
  void ended(const sqlbak::CollectionOutcome& outcome, std::uint64_t api_requests,
             std::shared_ptr<const Published> data, SteadyTime now);
  // The token changed: a collection may start at once.
  void end_backoff();
  // What a former process knew counts as the last good data.
  void restored(std::shared_ptr<const Published> data, SystemTime collected_at, SystemTime now);
  // The settings of the account changed: what was known stays known, what runs ends without a result, and
  // another collection may start at once. `data`: the last good data, judged anew; null if there are none.
  void reconfigured(Duration cache_ttl, std::shared_ptr<const Published> data);
  // The token comes from another place now: nothing that was shown counts any longer.
  void forget();
  // The last good data, if any, turned out to be another account's: the token has changed hands.
  void disowned();

  // The data an answer is made of: the last good ones, else what a running backfill has read; null when there
  // are none.
  const std::shared_ptr<const Published>& data() const { return last_good_ ? last_good_ : partial_; }
  bool has_good_data() const { return last_good_ != nullptr; }
  const CollectionRecord& record() const { return record_; }
  // The latest completed collection succeeded. False where that is not known.
  bool probe_success() const {
    return (record_.completed_any || record_.remembers_good) && !record_.last_failure;
  }
  // When the next probe will start a collection, for people; empty while one runs.
  std::optional<SteadyTime> next_due() const;
  // Grows by one whenever a collection ends: what a waiting probe waits for.
  std::uint64_t completed() const { return completed_; }
  // Grows whenever what an answer is made of changes.
  std::uint64_t version() const { return version_; }

 private:
  Duration cache_ttl_;
  std::shared_ptr<const Published> last_good_;
  std::shared_ptr<const Published> partial_;
  CollectionRecord record_;
  std::optional<SteadyTime> running_since_;
  std::optional<SteadyTime> due_;  // empty: at once
  double jitter_ = 0;
  std::uint64_t completed_ = 0;
  std::uint64_t version_ = 0;
};

// How long a probe may wait: Prometheus's scrape timeout (the value of X-Prometheus-Scrape-Timeout-Seconds)
// less the configured offset; half of it where the offset is not smaller; 120 s without the header.
Duration probe_budget(std::optional<Duration> scrape_timeout, Duration offset);

}  // namespace sqlbak_gateway::gateway
