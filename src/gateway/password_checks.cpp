#include "gateway/password_checks.h"

#include "sqlbak_gateway/base/deadline.h"

#include <algorithm>
#include <utility>

namespace sqlbak_gateway::gateway {

struct PasswordChecks::Check {
  std::string owner;
  bool has_turn = false;
  std::optional<Outcome> outcome;
  Condition changed;
};

// The turn, given on at the end of its scope, whatever happens in it.
class PasswordChecks::Turn {
 public:
  Turn(PasswordChecks& checks, const std::string& credential) : checks_(checks), credential_(credential) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    MutexLock lock(checks_.mutex_);
    checks_.end(credential_, outcome_);
    checks_.pass_turn_on();
  }
  Outcome ends_with(Outcome outcome) { return outcome_ = outcome; }

 private:
  PasswordChecks& checks_;
  const std::string& credential_;
  Outcome outcome_ = Outcome::busy;
};

PasswordChecks::PasswordChecks(const Clock& clock, Limits limits) : clock_(clock), limits_(limits) {
  queue_.reserve(limits.queued);
}

PasswordChecks::Outcome PasswordChecks::check(const std::string& credential, const Asker& asker,
                                              const std::function<std::optional<bool>()>& matches) {
  {
    MutexLock lock(mutex_);
    if (const auto equal = in_flight_.find(credential); equal != in_flight_.end()) {
      return outcome_of(equal->second, asker);
    }
    const auto own = std::make_shared<Check>();
    own->owner = asker.owner;
    in_flight_.emplace(credential, own);
    if (!take_turn(*own, asker)) {
      end(credential, Outcome::busy);
      return Outcome::busy;
    }
  }
  Turn turn(*this, credential);
  const std::optional<bool> matched = matches();
  if (!matched) return Outcome::busy;
  return turn.ends_with(*matched ? Outcome::right : Outcome::wrong);
}

std::size_t PasswordChecks::waiting() const {
  MutexLock lock(mutex_);
  return urgent_waiting_ + ordinary_waiting_;
}

std::size_t& PasswordChecks::waiting_on(http::Urgency urgency) {
  return urgency == http::Urgency::ordinary ? ordinary_waiting_ : urgent_waiting_;
}

bool PasswordChecks::may_wait(const Asker& asker) const {
  if (!asker.may_wait) return false;
  return asker.urgency == http::Urgency::ordinary ? ordinary_waiting_ < limits_.ordinary_waiting
                                                  : urgent_waiting_ < limits_.urgent_waiting;
}

PasswordChecks::Outcome PasswordChecks::outcome_of(const std::shared_ptr<Check>& equal, const Asker& asker) {
  if (!may_wait(asker)) return Outcome::busy;
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): it leaves in_flight_ when it ends
  const std::shared_ptr<Check> check = equal;
  ++waiting_on(asker.urgency);
  while (!check->outcome) check->changed.wait(mutex_);
  --waiting_on(asker.urgency);
  return *check->outcome;
}

bool PasswordChecks::take_turn(Check& check, const Asker& asker) {
  if (!std::exchange(taken_, true)) return true;
  const auto of_one = std::count_if(queue_.begin(), queue_.end(),
                                    [&](const Check* queued) { return queued->owner == asker.owner; });
  if (static_cast<std::size_t>(of_one) >= limits_.queued_of_one) return false;
  if (queue_.size() >= limits_.queued || !may_wait(asker)) return false;
  queue_.push_back(&check);
  ++waiting_on(asker.urgency);
  const Deadline patience = Deadline::after(clock_.steady_now(), limits_.patience);
  for (SteadyTime now = clock_.steady_now(); !check.has_turn && !patience.passed(now);
       now = clock_.steady_now()) {
    check.changed.wait_for(mutex_, patience.remaining(now));
  }
  --waiting_on(asker.urgency);
  if (!check.has_turn) std::erase(queue_, &check);
  return check.has_turn;
}

// Straight to the one that has waited longest, so that none that comes just now goes before it.
void PasswordChecks::pass_turn_on() {
  taken_ = !queue_.empty();
  if (queue_.empty()) return;
  Check& next = *queue_.front();
  queue_.erase(queue_.begin());
  next.has_turn = true;
  next.changed.notify_all();
}

void PasswordChecks::end(const std::string& credential, Outcome outcome) {
  const auto found = in_flight_.find(credential);
  const std::shared_ptr<Check> check = std::move(found->second);
  in_flight_.erase(found);
  check->outcome = outcome;
  check->changed.notify_all();
}

}  // namespace sqlbak_gateway::gateway
