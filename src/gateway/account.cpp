#include "gateway/account.h"

#include "gateway/probe_answer.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

// Safely inside what a condition variable can wait for.
constexpr Duration kLongestWait = std::chrono::hours(24);

// Most tokens and histories are there at once.
constexpr Duration kLeastTimeForDisk = std::chrono::seconds(1);
// A collection starts without a history that takes longer: the API may answer all the same.
constexpr Duration kMostTimeForHistory = std::chrono::seconds(5);

// The nth draw in [0, 1) of a seed; SplitMix64.
double fraction(std::uint64_t seed, std::uint64_t n) {
  std::uint64_t z = seed + (n + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

std::uint64_t requests_in(const Trace& trace) {
  std::uint64_t requests = 0;
  for (const EndpointTotals& totals : trace.totals) requests += totals.attempts;
  return requests;
}

std::shared_ptr<const Published> judged_anew(const std::shared_ptr<const Published>& data,
                                             const AccountSettings& settings) {
  return publish(data->account->snapshot, settings.policy, settings.format, nullptr);
}

std::optional<FailureReason> reason_of(const CollectionRecord& record) {
  if (!record.last_failure) return std::nullopt;
  return record.last_failure->reason;
}

}  // namespace

// One collection, under the settings that it began with.
class Account::Run final : public CollectionSink {
 public:
  Run(std::shared_ptr<Account> account, Settings settings)
      : settings(std::move(settings)), account_(std::move(account)) {}

  std::shared_ptr<const AccountMemory> memory() override {
    MutexLock lock(account_->mutex_);
    began_from = account_->remembered_.memory;
    return began_from;
  }
  void attempted(sqlbak::Endpoint endpoint, int status, Duration elapsed) override {
    account_->services_.latencies.api_request(endpoint, elapsed);
    MutexLock lock(account_->mutex_);
    account_->activity_.counters.count_request(endpoint, status);
  }
  void progressed(std::shared_ptr<const Snapshot> snapshot) override {
    account_->progressed(settings, std::move(snapshot));
  }
  void write_down(std::shared_ptr<const AccountMemory> so_far) override {
    account_->write_down(*this, std::move(so_far));
  }
  void ended(sqlbak::CollectionOutcome outcome, std::shared_ptr<const Trace> trace) override {
    account_->ended(*this, std::move(outcome), std::move(trace));
  }

  const Settings settings;
  std::shared_ptr<const AccountMemory> began_from;

 private:
  const std::shared_ptr<Account> account_;
};

Account::Account(Settings settings, upstream::AccountKey key, const AccountServices& services)
    : key_(key),
      services_(services),
      log_(services.log, settings->config.name),
      token_(services.tokens),
      settings_(std::move(settings)),
      state_(settings_->config.cache_ttl) {}

// --- Probes

ProbeAnswer Account::probe(const Settings& settings, SteadyTime arrived, Deadline deadline) {
  const SteadyTime now = services_.clock.steady_now();
  // A file system gets a moment, however short the probe's time is.
  const Deadline for_disk = std::max(deadline, Deadline::after(now, kLeastTimeForDisk));
  look_for_a_new_token(settings, now, for_disk);
  if (const auto t = begin_if_due(settings, now)) start(settings, *t, for_disk);

  MutexLock lock(mutex_);
  const bool collected = in_force(settings) && wait_for_end(deadline);
  ProbeAnswer answer = answer_of(seen_under(settings),
                                 {.arrived = arrived,
                                  .now = services_.clock.steady_now(),
                                  .at = services_.clock.system_now(),
                                  .collected = collected},
                                 settings->config.max_stale);
  ++activity_.counters.probes[static_cast<std::size_t>(answer.result)];
  activity_.counters.last_probe = answer.at;
  services_.latencies.probe(answer.status.probe_duration);
  return answer;
}

// A token that was replaced on disk is worth a try at once.
void Account::look_for_a_new_token(const Settings& settings, SteadyTime now, Deadline deadline) {
  {
    MutexLock lock(mutex_);
    if (!in_force(settings) || state_.freshness(now) != AccountState::Freshness::backed_off) return;
  }
  if (!token_.changed(settings->config.token, deadline)) return;
  MutexLock lock(mutex_);
  state_.end_backoff();
}

// Waits for the running collection as long as that makes sense. Whether one has succeeded meanwhile.
bool Account::wait_for_end(Deadline deadline) {
  if (!state_.worth_waiting(services_.clock.steady_now(), deadline)) return false;
  const WaitingPlaces::Taken place(services_.waiting, waiting_);
  if (!place) return false;
  const std::uint64_t completed = state_.completed();
  const Settings began_under = settings_;
  Duration left = deadline.remaining(services_.clock.steady_now());
  while (state_.completed() == completed && !retired_ &&
         changed_.wait_for(mutex_, std::min(left, kLongestWait)) != std::cv_status::timeout) {
    left = deadline.remaining(services_.clock.steady_now());
  }
  return state_.completed() != completed && settings_ == began_under && state_.probe_success();
}

// The state as a request may see it that was received under `settings`.
const AccountState& Account::seen_under(const Settings& settings) const {
  static const AccountState nothing{Duration::zero()};
  return settings->config.token == settings_->config.token ? state_ : nothing;
}

AccountFigures Account::figures_of(const AccountState& state) const {
  AccountFigures figures;
  figures.record = state.record();
  figures.data = state.data();
  figures.backfilling = !state.has_good_data() && figures.record.in_progress;
  if (const auto due = state.next_due()) {
    const SteadyTime now = services_.clock.steady_now();
    figures.next_collection_in = *due <= now ? Duration::zero() : *due - now;
  }
  figures.counters = activity_.counters;
  return figures;
}

AccountFigures Account::figures() const {
  MutexLock lock(mutex_);
  return figures_of(state_);
}

AccountView Account::view(const Settings& settings) const {
  MutexLock lock(mutex_);
  const AccountState& state = seen_under(settings);
  AccountView view{figures_of(state), {}, {}};
  if (&state == &state_) {
    view.traces = activity_.traces.latest();
    view.failures = activity_.traces.failures();
  }
  return view;
}

// --- Reloads

void Account::reconfigure(Settings settings) {
  MutexLock lock(mutex_);
  const bool same_token = settings->config.token == settings_->config.token;
  settings_ = std::move(settings);
  const bool keeps = same_token && state_.has_good_data();
  state_.reconfigured(settings_->config.cache_ttl, keeps ? judged_anew(state_.data(), *settings_) : nullptr);
  if (!same_token) {
    state_.forget();
    activity_.traces = {};
  }
  changed_.notify_all();
  // Under the lock, so that no probe can order the next collection before.
  services_.collector.cancel(key_);
}

void Account::end_backoff() {
  MutexLock lock(mutex_);
  state_.end_backoff();
}

void Account::retire() {
  MutexLock lock(mutex_);
  retired_ = true;
  changed_.notify_all();
  services_.collector.forget(key_);
}

// --- A collection's start

// The T of a collection that the caller has to start. Only ever one caller gets it.
std::optional<SystemTime> Account::begin_if_due(const Settings& settings, SteadyTime now) {
  MutexLock lock(mutex_);
  if (!in_force(settings) || state_.freshness(now) != AccountState::Freshness::due) return std::nullopt;
  const SystemTime t = services_.clock.system_now();
  const std::uint64_t seed = services_.seed + static_cast<std::uint64_t>(key_);
  state_.began(now, t, fraction(seed, state_.completed()));
  return t;
}

// Whatever is thrown on the way, most likely for want of memory, must not leave the account running for ever.
void Account::start(const Settings& settings, SystemTime t, Deadline deadline) try {
  Result<Secret> token = token_.read(settings->config.token, deadline);
  if (!token) return fail_to_start(settings, t, token.error().message);

  CollectionOrder order = order_of(*settings, std::move(*token), t);
  order.account = key_;
  order.max_response_bytes = services_.max_response_bytes.load();
  order.sink = std::make_shared<Run>(shared_from_this(), settings);
  recall(settings, order.plan.token_fingerprint, deadline);
  MutexLock lock(mutex_);
  if (in_force(settings)) services_.collector.submit(std::move(order));
} catch (const std::exception& exception) {
  fail_to_start(settings, t, exception.what());
}

// What an earlier process knew, or this one under other settings, becomes the last good data, as long as the
// token is the one that read it. Under another token nothing is shown before the collection has found out
// whose account it is.
void Account::recall(const Settings& settings, const std::string& token_fingerprint, Deadline deadline) {
  Remembered known;
  {
    MutexLock lock(mutex_);
    known = remembered_;
    if (known.history_known && state_.has_good_data()) return;
  }
  std::shared_ptr<const AccountMemory> loaded;
  if (!known.history_known) {
    const SteadyTime now = services_.clock.steady_now();
    const Deadline for_history = std::clamp(deadline, Deadline::after(now, kLeastTimeForDisk),
                                            Deadline::after(now, kMostTimeForHistory));
    const auto asked = services_.history.load(settings->config.name, for_history);
    known.history_known = asked.ok();
    if (asked) loaded = *asked;
    // It goes further back than what was collected while it could not be read.
    if (loaded) known.memory = loaded;
  }
  std::shared_ptr<const Published> data;
  if (known.memory && known.memory->last_good && known.memory->token_fingerprint == token_fingerprint) {
    data = publish(known.memory->last_good, settings->policy, settings->format, nullptr);
  }
  MutexLock lock(mutex_);
  if (!in_force(settings)) return;
  if (loaded) remembered_.memory = std::move(loaded);
  remembered_.history_known = known.history_known;
  if (!data || state_.has_good_data()) return;
  const SystemTime collected_at = data->collected_at();
  state_.restored(std::move(data), collected_at, services_.clock.system_now());
}

void Account::fail_to_start(const Settings& settings, SystemTime t, std::string message) {
  sqlbak::CollectionOutcome outcome;
  outcome.failure = {FailureReason::config, message};
  std::shared_ptr<const Trace> trace = TraceRecorder(t).finish(
      Duration::zero(), Duration::zero(), std::string(name(FailureReason::config)), std::move(message));
  std::optional<FailureReason> before;
  CollectionRecord after;
  {
    MutexLock lock(mutex_);
    if (!in_force(settings)) return;
    before = reason_of(state_.record());
    conclude(outcome, std::move(trace), nullptr);
    after = state_.record();
  }
  log_.ended(before, after);
}

// --- A collection's progress and end

std::shared_ptr<const Published> Account::published(const Settings& settings,
                                                    std::shared_ptr<const Snapshot> snapshot) {
  std::shared_ptr<const Published> previous;
  {
    MutexLock lock(mutex_);
    if (in_force(settings)) previous = state_.data();
  }
  return publish(std::move(snapshot), settings->policy, settings->format, previous.get());
}

void Account::progressed(const Settings& settings, std::shared_ptr<const Snapshot> snapshot) {
  std::shared_ptr<const Published> data = published(settings, std::move(snapshot));
  MutexLock lock(mutex_);
  if (!in_force(settings)) return;
  // Only a backfill makes progress: where there are good data nevertheless, they are another account's.
  state_.disowned();
  state_.progressed(std::move(data));
}

// Whether what a run read continues what is remembered. It does not if the history could be read only after
// it began: that goes further back.
bool Account::continues_memory(const Run& run) const {
  return remembered_.memory == run.began_from;
}

void Account::write_down(const Run& run, std::shared_ptr<const AccountMemory> so_far) {
  {
    MutexLock lock(mutex_);
    // Otherwise it would replace what could not be read.
    if (!remembered_.history_known || !continues_memory(run)) return;
  }
  services_.history.store(run.settings->config.name, std::move(so_far));
}

void Account::ended(const Run& run, sqlbak::CollectionOutcome outcome, std::shared_ptr<const Trace> trace) {
  write_down(run, outcome.memory);
  std::shared_ptr<const Published> data;
  if (!outcome.failure) data = published(run.settings, outcome.snapshot);

  std::shared_ptr<const Published> former;
  std::optional<FailureReason> reason_before;
  std::optional<std::chrono::milliseconds> clock_before;
  CollectionRecord after;
  bool first_complete = false;
  {
    MutexLock lock(mutex_);
    if (continues_memory(run)) {
      const bool was_complete = remembered_.memory && remembered_.memory->complete;
      first_complete = !was_complete && outcome.memory->complete;
      remembered_.memory = outcome.memory;
      if (!outcome.memory->complete) state_.disowned();  // they turned out to be another account's
    }
    if (!in_force(run.settings)) return;
    former = state_.data();
    reason_before = reason_of(state_.record());
    clock_before = state_.record().api_clock_ahead;
    conclude(outcome, std::move(trace), data);
    after = state_.record();
  }
  if (data) log_.overrides(former.get(), *data);
  if (first_complete) log_.initial_collection_complete(after);
  log_.clock(clock_before, after.api_clock_ahead);
  log_.ended(reason_before, after);
}

// The running collection is over, and who waits for it goes on.
void Account::conclude(const sqlbak::CollectionOutcome& outcome, std::shared_ptr<const Trace> trace,
                       std::shared_ptr<const Published> data) {
  AccountCounters& counters = activity_.counters;
  ++counters.collections[trace->result];
  counters.api_retries += trace->retries;
  counters.api_throttled += trace->throttled;
  for (const sqlbak::Unrecognised::Entry& entry : outcome.unrecognised.entries()) {
    counters.unrecognised[entry.field] += entry.count;
  }
  state_.ended(outcome, requests_in(*trace), std::move(data), services_.clock.steady_now());
  activity_.traces.add(std::move(trace));
  changed_.notify_all();
}

}  // namespace sqlbak_gateway::gateway
