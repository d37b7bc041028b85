// AttemptLimiter: how many wrong passwords came from where and for whom, and so who has to wait before the
// next is tried. It knows nothing of right ones: who has been let in before is not asked about here.
//
// An address may be wrong so many times at once, and then once in so long: whatever names it gives, and less
// often for one name. Resource type, safe from any thread; what it remembers is bounded.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/mutex.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace sqlbak_gateway::gateway {

// Whom a numeric address (without a port) belongs to: itself in IPv4, its /64 in IPv6, of which its owner may
// have any. Pure.
std::string owner_of(std::string_view address);

class AttemptLimiter {
 public:
  struct Allowance {
    int at_once;
    Duration forgive_one;
  };
  static constexpr Allowance kPerAddress{20, std::chrono::seconds(5)};
  static constexpr Allowance kPerName{10, std::chrono::seconds(10)};  // of one address
  // Addresses remembered, and likewise addresses with names. Beyond it the least guilty are forgotten.
  static constexpr std::size_t kRemembered = 10'000;

  explicit AttemptLimiter(const Clock& clock) : clock_(clock) {}
  AttemptLimiter(const AttemptLimiter&) = delete;
  AttemptLimiter& operator=(const AttemptLimiter&) = delete;

  // `address` is numeric, without a port, and stands for all that its owner has.

  // How long until a password from there for that name may be tried; zero: now.
  Duration wait(std::string_view address, std::string_view name) const EXCLUDES(mutex_);
  // Whether a wrong one came from there that is not forgiven yet.
  bool failed_lately(std::string_view address) const EXCLUDES(mutex_);
  // A wrong one came.
  void failed(std::string_view address, std::string_view name) EXCLUDES(mutex_);

 private:
  // Not thread-safe.
  class Debts {
   public:
    explicit Debts(Allowance allowance) : allowance_(allowance) {}
    Duration wait(const std::string& debtor, SteadyTime now) const;
    bool any(const std::string& debtor, SteadyTime now) const;
    void add(const std::string& debtor, SteadyTime now);

   private:
    void make_room(SteadyTime now);
    const Allowance allowance_;
    std::map<std::string, SteadyTime> clear_at_;  // when all its failures are forgiven
  };

  const Clock& clock_;
  mutable Mutex mutex_;
  Debts of_addresses_ GUARDED_BY(mutex_){kPerAddress};
  Debts of_names_ GUARDED_BY(mutex_){kPerName};
};

}  // namespace sqlbak_gateway::gateway
