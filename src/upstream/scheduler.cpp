#include "sqlbak_gateway/upstream/scheduler.h"

#include "upstream/global_rate.h"
#include "upstream/scheduled_account.h"
#include "upstream/waiting_accounts.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <queue>
#include <random>
#include <unordered_map>
#include <utility>

namespace sqlbak_gateway::upstream {

using scheduling::Account;
using scheduling::AccountList;
using scheduling::Group;
using scheduling::GroupRelease;
using scheduling::Health;
using scheduling::InFlight;
using scheduling::kDegraded;
using scheduling::kHealthy;
using scheduling::Lane;
using scheduling::Request;
using scheduling::Retry;
using scheduling::SilenceCheck;
using scheduling::Timer;
using scheduling::WaitingAccounts;
using scheduling::WaitsFor;

namespace {

// Requests that fail in a row before an account that has answered counts as degraded.
constexpr std::uint32_t kFailuresUntilDegraded = 3;
// Every so many turns one goes to a degraded account, if one waits.
constexpr std::uint32_t kTurnsForADegradedAccount = 8;

}  // namespace

struct Scheduler::State {
  State(GlobalLimits global, std::uint64_t seed)
      : limits(global), rate(global.requests_per_second), jitter(seed) {}

  GlobalLimits limits;
  GlobalRate rate;
  std::mt19937_64 jitter;
  std::unordered_map<AccountKey, Account> accounts;
  std::unordered_map<LimitGroup, Group> groups;
  std::unordered_map<Ticket, InFlight> in_flight;
  WaitingAccounts waiting;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers;
  std::uint64_t last_number = 0;  // of tickets, arrivals and timers
  std::uint64_t turns = 0;
  struct OfLane {
    std::uint32_t collections = 0;
    std::uint32_t in_flight = 0;
    std::uint32_t backfill_slots_taken = 0;
  };
  std::array<OfLane, 2> lanes;

  Account& collecting(AccountKey key) {
    const auto found = accounts.find(key);
    assert(found != accounts.end() && found->second.collecting());
    return found->second;
  }
  // Null if the account is unknown or has no collection.
  Account* find_collecting(AccountKey key) {
    const auto found = accounts.find(key);
    return found != accounts.end() && found->second.collecting() ? &found->second : nullptr;
  }

  double random_fraction() { return static_cast<double>(jitter() >> 11) * 0x1p-53; }

  template <typename What>
  void set_timer(SteadyTime at, const What& what) {
    timers.push({at, ++last_number, what});
  }

  // --- Time accounting: what has passed since time.settled_at, by what the account was doing ---

  Duration unsettled_without_progress(const Account& account, SteadyTime now) const {
    const bool counts = account.collecting() && !account.waits_for_others();
    return counts ? now - account.time.settled_at : Duration::zero();
  }
  Duration unsettled_rate_limited(const Account& account, SteadyTime now) const {
    const bool counts = account.time.rate_limited && account.waits.what == WaitsFor::group;
    return counts ? now - account.time.settled_at : Duration::zero();
  }
  Duration unsettled_throttling(const Account& account, SteadyTime now) const {
    if (account.waits.what == WaitsFor::group) return now - account.time.settled_at;
    if (account.waits.what == WaitsFor::turn)
      return rate.throttled(now) - account.time.global_throttling_then;
    return Duration::zero();
  }

  // To be called before anything of the account changes.
  void settle(Account& account, SteadyTime now) {
    account.time.without_progress += unsettled_without_progress(account, now);
    if (account.time.rate_limited) *account.time.rate_limited += unsettled_rate_limited(account, now);
    account.tally.throttled += unsettled_throttling(account, now);
    account.time.global_throttling_then = rate.throttled(now);
    account.time.settled_at = now;
  }

  // --- What an account waits for ---

  // Lets a settled account wait for what it now needs.
  void place(Account& account, SteadyTime now) {
    const WaitsFor waits_for = account.waits.what;
    if (!account.may_start_another()) {
      waiting.leave(account);
    } else if (!account.needs_backfill_slot()) {
      if (waits_for == WaitsFor::nothing || waits_for == WaitsFor::backfill_slot)
        waiting.wait_for_turn(account);
    } else if (!account.group->may_ask(now)) {
      if (waits_for != WaitsFor::group) wait_for_group(account, now);
    } else {
      if (waits_for != WaitsFor::backfill_slot) waiting.wait_for_backfill_slot(account);
      fill_backfill_slots(account.health.lane, now);
    }
  }

  void wait_for_group(Account& account, SteadyTime now) {
    settle(account, now);
    waiting.wait_for_group(account);
    set_release(account.share.group, *account.group, now);
  }

  // A timer that is set already stays, unless it is too late: the group's rate may have been raised.
  void set_release(LimitGroup key, Group& group, SteadyTime now, double tokens = 1) {
    if (group.waiting.empty()) return;
    const SteadyTime at = std::max(group.paused_until, group.bucket.next(now, tokens));
    if (group.release_at && *group.release_at <= at) return;
    group.release_at = at;
    set_timer(at, GroupRelease{key});
  }

  // Releases as many waiting accounts as the group has requests to give.
  void go_off(const GroupRelease& release, SteadyTime at, SteadyTime now) {
    const auto found = groups.find(release.group);
    if (found == groups.end() || found->second.release_at != at) return;
    Group& group = found->second;
    group.release_at.reset();
    if (!group.paused(now)) {
      for (double left = group.bucket.available(now); left >= 1 && !group.waiting.empty(); --left) {
        Account& account = *group.waiting.front();
        settle(account, now);
        waiting.leave(account);
        place(account, now);
      }
    }
    // The released accounts spend what is there now, so the next one has to wait for one request more.
    set_release(release.group, group, now, group.bucket.available(now) + 1);
  }

  // --- Health ---

  // Sees to it that a timer looks at the silence of an account that holds a slot.
  void watch(Account& account) {
    const bool holds_a_slot = account.in_flight > 0 || account.backfill.has_slot;
    if (account.health.watched || !account.collecting() || !holds_a_slot) return;
    account.health.watched = true;
    set_timer(account.health.heard_at + kDegradedAfter, SilenceCheck{account.key});
  }

  void go_off(const SilenceCheck& check, SteadyTime, SteadyTime now) {
    const auto found = accounts.find(check.account);
    if (found == accounts.end()) return;
    Account& account = found->second;
    account.health.watched = false;
    if (!account.collecting()) return;
    if (now - account.health.heard_at >= kDegradedAfter) {
      settle(account, now);
      if (account.in_flight > 0) {
        turn_degraded(account, now);
      } else if (account.due.empty() || !account.group->may_ask(now)) {
        stop_holding_an_idle_backfill_slot(account, now);
      }
      account.health.heard_at = now;
    }
    watch(account);
  }

  void turn_degraded(Account& account, SteadyTime now) {
    account.health.on_probation = true;
    set_lane(account, kDegraded, now);
    release_backfill_slot(account, now);
    place(account, now);
  }

  void set_lane(Account& account, Lane lane, SteadyTime now) {
    if (account.health.lane == lane) return;
    waiting.leave(account);
    release_backfill_slot(account, now);
    OfLane& from = lanes[account.health.lane];
    OfLane& to = lanes[lane];
    --from.collections;
    ++to.collections;
    from.in_flight -= account.in_flight;
    to.in_flight += account.in_flight;
    account.health.lane = lane;
    place(account, now);
  }

  // --- Backfill slots ---

  void stop_holding_an_idle_backfill_slot(Account& account, SteadyTime now) {
    // An account kept by its own rate queues up behind those that have had no slot yet; else a few such
    // accounts would pass the slots round for ever.
    if (account.backfill.has_slot && !account.due.empty() && !account.group->paused(now)) {
      account.backfill.turn = ++last_number;
    }
    release_backfill_slot(account, now);
    place(account, now);
  }

  void release_backfill_slot(Account& account, SteadyTime now) {
    if (!account.backfill.has_slot) return;
    account.backfill.has_slot = false;
    --lanes[account.health.lane].backfill_slots_taken;
    waiting.leave(account);
    fill_backfill_slots(account.health.lane, now);
  }

  void fill_backfill_slots(Lane lane, SteadyTime now) {
    while (lanes[lane].backfill_slots_taken < limits.backfills_at_a_time) {
      Account* const account = waiting.first_for_backfill_slot(lane);
      if (account == nullptr) return;
      settle(*account, now);
      account->backfill.has_slot = true;
      ++lanes[lane].backfill_slots_taken;
      if (account->in_flight == 0) account->health.heard_at = now;
      watch(*account);
      place(*account, now);
    }
  }

  // --- Turns ---

  void pass_to(SteadyTime now) {
    while (!timers.empty() && timers.top().at <= now) {
      const Timer timer = timers.top();
      timers.pop();
      std::visit([&](const auto& what) { go_off(what, timer.at, now); }, timer.what);
    }
  }

  void go_off(const Retry& retry, SteadyTime, SteadyTime now) {
    Account* const account = find_collecting(retry.account);
    if (account == nullptr || account->arrival != retry.arrival) return;
    settle(*account, now);
    account->due.push_front(retry.request);
    place(*account, now);
  }

  std::uint32_t free_slots() const {
    const auto taken = static_cast<std::uint32_t>(in_flight.size());
    return taken < limits.max_concurrent_requests ? limits.max_concurrent_requests - taken : 0;
  }

  std::uint32_t slots_for_degraded() const { return std::max(1u, limits.max_concurrent_requests / 4); }
  bool degraded_may_start() const {
    return lanes[kHealthy].collections == 0 || lanes[kDegraded].in_flight < slots_for_degraded();
  }

  // The first account of the lane that can start something at once. Accounts before it that cannot are moved
  // to where they wait for their group.
  Account* first_in(Lane lane, SteadyTime now) {
    for (AccountList& list : waiting.for_turn(lane)) {
      while (!list.empty()) {
        Account& account = *list.front();
        if (account.group->may_ask(now)) return &account;
        wait_for_group(account, now);
      }
    }
    return nullptr;
  }

  Account* next_in_turn(SteadyTime now) {
    Account* const healthy = first_in(kHealthy, now);
    Account* const degraded = degraded_may_start() ? first_in(kDegraded, now) : nullptr;
    if (healthy == nullptr || degraded == nullptr) return healthy != nullptr ? healthy : degraded;
    return turns % kTurnsForADegradedAccount == 0 ? degraded : healthy;
  }

  Ticket start_one(Account& account, SteadyTime now) {
    settle(account, now);
    ++turns;
    const Request request = account.due.front();
    account.due.pop_front();
    rate.spend(now);
    account.group->bucket.spend(now);
    if (account.in_flight == 0) account.health.heard_at = now;
    ++account.in_flight;
    ++lanes[account.health.lane].in_flight;
    in_flight.emplace(request.ticket, InFlight{&account, request, now});
    waiting.leave(account);
    place(account, now);
    watch(account);
    return request.ticket;
  }

  // A settled account's request is in flight no more.
  void remove_from_flight(std::unordered_map<Ticket, InFlight>::iterator request) {
    Account& account = *request->second.account;
    --account.in_flight;
    --lanes[account.health.lane].in_flight;
    in_flight.erase(request);
  }

  bool must_preempt() const {
    return lanes[kDegraded].in_flight > slots_for_degraded() &&
           free_slots() < waiting.count_for_turn(kHealthy);
  }

  // The newest request of a degraded account: it has the least to lose, and the oldest come to their end.
  std::unordered_map<Ticket, InFlight>::iterator newest_degraded() {
    auto newest = in_flight.end();
    for (auto it = in_flight.begin(); it != in_flight.end(); ++it) {
      if (it->second.account->health.lane != kDegraded) continue;
      if (newest == in_flight.end() ||
          std::pair(it->second.started, it->first) > std::pair(newest->second.started, newest->first)) {
        newest = it;
      }
    }
    return newest;
  }

  // --- Verdicts ---

  Verdict answered(Account& account, Duration took, SteadyTime now) {
    account.time.without_progress = Duration::zero();
    account.time.rate_limited.reset();
    account.window = std::min(account.window + 1, account.share.max_concurrent_requests);
    account.health.heard_at = now;
    account.health.failures = 0;
    account.health.on_probation = false;
    set_lane(account, took >= kDegradedAfter ? kDegraded : kHealthy, now);
    return Verdict::deliver;
  }

  Verdict transient(Account& account, Request request, bool timed_out, SteadyTime now) {
    Health& health = account.health;
    if (!timed_out) health.heard_at = now;
    if (++health.failures >= (health.on_probation ? 1 : kFailuresUntilDegraded)) turn_degraded(account, now);
    const Duration pause = backoff(request.attempts, random_fraction());
    request.attempts += timed_out ? 2 : 1;
    if (request.attempts >= kTransientAttempts) return Verdict::deliver;
    ++account.tally.retries;
    set_timer(now + pause, Retry{account.key, account.arrival, request});
    return Verdict::will_retry;
  }

  // The group pauses, and the account starts again with one request, then one more after each answer.
  Verdict refused(Account& account, Request request, std::optional<Duration> retry_after, SteadyTime now) {
    account.health.heard_at = now;
    if (!account.time.rate_limited) account.time.rate_limited = Duration::zero();
    account.window = 1;
    Duration pause = backoff(request.refusals + 1, (1 + random_fraction()) / 2);
    if (retry_after && *retry_after > Duration::zero()) pause = *retry_after;
    account.group->paused_until = std::max(account.group->paused_until, now + pause);
    if (++request.refusals >= kRefusedAttempts) return Verdict::deliver;
    ++account.tally.retries;
    account.due.push_front(request);
    return Verdict::will_retry;
  }

  // Forgets groups that nobody uses and that have nothing to remember: when a token changes, so does its
  // group.
  void forget_unused_groups(SteadyTime now) {
    if (groups.size() <= 2 * accounts.size()) return;
    std::erase_if(groups, [now](const auto& entry) {
      const Group& group = entry.second;
      return group.collections == 0 && !group.paused(now) && group.bucket.full(now);
    });
  }
};

Scheduler::Scheduler(GlobalLimits limits, std::uint64_t jitter_seed)
    : state_(std::make_unique<State>(limits, jitter_seed)) {}
Scheduler::~Scheduler() = default;

void Scheduler::set_limits(GlobalLimits limits, SteadyTime now) {
  state_->limits = limits;
  state_->rate.set(limits.requests_per_second, now);
  for (const Lane lane : {kHealthy, kDegraded}) state_->fill_backfill_slots(lane, now);
}

void Scheduler::begin(AccountKey key, const Share& share, SteadyTime now) {
  Account& account = state_->accounts[key];
  assert(!account.collecting());
  state_->forget_unused_groups(now);
  Group& group = state_->groups.try_emplace(share.group, share.requests_per_second).first->second;
  group.bucket.set(share.requests_per_second, kGroupBurst, now);
  state_->set_release(share.group, group, now);
  ++group.collections;

  account.key = key;
  account.share = share;
  account.share.max_concurrent_requests = std::max(1u, share.max_concurrent_requests);
  account.group = &group;
  account.arrival = account.backfill.turn = ++state_->last_number;
  account.window = account.share.max_concurrent_requests;
  account.health.on_probation = true;
  account.health.failures = 0;
  account.health.heard_at = now;
  account.time = {.settled_at = now};
  ++state_->lanes[account.health.lane].collections;
}

std::vector<Ticket> Scheduler::end(AccountKey key, SteadyTime now) {
  Account& account = state_->collecting(key);
  state_->settle(account, now);
  std::vector<Ticket> to_cancel;
  for (auto it = state_->in_flight.begin(); it != state_->in_flight.end();) {
    const auto request = it++;
    if (request->second.account != &account) continue;
    to_cancel.push_back(request->first);
    state_->remove_from_flight(request);
  }
  account.due.clear();
  state_->waiting.leave(account);
  state_->release_backfill_slot(account, now);
  --state_->lanes[account.health.lane].collections;
  --account.group->collections;
  account.group = nullptr;
  return to_cancel;
}

void Scheduler::forget(AccountKey key) {
  assert(state_->find_collecting(key) == nullptr);
  state_->accounts.erase(key);
}

Ticket Scheduler::enqueue(AccountKey key, SteadyTime now) {
  Account& account = state_->collecting(key);
  state_->settle(account, now);
  const Ticket ticket = ++state_->last_number;
  account.due.push_back({ticket});
  state_->place(account, now);
  return ticket;
}

std::optional<Ticket> Scheduler::take(SteadyTime now) {
  state_->pass_to(now);
  Account* const account = state_->free_slots() > 0 ? state_->next_in_turn(now) : nullptr;
  const bool throttled = account != nullptr && !state_->rate.allows_one(now);
  state_->rate.throttle(throttled, now);
  if (account == nullptr || throttled) return std::nullopt;
  return state_->start_one(*account, now);
}

std::optional<Ticket> Scheduler::preempt(SteadyTime now) {
  state_->pass_to(now);
  // Asked twice, because first_in() may find that those who wait for their turn have to wait for their
  // groups.
  const bool needed = state_->must_preempt() && state_->first_in(kHealthy, now) != nullptr &&
                      state_->must_preempt() && state_->rate.allows_one(now);
  if (!needed) return std::nullopt;
  const auto newest = state_->newest_degraded();
  Account& account = *newest->second.account;
  const Request request = newest->second.request;
  state_->settle(account, now);
  state_->remove_from_flight(newest);
  account.due.push_front(request);
  state_->place(account, now);
  return request.ticket;
}

Verdict Scheduler::finished(Ticket ticket, const Outcome& outcome, SteadyTime now) {
  const auto found = state_->in_flight.find(ticket);
  if (found == state_->in_flight.end()) return Verdict::forgotten;
  const InFlight ended = found->second;
  Account& account = *ended.account;
  state_->settle(account, now);
  state_->remove_from_flight(found);

  Verdict verdict = Verdict::deliver;
  switch (outcome.kind) {
    case Outcome::Kind::answered:
      verdict = state_->answered(account, now - ended.started, now);
      break;
    case Outcome::Kind::transient:
      verdict = state_->transient(account, ended.request, outcome.timed_out, now);
      break;
    case Outcome::Kind::refused:
      verdict = state_->refused(account, ended.request, outcome.retry_after, now);
      break;
    case Outcome::Kind::failed:
      account.health.heard_at = now;
      break;
  }
  state_->place(account, now);
  return verdict;
}

Deadline Scheduler::next_event(SteadyTime now) const {
  const State& state = *state_;
  SteadyTime next = state.timers.empty() ? SteadyTime::max() : state.timers.top().at;
  const auto waits = [&state](Lane lane) { return state.waiting.count_for_turn(lane) > 0; };
  const bool can_start =
      state.free_slots() > 0 && (waits(kHealthy) || (waits(kDegraded) && state.degraded_may_start()));
  if (can_start || state.must_preempt()) next = std::min(next, state.rate.next(now));
  return Deadline::at(std::max(next, now));
}

Duration Scheduler::without_progress(AccountKey key, SteadyTime now) const {
  const Account* const account = state_->find_collecting(key);
  if (account == nullptr) return Duration::zero();
  return account->time.without_progress + state_->unsettled_without_progress(*account, now);
}

Duration Scheduler::rate_limited(AccountKey key, SteadyTime now) const {
  const Account* const account = state_->find_collecting(key);
  if (account == nullptr) return Duration::zero();
  return account->time.rate_limited.value_or(Duration::zero()) +
         state_->unsettled_rate_limited(*account, now);
}

AccountTally Scheduler::tally(AccountKey key, SteadyTime now) const {
  const auto found = state_->accounts.find(key);
  if (found == state_->accounts.end()) return {};
  AccountTally tally = found->second.tally;
  tally.throttled += state_->unsettled_throttling(found->second, now);
  return tally;
}

std::uint32_t Scheduler::in_flight() const {
  return static_cast<std::uint32_t>(state_->in_flight.size());
}

}  // namespace sqlbak_gateway::upstream
