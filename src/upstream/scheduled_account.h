// What the scheduler keeps of an account, a limit group, a request in flight and a timer: plain data, with
// the few questions that concern nothing else.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/upstream/scheduler.h"
#include "upstream/token_bucket.h"

#include <cstdint>
#include <deque>
#include <list>
#include <optional>

namespace sqlbak_gateway::upstream::scheduling {

enum Lane : std::uint8_t { kSound, kAiling };

struct Queued {
  Ticket ticket = 0;
  std::uint32_t attempts = 0;
  std::uint32_t refusals = 0;
};
static_assert(sizeof(Queued) == 16);

struct Account;
using Ring = std::list<Account*>;

struct Group {
  explicit Group(double rate) : bucket(rate, kGroupBurst) {}

  bool paused(SteadyTime now) const { return now < paused_until; }
  bool may_ask(SteadyTime now) const { return !paused(now) && bucket.available(now) >= 1; }

  TokenBucket bucket;
  SteadyTime paused_until{};
  Ring parked;  // accounts that could start something but for the rate or the pause
  std::uint32_t collections = 0;
  // When a timer will look at `parked`; timers of other instants are void.
  std::optional<SteadyTime> release_at;
};

struct Account {
  // Where it stands, told by what it waits for.
  enum class Standing : std::uint8_t {
    idle,     // for nothing here: nothing to ask, or as much in flight as it may
    ready,    // for its turn
    parked,   // for its group's rate or pause
    in_line,  // for a backfill place
  };

  AccountKey key{};
  AccountTally tally;
  Lane lane = kSound;

  // Of its collection.
  bool collecting = false;
  std::uint64_t arrival = 0;  // tells its collections apart
  std::uint64_t turn = 0;     // orders the line: of its arrival, until its own rate costs it a place
  Share share;
  Group* group = nullptr;
  std::deque<Queued> due;
  std::uint32_t in_flight = 0;
  std::uint32_t window = 1;    // how many may be in flight, once it has answered
  bool on_trial = true;        // it has not answered, or not lately
  std::uint32_t failures = 0;  // since its last answer
  bool has_place = false;

  Standing standing = Standing::idle;
  Ring* ring = nullptr;  // ready, parked: the list it stands in
  Ring::iterator position;

  SteadyTime heard_at{};  // the instant its silence counts from
  bool watched = false;   // a timer will look at its silence

  SteadyTime settled_at{};  // times are accounted for up to here
  Duration worked{};        // since the last answer, without waiting
  // Since it was first refused without an answer after it: how long it waited for its group.
  std::optional<Duration> held_off;
  Duration throttled_by_all_then{};  // State::throttled_by_all when it became ready

  bool wants_turn() const { return !due.empty() && in_flight < (on_trial ? 1 : window); }
  bool needs_place() const { return share.kind == Share::Kind::backfill && !on_trial && !has_place; }
  bool waits_for_others() const { return in_flight == 0 && !due.empty(); }
};

struct InFlight {
  Account* account = nullptr;
  Queued request;
  SteadyTime started;
};

struct Timer {
  enum class Kind : std::uint8_t { retry, release_group, look_at_silence };
  SteadyTime at;
  std::uint64_t order = 0;  // of equal instants, the one set first
  Kind kind = Kind::retry;
  std::uint64_t key = 0;  // of the account, or the group
  std::uint64_t arrival = 0;
  Queued request;

  friend bool operator>(const Timer& a, const Timer& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }
};

}  // namespace sqlbak_gateway::upstream::scheduling
