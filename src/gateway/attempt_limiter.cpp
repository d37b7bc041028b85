#include "gateway/attempt_limiter.h"

#include <algorithm>
#include <arpa/inet.h>

namespace sqlbak_gateway::gateway {

std::string owner_of(std::string_view address) {
  constexpr std::size_t kNetwork = 8;  // bytes of a /64
  const std::string without_scope(address.substr(0, address.find('%')));
  in6_addr v6{};
  if (inet_pton(AF_INET6, without_scope.c_str(), &v6) != 1) return std::string(address);
  return std::string(reinterpret_cast<const char*>(&v6), kNetwork);
}

namespace {

// The name is the client's text: cut, so that what is remembered of it is bounded.
std::string owner_and_name(const std::string& owner, std::string_view name) {
  constexpr std::size_t kLongest = 64;
  return owner + '\0' + std::string(name.substr(0, kLongest));
}

}  // namespace

Duration AttemptLimiter::wait(std::string_view address, std::string_view name) const {
  const std::string owner = owner_of(address);
  const SteadyTime now = clock_.steady_now();
  MutexLock lock(mutex_);
  return std::max(of_addresses_.wait(owner, now), of_names_.wait(owner_and_name(owner, name), now));
}

bool AttemptLimiter::failed_lately(std::string_view address) const {
  const SteadyTime now = clock_.steady_now();
  MutexLock lock(mutex_);
  return of_addresses_.any(owner_of(address), now);
}

void AttemptLimiter::failed(std::string_view address, std::string_view name) {
  const std::string owner = owner_of(address);
  const SteadyTime now = clock_.steady_now();
  MutexLock lock(mutex_);
  of_addresses_.add(owner, now);
  of_names_.add(owner_and_name(owner, name), now);
}

Duration AttemptLimiter::Debts::wait(const std::string& debtor, SteadyTime now) const {
  const auto found = clear_at_.find(debtor);
  if (found == clear_at_.end()) return Duration::zero();
  return std::max(Duration::zero(), found->second - now - (allowance_.at_once - 1) * allowance_.forgive_one);
}

bool AttemptLimiter::Debts::any(const std::string& debtor, SteadyTime now) const {
  const auto found = clear_at_.find(debtor);
  return found != clear_at_.end() && found->second > now;
}

void AttemptLimiter::Debts::add(const std::string& debtor, SteadyTime now) {
  if (!clear_at_.contains(debtor)) make_room(now);
  SteadyTime& clear_at = clear_at_[debtor];
  clear_at = std::max(clear_at, now) + allowance_.forgive_one;
}

// An attacker with many addresses must not make those forgotten that have guessed most.
void AttemptLimiter::Debts::make_room(SteadyTime now) {
  if (clear_at_.size() < kRemembered) return;
  std::erase_if(clear_at_, [now](const auto& entry) { return entry.second <= now; });
  if (clear_at_.size() < kRemembered) return;
  clear_at_.erase(std::min_element(clear_at_.begin(), clear_at_.end(),
                                   [](const auto& a, const auto& b) { return a.second < b.second; }));
}

}  // namespace sqlbak_gateway::gateway
