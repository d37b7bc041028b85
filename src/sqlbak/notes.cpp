#include "sqlbak_gateway/sqlbak/notes.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>

namespace sqlbak_gateway::sqlbak {
namespace {

constexpr std::array<std::string_view, kNotedFieldCount> kNotedFieldNames = {
    "server_row",     "server_id",   "server_name", "server_status", "job_row",      "job_id",
    "job_name",       "job_type",    "job_enabled", "run_row",       "run_id",       "run_started_at",
    "run_ended_at",   "run_details", "entry",       "entry_type",    "entry_status", "entry_size",
    "entry_database", "upload",      "file",        "schedule",      "folder_types", "destination",
    "retention",      "account"};
static_assert(kNotedFieldNames.back() == "account");

constexpr std::array<std::string_view, kPlausibleFieldCount> kPlausibleFieldNames = {
    "jobs: job_type",
    "jobs: type",
    "jobs: is_enabled",
    "jobs: enabled",
    "settings: is_enabled",
    "settings: enabled",
    "jobrun_details: finished_at",
    "jobrun_details: ended_at",
    "jobrun_details: end_time",
    "jobrun_details: completed_at",
    "jobrun_details: backups[].finished_at",
    "jobrun_details: backups[].ended_at",
    "jobrun_details: backups[].end_time",
    "jobrun_details: backups[].completed_at",
    "jobrun_details: backups[].size",
    "jobrun_details: backups[].size_bytes",
    "jobrun_details: backups[].backup_size",
    "jobrun_details: backups[].database_name",
    "jobrun_details: backups[].database",
    "jobrun_details: backups[].db_name",
};

}  // namespace

std::string_view name(NotedField field) {
  return kNotedFieldNames[static_cast<std::size_t>(field)];
}

std::string_view name(PlausibleField field) {
  return kPlausibleFieldNames[static_cast<std::size_t>(field)];
}

void Unrecognised::note(NotedField field, std::string_view sample) {
  add(field, 1, sample);
}

void Unrecognised::merge(const Unrecognised& other) {
  for (const Entry& entry : other.entries_) add(entry.field, entry.count, entry.sample);
}

std::uint64_t Unrecognised::count(NotedField field) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [field](const Entry& entry) { return entry.field == field; });
  return found == entries_.end() ? 0 : found->count;
}

void Unrecognised::add(NotedField field, std::uint64_t times, std::string_view sample) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [field](const Entry& entry) { return entry.field == field; });
  if (found == entries_.end()) {
    entries_.push_back({field, times, std::string(cut_to(sample, kMaxSampleBytes))});
  } else {
    found->count += times;
  }
}

std::vector<std::string_view> FieldsSeen::names() const {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kPlausibleFieldCount; ++i) {
    const auto field = static_cast<PlausibleField>(i);
    if (contains(field)) names.push_back(name(field));
  }
  return names;
}

}  // namespace sqlbak_gateway::sqlbak
