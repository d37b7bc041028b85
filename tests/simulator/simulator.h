// Simulator: the simulated SqlBak API. It turns a request into a reply; a socket server or an in-process
// transport carries both. It owns the world and its clock, the knobs, the faults and the log of requests.
//
// Safe to call from any thread: each call holds one lock. A test that wants to change the world while a
// server runs does it in with().
#pragma once

#include "simulator/faults.h"
#include "simulator/knobs.h"
#include "simulator/wire.h"
#include "simulator/world.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/mutex.h"

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sqlbak_gateway::simulator {

inline constexpr std::string_view kApiPrefix = "/public-api/v1";

// One request, whether or not it had an answer.
struct LoggedRequest {
  SystemTime at;         // in the world's time
  SteadyTime steady_at;  // by the clock the simulator was given
  std::string account;   // "" without a known token
  std::string endpoint;  // "other" for a path the API does not have
  std::string target;    // below the API's prefix
  int status = 0;        // as sent, faults included; 0 when the connection was dropped before the answer
};

class Simulator {
 public:
  // The world's time is the clock's system time now, and goes on with its steady time. The clock outlives the
  // simulator.
  Simulator(World world, const Clock& clock, Knobs knobs = {});
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  // Any request, even one for a path that the API does not have.
  Reply answer(const Request& request) EXCLUDES(mutex_);

  // The world's clock.
  SystemTime now() const EXCLUDES(mutex_);
  void advance(std::chrono::milliseconds by) EXCLUDES(mutex_);         // forward only
  void set_speed(double virtual_seconds_per_second) EXCLUDES(mutex_);  // 0: it stands still

  // Runs `change(World&)` under the lock, with every account advanced to now. Returns what it returns.
  template <typename Change>
  auto with(Change change) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    advance_accounts();
    return change(world_);
  }

  Knobs knobs() const EXCLUDES(mutex_);
  void set_knobs(const Knobs& knobs) EXCLUDES(mutex_);
  // Returns the number that remove_fault takes, or an Error for a malformed rule.
  Result<std::uint64_t> add_fault(std::string_view rule) EXCLUDES(mutex_);
  void remove_fault(std::uint64_t number) EXCLUDES(mutex_);
  void clear_faults() EXCLUDES(mutex_);
  std::vector<Faults::Count> fault_counts() const EXCLUDES(mutex_);

  // The last kLogged requests, oldest first.
  static constexpr std::size_t kLogged = 100'000;
  std::vector<LoggedRequest> requests() const EXCLUDES(mutex_);
  // How many since the start or forget_requests(); patterns are shell-style.
  std::uint64_t request_count(std::string_view account = "*", std::string_view endpoint = "*") const
      EXCLUDES(mutex_);
  std::map<std::pair<std::string, std::string>, std::uint64_t> request_counts() const EXCLUDES(mutex_);
  void forget_requests() EXCLUDES(mutex_);

 private:
  SystemTime world_now() const REQUIRES(mutex_);
  void advance_accounts() REQUIRES(mutex_);
  void set_anchor(SystemTime now) REQUIRES(mutex_);
  void log(LoggedRequest request) REQUIRES(mutex_);

  const Clock& clock_;
  mutable Mutex mutex_;
  World world_ GUARDED_BY(mutex_);
  Knobs knobs_ GUARDED_BY(mutex_);
  Faults faults_ GUARDED_BY(mutex_);
  SystemTime anchor_ GUARDED_BY(mutex_);
  SteadyTime anchor_steady_ GUARDED_BY(mutex_);
  double speed_ GUARDED_BY(mutex_) = 1;
  std::deque<LoggedRequest> log_ GUARDED_BY(mutex_);
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts_ GUARDED_BY(mutex_);
};

}  // namespace sqlbak_gateway::simulator
