#include "sqlbak/jobs_reading.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace sqlbak_gateway::sqlbak {
namespace {

// A job that has had this many requests lets the jobs behind it go first, so that they do not wait for long.
constexpr std::uint64_t kLongJob = 500;

constexpr auto kHasNext = [](const auto& job) { return job->reading.has_next(); };

}  // namespace

JobsReading::JobsReading(CollectionContext& context, std::vector<Job> jobs, const AccountMemory* memory)
    : context_(context), jobs_(std::move(jobs)), order_(jobs_.size()), results_(jobs_.size()) {
  if (memory) {
    for (const auto& job : memory->jobs) known_[job->id].memory = job;
    if (memory->last_good) {
      for (const auto& job : memory->last_good->jobs) known_[job->job.id].last_good = job;
    }
  }
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  begin_audit();
}

// The audited job goes first: its answer also tells whether details can be read at all.
void JobsReading::begin_audit() {
  std::vector<const RememberedRuns*> runs(jobs_.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Known before = known(i);
    if (before.memory) runs[i] = before.memory->runs.get();
    if (runs[i]) context_.runs_known += runs[i]->ids.size();
  }
  audited_ = choose_audit(runs, context_.plan.started_at);
  if (!audited_) return;
  const auto place = order_.begin() + static_cast<std::ptrdiff_t>(audited_->job);
  std::rotate(order_.begin(), place, place + 1);
}

JobsReading::Known JobsReading::known(std::size_t job) const {
  const auto found = known_.find(jobs_[job].id);
  return found == known_.end() ? Known{} : found->second;
}

bool JobsReading::has_next() const {
  return next_ < order_.size() || std::any_of(active_.begin(), active_.end(), kHasNext);
}

JobsReading::Asked JobsReading::next() {
  auto job = std::find_if(active_.begin(), active_.end(),
                          [](const auto& active) { return active->asked < kLongJob && kHasNext(active); });
  if (job == active_.end() && next_ == order_.size()) {
    job = std::find_if(active_.begin(), active_.end(), kHasNext);
  }
  Active& asking = job == active_.end() ? begin(order_[next_++]) : **job;
  ++asking.asked;
  return {asking.index, asking.reading.next()};
}

bool JobsReading::on(const Asked& asked, const Answer& answer, SystemTime at) {
  Active& job = *active(asked.job);
  const bool usable = job.reading.on(asked.request, answer, at);
  if (job.reading.done()) end(job);
  return usable;
}

std::vector<std::shared_ptr<const RememberedJob>> JobsReading::memory() const {
  std::vector<std::shared_ptr<const RememberedJob>> memory;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    const Active* const half_read = active(i);
    std::shared_ptr<const RememberedJob> job = results_[i].memory ? results_[i].memory
                                               : half_read        ? half_read->reading.result().memory
                                                                  : known(i).memory;
    if (job) memory.push_back(std::move(job));
  }
  return memory;
}

JobsReading::Active& JobsReading::begin(std::size_t job) {
  const Known before = known(job);
  const bool is_audited = audited_ && audited_->job == job;
  const std::optional<RunId> audited = is_audited ? std::optional(audited_->run) : std::nullopt;
  active_.push_back(std::unique_ptr<Active>(
      new Active{job, {context_, jobs_[job], before.memory, before.last_good, audited}}));
  return *active_.back();
}

JobsReading::Active* JobsReading::active(std::size_t job) const {
  const auto found = std::find_if(active_.begin(), active_.end(),
                                  [job](const auto& active) { return active->index == job; });
  return found == active_.end() ? nullptr : found->get();
}

void JobsReading::end(const Active& job) {
  const JobResult& result = results_[job.index] = job.reading.result();
  ++read_;
  for (std::uint64_t run = 0; run < result.runs_newly_left_out; ++run) {
    context_.notes.unrecognised.note(NotedField::run_details, "unreadable in three collections");
  }
  std::erase_if(active_, [&](const auto& active) { return active.get() == &job; });
}

}  // namespace sqlbak_gateway::sqlbak
