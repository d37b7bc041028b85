#include "simulator/truth_reading.h"

#include "simulator/documents.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sqlbak_gateway::simulator::truth {
namespace {

using nlohmann::json;

// True as scripting languages mean it.
bool is_true(const json& value) {
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !value.empty();
}

const json& member(const json& object, const char* name) {
  static const json kMissing;
  if (!object.is_object()) return kMissing;
  const auto found = object.find(name);
  return found == object.end() ? kMissing : *found;
}

std::string text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float() && value.get<double>() == std::trunc(value.get<double>())) {
    return std::to_string(value.get<std::int64_t>());
  }
  return value.dump();
}

std::string text_or(const json& value, const std::string& otherwise) {
  return value.is_null() ? otherwise : text(value);
}

std::string normalised(const json& value) {
  return value.is_string() ? lower_case(trimmed(value.get_ref<const std::string&>())) : std::string();
}

std::string type_of(const json& value) {
  const std::string name = normalised(value);
  if (name == "database_full") return "full";
  if (name == "database_differential") return "diff";
  if (name == "database_transaction_log") return "log";
  if (name == "database_incremental") return "inc";
  if (name == "folder") return "folder";
  return "unknown";
}

std::optional<double> number(const json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::int64_t integer(const json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (value.is_number()) return static_cast<std::int64_t>(std::trunc(value.get<double>()));
  if (!value.is_string()) return 0;
  std::string_view digits = trimmed(value.get_ref<const std::string&>());
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t result = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return error == std::errc() && end == digits.data() + digits.size() && !digits.empty() ? result : 0;
}

void read_settings(const json& settings, Job& job) {
  const json& schedule = member(settings, "schedule_settings");
  if (schedule.is_object() && schedule.contains("database_full")) job.enabled_types.insert("full");
  for (const char* name : {"database_differential", "database_transaction_log", "database_incremental"}) {
    if (is_true(member(member(schedule, name), "is_enabled"))) job.enabled_types.insert(type_of(name));
  }
  const json& folder_types = member(member(settings, "folders_backup_settings"), "backup_types");
  if (folder_types.is_array()) {
    for (const json& type : folder_types) job.enabled_types.insert(type_of(type));
  }
  if (job.enabled_types.empty()) job.enabled_types.insert("full");

  const json& destinations = member(settings, "destinations");
  std::int64_t full = 0;
  std::int64_t incremental = 0;
  if (destinations.is_array()) {
    for (const json& destination : destinations) {
      full = std::max(full, integer(member(destination, "full_backups_keep_months")) * 30 +
                                integer(member(destination, "full_backups_keep_days")));
      incremental = std::max(incremental, integer(member(destination, "inc_backups_keep_months")) * 30 +
                                              integer(member(destination, "inc_backups_keep_days")));
    }
  }
  job.retention_days = {{"full", full}, {"diff", incremental}, {"log", incremental}, {"inc", incremental}};
}

Entry read_entry(const json& document) {
  Entry entry;
  entry.type = type_of(member(document, "backup_type"));
  entry.status = normalised(member(document, "status"));
  if (member(document, "database_name").is_string()) entry.database = text(member(document, "database_name"));
  entry.size = number(member(document, "size"));
  bool any_file = false;
  const json& uploads = member(document, "uploads");
  for (const json& upload : uploads.is_array() ? uploads : json::array()) {
    const json& files = member(upload, "files");
    for (const json& file : files.is_array() ? files : json::array()) {
      any_file = true;
      if (!is_true(member(file, "is_deleted"))) entry.undeleted = true;
    }
  }
  if (!any_file) entry.undeleted = true;
  return entry;
}

Run read_run(const json& document, bool finished) {
  Run run;
  run.started_ms = number(member(document, "started_at"));
  run.finished_ms = number(member(document, "finished_at"));
  run.finished = finished;
  const json& backups = member(document, "backups");
  for (const json& entry : backups.is_array() ? backups : json::array()) {
    if (entry.is_object()) run.entries.push_back(read_entry(entry));
  }
  return run;
}

// Rows with an id seen before replace the earlier.
template <typename Row>
void put(std::vector<Row>& rows, Row row) {
  const auto earlier = std::ranges::find(rows, row.id, &Row::id);
  if (earlier == rows.end())
    rows.push_back(std::move(row));
  else
    *earlier = std::move(row);
}

}  // namespace

double Job::window_ms(const Question& question) const {
  std::int64_t longest = 0;
  for (const std::string& type_name : enabled_types) longest = std::max(longest, retention(type_name));
  return std::max(static_cast<double>(question.lookback.count()), static_cast<double>(longest + 7) * kDayMs);
}

Reading read(const Account& account, const Knobs& knobs) {
  Reading reading;
  for (const auto& [id, server] : account.servers()) {
    const json row = documents::server(account, server, knobs);
    put(reading.servers, {text_or(member(row, "id"), ""), text_or(member(row, "name"), "unknown"),
                          text_or(member(row, "app_type"), "unknown"), normalised(member(row, "status"))});
  }
  for (const auto& [id, world_job] : account.jobs()) {
    if (world_job.type == "maintenance" && !knobs.maintenance) continue;
    const json row = documents::job(account, world_job, knobs);
    if (!is_true(member(row, "id"))) continue;
    Job job;
    job.id = text(member(row, "id"));
    job.name = text_or(member(row, "name"), "unknown");
    job.server_id = text_or(member(row, "server_id"), "");
    const auto server = std::ranges::find(reading.servers, job.server_id, &Server::id);
    const bool on_none = job.server_id.empty() || server == reading.servers.end();
    job.server_name = on_none ? "unknown" : server->name;
    if (member(row, "job_type").is_string()) job.type = normalised(member(row, "job_type"));
    if (member(row, "is_enabled").is_boolean()) job.enabled = member(row, "is_enabled").get<bool>();
    job.first_there_ms = ms(world_job.created_at);
    read_settings(documents::settings(account, world_job, knobs), job);
    for (const simulator::Run& run : world_job.runs) {
      if (run.removed || run.unlisted || run.unreadable) continue;
      const json details = documents::run(account, world_job, run, knobs);
      if (is_true(member(details, "id"))) job.runs.push_back(read_run(details, run.finished_at.has_value()));
    }
    put(reading.jobs, std::move(job));
  }
  return reading;
}

}  // namespace sqlbak_gateway::simulator::truth
