#include "simulator/world.h"

#include <algorithm>
#include <cassert>

namespace sqlbak_gateway::simulator {

Word Words::intern(std::string_view text) {
  if (const auto known = index_.find(text); known != index_.end()) return known->second;
  const Word word{static_cast<std::uint16_t>(texts_.size())};
  texts_.emplace_back(text);
  index_.emplace(text, word);
  return word;
}

int Job::retention_days(std::string_view api_type) const {
  const bool full = api_type == "database_full";
  const bool incremental = api_type == "database_differential" || api_type == "database_transaction_log" ||
                           api_type == "database_incremental";
  int longest = 0;
  for (const Destination& destination : destinations) {
    if (full) longest = std::max(longest, destination.full_months * 30 + destination.full_days);
    if (incremental) longest = std::max(longest, destination.inc_months * 30 + destination.inc_days);
  }
  return longest;
}

Account::Account(std::string account_name, std::string account_token, SystemTime now, std::uint64_t seed)
    : name(std::move(account_name)),
      token(std::move(account_token)),
      email("backup@" + name + ".example"),
      created_at(now - Days(400)),
      seed_(seed),
      now_(now) {
  words_.intern("");
  schedule(Event::Kind::churn, now_ + Hours(3), 0);
}

Run& Account::run(Id id) {
  const auto [job, index] = run_places_.at(id);
  return jobs_.at(job).runs.at(index);
}

std::pair<const Job*, const Run*> Account::find_run(Id id) const {
  const auto place = run_places_.find(id);
  if (place == run_places_.end()) return {nullptr, nullptr};
  const Job& job = jobs_.at(place->second.first);
  const Run& run = job.runs[place->second.second];
  if (run.removed) return {nullptr, nullptr};
  return {&job, &run};
}

Id Account::server_named(std::string_view server_name) const {
  for (const auto& [id, server] : servers_) {
    if (server.name == server_name) return id;
  }
  return 0;
}

Id Account::job_named(std::string_view job_name) const {
  for (const auto& [id, job] : jobs_) {
    if (job.name == job_name) return id;
  }
  return 0;
}

Id Account::add_server(Server server) {
  if (server.id == 0) server.id = next_server_;
  const Id id = server.id;
  next_server_ = std::max(next_server_, id + 1);
  servers_.insert_or_assign(id, std::move(server));
  schedule(Event::Kind::outage_begins, now_ + Hours(1 + Random::of({seed_, id}).below(96)), id);
  return id;
}

Id Account::add_job(Job job) {
  if (job.id == 0) job.id = next_job_;
  const Id id = job.id;
  assert(!jobs_.contains(id));
  next_job_ = std::max(next_job_, id + 1);
  job.created_at = now_;
  const Job& added = jobs_.emplace(id, std::move(job)).first->second;
  for (std::size_t cadence = 0; cadence < added.cadences.size(); ++cadence) {
    schedule_next_start(added, cadence, now_ - std::chrono::milliseconds(1), 0);
  }
  return id;
}

void Account::remove_server(Id id) {
  servers_.erase(id);
}

void Account::remove_job(Id id) {
  for (const Run& run : jobs_.at(id).runs) run_places_.erase(run.id);
  jobs_.erase(id);
}

Run& Account::append_run(Job& job, std::optional<SystemTime> started_at) {
  const Id id = next_run_++;
  if (!job.runs.empty() && job.runs.back().started_at > started_at) job.in_order = false;
  run_places_[id] = {job.id, job.runs.size()};
  Run run;
  run.id = id;
  run.started_at = started_at;
  job.runs.push_back(std::move(run));
  return job.runs.back();
}

Id Account::add_run(Id job_id, std::optional<SystemTime> started_at, const HandRun& hand) {
  Run& run = append_run(jobs_.at(job_id), started_at);
  if (!hand.open) run.finished_at = started_at.value_or(now_) + hand.duration;
  for (const std::string& database : hand.databases) {
    Entry entry;
    entry.type = word(hand.type);
    entry.status = word(hand.status);
    entry.database = word(database);
    entry.size = hand.size;
    entry.upload_count = hand.uploads;
    for (Upload& upload : entry.uploads) {
      upload.files = hand.files;
      if (hand.deleted) upload.delete_all();
    }
    run.entries.push_back(entry);
  }
  return run.id;
}

std::size_t Account::run_count() const {
  std::size_t count = 0;
  for (const auto& [id, job] : jobs_) {
    count += static_cast<std::size_t>(
        std::ranges::count_if(job.runs, [](const Run& run) { return !run.removed; }));
  }
  return count;
}

const nlohmann::json* Account::find_patch(Row row, Id id) const {
  if (patches_.empty()) return nullptr;
  const auto patch = patches_.find({row, id});
  return patch == patches_.end() ? nullptr : &patch->second;
}

Account& World::add(std::unique_ptr<Account> account) {
  const auto [place, added] = accounts_.emplace(account->name, std::move(account));
  assert(added);
  return *place->second;
}

Account& World::account(std::string_view account_name) {
  Account* found = find(account_name);
  assert(found != nullptr);
  return *found;
}

Account* World::find(std::string_view account_name) {
  const auto found = accounts_.find(account_name);
  return found == accounts_.end() ? nullptr : found->second.get();
}

Account* World::find_by_token(std::string_view token) {
  for (const auto& [name, account] : accounts_) {
    if (account->token == token) return account.get();
  }
  return nullptr;
}

}  // namespace sqlbak_gateway::simulator
