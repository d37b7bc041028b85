// Scheduler: decides which request may start now, so that no account waits for another and the API is never
// asked more than the configuration allows.
//
// It has no thread, clock or socket: every call is told the time, which must not go back. Not thread-safe; it
// belongs to the upstream thread, which drives it like this:
//
//   while (auto ticket = scheduler.preempt(now)) transport.cancel(*ticket);
//   while (auto ticket = scheduler.take(now)) transport.start(call_of(*ticket));
//   for (auto& completion : transport.poll(scheduler.next_event(now)))
//     if (scheduler.finished(completion.id, judge(completion, system_now), now) == Verdict::deliver) ...
//
// A request starts when one of the slots for requests in flight is free, the rate of all accounts together
// allows it, the account has fewer in flight than its own limit, and its limit group (the accounts with the
// same token) is neither above its rate nor paused by a Retry-After. Accounts that may start one take turns,
// one request each:
//  1. Healthy accounts go before degraded ones. An account is degraded when it has been silent for
//     kDegradedAfter, when an answer takes that long, or when requests fail in a row; one prompt answer makes
//     it healthy again. While healthy accounts collect, degraded ones get every eighth turn and at most a
//     quarter of the slots; what they hold beyond that is preempted when a healthy account needs the slot.
//  2. Warm collections go before backfills.
//
// A collection is on probation until its first answer, and when it becomes degraded: it then has one request
// in flight, so that an account that hangs holds one slot, not eight. Off probation, a backfill needs one of
// a few backfill slots, which are given in order of arrival. It loses the slot when it is degraded, or has
// been idle or kept by its group for kDegradedAfter, so that no account holds up the queue.
//
// Every call is O(log n) in accounts and waiting retries, but preempt() and end() are linear in the requests
// in flight. A queued request takes 16 bytes.
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

// The caller's number for an account; the scheduler only compares it.
enum class AccountKey : std::uint64_t {};
// Accounts with the same API token share one rate and one pause, because the caller gives them one number.
enum class LimitGroup : std::uint64_t {};
// Names one request from enqueue() until its verdict; never used twice. Serves as Call::id.
using Ticket = std::uint64_t;

// An account that is silent for so long, or whose answers take so long, is degraded.
inline constexpr Duration kDegradedAfter = std::chrono::seconds(1);
// How often a request is asked at most if it fails transiently (a timeout counts twice), and if it is
// refused.
inline constexpr std::uint32_t kTransientAttempts = 4;
inline constexpr std::uint32_t kRefusedAttempts = 8;
// The requests that a limit group may send at once after a quiet time.
inline constexpr double kGroupBurst = 200;

// The limits of all accounts together: the configuration's [upstream].
struct GlobalLimits {
  std::uint32_t max_concurrent_requests = 64;
  double requests_per_second = 200;  // with bursts of one second's worth; 0: no limit
  std::uint32_t backfills_at_a_time = 4;
};

// What one collection may use.
struct Share {
  enum class Kind : std::uint8_t { warm, backfill };
  Kind kind = Kind::warm;
  LimitGroup group{};
  std::uint32_t max_concurrent_requests = 8;
  // For the whole group, whose latest collection decides, with bursts of kGroupBurst; 0: no limit.
  double requests_per_second = 50;
};

enum class Verdict : std::uint8_t {
  deliver,     // hand the answer, or the failure, to the collection
  will_retry,  // say nothing: take() will hand out the same ticket again
  forgotten,   // the collection has ended: drop the answer
};

// Sums over all collections of an account.
struct AccountTally {
  std::uint64_t retries = 0;
  Duration throttled{};  // it had something to ask and waited for a rate or a Retry-After
};

class Scheduler {
 public:
  // The seed makes the jitter of retries repeatable.
  Scheduler(GlobalLimits limits, std::uint64_t jitter_seed);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  ~Scheduler();

  // For a reload. Requests in flight beyond a lower limit still finish.
  void set_limits(GlobalLimits limits, SteadyTime now);

  // A collection of the account begins; an account has one at a time. A degraded account stays degraded.
  void begin(AccountKey account, const Share& share, SteadyTime now);
  // The collection has ended or is given up. Forgets its queued requests, and returns those in flight for
  // Transport::cancel.
  std::vector<Ticket> end(AccountKey account, SteadyTime now);
  // For an account that is no longer configured. Its collection must have ended.
  void forget(AccountKey account);

  // Adds a request to a collection that has begun; they start in the order of these calls.
  Ticket enqueue(AccountKey account, SteadyTime now);
  // The next request that may start now; it is in flight until finished(), preempt() or end(). If empty, ask
  // again after the next call of this class, or at next_event().
  std::optional<Ticket> take(SteadyTime now);
  // A request in flight of a degraded account whose slot a healthy one needs: cancel it. It is queued again
  // at the head of its account, and loses no attempt.
  std::optional<Ticket> preempt(SteadyTime now);
  // Takes the end of a request in flight.
  Verdict finished(Ticket ticket, const Outcome& outcome, SteadyTime now);

  // When to call take() and preempt() again even if nothing completes before.
  Deadline next_event(SteadyTime now) const;

  // For collection_timeout: the time since the collection began or last had an answer, less the time in which
  // it waited for a turn, a rate, a backfill slot or a Retry-After. Zero without a collection.
  Duration without_progress(AccountKey account, SteadyTime now) const;
  // How long the collection has waited for its group, for a Retry-After and then for the rate, since it was
  // first refused without an answer after that. Zero without a collection.
  Duration rate_limited(AccountKey account, SteadyTime now) const;
  AccountTally tally(AccountKey account, SteadyTime now) const;

  std::uint32_t in_flight() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sqlbak_gateway::upstream
