// A world in which accounts collect through one Scheduler: requests take a round trip on a clock moved by
// hand, and each account's API answers as it is told to. What happens is a function of the description alone.
#pragma once

#include "sqlbak_gateway/upstream/scheduler.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sqlbak_gateway::upstream::testing {

using namespace std::chrono_literals;

inline Outcome an_answer() {
  return {};
}
inline Outcome a_500() {
  return {Outcome::Kind::transient, false, std::nullopt, FailureReason::upstream_error,
          "the API answered 500"};
}
inline Outcome a_timeout() {
  return {Outcome::Kind::transient, true, std::nullopt, FailureReason::timeout, "no answer in time"};
}
inline Outcome a_refusal(std::optional<Duration> retry_after = std::nullopt) {
  return {Outcome::Kind::refused, false, retry_after, FailureReason::rate_limited, "the API answered 429"};
}
inline Outcome a_401() {
  return {Outcome::Kind::failed, false, std::nullopt, FailureReason::auth, "the API answered 401"};
}

// How an account's API behaves.
struct Api {
  Duration round_trip = 50ms;
  Outcome outcome = an_answer();
};
inline Api healthy() {
  return {};
}
inline Api hanging() {
  return {30s, a_timeout()};
}  // until request_timeout
inline Api dripping() {
  return {29s, an_answer()};
}
inline Api answering_500() {
  return {50ms, a_500()};
}
inline Api answering_401() {
  return {50ms, a_401()};
}

class CollectingWorld {
 public:
  explicit CollectingWorld(GlobalLimits limits) : scheduler_(limits, 1) {}

  // A collection in three rounds: the two lists and /me, two requests a job, `details` more a job.
  AccountKey collects(int jobs, Share::Kind kind, Api api = healthy(), int details = 0) {
    const AccountKey key{++last_key_};
    Share share;
    share.kind = kind;
    share.group = LimitGroup{last_key_};
    Collection& collection = collections_[key];
    collection.api = std::move(api);
    collection.rounds = {3, 2 * jobs, details * jobs};
    collection.began = now_;
    scheduler_.begin(key, share, now_);
    ask_next_round(key, collection);
    return key;
  }

  // Until nothing can happen any more, or `limit` has passed.
  void run(Duration limit) {
    const SteadyTime stop = now_ + limit;
    while (now_ <= stop) {
      drive();
      SteadyTime next = scheduler_.next_event(now_).instant();
      if (!ends_.empty()) next = std::min(next, ends_.top().first);
      if (next > stop) break;
      now_ = std::max(next, now_);
    }
    now_ = std::max(now_, stop);
  }

  // How long the account's collection took; nothing while it goes on, and when it failed.
  std::optional<Duration> took(AccountKey key) const { return collections_.at(key).took; }
  bool failed(AccountKey key) const { return collections_.at(key).failed; }
  std::size_t most_in_flight() const { return most_in_flight_; }
  std::uint64_t started() const { return started_; }

 private:
  struct Collection {
    Api api;
    std::vector<int> rounds;
    std::size_t round = 0;
    int open = 0;
    SteadyTime began;
    std::optional<Duration> took;
    bool failed = false;
  };

  void drive() {
    while (!ends_.empty() && ends_.top().first <= now_) {
      const auto [at, ticket] = ends_.top();
      ends_.pop();
      if (const auto found = running_.find(ticket); found != running_.end() && found->second == at) {
        running_.erase(found);
        answer(ticket);
      }
    }
    while (const auto ticket = scheduler_.preempt(now_)) running_.erase(*ticket);
    while (const auto ticket = scheduler_.take(now_)) {
      ++started_;
      const SteadyTime end = now_ + collections_[owner_[*ticket]].api.round_trip;
      running_[*ticket] = end;
      ends_.emplace(end, *ticket);
    }
    most_in_flight_ = std::max(most_in_flight_, running_.size());
  }

  void answer(Ticket ticket) {
    const AccountKey key = owner_[ticket];
    Collection& collection = collections_[key];
    const Outcome& outcome = collection.api.outcome;
    if (scheduler_.finished(ticket, outcome, now_) != Verdict::deliver) return;
    if (outcome.kind != Outcome::Kind::answered) {
      collection.failed = true;
      for (const Ticket dropped : scheduler_.end(key, now_)) running_.erase(dropped);
    } else if (--collection.open == 0) {
      ask_next_round(key, collection);
    }
  }

  void ask_next_round(AccountKey key, Collection& collection) {
    while (collection.open == 0 && collection.round < collection.rounds.size()) {
      collection.open = collection.rounds[collection.round++];
      for (int i = 0; i < collection.open; ++i) owner_[scheduler_.enqueue(key, now_)] = key;
    }
    if (collection.open > 0) return;
    collection.took = now_ - collection.began;
    scheduler_.end(key, now_);
  }

  SteadyTime now_{1h};
  Scheduler scheduler_;
  std::uint64_t last_key_ = 0;
  std::map<AccountKey, Collection> collections_;
  std::unordered_map<Ticket, AccountKey> owner_;
  std::unordered_map<Ticket, SteadyTime> running_;
  std::priority_queue<std::pair<SteadyTime, Ticket>, std::vector<std::pair<SteadyTime, Ticket>>,
                      std::greater<>>
      ends_;
  std::size_t most_in_flight_ = 0;
  std::uint64_t started_ = 0;
};

}  // namespace sqlbak_gateway::upstream::testing
