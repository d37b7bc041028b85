#include "gateway/account_state.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

Duration backoff_after(std::uint32_t failures_in_a_row) {
  Duration backoff = kFirstBackoff;
  for (std::uint32_t i = 1; i < failures_in_a_row && backoff < kLongestBackoff; ++i) backoff *= 2;
  return std::min(backoff, kLongestBackoff);
}

}  // namespace

AccountState::Freshness AccountState::freshness(SteadyTime now) const {
  if (running_since_) return Freshness::running;
  if (!due_ || now >= *due_) return Freshness::due;
  return record_.last_failure ? Freshness::backed_off : Freshness::fresh;
}

bool AccountState::worth_waiting(SteadyTime now, Deadline deadline) const {
  return running_since_ && now - *running_since_ <= deadline.remaining(now) && !deadline.passed(now);
}

void AccountState::began(SteadyTime now, SystemTime now_system, double jitter) {
  assert(!running_since_);
  running_since_ = now;
  jitter_ = std::clamp(jitter, 0.0, 1.0) * kLargestJitter;
  record_.last_attempt = now_system;
  record_.in_progress = true;
  ++version_;
}

void AccountState::progressed(std::shared_ptr<const Published> data) {
  assert(running_since_);
  partial_ = std::move(data);
  ++version_;
}

void AccountState::ended(const sqlbak::CollectionOutcome& outcome, std::uint64_t api_requests,
                         std::shared_ptr<const Published> data, SteadyTime now) {
  assert(running_since_);
  const SteadyTime started = *std::exchange(running_since_, std::nullopt);
  record_.in_progress = false;
  record_.completed_any = true;
  record_.remembers_good = false;
  record_.last_duration = now - started;
  record_.last_api_requests = api_requests;
  for (std::size_t i = 0; i < outcome.endpoint_up.size(); ++i) {
    if (outcome.endpoint_up[i]) record_.endpoint_up[i] = outcome.endpoint_up[i];
  }
  if (outcome.api_clock_ahead) record_.api_clock_ahead = outcome.api_clock_ahead;
  record_.last_failure = outcome.failure;
  if (record_.last_failure) {
    due_ = now + backoff_after(++record_.failures_in_a_row);
  } else {
    record_.failures_in_a_row = 0;
    record_.last_success = record_.last_attempt;
    last_good_ = std::move(data);
    partial_.reset();
    const auto ttl = std::chrono::duration_cast<Duration>(cache_ttl_ * (1.0 - jitter_));
    due_ = std::max(started + ttl, now + cache_ttl_ / 2);
  }
  ++completed_;
  ++version_;
}

void AccountState::end_backoff() {
  if (record_.last_failure) due_.reset();
}

void AccountState::restored(std::shared_ptr<const Published> data, SystemTime collected_at, SystemTime now) {
  last_good_ = std::move(data);
  record_.last_success = collected_at;
  record_.remembers_good = !record_.completed_any && now - collected_at < cache_ttl_;
  ++version_;
}

void AccountState::reconfigured(Duration cache_ttl, std::shared_ptr<const Published> data) {
  cache_ttl_ = cache_ttl;
  last_good_ = std::move(data);
  partial_.reset();
  running_since_.reset();
  due_.reset();
  record_.in_progress = false;
  record_.failures_in_a_row = 0;
  ++completed_;
  ++version_;
}

void AccountState::forget() {
  last_good_.reset();
  record_ = {};
  ++version_;
}

void AccountState::disowned() {
  if (!last_good_) return;
  last_good_.reset();
  record_.last_success.reset();
  record_.completed_any = false;
  record_.remembers_good = false;
  ++version_;
}

std::optional<SteadyTime> AccountState::next_due() const {
  if (running_since_) return std::nullopt;
  return due_.value_or(SteadyTime::min());
}

Duration probe_budget(std::optional<Duration> scrape_timeout, Duration offset) {
  constexpr Duration kWithoutHeader = std::chrono::seconds(120);
  if (!scrape_timeout) return kWithoutHeader;
  return offset < *scrape_timeout ? *scrape_timeout - offset : *scrape_timeout / 2;
}

}  // namespace sqlbak_gateway::gateway
