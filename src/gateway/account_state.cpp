#include "sqlbak_gateway/gateway/account_state.h"

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
}

void AccountState::progressed(std::shared_ptr<const Published> data) {
  assert(running_since_);
  partial_ = std::move(data);
}

void AccountState::ended(CollectionEnd end, SteadyTime now) {
  assert(running_since_);
  const SteadyTime started = *std::exchange(running_since_, std::nullopt);
  record_.in_progress = false;
  record_.completed_any = true;
  record_.remembers_good = false;
  record_.last_duration = now - started;
  record_.last_api_requests = end.api_requests;
  for (std::size_t i = 0; i < end.endpoint_up.size(); ++i) {
    if (end.endpoint_up[i]) record_.endpoint_up[i] = end.endpoint_up[i];
  }
  record_.last_failure = std::move(end.failure);
  if (record_.last_failure) {
    due_ = now + backoff_after(++record_.failures_in_a_row);
  } else {
    record_.failures_in_a_row = 0;
    record_.last_success = record_.last_attempt;
    last_good_ = std::move(end.data);
    partial_.reset();
    const auto ttl = std::chrono::duration_cast<Duration>(cache_ttl_ * (1.0 - jitter_));
    due_ = std::max(started + ttl, now + cache_ttl_ / 2);
  }
  ++completed_;
}

void AccountState::end_backoff() {
  if (record_.last_failure) due_.reset();
}

void AccountState::restored(std::shared_ptr<const Published> data, SystemTime collected_at, SystemTime now) {
  last_good_ = std::move(data);
  record_.last_success = collected_at;
  record_.remembers_good = !record_.completed_any && now - collected_at < cache_ttl_;
}

void AccountState::inherited(const CollectionRecord& former, std::shared_ptr<const Published> data) {
  last_good_ = std::move(data);
  record_ = former;
  record_.in_progress = false;
  record_.failures_in_a_row = 0;
}

void AccountState::disowned() {
  if (!last_good_) return;
  last_good_.reset();
  record_.last_success.reset();
  record_.completed_any = false;
  record_.remembers_good = false;
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
