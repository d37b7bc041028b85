#include "simulator/documents.h"

#include <algorithm>

namespace sqlbak_gateway::simulator::documents {
namespace {

// Documents are filled member by member: an initialiser list makes an array of each pair first, and takes
// twice the time.

json id(Id value, const Knobs& knobs) {
  return knobs.ids_as_text ? json(std::to_string(value)) : json(value);
}

json run_id(Id value, const Knobs& knobs) {
  return knobs.named_runs ? json(std::string(kRunName) + std::to_string(value)) : id(value, knobs);
}

json instant(std::optional<SystemTime> time, const Knobs& knobs) {
  if (!time) return nullptr;
  return (*time + knobs.clock_skew).time_since_epoch().count();
}

json patched(json document, const Account& account, Account::Row row, Id row_id) {
  if (const json* patch = account.find_patch(row, row_id)) document.patch_inplace(*patch);
  return document;
}

std::string_view overall_status(const Account& account, const Run& run) {
  if (!run.finished_at) return "running";
  const bool failed = std::ranges::any_of(
      run.entries, [&](const Entry& entry) { return account.words().text(entry.status) == "failed"; });
  return failed ? "failed" : "succeeded";
}

json upload_json(const Job& job, const Entry& entry, std::size_t index, const Knobs& knobs) {
  json files = json::array();
  for (unsigned file = 0; file < entry.uploads[index].files; ++file) {
    json one;
    one["name"] = "backup-" + std::to_string(file + 1) + ".bak";
    one["is_deleted"] = entry.uploads[index].is_deleted(file);
    if (knobs.sizes) one["size"] = entry.size / entry.uploads[index].files;
    files.push_back(std::move(one));
  }
  json upload;
  upload["status"] = "succeeded";
  upload["files"] = std::move(files);
  if (index < job.destinations.size()) upload["destination_name"] = job.destinations[index].name;
  return upload;
}

json entry_json(const Account& account, const Job& job, const Entry& entry, const Knobs& knobs) {
  const std::string& status = account.words().text(entry.status);
  json uploads = json::array();
  for (std::size_t i = 0; i < entry.upload_count; ++i) uploads.push_back(upload_json(job, entry, i, knobs));
  json document = {
      {"backup_type", account.words().text(entry.type)}, {"status", status}, {"uploads", std::move(uploads)}};
  if (knobs.sizes && entry.size != 0) document["size"] = entry.size;
  if (const std::string& database = account.words().text(entry.database);
      knobs.database_names && !database.empty()) {
    document["database_name"] = database;
  }
  if (status == "failed") document["error"] = "The backup device is not ready.";
  return document;
}

}  // namespace

json me(const Account& account, const Knobs& knobs) {
  return {{"name", account.name},
          {"company", account.name + " Ltd."},
          {"email", account.email},
          {"is_suspended", account.suspended},
          {"subscription", {{"plan", "professional"}, {"servers", account.servers().size()}}},
          {"credit_usd", 12.5},
          {"created_at", instant(account.created_at, knobs)},
          {"managed_accounts", json::array()},
          {"manager_accounts", json::array()}};
}

json server(const Account& account, const Server& server, const Knobs& knobs) {
  json document;
  document["id"] = id(server.id, knobs);
  document["name"] = server.name;
  document["app_type"] = server.app_type;
  document["status"] = server.status;
  return patched(std::move(document), account, Account::Row::server, server.id);
}

json job(const Account& account, const Job& job, const Knobs& knobs) {
  json document;
  document["id"] = id(job.id, knobs);
  document["name"] = job.name;
  document["server_id"] = job.server_id == 0 ? json() : id(job.server_id, knobs);
  if (knobs.job_type) document["job_type"] = job.type;
  if (knobs.job_enabled) document["is_enabled"] = job.enabled;
  return patched(std::move(document), account, Account::Row::job, job.id);
}

json settings(const Account& account, const Job& job, const Knobs& knobs) {
  const auto scheduled = [&](std::string_view type) {
    return std::ranges::find(job.types, type) != job.types.end();
  };
  json schedule = {{"database_differential", {{"is_enabled", scheduled("database_differential")}}},
                   {"database_transaction_log", {{"is_enabled", scheduled("database_transaction_log")}}},
                   {"database_incremental", {{"is_enabled", scheduled("database_incremental")}}}};
  if (scheduled("database_full")) schedule["database_full"] = {{"time", "02:00"}};
  json folders = {{"backup_types", json::array()}};
  if (scheduled("folder")) folders["backup_types"].push_back("folder");
  json destinations = json::array();
  for (const Destination& destination : job.destinations) {
    destinations.push_back({{"name", destination.name},
                            {"full_backups_keep_months", destination.full_months},
                            {"full_backups_keep_days", destination.full_days},
                            {"inc_backups_keep_months", destination.inc_months},
                            {"inc_backups_keep_days", destination.inc_days}});
  }
  return patched({{"job_id", id(job.id, knobs)},
                  {"schedule_settings", std::move(schedule)},
                  {"folders_backup_settings", std::move(folders)},
                  {"destinations", std::move(destinations)}},
                 account, Account::Row::settings, job.id);
}

json run_row(const Account& account, const Job& job, const Run& run, const Knobs& knobs) {
  json document;
  document["id"] = run_id(run.id, knobs);
  if (knobs.row_job_id) document["job_id"] = id(job.id, knobs);
  if (knobs.row_started_at) document["started_at"] = instant(run.started_at, knobs);
  if (knobs.row_status) document["status"] = overall_status(account, run);
  if (account.find_patch(Account::Row::run, run.id) != nullptr) {
    // A patch is written for the details; a row takes over what it shares with them.
    const json details = documents::run(account, job, run, knobs);
    for (auto& [member, value] : document.items()) {
      value = details.contains(member) ? details[member] : json();
    }
  }
  return document;
}

json run(const Account& account, const Job& job, const Run& run, const Knobs& knobs) {
  json backups = json::array();
  for (const Entry& entry : run.entries) backups.push_back(entry_json(account, job, entry, knobs));
  json document;
  document["id"] = run_id(run.id, knobs);
  document["job_id"] = id(job.id, knobs);
  document["started_at"] = instant(run.started_at, knobs);
  document["status"] = overall_status(account, run);
  document["backups"] = std::move(backups);
  if (knobs.finished_at) document["finished_at"] = instant(run.finished_at, knobs);
  return patched(std::move(document), account, Account::Row::run, run.id);
}

}  // namespace sqlbak_gateway::simulator::documents
