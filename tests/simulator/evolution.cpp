// How an account changes as time goes on (world.h).
#include "simulator/world.h"

#include <algorithm>
#include <chrono>

namespace sqlbak_gateway::simulator {
namespace {

bool allows(const Cadence& cadence, SystemTime at) {
  const auto day = std::chrono::floor<Days>(at);
  const unsigned weekday = std::chrono::weekday(day).c_encoding();
  const auto hour = std::chrono::floor<Hours>(at - day).count();
  return ((cadence.weekdays >> weekday) & 1u) != 0 && hour >= cadence.from_hour && hour < cadence.to_hour;
}

template <typename Container>
auto& some_of(Container& container, Random& random) {
  return *std::next(container.begin(), static_cast<std::ptrdiff_t>(random.below(container.size())));
}

}  // namespace

void Account::advance_to(SystemTime now) {
  while (!events_.empty() && events_.top().at <= now) {
    const Event event = events_.top();
    events_.pop();
    now_ = std::max(now_, event.at);
    happen(event);
  }
  now_ = std::max(now_, now);
}

void Account::schedule(Event::Kind kind, SystemTime at, Id subject, std::size_t cadence,
                       std::uint64_t count) {
  events_.push(Event{kind, at, next_order_++, subject, cadence, count});
}

void Account::schedule_next_start(const Job& job, std::size_t index, SystemTime after, std::uint64_t count) {
  constexpr int kMostSkipped = 10'000;  // a cadence whose hours never come ends here
  const Cadence& cadence = job.cadences[index];
  auto slot = cadence.first;
  if (after >= slot) slot += ((after - slot) / cadence.every + 1) * cadence.every;
  for (int skipped = 0; skipped < kMostSkipped; ++skipped, slot += cadence.every) {
    if (allows(cadence, slot)) return schedule(Event::Kind::start_run, slot, job.id, index, count);
  }
}

void Account::happen(const Event& event) {
  switch (event.kind) {
    case Event::Kind::start_run:
      return start_run(event);
    case Event::Kind::step_run:
      return step_run(event.subject);
    case Event::Kind::outage_begins:
    case Event::Kind::outage_ends:
      return set_outage(event);
    case Event::Kind::churn: {
      Random random = Random::of({seed_, static_cast<std::uint64_t>(event.at.time_since_epoch().count())});
      if (evolution_.churn) mutate(random, false);
      return schedule(Event::Kind::churn, event.at + std::chrono::minutes(180 + random.below(360)), 0);
    }
  }
}

void Account::start_run(const Event& event) {
  const auto found = jobs_.find(event.subject);
  if (found == jobs_.end() || event.cadence >= found->second.cadences.size()) return;
  Job& job = found->second;
  schedule_next_start(job, event.cadence, event.at, event.count + 1);
  if (!job.enabled || (job.stopped_since && event.at >= *job.stopped_since)) return;
  const std::vector<std::string>& types = job.cadences[event.cadence].types;
  Run& run = append_run(job, event.at);
  // What is scheduled for the run; each entry's type is that of the run, and is written down when the entry
  // appears.
  const Word type = word(types[event.count % types.size()]);
  running_[run.id] = type;
  step_run(run.id);
}

// A run's state says what comes next: an entry begins, gains an upload for each destination, ends; then the
// next entry; then the run is finished. The first step only waits, so that a run is seen with nothing in it.
void Account::step_run(Id run_id) {
  const auto place = run_places_.find(run_id);
  const auto running = running_.find(run_id);
  if (place == run_places_.end() || running == running_.end()) {
    running_.erase(run_id);
    return;
  }
  Job& job = jobs_.at(place->second.first);
  Run& run = job.runs[place->second.second];
  const std::size_t destinations = std::min(job.destinations.size(), Entry::kMostUploads);
  const auto pace = job.duration / static_cast<std::int64_t>(job.databases.size() * (destinations + 2) + 1);
  const Word in_progress = word("running");
  const bool first_step = run.started_at == now_;
  if (!first_step) {
    if (run.entries.empty() || run.entries.back().status != in_progress) {
      if (run.entries.size() >= job.databases.size()) {
        run.finished_at = now_;
        running_.erase(running);
        return;
      }
      Entry entry;
      entry.type = running->second;
      entry.status = in_progress;
      entry.database = word(job.databases[run.entries.size()]);
      run.entries.push_back(entry);
    } else if (run.entries.back().upload_count < destinations) {
      Random random = Random::of({seed_, run.id, run.entries.size(), run.entries.back().upload_count});
      run.entries.back().uploads[run.entries.back().upload_count++].files =
          static_cast<std::uint8_t>(1 + random.below(2));
    } else {
      end_entry(job, run, run.entries.back());
    }
  }
  schedule(Event::Kind::step_run, now_ + std::max(pace, std::chrono::milliseconds(1)), run_id);
}

void Account::end_entry(Job& job, Run& run, Entry& entry) {
  Random random = Random::of({seed_, run.id, run.entries.size()});
  const bool broken = job.broken_since && run.started_at >= *job.broken_since &&
                      (job.broken_database.empty() || job.broken_database == words_.text(entry.database));
  if (broken || random.happens(job.failure_rate)) {
    entry.status = word("failed");
    entry.upload_count = 0;
    return;
  }
  entry.size = (1 + random.below(4096)) << 20;
  if (random.happens(job.oddity_rate)) {
    entry.status = word(random.happens(0.5) ? "cancelled" : "warning");
    return;
  }
  entry.status = word("succeeded");
  if (job.enforces_retention) apply_retention(job, entry.type);
}

void Account::apply_retention(Job& job, Word type) {
  const int days = job.retention_days(words_.text(type));
  if (days == 0) return;
  std::size_t& done = retention_done_[{job.id, type}];
  for (std::size_t i = done; i < job.runs.size(); ++i) {
    Run& run = job.runs[i];
    const bool expired = run.started_at && now_ - *run.started_at > Days(days);
    if (!expired) {
      if (job.in_order) return;
      continue;
    }
    for (Entry& entry : run.entries) {
      if (entry.type != type) continue;
      for (Upload& upload : entry.uploads) upload.delete_all();
    }
    if (i == done && run.finished_at) ++done;
  }
}

void Account::set_outage(const Event& event) {
  const auto found = servers_.find(event.subject);
  if (found == servers_.end()) return;
  Server& server = found->second;
  Random random =
      Random::of({seed_, server.id, static_cast<std::uint64_t>(event.at.time_since_epoch().count())});
  if (event.kind == Event::Kind::outage_ends) {
    server.status = "online";
    return schedule(Event::Kind::outage_begins, event.at + Hours(24 + random.below(96)), server.id);
  }
  if (!evolution_.outages || server.status != "online") {
    return schedule(Event::Kind::outage_begins, event.at + Hours(24 + random.below(96)), server.id);
  }
  server.status = random.happens(0.7) ? "offline" : "disconnected";
  schedule(Event::Kind::outage_ends, event.at + std::chrono::minutes(30 + random.below(480)), server.id);
}

std::string Account::mutate(Random& random, bool rewrites) {
  if (jobs_.empty() || random.happens(0.25)) return mutate_server(random);
  Job& job = some_of(jobs_, random).second;
  if (rewrites && !job.runs.empty() && random.happens(0.5)) return rewrite_run(job, random);
  return mutate_job(job, random);
}

std::string Account::mutate_server(Random& random) {
  const auto number = std::to_string(random.below(10'000));
  if (servers_.empty() || random.happens(0.25)) {
    const Id id = add_server({.id = 0, .name = "server-new-" + number});
    return "server " + std::to_string(id) + " added";
  }
  Server& server = some_of(servers_, random).second;
  const std::string which = "server " + std::to_string(server.id);
  switch (random.below(3)) {
    case 0:
      server.name = "server-renamed-" + number;
      return which + " renamed";
    case 1:
      server.status = server.status == "online" ? "offline" : "online";
      return which + " is " + server.status;
    default: {
      if (servers_.size() == 1) return "nothing";
      remove_server(server.id);
      return which + " removed";
    }
  }
}

std::string Account::mutate_job(Job& job, Random& random) {
  const std::string which = "job " + std::to_string(job.id);
  const auto number = std::to_string(random.below(10'000));
  switch (random.below(7)) {
    case 0:
      job.name = "job-renamed-" + number;
      return which + " renamed";
    case 1: {
      if (job.destinations.empty()) return "nothing";
      Destination& destination = job.destinations[random.below(job.destinations.size())];
      destination.full_months = static_cast<int>(random.below(2));
      destination.full_days = static_cast<int>(random.below(40));
      destination.inc_days = static_cast<int>(random.below(20));
      return which + " has another retention";
    }
    case 2: {
      static constexpr std::array kTypes = {"database_full", "database_differential",
                                            "database_transaction_log", "database_incremental", "folder"};
      const std::string type = kTypes[random.below(kTypes.size())];
      if (std::erase(job.types, type) == 0) job.types.push_back(type);
      return which + " has " + type + " switched";
    }
    case 3:
      job.enabled = !job.enabled;
      return which + (job.enabled ? " enabled" : " disabled");
    case 4:
      job.server_id = servers_.empty() ? 0 : some_of(servers_, random).first;
      return which + " moved";
    case 5: {
      Job copy = job;
      copy.id = 0;
      copy.name = "job-new-" + number;
      copy.runs.clear();
      return "job " + std::to_string(add_job(std::move(copy))) + " added like " + which;
    }
    default: {
      if (jobs_.size() == 1) return "nothing";
      remove_job(job.id);
      return which + " removed";
    }
  }
}

std::string Account::rewrite_run(Job& job, Random& random) {
  Run& run = some_of(job.runs, random);
  const std::string which = "run " + std::to_string(run.id) + " of job " + std::to_string(job.id);
  switch (random.below(6)) {
    case 0:
      run.removed = true;
      return which + " removed";
    case 1:
      run.unlisted = !run.unlisted;
      return which + (run.unlisted ? " left out of lists" : " listed again");
    case 2:
      run.unreadable = !run.unreadable;
      return which + (run.unreadable ? " unreadable" : " readable again");
    case 3: {
      if (run.entries.empty() || !run.finished_at) return "nothing";
      Entry& entry = some_of(run.entries, random);
      const bool failed = words_.text(entry.status) == "failed";
      entry.status = word(failed ? "succeeded" : "failed");
      return which + " changed after it was final";
    }
    case 4: {
      for (Entry& entry : run.entries) {
        for (Upload& upload : entry.uploads) upload.delete_all();
      }
      return which + " has its files deleted";
    }
    default: {
      const auto age = std::chrono::minutes(10 + random.below(std::size_t{30} * 24 * 60));
      const Id id =
          add_run(job.id, now_ - age, {.type = job.types.empty() ? "database_full" : job.types.front()});
      return "run " + std::to_string(id) + " of job " + std::to_string(job.id) + " appears late";
    }
  }
}

}  // namespace sqlbak_gateway::simulator
