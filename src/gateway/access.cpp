#include "gateway/access.h"

#include "gateway/attempt_limiter.h"
#include "gateway/bearer_tokens.h"
#include "gateway/password_checks.h"
#include "sqlbak_gateway/base/hash.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <random>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

constexpr Duration kRetryWhenBusy = std::chrono::seconds(1);

std::string random_key() {
  std::random_device device;
  std::string key;
  for (int i = 0; i < 8; ++i) {
    const std::uint32_t word = device();
    key.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return key;
}

// The password of an entry that has been found right. Safe from any thread.
class VerifiedPassword {
 public:
  bool is(std::string_view keyed) const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return equal_in_constant_time(keyed_, keyed);
  }
  void set(std::string keyed) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    keyed_ = std::move(keyed);
  }

 private:
  mutable Mutex mutex_;
  std::string keyed_ GUARDED_BY(mutex_);  // its keyed hash; empty: none yet
};

// A refusal takes as many rounds as a hash of the `dearest` cost does: 2 to the power of it. For an unknown
// name (`hash` is empty) nobody's hash is tried; after a cheaper one, one more of each cost from its own to
// the next below the dearest: 2^c + (2^c + … + 2^(d-1)) = 2^d.
bool matches_or_costs(int dearest, const TryPassword& try_password, const Secret& password,
                      const Secret& hash) {
  if (hash.empty()) {
    try_password(password, bcrypt_of_nobody(dearest));
    return false;
  }
  if (try_password(password, hash)) return true;
  for (int cost = bcrypt_cost(hash); cost < dearest; ++cost) try_password(password, bcrypt_of_nobody(cost));
  return false;
}

}  // namespace

bool Caller::may_see(std::string_view account) const {
  return std::any_of(accounts.begin(), accounts.end(),
                     [account](const std::string& glob) { return glob_matches(glob, account); });
}

// What outlives a reload.
struct Access::Learnt {
  Learnt(const config::BoundedTokens& tokens, const Clock& clock, TryPassword tries)
      : try_password(std::move(tries)), limiter(clock), checks(clock), bearers(tokens, key, clock) {}

  const std::string key = random_key();  // what is kept of passwords and tokens is of no use elsewhere
  const TryPassword try_password;
  AttemptLimiter limiter;
  PasswordChecks checks;
  BearerTokens bearers;
};

struct Access::Entry {
  std::string name;
  Secret hash;  // of the password; empty: it has none
  Caller caller;
  std::shared_ptr<VerifiedPassword> verified;   // null without a password
  std::shared_ptr<BearerTokens::Token> bearer;  // null without a token
};

Access::Access(std::vector<config::AccessEntry> entries, const config::BoundedTokens& tokens,
               const Clock& clock, TryPassword try_password)
    : Access(std::move(entries), {}, std::make_shared<Learnt>(tokens, clock, std::move(try_password))) {}

Access::Access(std::vector<config::AccessEntry> entries, const Access& former)
    : Access(std::move(entries), former.entries_, former.learnt_) {}

Access::Access(std::vector<config::AccessEntry> entries, const std::vector<Entry>& former,
               std::shared_ptr<Learnt> learnt)
    : learnt_(std::move(learnt)) {
  for (config::AccessEntry& configured : entries) {
    const auto before = std::find_if(former.begin(), former.end(),
                                     [&](const Entry& entry) { return entry.name == configured.name; });
    Entry entry;
    if (!configured.password_bcrypt.empty()) {
      const bool unchanged = before != former.end() && before->verified &&
                             equal_in_constant_time(before->hash, configured.password_bcrypt);
      entry.verified = unchanged ? before->verified : std::make_shared<VerifiedPassword>();
      entry.hash = configured.password_bcrypt;
      dearest_cost_ = std::max(dearest_cost_, bcrypt_cost(entry.hash));
    }
    if (configured.bearer_token) {
      const bool unchanged = before != former.end() && before->bearer &&
                             BearerTokens::source(*before->bearer) == *configured.bearer_token;
      entry.bearer = unchanged ? before->bearer : BearerTokens::make(*configured.bearer_token);
    }
    const std::vector<std::string>& accounts = configured.accounts;
    const bool all = std::find(accounts.begin(), accounts.end(), "*") != accounts.end();
    entry.name = configured.name;
    entry.caller = {std::move(configured.name), std::move(configured.accounts), all};
    entries_.push_back(std::move(entry));
  }
}

Access::~Access() = default;

bool Access::enabled() const {
  return !entries_.empty();
}

bool Access::takes_passwords() const {
  return dearest_cost_ > 0;
}

bool Access::takes_bearer_tokens() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const Entry& entry) { return entry.bearer != nullptr; });
}

Access::Verdict Access::check(const http::Request& request, http::Urgency urgency) {
  if (!enabled()) return {Caller{"", {"*"}, true}, {}, {}};
  const std::optional<http::Credentials> credentials = http::credentials_of(request);
  if (!credentials) return {};
  if (const auto* bearer = std::get_if<http::BearerCredentials>(&*credentials)) {
    return check_bearer(bearer->token);
  }
  return check_basic(std::get<http::BasicCredentials>(*credentials), request, urgency);
}

Access::Verdict Access::check_bearer(const Secret& token) const {
  BearerTokens::Tokens tokens;
  for (const Entry& entry : entries_) {
    if (entry.bearer) tokens.push_back(entry.bearer);
  }
  const BearerTokens::Token* const found = learnt_->bearers.find(tokens, token);
  if (found == nullptr) return {};
  const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                  [found](const Entry& e) { return e.bearer.get() == found; });
  return {entry->caller, {}, {}};
}

Access::Verdict Access::check_basic(const http::BasicCredentials& given, const http::Request& request,
                                    http::Urgency urgency) const {
  const std::string password = keyed_hash(learnt_->key, given.password.reveal());
  const auto named = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& e) { return e.verified && e.name == given.name; });
  const Entry* const entry = named == entries_.end() ? nullptr : &*named;
  if (entry && entry->verified->is(password)) return {entry->caller, {}, {}};
  if (!takes_passwords()) return {};

  AttemptLimiter& limiter = learnt_->limiter;
  const std::string& address = request.peer_address;
  if (const Duration wait = limiter.wait(address, given.name); wait > Duration::zero()) {
    return {std::nullopt, Denial::throttled, wait};
  }
  const Secret hash = entry ? entry->hash : Secret();
  const std::string credential =
      keyed_hash(learnt_->key, given.name + '\0' + std::string(hash.reveal()) + '\0' + password);
  const bool failed_before = limiter.failed_lately(address);
  const auto matches = [&]() -> std::optional<bool> {
    if (entry && entry->verified->is(password)) return true;  // by an equal one, just before
    if (!failed_before && limiter.failed_lately(address)) return std::nullopt;  // while this one waited
    const bool right = matches_or_costs(dearest_cost_, learnt_->try_password, given.password, hash);
    if (entry && right) entry->verified->set(password);
    return right;
  };
  const PasswordChecks::Outcome outcome =
      learnt_->checks.check(credential, {owner_of(address), !failed_before, urgency}, matches);
  switch (outcome) {
    case PasswordChecks::Outcome::right:
      return {entry->caller, {}, {}};
    case PasswordChecks::Outcome::wrong:
      limiter.failed(address, given.name);
      return {};
    case PasswordChecks::Outcome::busy:
      break;
  }
  return {std::nullopt, Denial::busy, kRetryWhenBusy};
}

}  // namespace sqlbak_gateway::gateway
