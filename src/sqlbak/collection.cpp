#include "sqlbak_gateway/sqlbak/collection.h"

#include "sqlbak/job_reading.h"
#include "sqlbak_gateway/sqlbak/endpoints.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sqlbak_gateway::sqlbak {
namespace {

constexpr auto kAskWhoAtMostEvery = std::chrono::hours(1);
// A job that the list does not name keeps its memory for a while: rows may slip away between pages all the
// same.
constexpr auto kUnlistedJobsKept = std::chrono::hours(24);

// A job with more requests than this lets the jobs behind it go first, so that they are not long in coming.
constexpr std::uint64_t kLongJob = 500;

enum class Step { none, due, asked };

bool same_account(const AccountInfo& a, const AccountInfo& b) {
  return (a.created_at.has_value() || !a.email.empty()) && a.created_at == b.created_at && a.email == b.email;
}

// A list that is read page by page: servers or jobs. Rows may slip from one page to another meanwhile, so a
// list that shows signs of that is read a second time, and has what either reading saw.
template <typename Row>
class ListReading {
 public:
  Step step = Step::due;
  std::uint32_t page = 1;
  bool complete = false;
  std::vector<Row> rows;

  // The reason why the list cannot be read; nothing when it goes well.
  std::optional<std::string> add(Page<Row> next, NotedField id_field, Notes& notes) {
    bool anything_new = false;
    bool repeats = false;
    std::vector<Row> without_id;
    for (Row& row : next.rows) {
      if (row.id.size() > kMaxIdBytes) {
        notes.unrecognised.note(id_field, row.id);
        continue;
      }
      if (row.id.empty()) {  // cannot be told from another one: no sign that the list goes on
        without_id.push_back(std::move(row));
        continue;
      }
      const auto [place, added] = places_.try_emplace(row.id, Place{rows.size(), reading_});
      const bool seen = !added && std::exchange(place->second.reading, reading_) == reading_;
      (seen ? repeats : anything_new) = true;
      // Rows with an id seen before replace the earlier.
      if (added) {
        rows.push_back(std::move(row));
      } else {
        rows[place->second.row] = std::move(row);
      }
    }
    // Else it is what an API answers that does not know where its list ends.
    if (anything_new || !repeats) {
      elements_ += next.elements;
      std::ranges::move(without_id, std::back_inserter(without_id_));
      moved_ = moved_ || repeats;
    }
    moved_ = moved_ || (page > 1 && next.total != total_);
    total_ = next.total;
    if (next.has_more && anything_new) {
      if (++page > kMaxPages || rows.size() + without_id_.size() > kMaxServers) {
        return "the list is longer than " + std::to_string(kMaxServers) + " rows or " +
               std::to_string(kMaxPages) + " pages";
      }
      step = Step::due;
    } else {
      step = Step::none;
      complete = true;
    }
    return std::nullopt;
  }

  bool has(const std::string& id) const { return places_.contains(id); }
  // Once complete: reads it a second time if it may have moved. `misses_known`: a row is missing that was
  // there lately.
  void settle(bool misses_known) {
    if (page > 1 && reading_ == 1 && (moved_ || elements_ < total_.value_or(0) || misses_known)) {
      ++reading_;
      page = 1;
      step = Step::due;
      complete = false;
      without_id_.clear();
    } else {
      std::ranges::move(without_id_, std::back_inserter(rows));
    }
  }

 private:
  struct Place {
    std::size_t row;
    int reading;  // the latest that saw it
  };
  std::unordered_map<std::string, Place> places_;  // by id
  std::vector<Row> without_id_;                    // of the present reading
  int reading_ = 1;
  std::size_t elements_ = 0;
  std::optional<std::uint64_t> total_;
  bool moved_ = false;
};

std::uint64_t mixed(std::uint64_t value) {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdu;
  value ^= value >> 33;
  return value;
}

}  // namespace

class Collection::State {
 public:
  State(CollectionPlan plan, std::shared_ptr<const AccountMemory> memory)
      : context_{std::move(plan), {}}, given_(std::move(memory)), memory_(given_) {
    const bool other_token = memory_ && memory_->token_fingerprint != context_.plan.token_fingerprint;
    whose_settled_ = !other_token;
    const bool asked_lately = memory_ && memory_->info_asked_at && now() >= *memory_->info_asked_at &&
                              now() - *memory_->info_asked_at < kAskWhoAtMostEvery;
    if (other_token || !asked_lately) me_ = Step::due;
    if (memory_) {
      info_ = memory_->info;
      info_asked_at_ = memory_->info_asked_at;
    }
  }

  bool has_next() const {
    if (done_) return false;
    if (me_ == Step::due || servers_.step == Step::due || jobs_.step == Step::due) return true;
    return reading_jobs_ && (next_job_ < order_.size() ||
                             std::any_of(active_.begin(), active_.end(),
                                         [](const auto& job) { return job->reading.has_next(); }));
  }

  std::optional<Request> next() {
    if (!has_next()) return std::nullopt;
    if (me_ == Step::due) {
      me_ = Step::asked;
      return send(Endpoint::me, me_target(), {});
    }
    if (servers_.step == Step::due) {
      servers_.step = Step::asked;
      return send(Endpoint::servers, servers_target(servers_.page), {});
    }
    if (jobs_.step == Step::due) {
      jobs_.step = Step::asked;
      return send(Endpoint::jobs, jobs_target(jobs_.page), {});
    }
    for (const auto& job : active_) {
      if (job->asked < kLongJob && job->reading.has_next()) return send(*job);
    }
    if (next_job_ < order_.size()) return send(begin_job(order_[next_job_++]));
    const auto longer =
        std::find_if(active_.begin(), active_.end(), [](const auto& job) { return job->reading.has_next(); });
    return send(**longer);
  }

  void on(std::uint64_t id, Answer answer, SystemTime at) {
    auto found = asked_.extract(id);
    if (done_ || found.empty()) return;
    const Asked& asked = found.mapped();
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
        up = asked.job->reading.on(asked.request, answer, at);
        if (asked.job->reading.done()) end_job(*asked.job);
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
  bool lists_read() const { return reading_jobs_; }
  std::uint64_t jobs_read() const { return jobs_read_; }

  std::shared_ptr<const Snapshot> snapshot() const {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->collected_at = now();
    if (reading_jobs_) {
      snapshot->servers = servers_.rows;
      snapshot->jobs_pending = static_cast<std::uint32_t>(jobs_.rows.size() - jobs_read_);
    }
    snapshot->jobruns_available = snapshot->jobs_pending == 0;
    snapshot->info = info_;
    for (const JobResult& job : results_) {
      if (!job.snapshot) continue;
      snapshot->jobs.push_back(job.snapshot);
      if (!job.settings_read || !job.runs_listed) ++snapshot->jobs_unreadable;
      if (!job.settings_read) snapshot->jobsettings_available = false;
      if (!job.runs_listed || job.runs_failed > 0) snapshot->jobruns_available = false;
    }
    return snapshot;
  }

  std::shared_ptr<const AccountMemory> memory(std::shared_ptr<const Snapshot> good) const {
    if (!whose_settled_) return given_;
    auto memory = std::make_shared<AccountMemory>();
    memory->token_fingerprint = context_.plan.token_fingerprint;
    memory->info = info_;
    memory->info_asked_at = info_asked_at_;
    memory->complete = good || !backfill();
    memory->runs_show_end = context_.runs_show_end;
    if (good) {
      memory->last_good = std::move(good);
    } else if (memory_) {
      memory->last_good = memory_->last_good;
    }
    for (std::size_t i = 0; i < results_.size(); ++i) {
      const auto active =
          std::find_if(active_.begin(), active_.end(), [i](const auto& job) { return job->index == i; });
      if (results_[i].memory) {
        memory->jobs.push_back(results_[i].memory);
      } else if (active != active_.end()) {
        memory->jobs.push_back((*active)->reading.result().memory);
      } else if (const auto known = known_.find(jobs_.rows[i].id); known != known_.end()) {
        memory->jobs.push_back(known->second.memory);
      }
    }
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
    outcome.unrecognised = std::move(context_.notes.unrecognised);
    outcome.fields_seen = context_.notes.fields;
    for (const JobResult& job : results_) {
      outcome.runs_left_out += job.runs_left_out;
      if (job.contradicted) ++outcome.audit_changes;
    }
    return outcome;
  }

 private:
  // A job that is being read.
  struct Active {
    std::size_t index;  // in the list of jobs
    JobReading reading;
    std::uint64_t asked = 0;
  };
  struct Asked {
    Endpoint endpoint = Endpoint::me;
    Active* job = nullptr;
    JobRequest request;
  };
  struct Known {
    std::shared_ptr<const RememberedJob> memory;
    std::shared_ptr<const JobSnapshot> last_good;
  };

  SystemTime now() const { return context_.plan.started_at; }

  Request send(Endpoint endpoint, std::string target, Asked asked) {
    asked.endpoint = endpoint;
    asked_.emplace(++last_id_, std::move(asked));
    return {last_id_, endpoint, std::move(target)};
  }
  Request send(Active& job) {
    ++job.asked;
    JobRequest request = job.reading.next();
    std::string target = std::move(request.target);
    const Endpoint endpoint = request.endpoint;
    return send(endpoint, std::move(target), Asked{endpoint, &job, std::move(request)});
  }

  bool on_me(const Answer& answer) {
    me_ = Step::none;
    info_asked_at_ = now();
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
    // What is forbidden stays so. Whose account it is, is settled once the token has read the lists: a token that may not
    // read them either costs no memory.
    if (answer.status == 403) return false;
    if (!whose_settled_) {
      if (trouble && worth_waiting_for_me()) {
        fail({trouble->reason, "me: whose account the new token is cannot be told yet: " + trouble->message});
        return false;
      }
      settle_whose(info);
    }
    if (info) info_ = info;
    return info.has_value();
  }

  // History belongs to the account behind the token.
  void settle_whose(const std::optional<AccountInfo>& info) {
    if (!info || !info_ || !same_account(*info, *info_)) memory_.reset();
    if (!memory_) info_.reset();
    whose_settled_ = true;
  }

  // Where `/me` has told before, it is only in trouble: nothing that may still be shown is thrown away for
  // that. Later there is less to lose than an account that waits for ever.
  bool worth_waiting_for_me() const {
    return info_ && memory_->last_good && now() - memory_->last_good->collected_at <= context_.plan.max_stale;
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
    if (!reading_jobs_ && servers_.complete && jobs_.complete && (whose_settled_ || me_ == Step::none)) {
      if (!whose_settled_) settle_whose(std::nullopt);
      open_jobs();
    }
    if (reading_jobs_ && jobs_read_ == jobs_.rows.size() && me_ == Step::none) done_ = true;
  }

  void open_jobs() {
    reading_jobs_ = true;
    std::unordered_map<std::string_view, const Server*> servers;
    for (const Server& server : servers_.rows) {
      if (!server.id.empty()) servers[server.id] = &server;
    }
    for (Job& job : jobs_.rows) {
      const auto server = servers.find(job.server_id);
      job.server_name = server == servers.end() ? "unknown" : server->second->name;
    }
    if (memory_) {
      context_.runs_show_end = memory_->runs_show_end;
      for (const auto& job : memory_->jobs) known_[job->id].memory = job;
      if (memory_->last_good) {
        for (const auto& job : memory_->last_good->jobs) known_[job->job.id].last_good = job;
      }
    }
    results_.resize(jobs_.rows.size());
    order_.resize(jobs_.rows.size());
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = i;
    choose_audit();
    // The audited job first: its answer also tells whether details can be read at all.
    if (audited_job_)
      std::rotate(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(*audited_job_),
                  order_.begin() + static_cast<std::ptrdiff_t>(*audited_job_) + 1);
  }

  // Of all remembered runs that are settled, one in turn.
  void choose_audit() {
    std::vector<std::size_t> with_runs;
    std::uint64_t rows = 0;
    for (std::size_t i = 0; i < jobs_.rows.size(); ++i) {
      const auto known = known_.find(jobs_.rows[i].id);
      if (known == known_.end() || !known->second.memory || !known->second.memory->runs) continue;
      rows += known->second.memory->runs->ids.size();
      with_runs.push_back(i);
    }
    context_.runs_known = rows;
    if (rows == 0) return;
    std::uint64_t row = mixed(static_cast<std::uint64_t>(now().time_since_epoch().count())) % rows;
    // Two rounds: from the row onwards through all jobs, and again from the first.
    for (int round = 0; round < 2; ++round) {
      for (const std::size_t i : with_runs) {
        const RememberedRuns& runs = *known_.at(jobs_.rows[i].id).memory->runs;
        for (; row < runs.ids.size(); ++row) {
          if (runs.runs.tallies[row].vanished) continue;  // what it came to cannot be told again
          const auto unsettled =
              std::lower_bound(runs.unsettled.begin(), runs.unsettled.end(), runs.ids[row],
                               [](const UnsettledRun& run, RunId id) { return run.id < id; });
          if (unsettled != runs.unsettled.end() && unsettled->id == runs.ids[row]) continue;
          audited_job_ = i;
          audited_run_ = runs.ids[row];
          return;
        }
        row -= runs.ids.size();
      }
    }
  }

  Active& begin_job(std::size_t index) {
    const Job& job = jobs_.rows[index];
    const auto found = known_.find(job.id);
    const Known known = found == known_.end() ? Known{} : found->second;
    const std::optional<RunId> audited = index == audited_job_ ? audited_run_ : std::nullopt;
    active_.push_back(
        std::unique_ptr<Active>(new Active{index, {context_, job, known.memory, known.last_good, audited}}));
    return *active_.back();
  }

  void end_job(Active& job) {
    const JobResult& result = results_[job.index] = job.reading.result();
    ++jobs_read_;
    for (std::uint64_t run = 0; run < result.runs_newly_left_out; ++run) {
      context_.notes.unrecognised.note(NotedField::run_details, "unreadable in three collections");
    }
    std::erase_if(active_, [&](const auto& active) { return active.get() == &job; });
  }

  void keep_unlisted(AccountMemory& memory) const {
    std::unordered_map<std::string_view, bool> listed;
    for (const auto& job : memory.jobs) listed[job->id] = true;
    for (const auto& job : memory_->jobs) {
      if (listed.contains(job->id)) continue;
      if (reading_jobs_ && !job->unlisted_since) {
        auto unlisted = std::make_shared<RememberedJob>(*job);
        unlisted->unlisted_since = now();
        memory.jobs.push_back(std::move(unlisted));
      } else if (!reading_jobs_ || now() - *job->unlisted_since < kUnlistedJobsKept) {
        memory.jobs.push_back(job);
      }
    }
  }

  CollectionContext context_;
  const std::shared_ptr<const AccountMemory> given_;
  std::shared_ptr<const AccountMemory> memory_;  // null: nothing is known, or it is another account's
  bool whose_settled_ = true;                    // memory_ belongs to the account behind the token
  std::optional<AccountInfo> info_;
  std::optional<SystemTime> info_asked_at_;

  Step me_ = Step::none;
  ListReading<Server> servers_;
  ListReading<Job> jobs_;
  bool reading_jobs_ = false;
  std::unordered_map<std::string, Known> known_;  // by job id
  std::optional<std::size_t> audited_job_;
  std::optional<RunId> audited_run_;

  std::vector<std::size_t> order_;  // in which jobs are read
  std::size_t next_job_ = 0;        // in order_
  std::vector<std::unique_ptr<Active>> active_;
  std::vector<JobResult> results_;  // of the jobs, in the order of the list
  std::uint64_t jobs_read_ = 0;

  std::unordered_map<std::uint64_t, Asked> asked_;
  std::uint64_t last_id_ = 0;
  EndpointStates endpoint_up_{};
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
