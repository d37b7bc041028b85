// Plain data that the scheduler keeps: accounts, limit groups, requests in flight and timers.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/upstream/scheduler.h"
#include "upstream/token_bucket.h"

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <variant>

namespace sqlbak_gateway::upstream::scheduling {

enum Lane : std::uint8_t { kHealthy, kDegraded };

struct Request {
  Ticket ticket = 0;
  std::uint32_t attempts = 0;
  std::uint32_t refusals = 0;
};
static_assert(sizeof(Request) == 16);

struct Account;
using AccountList = std::list<Account*>;

struct Group {
  explicit Group(double rate) : bucket(rate, kGroupBurst) {}

  bool paused(SteadyTime now) const { return now < paused_until; }
  bool may_ask(SteadyTime now) const { return !paused(now) && bucket.available(now) >= 1; }

  TokenBucket bucket;
  SteadyTime paused_until{};
  AccountList waiting;  // accounts that could start something but for the rate or the pause
  std::uint32_t collections = 0;
  // When a timer will look at `waiting`; a timer for any other instant is void.
  std::optional<SteadyTime> release_at;
};

// What an account waits for.
enum class WaitsFor : std::uint8_t {
  nothing,        // it has nothing to ask, or as much in flight as it may
  turn,           // it may start a request now
  group,          // its group's rate, or the end of its group's pause
  backfill_slot,  // one of the few
};

// Whether an account's answers come promptly. Lane and watched last from one collection to the next.
struct Health {
  Lane lane = kHealthy;
  bool watched = false;        // a timer will look for silence
  bool on_probation = true;    // it has not answered in this collection, or not lately
  std::uint32_t failures = 0;  // in a row
  SteadyTime heard_at{};       // when its silence began
};

// Where a collection's time goes. Scheduler::State::settle() brings it up to date before the account changes.
struct TimeSpent {
  SteadyTime settled_at{};
  Duration without_progress{};
  // Waiting for its group since it was first refused; empty if it has had an answer since.
  std::optional<Duration> rate_limited;
  Duration global_throttling_then{};  // GlobalRate::throttled() at settled_at
};

// An account that was seen, and its collection if it has one.
struct Account {
  AccountKey key{};
  AccountTally tally;
  Health health;

  Share share;
  Group* group = nullptr;     // null between collections
  std::uint64_t arrival = 0;  // tells its collections apart
  std::deque<Request> due;
  std::uint32_t in_flight = 0;
  std::uint32_t window = 1;  // how many may be in flight when it is not on probation
  struct {
    std::uint64_t turn = 0;  // its order in the queue
    bool has_slot = false;
  } backfill;
  TimeSpent time;
  struct {
    WaitsFor what = WaitsFor::nothing;
    AccountList* list = nullptr;  // null unless it waits for its turn or its group
    AccountList::iterator position;
  } waits;

  bool collecting() const { return group != nullptr; }
  bool may_start_another() const { return !due.empty() && in_flight < (health.on_probation ? 1 : window); }
  bool needs_backfill_slot() const {
    return share.kind == Share::Kind::backfill && !health.on_probation && !backfill.has_slot;
  }
  bool waits_for_others() const { return in_flight == 0 && !due.empty(); }
};

struct InFlight {
  Account* account = nullptr;
  Request request;
  SteadyTime started;
};

struct Retry {
  AccountKey account{};
  std::uint64_t arrival = 0;  // of the collection that the request belongs to
  Request request;
};
struct GroupRelease {
  LimitGroup group{};
};
struct SilenceCheck {
  AccountKey account{};
};

struct Timer {
  SteadyTime at;
  std::uint64_t number = 0;  // timers for the same instant go off in this order
  std::variant<Retry, GroupRelease, SilenceCheck> what;

  friend bool operator>(const Timer& a, const Timer& b) {
    return a.at != b.at ? a.at > b.at : a.number > b.number;
  }
};

}  // namespace sqlbak_gateway::upstream::scheduling
