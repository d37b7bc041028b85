// Scheduler: which request may start now. It keeps accounts from waiting for one another, and the API from
// being asked more than the configuration allows.
//
// Pure: no thread, no clock, no socket; every call is told the time, which must not go back. Not thread-safe:
// it belongs to the upstream thread. The driving loop is
//
//   while (auto ticket = scheduler.give_way(now)) transport.cancel(*ticket);
//   while (auto ticket = scheduler.take(now)) transport.start(call_of(*ticket));
//   for (auto& completion : transport.poll(scheduler.next_event(now)))
//     if (scheduler.finished(completion.id, judge(completion, system_now), now) == Verdict::deliver) ...
//
// Who goes first, of the accounts that have something to ask, are under their own limits and are not paused:
//  1. Sound accounts before ailing ones. An account is ailing once nothing has come back for
//     kPatience, or its answers take longer than that, or its last requests all failed; one prompt answer
//     makes it sound again. Ailing accounts get every eighth turn, and a quarter of the places at most while
//     a sound one collects.
//  2. Warm collections before backfills.
//  3. In turn, one request each.
// Until its first answer a collection has one request in flight, so that an account that hangs holds one
// place, not eight. After its first answer a backfill needs one of a few backfill places, given in order of
// arrival; it loses the place while it is ailing, paused, out of work or kept by its own rate for kPatience,
// so that no account holds up the line. After its own rate it stands at the end of it.
//
// All operations are O(log n) in accounts and waiting retries (give_way and end: in requests in flight); a
// queued request takes 16 bytes.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/upstream/retry.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace sqlbak_gateway::upstream {

// The caller's own number for an account; the scheduler only compares it.
enum class AccountKey : std::uint64_t {};
// Accounts with the same API token share one rate and one pause: the caller gives them the same number.
enum class LimitGroup : std::uint64_t {};
// One request, from enqueue() until its verdict; never used twice. Serves as Call::id.
using Ticket = std::uint64_t;

// How long an account may be silent, or an answer take, before others are no longer made to wait for it.
inline constexpr Duration kPatience = std::chrono::seconds(1);
// How often a request is asked again after transient trouble (a timeout counts twice), and after a refusal.
inline constexpr std::uint32_t kTransientAttempts = 4;
inline constexpr std::uint32_t kRefusedAttempts = 8;
// Requests a limit group may send at once after a quiet time.
inline constexpr double kGroupBurst = 200;

// All accounts together: the configuration's [upstream].
struct GlobalLimits {
  std::uint32_t max_concurrent_requests = 64;
  double requests_per_second = 200;  // bursts of one second's worth; 0: no limit
  std::uint32_t backfills_at_a_time = 4;
};

// One collection's part in it.
struct Share {
  enum class Kind : std::uint8_t { warm, backfill };
  Kind kind = Kind::warm;
  LimitGroup group{};
  std::uint32_t max_concurrent_requests = 8;
  // Of the group (its latest collection decides); bursts of kGroupBurst; 0: no limit.
  double requests_per_second = 50;
};

enum class Verdict : std::uint8_t {
  deliver,     // hand the answer, or the failure, to the collection
  will_retry,  // say nothing: take() will hand out the same ticket again
  forgotten,   // the collection has ended: throw it away
};

// Of one account since it was first seen.
struct AccountTally {
  std::uint64_t retries = 0;
  Duration throttled{};  // had something to ask and waited for a rate or a Retry-After
};

class Scheduler {
 public:
  // The seed makes the jitter of retries repeatable.
  Scheduler(GlobalLimits limits, std::uint64_t jitter_seed);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  ~Scheduler();

  // After a reload. Requests in flight beyond a lower limit are let finish.
  void set_limits(GlobalLimits limits, SteadyTime now);

  // An account's collection begins; an account has one at a time. What is known of its soundness lasts from
  // the one before.
  void begin(AccountKey account, const Share& share, SteadyTime now);
  // Its collection is over, or given up. What is queued is forgotten; what was in flight is returned, for
  // Transport::cancel.
  std::vector<Ticket> end(AccountKey account, SteadyTime now);
  // The account is no longer configured. Its collection must have ended.
  void forget(AccountKey account);

  // One more request of a collection that has begun; asked in the order of these calls.
  Ticket enqueue(AccountKey account, SteadyTime now);
  // The next request that may start now; it is in flight until finished(), give_way() or end(). Nothing: ask
  // again after the next call of this class, or at next_event().
  std::optional<Ticket> take(SteadyTime now);
  // A request in flight for an ailing account whose place a sound one needs: cancel it. It is queued again by
  // itself, and that costs it no attempt.
  std::optional<Ticket> give_way(SteadyTime now);
  // The end of a request in flight.
  Verdict finished(Ticket ticket, const Outcome& outcome, SteadyTime now);

  // When take() or give_way() may have something although nothing else is called before.
  Deadline next_event(SteadyTime now) const;

  // For collection_timeout: time since the collection began or last had an answer, less the time spent
  // waiting for a turn, a rate, a backfill place or a Retry-After. Zero without a collection.
  Duration without_progress(AccountKey account, SteadyTime now) const;
  // Time since the collection was first refused without an answer after it, as far as it was spent waiting
  // for its group: for a Retry-After and for the rate after it. Zero without a collection.
  Duration held_off(AccountKey account, SteadyTime now) const;
  AccountTally tally(AccountKey account, SteadyTime now) const;

  std::uint32_t in_flight() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sqlbak_gateway::upstream
