#include "sqlbak_gateway/gateway/collector.h"

#include "gateway/trace.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/upstream/retry.h"

#include <algorithm>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

constexpr Duration kProgressInterval = std::chrono::seconds(1);
constexpr Duration kWriteDownInterval = std::chrono::minutes(1);

std::uint64_t number(upstream::AccountKey key) {
  return static_cast<std::uint64_t>(key);
}

std::string result_of(const sqlbak::CollectionOutcome& outcome) {
  if (outcome.failure) return std::string(name(outcome.failure->reason));
  return outcome.partial() ? "partial" : "success";
}

void add_remarks(const sqlbak::CollectionOutcome& outcome, TraceRecorder& trace) {
  for (const sqlbak::Unrecognised::Entry& entry : outcome.unrecognised.entries()) {
    trace.remark("not recognised: " + std::string(name(entry.field)) + " \"" + json_escaped(entry.sample) +
                 "\" and the like, " + std::to_string(entry.count) + " times");
  }
  std::string undocumented;
  for (const std::string_view field : outcome.fields_seen.names())
    undocumented.append(undocumented.empty() ? "" : "; ").append(field);
  if (!undocumented.empty()) trace.remark("read from fields that SqlBak does not document: " + undocumented);
  if (const auto ahead = outcome.api_clock_ahead; ahead && !clocks_agree(*ahead)) {
    trace.remark("the API's clock is " +
                 format_duration(std::chrono::round<std::chrono::seconds>(std::chrono::abs(*ahead))) +
                 (ahead->count() > 0 ? " ahead of" : " behind") +
                 " this machine's: check the time here; what is late is judged by the API's");
  }
  if (outcome.runs_left_out > 0) {
    trace.remark(
        std::to_string(outcome.runs_left_out) +
        " runs left out, because three collections could not read their details; they are tried again daily");
  }
  if (outcome.audit_changes > 0) {
    trace.remark(
        "a remembered run had changed after it was final; the other runs of its job are read again too, once "
        "a day at most");
  }
}

}  // namespace

struct Collector::Running {
  Running(CollectionOrder o, SteadyTime now)
      : order(std::move(o)),
        collection(order.plan, order.sink->memory()),
        trace(order.plan.started_at),
        started(now),
        last_written_down(now) {}

  CollectionOrder order;
  sqlbak::Collection collection;
  TraceRecorder trace;
  upstream::AccountTally tally_before;
  SteadyTime started;
  std::uint32_t asked = 0;  // tickets of it in asked_
  std::optional<std::uint64_t> jobs_published;
  std::optional<SteadyTime> last_published;
  SteadyTime last_written_down;
};

Collector::Collector(const Clock& clock, upstream::Transport& transport, upstream::GlobalLimits limits,
                     std::uint64_t seed)
    : clock_(clock), transport_(transport), scheduler_(limits, seed) {}

Collector::~Collector() = default;

void Collector::submit(CollectionOrder order) {
  hand_in(std::move(order));
}

void Collector::cancel(upstream::AccountKey account) {
  hand_in(Cancellation{account, /*forget=*/false});
}

void Collector::forget(upstream::AccountKey account) {
  hand_in(Cancellation{account, /*forget=*/true});
}

void Collector::set_limits(upstream::GlobalLimits limits) {
  hand_in(limits);
}

void Collector::hand_in(std::variant<CollectionOrder, Cancellation, upstream::GlobalLimits> what) {
  {
    MutexLock lock(mutex_);
    inbox_.push_back(std::move(what));
  }
  transport_.wake();
}

void Collector::turn(Deadline until) {
  take_inbox();
  give_up_stalled();
  send();
  const Deadline next = std::min(until, scheduler_.next_event(clock_.steady_now()));
  for (upstream::Completion& completion : transport_.poll(next)) receive(std::move(completion));
}

void Collector::abandon_all() {
  take_inbox();
  while (!running_.empty()) {
    Running& running = *running_.begin()->second;
    running.collection.give_up({FailureReason::timeout, "the gateway is stopping"});
    end(running);
  }
}

void Collector::take_inbox() {
  decltype(inbox_) inbox;
  {
    MutexLock lock(mutex_);
    inbox.swap(inbox_);
  }
  for (auto& item : inbox) {
    if (auto* order = std::get_if<CollectionOrder>(&item)) {
      begin(std::move(*order));
    } else if (const auto* cancellation = std::get_if<Cancellation>(&item)) {
      give_up(*cancellation);
    } else {
      scheduler_.set_limits(std::get<upstream::GlobalLimits>(item), clock_.steady_now());
    }
  }
}

void Collector::give_up(const Cancellation& cancellation) {
  if (const auto found = running_.find(number(cancellation.account)); found != running_.end()) {
    found->second->collection.give_up({FailureReason::config, "the account's configuration changed"});
    end(*found->second);
  }
  if (cancellation.forget) scheduler_.forget(cancellation.account);
}

void Collector::begin(CollectionOrder order) {
  const SteadyTime now = clock_.steady_now();
  const upstream::AccountKey account = order.account;
  auto running = std::make_unique<Running>(std::move(order), now);
  upstream::Share share = running->order.share;
  share.kind = running->collection.backfill() ? upstream::Share::Kind::backfill : upstream::Share::Kind::warm;
  running->tally_before = scheduler_.tally(account, now);
  scheduler_.begin(account, share, now);
  Running& added = *running_.insert_or_assign(number(account), std::move(running)).first->second;
  feed(added);
}

// Hands the scheduler as many requests as the account may have in flight; the rest stays in the collection,
// which can tell what is worth asking first better once more answers are in.
void Collector::feed(Running& running) {
  const SteadyTime now = clock_.steady_now();
  while (running.asked < running.order.share.max_concurrent_requests) {
    std::optional<sqlbak::Request> request = running.collection.next();
    if (!request) break;
    const upstream::Ticket ticket = scheduler_.enqueue(running.order.account, now);
    asked_.emplace(ticket, Asked{&running, *std::move(request)});
    ++running.asked;
  }
}

void Collector::send() {
  const SteadyTime now = clock_.steady_now();
  while (const auto ticket = scheduler_.preempt(now)) transport_.cancel(*ticket);
  while (const auto ticket = scheduler_.take(now)) {
    const Asked& asked = asked_.at(*ticket);
    const CollectionOrder& order = asked.running->order;
    transport_.start({.id = *ticket,
                      .peer = order.peer,
                      .token = order.token,
                      .target = asked.request.target,
                      .deadline = Deadline::after(now, order.request_timeout),
                      .max_body_bytes = order.max_response_bytes});
  }
}

void Collector::receive(upstream::Completion completion) {
  const auto found = asked_.find(completion.id);
  if (found == asked_.end()) return;  // of a collection that has ended meanwhile
  Running& running = *found->second.running;
  const sqlbak::Request& request = found->second.request;
  const SteadyTime now = clock_.steady_now();
  const SystemTime now_system = clock_.system_now();

  upstream::Outcome outcome = upstream::judge(completion, now_system);
  const bool answered = outcome.kind == upstream::Outcome::Kind::answered;
  running.order.sink->attempted(request.endpoint, completion.status, completion.elapsed);
  running.trace.step({.at = now - running.started,
                      .elapsed = completion.elapsed,
                      .endpoint = request.endpoint,
                      .status = completion.status,
                      .target = request.target,
                      .note = answered ? std::string_view() : std::string_view(outcome.message)},
                     completion.body.size());

  switch (scheduler_.finished(completion.id, outcome, now)) {
    case upstream::Verdict::will_retry:
      running.trace.retried();
      return;
    case upstream::Verdict::forgotten:
      return;
    case upstream::Verdict::deliver:
      break;
  }
  sqlbak::Answer answer;
  answer.status = completion.status;
  answer.server_date = completion.server_date;
  if (answered) {
    answer.body = std::move(completion.body);
  } else {
    answer.failure = {outcome.reason, std::move(outcome.message)};
  }
  const std::uint64_t id = request.id;
  asked_.erase(found);
  --running.asked;
  running.collection.on(id, std::move(answer), now_system);
  if (running.collection.done()) {
    end(running);
  } else {
    publish_progress(running, now);
    write_down(running, now);
    feed(running);
  }
}

void Collector::publish_progress(Running& running, SteadyTime now) {
  if (!running.collection.backfill() || !running.collection.lists_read() ||
      running.collection.jobs_read() == running.jobs_published) {
    return;
  }
  if (running.last_published && now - *running.last_published < kProgressInterval) return;
  running.jobs_published = running.collection.jobs_read();
  running.last_published = now;
  running.order.sink->progressed(running.collection.progress());
}

void Collector::write_down(Running& running, SteadyTime now) {
  if (now - running.last_written_down < kWriteDownInterval) return;
  running.last_written_down = now;
  running.order.sink->write_down(running.collection.memory_so_far());
}

std::optional<sqlbak::Answer::Failure> Collector::stalled(const CollectionOrder& order,
                                                          SteadyTime now) const {
  if (scheduler_.without_progress(order.account, now) >= order.collection_timeout) {
    return sqlbak::Answer::Failure{
        FailureReason::timeout,
        "no progress for " + format_duration(order.collection_timeout) +
            " (collection_timeout): the collection was given up; what it has read is kept"};
  }
  // Beyond, not at: what waited the longest Retry-After to its end is asked once more.
  const Duration patience = std::max(order.collection_timeout, upstream::kLongestRetryAfter);
  if (scheduler_.rate_limited(order.account, now) > patience) {
    return sqlbak::Answer::Failure{
        FailureReason::rate_limited,
        "rate limited (429) for more than " + format_duration(patience) +
            " without an answer in between: the collection was given up; what it has read is kept; lower "
            "requests_per_second or max_concurrent_requests if this goes on"};
  }
  return std::nullopt;
}

void Collector::give_up_stalled() {
  const SteadyTime now = clock_.steady_now();
  std::vector<std::pair<Running*, sqlbak::Answer::Failure>> given_up;
  for (const auto& [key, running] : running_) {
    if (auto why = stalled(running->order, now)) given_up.emplace_back(running.get(), *std::move(why));
  }
  for (auto& [running, why] : given_up) {
    running->collection.give_up(std::move(why));
    end(*running);
  }
}

void Collector::end(Running& running) {
  const SteadyTime now = clock_.steady_now();
  const upstream::AccountKey account = running.order.account;
  const upstream::AccountTally tally = scheduler_.tally(account, now);
  for (const upstream::Ticket ticket : scheduler_.end(account, now)) transport_.cancel(ticket);
  if (running.asked > 0)
    std::erase_if(asked_, [&](const auto& entry) { return entry.second.running == &running; });

  const auto node = running_.extract(number(account));  // alive until the sink has been told
  sqlbak::CollectionOutcome outcome = running.collection.finish();
  add_remarks(outcome, running.trace);
  std::shared_ptr<const Trace> trace =
      running.trace.finish(now - running.started, tally.throttled - running.tally_before.throttled,
                           result_of(outcome), outcome.failure ? outcome.failure->message : std::string());
  running.order.sink->ended(std::move(outcome), std::move(trace));
}

}  // namespace sqlbak_gateway::gateway
