#include "sqlbak_gateway/gateway/access.h"

#include "sqlbak_gateway/base/hash.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/http/authorization.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <random>
#include <utility>

#include <crypt.h>

namespace sqlbak_gateway::gateway {
namespace {

// Wrong credentials from one address for one name: so many at once, then one every kForgiveOne.
constexpr int kFailuresAtOnce = 10;
constexpr Duration kForgiveOne = std::chrono::seconds(10);
// Addresses and names remembered for it. Beyond it those that are forgiven are dropped, and then everything.
constexpr std::size_t kRemembered = 10'000;
// Requests that may wait for bcrypt at once; it works on one at a time. Fewer than the server has threads for
// urgent requests, or a flood of guesses would keep everybody from / and /metrics.
constexpr int kMostWaiting = 2;

std::string random_key() {
  std::random_device device;
  std::string key;
  for (int i = 0; i < 8; ++i) {
    const std::uint32_t word = device();
    key.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return key;
}

// "$2b$12$…" is cost 12. The configuration has checked the form.
int cost_of(const Secret& hash) {
  return (hash.reveal()[4] - '0') * 10 + (hash.reveal()[5] - '0');
}

// A hash that no password has, as costly to try as one of that cost.
Secret hash_of_nobody(int cost) {
  std::string hash = "$2b$";
  hash += static_cast<char>('0' + cost / 10);
  hash += static_cast<char>('0' + cost % 10);
  return Secret(hash + "$" + std::string(53, '.'));
}

// How many wrong credentials came from where, and for whom. Not thread-safe.
class FailureLimiter {
 public:
  // How long this source has to wait before it may try again; zero: not at all.
  Duration wait(const std::string& source, SteadyTime now) const {
    const auto found = clear_at_.find(source);
    if (found == clear_at_.end()) return Duration::zero();
    const Duration debt = found->second - now;
    return std::max(Duration::zero(), debt - (kFailuresAtOnce - 1) * kForgiveOne);
  }
  void failed(const std::string& source, SteadyTime now) {
    if (clear_at_.size() >= kRemembered) {
      std::erase_if(clear_at_, [now](const auto& entry) { return entry.second <= now; });
      if (clear_at_.size() >= kRemembered) clear_at_.clear();
    }
    SteadyTime& clear_at = clear_at_[source];
    clear_at = std::max(clear_at, now) + kForgiveOne;
  }

 private:
  std::map<std::string, SteadyTime> clear_at_;  // when all its failures are forgiven
};

}  // namespace

bool Caller::may_see(std::string_view account) const {
  return std::any_of(accounts.begin(), accounts.end(),
                     [account](const std::string& glob) { return glob_matches(glob, account); });
}

struct Access::Impl {
  struct Entry {
    config::AccessEntry config;
    // Of basic auth: the keyed hash of the password that bcrypt has found right; empty: none yet.
    std::string verified;
    // Of bearer: the keyed hash of the token as last read; empty: it cannot be read.
    std::string token;
    config::TokenStamp stamp;
  };

  Impl(std::vector<config::AccessEntry> configured, const config::TokenReader& reader, const Clock& its_clock)
      : tokens(reader), clock(its_clock), key(random_key()), crypt(std::make_unique<crypt_data>()) {
    int highest_cost = 4;
    for (config::AccessEntry& entry : configured) {
      if (!entry.password_bcrypt.empty())
        highest_cost = std::max(highest_cost, cost_of(entry.password_bcrypt));
      entries.push_back({std::move(entry), {}, {}, {}});
      if (entries.back().config.bearer_token) read_token(entries.back());
    }
    nobody = hash_of_nobody(highest_cost);
  }

  void read_token(Entry& entry) const {
    const config::TokenSource& source = *entry.config.bearer_token;
    entry.stamp = tokens.stamp(source);
    const Result<Secret> token = tokens.read(source);
    entry.token = token ? keyed_hash(key, token->reveal()) : std::string();
  }

  Caller caller(const Entry& entry) const {
    const std::vector<std::string>& accounts = entry.config.accounts;
    return {entry.config.name, accounts, std::find(accounts.begin(), accounts.end(), "*") != accounts.end()};
  }

  std::optional<Caller> check_bearer(const Secret& token) EXCLUDES(mutex) {
    const std::string given = keyed_hash(key, token.reveal());
    MutexLock lock(mutex);
    std::optional<Caller> found;
    for (Entry& entry : entries) {  // all of them, so that the time tells nothing
      if (!entry.config.bearer_token) continue;
      if (tokens.stamp(*entry.config.bearer_token) != entry.stamp) read_token(entry);
      if (equal_in_constant_time(given, entry.token)) found = caller(entry);
    }
    return found;
  }

  // Right, wrong, or nothing when too many are waiting for bcrypt.
  std::optional<bool> bcrypt_matches(const Secret& password, const Secret& hash) EXCLUDES(bcrypt_mutex) {
    struct Place {
      explicit Place(std::atomic<int>& all) : waiting(all), number(++all) {}
      ~Place() { --waiting; }
      std::atomic<int>& waiting;
      int number;
    };
    const Place place(waiting_for_bcrypt);
    if (place.number > kMostWaiting) return std::nullopt;
    MutexLock lock(bcrypt_mutex);
    const std::string phrase(password.reveal());
    const std::string setting(hash.reveal());
    const char* made = crypt_r(phrase.c_str(), setting.c_str(), crypt.get());
    const bool matches = made != nullptr && equal_in_constant_time(made, setting);
    std::memset(crypt.get(), 0, sizeof(crypt_data));
    return matches;
  }

  Verdict check_basic(const http::BasicCredentials& given, const std::string& source) EXCLUDES(mutex) {
    const std::string password = keyed_hash(key, given.password.reveal());
    Secret hash = nobody;
    std::optional<std::size_t> named;
    {
      MutexLock lock(mutex);
      for (std::size_t i = 0; i < entries.size(); ++i) {
        const Entry& entry = entries[i];
        if (entry.config.password_bcrypt.empty() || entry.config.name != given.name) continue;
        if (equal_in_constant_time(entry.verified, password)) return {caller(entry), {}, {}};
        hash = entry.config.password_bcrypt;
        named = i;
      }
      if (const Duration wait = limiter.wait(source, clock.steady_now()); wait > Duration::zero()) {
        return {std::nullopt, Denial::throttled, wait};
      }
    }
    const std::optional<bool> matches = bcrypt_matches(given.password, hash);
    if (!matches) return {std::nullopt, Denial::throttled, std::chrono::seconds(1)};
    MutexLock lock(mutex);
    if (!*matches || !named) {
      limiter.failed(source, clock.steady_now());
      return {};
    }
    entries[*named].verified = password;
    return {caller(entries[*named]), {}, {}};
  }

  const config::TokenReader& tokens;
  const Clock& clock;
  const std::string key;  // of this process: what is kept of passwords and tokens is of no use elsewhere
  Secret nobody;

  Mutex mutex;
  std::vector<Entry> entries GUARDED_BY(mutex);
  FailureLimiter limiter GUARDED_BY(mutex);

  Mutex bcrypt_mutex;
  std::unique_ptr<crypt_data> crypt GUARDED_BY(bcrypt_mutex);
  std::atomic<int> waiting_for_bcrypt{0};
};

Access::Access(std::vector<config::AccessEntry> entries, const config::TokenReader& tokens,
               const Clock& clock)
    : impl_(entries.empty() ? nullptr : std::make_unique<Impl>(std::move(entries), tokens, clock)) {}

Access::~Access() = default;

bool Access::enabled() const {
  return impl_ != nullptr;
}

Access::Verdict Access::check(const http::Request& request) {
  if (!impl_) return {Caller{"", {"*"}, true}, {}, {}};
  const std::optional<http::Credentials> credentials = http::credentials_of(request);
  if (!credentials) return {};
  if (const auto* bearer = std::get_if<http::BearerCredentials>(&*credentials)) {
    return {impl_->check_bearer(bearer->token), Denial::unknown, {}};
  }
  const auto& basic = std::get<http::BasicCredentials>(*credentials);
  // The name is the client's text: cut, so that what is remembered of it is bounded.
  return impl_->check_basic(basic, request.peer_address + '\0' + basic.name.substr(0, 64));
}

}  // namespace sqlbak_gateway::gateway
