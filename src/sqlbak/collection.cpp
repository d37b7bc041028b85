#include "sqlbak_gateway/sqlbak/collection.h"

#include "sqlbak/endpoints.h"
#include "sqlbak/jobs_reading.h"
#include "sqlbak/list_reading.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sqlbak_gateway::sqlbak {
namespace {

using std::chrono::milliseconds;

constexpr auto kAskWhoAtMostEvery = std::chrono::hours(1);
// A job that the list does not name keeps its memory for this long, because rows may have slipped away
// between pages all the same.
constexpr auto kUnlistedJobsKept = std::chrono::hours(24);

bool same_account(const AccountInfo& a, const AccountInfo& b) {
  return (a.created_at.has_value() || !a.email.empty()) && a.created_at == b.created_at && a.email == b.email;
}

}  // namespace

class Collection::State {
 public:
  State(CollectionPlan plan, std::shared_ptr<const AccountMemory> memory)
      : context_{std::move(plan), {}}, given_(std::move(memory)), memory_(given_) {
    const bool other_token = memory_ && memory_->token_fingerprint != context_.plan.token_fingerprint;
    const bool asked_lately = memory_ && memory_->info_asked_at && now() >= *memory_->info_asked_at &&
                              now() - *memory_->info_asked_at < kAskWhoAtMostEvery;
    me_.settled = !other_token;
    if (other_token || !asked_lately) me_.step = Step::due;
    if (memory_) {
      me_.info = memory_->info;
      me_.asked_at = memory_->info_asked_at;
    }
  }

  bool has_next() const {
    if (done_) return false;
    if (me_.step == Step::due || servers_.step == Step::due || jobs_.step == Step::due) return true;
    return reading_ && reading_->has_next();
  }

  std::optional<Request> next() {
    if (!has_next()) return std::nullopt;
    if (me_.step == Step::due) {
      me_.step = Step::asked;
      return send(me_target(), {Endpoint::me, {}});
    }
    if (servers_.step == Step::due) {
      servers_.step = Step::asked;
      return send(servers_target(servers_.page), {Endpoint::servers, {}});
    }
    if (jobs_.step == Step::due) {
      jobs_.step = Step::asked;
      return send(jobs_target(jobs_.page), {Endpoint::jobs, {}});
    }
    JobsReading::Asked asked = reading_->next();
    std::string target = std::move(asked.request.target);
    const Endpoint endpoint = asked.request.endpoint;
    return send(std::move(target), {endpoint, std::move(asked)});
  }

  void on(std::uint64_t id, Answer answer, SystemTime at) {
    auto found = asked_.extract(id);
    if (done_ || found.empty()) return;
    const Asked& asked = found.mapped();
    // What delays an answer makes its date older: the youngest tells best. What is no answer of the API tells
    // nothing of its clock.
    if (answer.server_date && !answer.failure && answer.status == 200) {
      api_clock_ahead_ = std::max(api_clock_ahead_.value_or(milliseconds::min()), *answer.server_date - at);
    }
    std::optional<bool>& up = endpoint_up_[static_cast<std::size_t>(asked.endpoint)];
    // A token that may not see /me is still good where it can read the rest.
    const bool of_me_alone = asked.endpoint == Endpoint::me && answer.status == 403;
    if (answer.failure && answer.failure->reason == FailureReason::auth && !of_me_alone) {
      up = false;
      return fail(std::move(*answer.failure));
    }
    switch (asked.endpoint) {
      case Endpoint::me:
        up = on_me(answer);
        break;
      case Endpoint::servers:
        up = on_page(servers_, asked.endpoint, answer, decode_servers, NotedField::server_id);
        break;
      case Endpoint::jobs:
        up = on_page(jobs_, asked.endpoint, answer, decode_jobs, NotedField::job_id);
        break;
      case Endpoint::settings:
      case Endpoint::jobruns:
      case Endpoint::jobrun_details:
        up = reading_->on(asked.of_job, answer, at);
        break;
    }
    if (!done_) advance();
  }

  void fail(Answer::Failure failure) {
    if (done_) return;
    failure_ = std::move(failure);
    done_ = true;
  }

  bool done() const { return done_; }
  bool backfill() const { return !memory_ || !memory_->complete; }
  bool lists_read() const { return reading_.has_value(); }
  std::uint64_t jobs_read() const { return reading_ ? reading_->read() : 0; }

  std::shared_ptr<const Snapshot> snapshot() const {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->collected_at = now();
    snapshot->info = me_.info;
    if (!reading_) return snapshot;
    snapshot->servers = servers_.rows;
    snapshot->jobs_pending = static_cast<std::uint32_t>(reading_->pending());
    snapshot->jobruns_available = snapshot->jobs_pending == 0;
    if (api_clock_ahead_ && !clocks_agree(*api_clock_ahead_)) {
      snapshot->api_clock_ahead = std::chrono::round<std::chrono::minutes>(*api_clock_ahead_);
    }
    for (const JobResult& job : reading_->results()) {
      if (!job.snapshot) continue;
      snapshot->jobs.push_back(job.snapshot);
      if (!job.settings_read || !job.runs_listed) ++snapshot->jobs_unreadable;
      if (!job.settings_read) snapshot->jobsettings_available = false;
      if (!job.runs_listed || job.runs_failed > 0) snapshot->jobruns_available = false;
    }
    return snapshot;
  }

  std::shared_ptr<const AccountMemory> memory(std::shared_ptr<const Snapshot> good) const {
    if (!me_.settled) return given_;
    auto memory = std::make_shared<AccountMemory>();
    memory->token_fingerprint = context_.plan.token_fingerprint;
    memory->info = me_.info;
    memory->info_asked_at = me_.asked_at;
    memory->complete = good || !backfill();
    memory->runs_show_end = context_.runs_show_end;
    if (good) {
      memory->last_good = std::move(good);
    } else if (memory_) {
      memory->last_good = memory_->last_good;
    }
    if (reading_) memory->jobs = reading_->memory();
    if (memory_) keep_unlisted(*memory);
    return memory;
  }

  CollectionOutcome finish() {
    assert(done_);
    CollectionOutcome outcome;
    if (!failure_) outcome.snapshot = snapshot();
    outcome.memory = memory(outcome.snapshot);
    outcome.failure = std::move(failure_);
    outcome.endpoint_up = endpoint_up_;
    outcome.api_clock_ahead = api_clock_ahead_;
    outcome.unrecognised = std::move(context_.notes.unrecognised);
    outcome.fields_seen = context_.notes.fields;
    if (!reading_) return outcome;
    for (const JobResult& job : reading_->results()) {
      outcome.runs_left_out += job.runs_left_out;
      if (job.contradicted) ++outcome.audit_changes;
    }
    return outcome;
  }

 private:
  struct Asked {
    Endpoint endpoint = Endpoint::me;
    JobsReading::Asked of_job;  // if the endpoint belongs to a job
  };
  // Whose account it is.
  struct Me {
    Step step = Step::none;
    bool settled = true;  // memory_ is known to belong to the account behind the token
    std::optional<AccountInfo> info;
    std::optional<SystemTime> asked_at;
  };

  SystemTime now() const { return context_.plan.started_at; }

  Request send(std::string target, Asked asked) {
    const Endpoint endpoint = asked.endpoint;
    asked_.emplace(++last_id_, std::move(asked));
    return {last_id_, endpoint, std::move(target)};
  }

  bool on_me(const Answer& answer) {
    me_.step = Step::none;
    me_.asked_at = now();
    std::optional<AccountInfo> info;
    std::optional<Answer::Failure> trouble = answer.failure;
    if (!trouble && answer.status == 200) {
      const Result<AccountInfo> decoded = decode_account(answer.body, context_.notes);
      if (decoded) {
        info = *decoded;
      } else {
        trouble = {FailureReason::bad_response, decoded.error().message};
      }
    }
    // What is forbidden stays so. Whose account it is, is settled once the token has read the lists: a token
    // that may not read them either costs no memory.
    if (answer.status == 403) return false;
    if (!me_.settled) {
      if (trouble && worth_waiting_for_me()) {
        fail({trouble->reason, "me: whose account the new token is cannot be told yet: " + trouble->message});
        return false;
      }
      settle_whose(info);
    }
    if (info) me_.info = info;
    return info.has_value();
  }

  // What is remembered belongs to the account behind the token. `info` is empty if `/me` does not tell.
  void settle_whose(const std::optional<AccountInfo>& info) {
    if (!info || !me_.info || !same_account(*info, *me_.info)) memory_.reset();
    if (!memory_) me_.info.reset();
    me_.settled = true;
  }

  // If `/me` has answered before, it is only in trouble now, and what may still be shown is not thrown away
  // for that. Once the data are too old to be shown, a new beginning is better than waiting for ever.
  bool worth_waiting_for_me() const {
    return me_.info && memory_->last_good &&
           now() - memory_->last_good->collected_at <= context_.plan.max_stale;
  }

  template <typename Row>
  bool on_page(ListReading<Row>& list, Endpoint endpoint, const Answer& answer,
               Result<Page<Row>> (*decode)(std::string_view, Notes&), NotedField id_field) {
    const auto unreadable = [&](FailureReason reason, const std::string& message) {
      fail({reason, std::string(name(endpoint)) + ", page " + std::to_string(list.page) + ": " + message});
      return false;
    };
    if (answer.failure) return unreadable(answer.failure->reason, answer.failure->message);
    if (answer.status != 200) {
      return unreadable(FailureReason::upstream_error, "the API answered " + std::to_string(answer.status));
    }
    Result<Page<Row>> page = decode(answer.body, context_.notes);
    if (!page) return unreadable(FailureReason::bad_response, page.error().message);
    if (const auto reason = list.add(std::move(*page), id_field, context_.notes)) {
      return unreadable(FailureReason::bad_response, *reason);
    }
    if (list.complete) list.settle(misses_known(list));
    return true;
  }

  bool misses_known(const ListReading<Server>& list) const {
    if (!memory_ || !memory_->last_good) return false;
    return std::ranges::any_of(memory_->last_good->servers, [&](const Server& server) {
      return !server.id.empty() && !list.has(server.id);
    });
  }
  bool misses_known(const ListReading<Job>& list) const {
    return memory_ && std::ranges::any_of(memory_->jobs, [&](const auto& job) {
             return !job->unlisted_since && !list.has(job->id);
           });
  }

  void advance() {
    if (!reading_ && servers_.complete && jobs_.complete && (me_.settled || me_.step == Step::none)) {
      if (!me_.settled) settle_whose(std::nullopt);
      open_jobs();
    }
    if (reading_ && reading_->pending() == 0 && me_.step == Step::none) done_ = true;
  }

  void open_jobs() {
    std::unordered_map<std::string_view, const Server*> servers;
    for (const Server& server : servers_.rows) {
      if (!server.id.empty()) servers[server.id] = &server;
    }
    for (Job& job : jobs_.rows) {
      const auto server = servers.find(job.server_id);
      job.server_name = server == servers.end() ? "unknown" : server->second->name;
    }
    if (memory_) context_.runs_show_end = memory_->runs_show_end;
    reading_.emplace(context_, std::move(jobs_.rows), memory_.get());
  }

  void keep_unlisted(AccountMemory& memory) const {
    std::unordered_map<std::string_view, bool> listed;
    for (const auto& job : memory.jobs) listed[job->id] = true;
    for (const auto& job : memory_->jobs) {
      if (listed.contains(job->id)) continue;
      if (reading_ && !job->unlisted_since) {
        auto unlisted = std::make_shared<RememberedJob>(*job);
        unlisted->unlisted_since = now();
        memory.jobs.push_back(std::move(unlisted));
      } else if (!reading_ || now() - *job->unlisted_since < kUnlistedJobsKept) {
        memory.jobs.push_back(job);
      }
    }
  }

  CollectionContext context_;
  const std::shared_ptr<const AccountMemory> given_;
  std::shared_ptr<const AccountMemory> memory_;  // null: nothing is known, or it is another account's
  Me me_;
  ListReading<Server> servers_;
  ListReading<Job> jobs_;
  std::optional<JobsReading> reading_;  // once both lists are complete

  std::unordered_map<std::uint64_t, Asked> asked_;  // by the id of the request
  std::uint64_t last_id_ = 0;
  EndpointStates endpoint_up_{};
  std::optional<milliseconds> api_clock_ahead_;
  std::optional<Answer::Failure> failure_;
  bool done_ = false;
};

Collection::Collection(CollectionPlan plan, std::shared_ptr<const AccountMemory> memory)
    : state_(std::make_unique<State>(std::move(plan), std::move(memory))) {}
Collection::~Collection() = default;

std::optional<Request> Collection::next() {
  return state_->next();
}
bool Collection::has_next() const {
  return state_->has_next();
}
void Collection::on(std::uint64_t id, Answer answer, SystemTime now) {
  state_->on(id, std::move(answer), now);
}
void Collection::give_up(Answer::Failure failure) {
  state_->fail(std::move(failure));
}
bool Collection::done() const {
  return state_->done();
}
bool Collection::backfill() const {
  return state_->backfill();
}
bool Collection::lists_read() const {
  return state_->lists_read();
}
std::uint64_t Collection::jobs_read() const {
  return state_->jobs_read();
}
std::shared_ptr<const Snapshot> Collection::progress() const {
  return state_->snapshot();
}
std::shared_ptr<const AccountMemory> Collection::memory_so_far() const {
  return state_->memory(nullptr);
}
CollectionOutcome Collection::finish() {
  return state_->finish();
}

}  // namespace sqlbak_gateway::sqlbak
