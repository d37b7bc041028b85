#include "sqlbak_gateway/upstream/scheduler.h"

#include "upstream/scheduled_account.h"
#include "upstream/token_bucket.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <queue>
#include <random>
#include <unordered_map>
#include <utility>

namespace sqlbak_gateway::upstream {

using scheduling::Account;
using scheduling::Group;
using scheduling::InFlight;
using scheduling::kAiling;
using scheduling::kSound;
using scheduling::Lane;
using scheduling::Queued;
using scheduling::Ring;
using scheduling::Timer;

namespace {

// Requests that fail in a row before an account that has answered is taken for ailing.
constexpr std::uint32_t kFailuresOfAnAilingAccount = 3;
// Every so many turns one goes to an ailing account, if one waits.
constexpr std::uint32_t kTurnsToAnAilingAccount = 8;

}  // namespace

struct Scheduler::State {
  State(GlobalLimits global, std::uint64_t seed)
      : limits(global), bucket(global.requests_per_second, burst_of(global)), jitter(seed) {}

  GlobalLimits limits;
  TokenBucket bucket;
  std::mt19937_64 jitter;
  std::unordered_map<AccountKey, Account> accounts;
  std::unordered_map<LimitGroup, Group> groups;
  std::unordered_map<Ticket, InFlight> in_flight;
  std::array<std::array<Ring, 2>, 2> rings;               // ready accounts by lane and Share::Kind
  std::array<std::map<std::uint64_t, Account*>, 2> line;  // waiting for a backfill place, by lane and turn
  std::array<std::uint32_t, 2> places_taken{};            // by lane
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers;
  std::uint64_t timers_set = 0;
  std::uint64_t arrivals = 0;
  Ticket last_ticket = 0;
  std::uint64_t turns = 0;
  std::uint32_t sound_collections = 0;
  std::uint32_t ailing_in_flight = 0;
  // Time in which requests were ready, places were free, and only the rate of all accounts together held them
  // up.
  Duration throttled_by_all{};
  std::optional<SteadyTime> throttled_since;

  static double burst_of(const GlobalLimits& limits) { return std::max(1.0, limits.requests_per_second); }

  Account& collecting(AccountKey key) {
    const auto found = accounts.find(key);
    assert(found != accounts.end() && found->second.collecting);
    return found->second;
  }

  double fraction() { return static_cast<double>(jitter() >> 11) * 0x1p-53; }

  void set_timer(SteadyTime at, Timer::Kind kind, std::uint64_t key, std::uint64_t arrival = 0,
                 Queued request = {}) {
    timers.push({at, ++timers_set, kind, key, arrival, request});
  }

  // --- Time accounting ---

  Duration throttled_by_all_until(SteadyTime now) const {
    return throttled_by_all + (throttled_since ? now - *throttled_since : Duration::zero());
  }

  void note_throttled_by_all(bool throttled, SteadyTime now) {
    throttled_by_all = throttled_by_all_until(now);
    throttled_since = throttled ? std::optional(now) : std::nullopt;
  }

  // What has passed since settled_at, by what the account was doing.
  Duration unsettled_work(const Account& account, SteadyTime now) const {
    return account.collecting && !account.waits_for_others() ? now - account.settled_at : Duration::zero();
  }
  Duration unsettled_holding_off(const Account& account, SteadyTime now) const {
    const bool waits = account.held_off && account.standing == Account::Standing::parked;
    return waits ? now - account.settled_at : Duration::zero();
  }
  Duration unsettled_throttling(const Account& account, SteadyTime now) const {
    switch (account.standing) {
      case Account::Standing::parked:
        return now - account.settled_at;
      case Account::Standing::ready:
        return throttled_by_all_until(now) - account.throttled_by_all_then;
      case Account::Standing::idle:
      case Account::Standing::in_line:
        return Duration::zero();
    }
    return Duration::zero();
  }

  // To be called before anything of the account changes.
  void settle(Account& account, SteadyTime now) {
    account.worked += unsettled_work(account, now);
    if (account.held_off) *account.held_off += unsettled_holding_off(account, now);
    account.tally.throttled += unsettled_throttling(account, now);
    account.throttled_by_all_then = throttled_by_all_until(now);
    account.settled_at = now;
  }

  // --- Where an account stands ---

  void leave(Account& account) {
    if (account.ring != nullptr) account.ring->erase(account.position);
    if (account.standing == Account::Standing::in_line) line[account.lane].erase(account.turn);
    account.ring = nullptr;
    account.standing = Account::Standing::idle;
  }

  void stand(Account& account, Account::Standing standing, Ring& ring) {
    leave(account);
    account.ring = &ring;
    account.position = ring.insert(ring.end(), &account);
    account.standing = standing;
  }

  Ring& ring_of(const Account& account) {
    return rings[account.lane][static_cast<std::size_t>(account.share.kind)];
  }

  // Puts a settled account where it now belongs.
  void place(Account& account, SteadyTime now) {
    if (!account.wants_turn()) {
      leave(account);
    } else if (account.needs_place() && !account.group->may_ask(now)) {
      if (account.standing != Account::Standing::parked) park(account, now);
    } else if (account.needs_place()) {
      if (account.standing != Account::Standing::in_line) {
        leave(account);
        line[account.lane].emplace(account.turn, &account);
        account.standing = Account::Standing::in_line;
      }
      fill_places(account.lane, now);
    } else if (account.standing == Account::Standing::idle ||
               account.standing == Account::Standing::in_line) {
      stand(account, Account::Standing::ready, ring_of(account));
    }
  }

  void park(Account& account, SteadyTime now) {
    settle(account, now);
    stand(account, Account::Standing::parked, account.group->parked);
    set_release(account.share.group, *account.group, now);
  }

  // A timer that is set already stays, unless it is too late: the group's rate may have been raised.
  void set_release(LimitGroup key, Group& group, SteadyTime now, double tokens = 1) {
    if (group.parked.empty()) return;
    const SteadyTime at = std::max(group.paused_until, group.bucket.next(now, tokens));
    if (group.release_at && *group.release_at <= at) return;
    group.release_at = at;
    set_timer(at, Timer::Kind::release_group, static_cast<std::uint64_t>(key));
  }

  // Lets as many parked accounts stand ready as the group has requests to give.
  void release(const Timer& timer, SteadyTime now) {
    const LimitGroup key{timer.key};
    const auto found = groups.find(key);
    if (found == groups.end() || found->second.release_at != timer.at) return;
    Group& group = found->second;
    group.release_at.reset();
    if (!group.paused(now)) {
      for (double left = group.bucket.available(now); left >= 1 && !group.parked.empty(); --left) {
        Account& account = *group.parked.front();
        settle(account, now);
        leave(account);
        place(account, now);
      }
    }
    // Those let go will spend what is there now: the others' turn is a request later.
    set_release(key, group, now, group.bucket.available(now) + 1);
  }

  // --- Soundness and backfill places ---

  void watch(Account& account) {
    if (account.watched || !account.collecting || (account.in_flight == 0 && !account.has_place)) return;
    account.watched = true;
    set_timer(account.heard_at + kPatience, Timer::Kind::look_at_silence,
              static_cast<std::uint64_t>(account.key));
  }

  void look_at_silence(AccountKey key, SteadyTime now) {
    const auto found = accounts.find(key);
    if (found == accounts.end()) return;
    Account& account = found->second;
    account.watched = false;
    if (!account.collecting) return;
    if (now - account.heard_at >= kPatience) {
      settle(account, now);
      if (account.in_flight > 0) {
        turn_ailing(account, now);
      } else if (account.due.empty() || !account.group->may_ask(now)) {
        // Behind those who wait for their first, or a few such accounts would pass the places round for ever.
        if (account.has_place && !account.due.empty() && !account.group->paused(now)) {
          account.turn = ++arrivals;
        }
        give_up_place(account, now);
        place(account, now);
      }
      account.heard_at = now;
    }
    watch(account);
  }

  // Nothing good has come back for too long: on trial again.
  void turn_ailing(Account& account, SteadyTime now) {
    account.on_trial = true;
    set_lane(account, kAiling, now);
    give_up_place(account, now);
    place(account, now);
  }

  void set_lane(Account& account, Lane lane, SteadyTime now) {
    if (account.lane == lane) return;
    leave(account);
    give_up_place(account, now);
    if (lane == kAiling) {
      ailing_in_flight += account.in_flight;
      --sound_collections;
    } else {
      ailing_in_flight -= account.in_flight;
      ++sound_collections;
    }
    account.lane = lane;
    place(account, now);
  }

  void give_up_place(Account& account, SteadyTime now) {
    if (!account.has_place) return;
    account.has_place = false;
    --places_taken[account.lane];
    leave(account);
    fill_places(account.lane, now);
  }

  void fill_places(Lane lane, SteadyTime now) {
    while (places_taken[lane] < limits.backfills_at_a_time && !line[lane].empty()) {
      Account& account = *line[lane].begin()->second;
      settle(account, now);
      account.has_place = true;
      ++places_taken[lane];
      if (account.in_flight == 0) account.heard_at = now;
      watch(account);
      place(account, now);
    }
  }

  // --- Turns ---

  void pass_to(SteadyTime now) {
    while (!timers.empty() && timers.top().at <= now) {
      const Timer timer = timers.top();
      timers.pop();
      switch (timer.kind) {
        case Timer::Kind::retry:
          queue_again(timer, now);
          break;
        case Timer::Kind::release_group:
          release(timer, now);
          break;
        case Timer::Kind::look_at_silence:
          look_at_silence(AccountKey{timer.key}, now);
          break;
      }
    }
  }

  void queue_again(const Timer& timer, SteadyTime now) {
    const auto found = accounts.find(AccountKey{timer.key});
    if (found == accounts.end() || !found->second.collecting || found->second.arrival != timer.arrival)
      return;
    settle(found->second, now);
    found->second.due.push_front(timer.request);
    place(found->second, now);
  }

  std::uint32_t free_places() const {
    const auto taken = static_cast<std::uint32_t>(in_flight.size());
    return taken < limits.max_concurrent_requests ? limits.max_concurrent_requests - taken : 0;
  }

  std::uint32_t ailing_share() const { return std::max(1u, limits.max_concurrent_requests / 4); }
  bool ailing_may_start() const { return sound_collections == 0 || ailing_in_flight < ailing_share(); }

  // The first account of the lane that can start something at once. Those that cannot are parked on the way.
  Account* first_in(Lane lane, SteadyTime now) {
    for (Ring& ring : rings[lane]) {
      while (!ring.empty()) {
        Account& account = *ring.front();
        if (account.group->may_ask(now)) return &account;
        park(account, now);
      }
    }
    return nullptr;
  }

  Account* next_in_turn(SteadyTime now) {
    Account* const sound = first_in(kSound, now);
    Account* const ailing = ailing_may_start() ? first_in(kAiling, now) : nullptr;
    if (sound == nullptr || ailing == nullptr) return sound != nullptr ? sound : ailing;
    return turns % kTurnsToAnAilingAccount == 0 ? ailing : sound;
  }

  Ticket start_one(Account& account, SteadyTime now) {
    settle(account, now);
    ++turns;
    const Queued request = account.due.front();
    account.due.pop_front();
    bucket.spend(now);
    account.group->bucket.spend(now);
    if (account.in_flight == 0) account.heard_at = now;
    ++account.in_flight;
    if (account.lane == kAiling) ++ailing_in_flight;
    in_flight.emplace(request.ticket, InFlight{&account, request, now});
    leave(account);
    place(account, now);
    watch(account);
    return request.ticket;
  }

  // Takes a settled account's request out of flight.
  void land(std::unordered_map<Ticket, InFlight>::iterator request) {
    Account& account = *request->second.account;
    --account.in_flight;
    if (account.lane == kAiling) --ailing_in_flight;
    in_flight.erase(request);
  }

  bool must_give_way() const {
    const std::size_t sound_waiting = rings[kSound][0].size() + rings[kSound][1].size();
    return ailing_in_flight > ailing_share() && free_places() < sound_waiting;
  }

  // --- Verdicts ---

  Verdict answered(Account& account, Duration took, SteadyTime now) {
    account.heard_at = now;
    account.failures = 0;
    account.worked = Duration::zero();
    account.held_off.reset();
    account.window = std::min(account.window + 1, account.share.max_concurrent_requests);
    account.on_trial = false;
    set_lane(account, took >= kPatience ? kAiling : kSound, now);
    return Verdict::deliver;
  }

  Verdict transient(Account& account, Queued request, bool timed_out, SteadyTime now) {
    if (!timed_out) account.heard_at = now;
    if (++account.failures >= (account.on_trial ? 1 : kFailuresOfAnAilingAccount)) turn_ailing(account, now);
    const Duration pause = backoff(request.attempts, fraction());
    request.attempts += timed_out ? 2 : 1;
    if (request.attempts >= kTransientAttempts) return Verdict::deliver;
    ++account.tally.retries;
    set_timer(now + pause, Timer::Kind::retry, static_cast<std::uint64_t>(account.key), account.arrival,
              request);
    return Verdict::will_retry;
  }

  // The group pauses, and the account starts again with one request, then one more after each answer.
  Verdict refused(Account& account, Queued request, std::optional<Duration> retry_after, SteadyTime now) {
    account.heard_at = now;
    if (!account.held_off) account.held_off = Duration::zero();
    account.window = 1;
    Duration pause = backoff(request.refusals + 1, (1 + fraction()) / 2);
    if (retry_after && *retry_after > Duration::zero()) pause = *retry_after;
    account.group->paused_until = std::max(account.group->paused_until, now + pause);
    if (++request.refusals >= kRefusedAttempts) return Verdict::deliver;
    ++account.tally.retries;
    account.due.push_front(request);
    return Verdict::will_retry;
  }

  // Groups that nobody uses and that have nothing to remember; tokens change, and so do their groups.
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
  state_->bucket.set(limits.requests_per_second, State::burst_of(limits), now);
  for (const Lane lane : {kSound, kAiling}) state_->fill_places(lane, now);
}

void Scheduler::begin(AccountKey key, const Share& share, SteadyTime now) {
  Account& account = state_->accounts[key];
  assert(!account.collecting);
  state_->forget_unused_groups(now);
  Group& group = state_->groups.try_emplace(share.group, share.requests_per_second).first->second;
  group.bucket.set(share.requests_per_second, kGroupBurst, now);
  state_->set_release(share.group, group, now);
  ++group.collections;

  account.key = key;
  account.collecting = true;
  account.arrival = ++state_->arrivals;
  account.turn = account.arrival;
  account.share = share;
  account.share.max_concurrent_requests = std::max(1u, share.max_concurrent_requests);
  account.group = &group;
  account.window = account.share.max_concurrent_requests;
  account.on_trial = true;
  account.failures = 0;
  account.heard_at = now;
  account.settled_at = now;
  account.worked = Duration::zero();
  account.held_off.reset();
  if (account.lane == kSound) ++state_->sound_collections;
}

std::vector<Ticket> Scheduler::end(AccountKey key, SteadyTime now) {
  Account& account = state_->collecting(key);
  state_->settle(account, now);
  std::vector<Ticket> to_cancel;
  for (auto it = state_->in_flight.begin(); it != state_->in_flight.end();) {
    const auto request = it++;
    if (request->second.account != &account) continue;
    to_cancel.push_back(request->first);
    state_->land(request);
  }
  account.due.clear();
  state_->leave(account);
  state_->give_up_place(account, now);
  if (account.lane == kSound) --state_->sound_collections;
  --account.group->collections;
  account.group = nullptr;
  account.collecting = false;
  return to_cancel;
}

void Scheduler::forget(AccountKey key) {
  assert(state_->accounts.count(key) == 0 || !state_->accounts.at(key).collecting);
  state_->accounts.erase(key);
}

Ticket Scheduler::enqueue(AccountKey key, SteadyTime now) {
  Account& account = state_->collecting(key);
  state_->settle(account, now);
  account.due.push_back({++state_->last_ticket});
  state_->place(account, now);
  return state_->last_ticket;
}

std::optional<Ticket> Scheduler::take(SteadyTime now) {
  state_->pass_to(now);
  if (state_->free_places() == 0) {
    state_->note_throttled_by_all(false, now);
    return std::nullopt;
  }
  Account* const account = state_->next_in_turn(now);
  const bool throttled = account != nullptr && state_->bucket.available(now) < 1;
  state_->note_throttled_by_all(throttled, now);
  if (account == nullptr || throttled) return std::nullopt;
  return state_->start_one(*account, now);
}

std::optional<Ticket> Scheduler::give_way(SteadyTime now) {
  state_->pass_to(now);
  if (!state_->must_give_way() || state_->first_in(kSound, now) == nullptr || !state_->must_give_way() ||
      state_->bucket.available(now) < 1) {
    return std::nullopt;
  }
  // The newest, because it has the least to lose, and so that the oldest come to their end.
  auto newest = state_->in_flight.end();
  for (auto it = state_->in_flight.begin(); it != state_->in_flight.end(); ++it) {
    if (it->second.account->lane != kAiling) continue;
    if (newest == state_->in_flight.end() ||
        std::pair(it->second.started, it->first) > std::pair(newest->second.started, newest->first)) {
      newest = it;
    }
  }
  Account& account = *newest->second.account;
  const Queued request = newest->second.request;
  state_->settle(account, now);
  state_->land(newest);
  account.due.push_front(request);
  state_->place(account, now);
  return request.ticket;
}

Verdict Scheduler::finished(Ticket ticket, const Outcome& outcome, SteadyTime now) {
  const auto found = state_->in_flight.find(ticket);
  if (found == state_->in_flight.end()) return Verdict::forgotten;
  const InFlight request = found->second;
  Account& account = *request.account;
  state_->settle(account, now);
  state_->land(found);

  Verdict verdict = Verdict::deliver;
  switch (outcome.kind) {
    case Outcome::Kind::answered:
      verdict = state_->answered(account, now - request.started, now);
      break;
    case Outcome::Kind::transient:
      verdict = state_->transient(account, request.request, outcome.timed_out, now);
      break;
    case Outcome::Kind::refused:
      verdict = state_->refused(account, request.request, outcome.retry_after, now);
      break;
    case Outcome::Kind::failed:
      account.heard_at = now;
      break;
  }
  state_->place(account, now);
  return verdict;
}

Deadline Scheduler::next_event(SteadyTime now) const {
  const State& state = *state_;
  SteadyTime next = state.timers.empty() ? SteadyTime::max() : state.timers.top().at;
  const auto ready = [&state](Lane lane) {
    return !state.rings[lane][0].empty() || !state.rings[lane][1].empty();
  };
  const bool can_start =
      state.free_places() > 0 && (ready(kSound) || (ready(kAiling) && state.ailing_may_start()));
  if (can_start || state.must_give_way()) next = std::min(next, state.bucket.next(now));
  return Deadline::at(std::max(next, now));
}

Duration Scheduler::without_progress(AccountKey key, SteadyTime now) const {
  const auto found = state_->accounts.find(key);
  if (found == state_->accounts.end() || !found->second.collecting) return Duration::zero();
  return found->second.worked + state_->unsettled_work(found->second, now);
}

Duration Scheduler::held_off(AccountKey key, SteadyTime now) const {
  const auto found = state_->accounts.find(key);
  if (found == state_->accounts.end() || !found->second.collecting) return Duration::zero();
  return found->second.held_off.value_or(Duration::zero()) +
         state_->unsettled_holding_off(found->second, now);
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
