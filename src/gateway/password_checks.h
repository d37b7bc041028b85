// PasswordChecks: bcrypt takes a CPU for a while, so passwords are checked one at a time, equal credentials
// that come together are checked once, and the others wait for their turn: few of them, and not for long.
//
// Resource type, safe from any thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/http/server.h"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sqlbak_gateway::gateway {

class PasswordChecks {
 public:
  struct Limits {
    std::size_t queued = 4;                       // different credentials that wait for their turn
    std::size_t queued_of_one = 2;                // of one owner
    Duration patience = std::chrono::seconds(1);  // how long they do
    // Requests that wait, for their turn or for an equal one's end. Fewer than the server has threads, so
    // that a flood of guesses keeps nobody who is known from / or a probe.
    std::size_t urgent_waiting = 12;
    std::size_t ordinary_waiting = 64;
  };
  explicit PasswordChecks(const Clock& clock) : PasswordChecks(clock, Limits()) {}
  PasswordChecks(const Clock& clock, Limits limits);
  PasswordChecks(const PasswordChecks&) = delete;
  PasswordChecks& operator=(const PasswordChecks&) = delete;

  enum class Outcome {
    right,
    wrong,
    busy,  // not checked: others are, and this one may not wait, or not for so long
  };
  struct Asker {
    std::string owner;                                // of the address it comes from
    bool may_wait = true;                             // else it is checked at once, or not at all
    http::Urgency urgency = http::Urgency::ordinary;  // which of the server's threads would be waiting
  };
  // `matches` is called on this thread, when its turn has come; nothing: given up, as busy. Unless an equal
  // `credential` is being checked: then that one's outcome is this one's too.
  Outcome check(const std::string& credential, const Asker& asker,
                const std::function<std::optional<bool>()>& matches) EXCLUDES(mutex_);

  // Requests that wait just now.
  std::size_t waiting() const EXCLUDES(mutex_);

 private:
  struct Check;
  class Turn;

  bool may_wait(const Asker& asker) const REQUIRES(mutex_);
  std::size_t& waiting_on(http::Urgency urgency) REQUIRES(mutex_);
  Outcome outcome_of(const std::shared_ptr<Check>& equal, const Asker& asker) REQUIRES(mutex_);
  bool take_turn(Check& check, const Asker& asker) REQUIRES(mutex_);
  void pass_turn_on() REQUIRES(mutex_);
  void end(const std::string& credential, Outcome outcome) REQUIRES(mutex_);

  const Clock& clock_;
  const Limits limits_;

  mutable Mutex mutex_;
  bool taken_ GUARDED_BY(mutex_) = false;         // one is being checked
  std::vector<Check*> queue_ GUARDED_BY(mutex_);  // never grown: without memory none must stay in in_flight_
  std::map<std::string, std::shared_ptr<Check>> in_flight_ GUARDED_BY(mutex_);  // by credential
  std::size_t urgent_waiting_ GUARDED_BY(mutex_) = 0;
  std::size_t ordinary_waiting_ GUARDED_BY(mutex_) = 0;
};

}  // namespace sqlbak_gateway::gateway
