#include "sqlbak_gateway/gateway/account.h"

#include "gateway/account_settings.h"
#include "sqlbak_gateway/base/hash.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/evaluation/findings.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

// Fingerprints name a token in memory, in the history file and as a limit group, and cannot be turned back.
constexpr std::string_view kFingerprintKey = "sqlbak-gateway token fingerprint 1";

// Safely inside what a condition variable can wait for.
constexpr Duration kLongestWait = std::chrono::hours(24);

// Most tokens and histories are there at once.
constexpr Duration kLeastTimeForDisk = std::chrono::seconds(1);
// A history that takes longer is done without: the API may answer all the same.
constexpr Duration kMostTimeForHistory = std::chrono::seconds(5);

// The log is everybody's, and the overrides are of whoever writes the account's file.
constexpr std::size_t kOverridesInLog = 10;
constexpr std::size_t kOverrideBytesInLog = 300;

// Lets one thread in, and the others pass by. Of a scope.
class OneAtATime {
 public:
  explicit OneAtATime(std::atomic_flag& taken) : taken_(taken), in_(!taken.test_and_set()) {}
  OneAtATime(const OneAtATime&) = delete;
  OneAtATime& operator=(const OneAtATime&) = delete;
  ~OneAtATime() {
    if (in_) taken_.clear();
  }
  explicit operator bool() const { return in_; }

 private:
  std::atomic_flag& taken_;
  const bool in_;
};

// The same token has the same group, whatever accounts hold it.
upstream::LimitGroup group_of(const std::string& fingerprint) {
  return upstream::LimitGroup{std::stoull(fingerprint.substr(0, 15), nullptr, 16)};
}

// The statuses of IANA's registry, and those that proxies in wide use add.
int known_status(int status) {
  constexpr std::array<std::pair<int, int>, 13> kKnown = {{{0, 0},
                                                           {100, 104},
                                                           {200, 208},
                                                           {226, 226},
                                                           {300, 308},
                                                           {400, 417},
                                                           {421, 426},
                                                           {428, 429},
                                                           {431, 431},
                                                           {451, 451},
                                                           {499, 499},
                                                           {500, 511},
                                                           {520, 526}}};
  const bool known = std::any_of(kKnown.begin(), kKnown.end(), [status](const auto& range) {
    return range.first <= status && status <= range.second;
  });
  return known ? status : kOtherStatus;
}

// A draw in [0, 1); SplitMix64.
double next_fraction(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

}  // namespace

std::string_view name(ProbeResult result) {
  constexpr std::array<std::string_view, kProbeResults.size()> names = {"fresh", "collected", "stale",
                                                                        "pending", "failed"};
  return names[static_cast<std::size_t>(result)];
}

std::string exposition_text(const ProbeAnswer& answer, const config::AccountConfig& config) {
  std::string text;
  if (answer.data) {
    exposition::render(*answer.data->layout, evaluation::answer(answer.data->account, answer.at),
                       answer.status, text);
  } else {
    exposition::render(format_of(config), answer.status, answer.series_dropped, text);
  }
  return text;
}

Account::Account(config::AccountConfig config, upstream::AccountKey key, const AccountServices& services,
                 std::uint64_t jitter_seed)
    : config_(std::move(config)),
      key_(key),
      services_(services),
      peer_(peer_of(config_)),
      policy_(policy_of(config_)),
      format_(format_of(config_)),
      state_(config_.cache_ttl),
      jitter_state_(jitter_seed) {}

ProbeAnswer Account::probe(SteadyTime arrived, Deadline deadline) {
  const SteadyTime now = services_.clock.steady_now();
  // A file system gets a moment, however short the probe's time is.
  const Deadline for_disk = std::max(deadline, Deadline::after(now, kLeastTimeForDisk));
  heed_changed_token(now, for_disk);
  if (begin_if_due(now)) start_or_fail(for_disk);

  bool collected = false;
  {
    MutexLock lock(mutex_);
    if (state_.worth_waiting(services_.clock.steady_now(), deadline)) {
      const WaitingPlaces::Taken place(services_.waiting, waiting_);
      const std::uint64_t completed = state_.completed();
      if (place) {
        const auto over = [&]() REQUIRES(mutex_) { return state_.completed() != completed || retired_; };
        Duration left = deadline.remaining(services_.clock.steady_now());
        while (!over() &&
               changed_.wait_for(mutex_, std::min(left, kLongestWait)) != std::cv_status::timeout) {
          left = deadline.remaining(services_.clock.steady_now());
        }
        collected = state_.completed() != completed && state_.probe_success();
      }
    }
    ProbeAnswer made = answer(arrived, collected);
    services_.observer.probe(made.status.probe_duration);
    return made;
  }
}

// Whether the caller has to start a collection: only ever one caller is told so.
bool Account::begin_if_due(SteadyTime now) {
  MutexLock lock(mutex_);
  if (retired_ || state_.freshness(now) != AccountState::Freshness::due) return false;
  state_.began(now, services_.clock.system_now(), next_fraction(jitter_state_));
  ++version_;
  return true;
}

// A token that was replaced on disk is worth a try at once. One probe at a time looks: its file system may
// hang.
void Account::heed_changed_token(SteadyTime now, Deadline deadline) {
  {
    MutexLock lock(mutex_);
    if (state_.freshness(now) != AccountState::Freshness::backed_off) return;
  }
  const OneAtATime turn(heeding_);
  if (!turn) return;
  const config::TokenLook look = services_.tokens.look(config_.token, deadline);
  MutexLock lock(mutex_);
  if (look.stamp && look.stamp != token_stamp_) {
    token_stamp_ = look.stamp;
    state_.end_backoff();
  }
}

// Whatever is thrown on the way, most likely for want of memory: the account must not run for ever.
void Account::start_or_fail(Deadline deadline) {
  try {
    start_collection(services_.clock.system_now(), deadline);
  } catch (const std::exception& exception) {
    fail_to_start(exception.what());
  }
}

void Account::start_collection(SystemTime now, Deadline deadline) {
  config::TokenLook look = services_.tokens.look(config_.token, deadline);
  if (!look.token) {
    {
      MutexLock lock(mutex_);
      token_stamp_ = look.stamp;
    }
    fail_to_start(look.token.error().message);
    return;
  }

  CollectionOrder order;
  order.account = key_;
  order.peer = peer_;
  order.token = std::make_shared<const Secret>(std::move(*look.token));
  order.plan.started_at = now;
  order.plan.lookback = config_.lookback;
  order.plan.settings_ttl = config_.settings_ttl;
  order.plan.max_stale = config_.max_stale;
  order.plan.token_fingerprint = keyed_hash(kFingerprintKey, order.token->reveal());
  recall(order.plan.token_fingerprint, deadline);
  order.plan.first_reach = [reach = first_reach_of(config_)](const Job&) { return reach; };
  order.share.group = group_of(order.plan.token_fingerprint);
  order.share.max_concurrent_requests = config_.max_concurrent_requests;
  order.share.requests_per_second = config_.requests_per_second;
  order.request_timeout = config_.request_timeout;
  order.collection_timeout = config_.collection_timeout;
  order.max_response_bytes = services_.max_response_bytes.load();
  order.sink = shared_from_this();
  // Under the lock, so that retire() cannot cancel an order before it is there.
  MutexLock lock(mutex_);
  if (retired_) return;
  token_stamp_ = look.stamp;
  services_.collector.submit(std::move(order));
}

// What an earlier process knew, or this account before a reload, becomes the last good data, as long as the
// token is the one that read it. Under another token nothing is shown before the collection has found out
// whose account it is.
void Account::recall(const std::string& token_fingerprint, Deadline deadline) {
  std::shared_ptr<const AccountMemory> memory;
  bool history_known = false;
  {
    MutexLock lock(mutex_);
    history_known = history_known_;
    if (history_known && state_.has_good_data()) return;
    memory = memory_;
  }
  std::shared_ptr<const AccountMemory> loaded;
  if (!history_known) {
    const SteadyTime now = services_.clock.steady_now();
    const Deadline for_history = std::clamp(deadline, Deadline::after(now, kLeastTimeForDisk),
                                            Deadline::after(now, kMostTimeForHistory));
    const auto asked = services_.history.load(config_.name, for_history);
    history_known = asked.ok();
    if (asked) loaded = *asked;
    // It goes further back than what was collected while it could not be read.
    if (loaded) memory = loaded;
  }
  std::shared_ptr<const Published> data;
  if (memory && memory->last_good && memory->token_fingerprint == token_fingerprint) {
    data = publish(memory->last_good, policy_, format_, nullptr);
  }
  MutexLock lock(mutex_);
  if (loaded) memory_ = std::move(loaded);
  history_known_ = history_known;
  if (!data || state_.has_good_data()) return;
  const SystemTime collected_at = data->collected_at();
  state_.restored(std::move(data), collected_at, services_.clock.system_now());
  ++version_;
}

void Account::fail_to_start(std::string message) {
  CollectionEnd end;
  end.failure = {FailureReason::config, std::move(message)};
  std::optional<FailureReason> before;
  CollectionRecord after;
  {
    MutexLock lock(mutex_);
    before = conclude(std::move(end));
    after = state_.record();
    keep(TraceRecorder(services_.clock.system_now())
             .finish(Duration::zero(), Duration::zero(), std::string(name(FailureReason::config)),
                     after.last_failure->message));
  }
  log_end(before, after);
}

// The running collection is over, and who waits for it goes on. Takes no memory. Why the one before failed.
std::optional<FailureReason> Account::conclude(CollectionEnd end) {
  std::optional<FailureReason> before;
  if (const auto& failure = state_.record().last_failure) before = failure->reason;
  state_.ended(std::move(end), services_.clock.steady_now());
  ++version_;
  changed_.notify_all();
  return before;
}

void Account::keep(std::shared_ptr<const Trace> trace) {
  ++counters_.collections[trace->result];
  traces_.add(std::move(trace));
}

ProbeAnswer Account::answer(SteadyTime arrived, bool collected) {
  const SteadyTime now = services_.clock.steady_now();
  const CollectionRecord& record = state_.record();
  ProbeAnswer made;
  made.at = services_.clock.system_now();
  made.version = version_;
  made.data = state_.data();
  const bool complete = state_.has_good_data();
  if (made.data) {
    // What the collection came to stays when its data are too old to be shown.
    const Snapshot& snapshot = made.data->snapshot();
    made.status.jobs_pending = snapshot.jobs_pending;
    made.status.jobs_unreadable = snapshot.jobs_unreadable;
    made.series_dropped = made.data->layout->series_dropped();
    // However long a backfill takes, what it has read is as new as it can be, and fresh when it ends.
    const bool as_new_as_can_be = (record.in_progress && made.data->collected_at() >= record.last_attempt) ||
                                  state_.freshness(now) == AccountState::Freshness::fresh;
    if (!as_new_as_can_be && made.at - made.data->collected_at() > config_.max_stale) made.data.reset();
  }

  if (!made.data) {
    made.result = record.in_progress && !record.last_failure ? ProbeResult::pending : ProbeResult::failed;
  } else if (!complete) {
    made.result = ProbeResult::pending;
  } else if (collected) {
    made.result = ProbeResult::collected;
  } else {
    made.result =
        state_.freshness(now) == AccountState::Freshness::fresh ? ProbeResult::fresh : ProbeResult::stale;
  }

  evaluation::CollectionStatus& status = made.status;
  status.succeeded = state_.probe_success();
  status.probe_duration = now - arrived;
  status.last_success = record.last_success;
  status.last_attempt = record.last_attempt;
  if (record.completed_any) {
    status.duration = record.last_duration;
    status.api_requests = record.last_api_requests;
  }
  status.in_progress = record.in_progress;
  if (record.last_failure) status.failure = record.last_failure->reason;
  for (const sqlbak::Endpoint endpoint : sqlbak::kEndpoints) {
    const std::optional<bool>& up = record.endpoint_up[static_cast<std::size_t>(endpoint)];
    if (up) status.endpoints.push_back({name(endpoint), *up});
  }
  if (made.data) {
    const Snapshot& snapshot = made.data->snapshot();
    status.jobruns_available = complete && snapshot.jobruns_available;
    status.jobsettings_available = complete && snapshot.jobsettings_available;
  }

  ++counters_.probes[static_cast<std::size_t>(made.result)];
  counters_.last_probe = made.at;
  return made;
}

AccountView Account::view() const {
  MutexLock lock(mutex_);
  AccountView view;
  view.record = state_.record();
  view.data = state_.data();
  view.backfilling = !state_.has_good_data() && view.record.in_progress;
  if (const auto due = state_.next_due()) {
    const SteadyTime now = services_.clock.steady_now();
    view.next_collection_in = *due <= now ? Duration::zero() : *due - now;
  }
  view.counters = counters_;
  view.traces = traces_.latest();
  view.failures = traces_.failures();
  return view;
}

void Account::end_backoff() {
  MutexLock lock(mutex_);
  state_.end_backoff();
}

std::shared_ptr<const Published> Account::judged_anew(const std::shared_ptr<const Published>& data) const {
  return publish(data->account->snapshot, policy_, format_, nullptr);
}

void Account::prepare_to_succeed(const Account& former) {
  std::shared_ptr<const Published> data;
  {
    MutexLock lock(former.mutex_);
    if (former.state_.has_good_data()) data = former.state_.data();
  }
  if (!data) return;
  auto anew = judged_anew(data);
  MutexLock lock(mutex_);
  prepared_ = {std::move(data), std::move(anew)};
}

void Account::succeed(Account& former) {
  {
    // Always in this order, from the older to the newer.
    MutexLock former_lock(former.mutex_);
    MutexLock lock(mutex_);
    if (former.config_.token == config_.token) {
      std::shared_ptr<const Published> data;
      if (former.state_.has_good_data()) {
        // A collection may have ended since.
        data = former.state_.data() == prepared_.first ? prepared_.second : judged_anew(former.state_.data());
      }
      state_.inherited(former.state_.record(), std::move(data));
    }
    prepared_ = {};
    memory_ = former.memory_;
    history_known_ = former.history_known_;
    traces_ = former.traces_;
    counters_ = former.counters_;
    former.successor_ = shared_from_this();
    former.retired_ = true;
    former.changed_.notify_all();
  }
  services_.collector.cancel(former.key_, /*forget=*/true);
}

void Account::retire() {
  {
    MutexLock lock(mutex_);
    retired_ = true;
    changed_.notify_all();
  }
  services_.collector.cancel(key_, /*forget=*/true);
}

std::shared_ptr<Account> Account::adopt(const std::shared_ptr<const AccountMemory>& memory,
                                        bool history_known) {
  MutexLock lock(mutex_);
  // What has been read from the history meanwhile goes further back than what was collected without it.
  if (!successor_ && (history_known || !history_known_)) {
    memory_ = memory;
    if (!memory_->complete && state_.has_good_data()) {  // they turned out to be another account's
      state_.disowned();
      ++version_;
    }
  }
  return successor_;
}

std::shared_ptr<const AccountMemory> Account::memory() {
  MutexLock lock(mutex_);
  return memory_;
}

void Account::attempted(sqlbak::Endpoint endpoint, int status, Duration elapsed) {
  services_.observer.api_request(endpoint, elapsed);
  MutexLock lock(mutex_);
  ++counters_.api_requests[{endpoint, known_status(status)}];
}

std::shared_ptr<const Published> Account::published(std::shared_ptr<const Snapshot> snapshot) {
  std::shared_ptr<const Published> previous;
  {
    MutexLock lock(mutex_);
    previous = state_.data();
  }
  return publish(std::move(snapshot), policy_, format_, previous.get());
}

void Account::progressed(std::shared_ptr<const Snapshot> snapshot) {
  std::shared_ptr<const Published> data = published(std::move(snapshot));
  MutexLock lock(mutex_);
  // Only a backfill makes progress: where there are good data nevertheless, they are another account's.
  state_.disowned();
  state_.progressed(std::move(data));
  ++version_;
}

void Account::write_down(std::shared_ptr<const AccountMemory> so_far) {
  {
    MutexLock lock(mutex_);
    if (!history_known_) return;  // it would replace what could not be read
  }
  services_.history.store(config_.name, std::move(so_far));
}

void Account::ended(sqlbak::CollectionOutcome outcome, const CollectionStats& stats,
                    std::shared_ptr<const Trace> trace) {
  CollectionEnd end;
  end.api_requests = stats.api_requests;
  end.endpoint_up = outcome.endpoint_up;
  write_down(outcome.memory);
  const bool another_account = outcome.failure && !outcome.memory->complete;
  if (outcome.failure) {
    end.failure = std::move(outcome.failure);
  } else {
    end.data = published(std::move(outcome.snapshot));
  }

  if (end.data) log_overrides(*end.data);

  std::optional<FailureReason> before;
  CollectionRecord after;
  bool first = false;
  bool retired = false;
  bool history_known = false;
  std::shared_ptr<Account> successor;
  {
    MutexLock lock(mutex_);
    retired = retired_;
    history_known = history_known_;
    successor = successor_;
    if (!retired) {
      first = (!memory_ || !memory_->complete) && outcome.memory->complete;
      memory_ = outcome.memory;
      if (another_account) state_.disowned();
      before = conclude(std::move(end));
      after = state_.record();
      keep(std::move(trace));
      counters_.api_retries += stats.retries;
      counters_.api_throttled += stats.throttled;
      for (const sqlbak::Unrecognised::Entry& entry : outcome.unrecognised.entries()) {
        counters_.unrecognised[entry.field] += entry.count;
      }
    }
  }
  if (retired) {
    // No collection of the successor has begun: the upstream thread ends this one before.
    while (successor) successor = successor->adopt(outcome.memory, history_known);
    return;
  }
  if (first) {
    services_.log.info("everything of an account has been read for the first time",
                       {{"account", config_.name},
                        {"api_requests", stats.api_requests},
                        {"duration", format_duration(stats.duration)}});
  }
  log_end(before, after);
}

// Once when it becomes so: the count is in sqlbak_gateway_config_overrides_unmatched, the list on the debug
// page.
void Account::log_overrides(const Published& data) const {
  std::shared_ptr<const Published> before;
  {
    MutexLock lock(mutex_);
    before = state_.data();
  }
  const std::vector<evaluation::AmbiguousOverride>& now = data.account->ambiguous_overrides;
  if (before && before->account->ambiguous_overrides == now) return;
  const std::size_t told = std::min(now.size(), kOverridesInLog);
  for (std::size_t i = 0; i < told; ++i) {
    const evaluation::AmbiguousOverride& over = now[i];
    const std::string_view kind = over.of_server ? "servers." : "jobs.";
    services_.log.warn(over.matches == 0 ? "an override matches nothing: correct its name, or remove it"
                                         : "an override matches several: name an id, or \"server/job\"",
                       {{"account", config_.name},
                        {"override", std::string(kind).append(cut_to(over.target, kOverrideBytesInLog))},
                        {"matches", over.matches}});
  }
  if (told == now.size()) return;
  services_.log.warn("more overrides match nothing or several: the account's debug page lists them",
                     {{"account", config_.name}, {"overrides", now.size() - told}});
}

// Once when a trouble begins, changes its kind, or ends; what repeats is in the metrics.
void Account::log_end(std::optional<FailureReason> before, const CollectionRecord& after) const {
  if (after.last_failure) {
    if (before == after.last_failure->reason) return;
    services_.log.warn("collection failed", {{"account", config_.name},
                                             {"reason", name(after.last_failure->reason)},
                                             {"error", after.last_failure->message}});
  } else if (before) {
    services_.log.info("collection succeeded again", {{"account", config_.name}});
  } else {
    services_.log.debug("collection succeeded", {{"account", config_.name},
                                                 {"api_requests", after.last_api_requests},
                                                 {"duration", format_duration(after.last_duration)}});
  }
}

}  // namespace sqlbak_gateway::gateway
