#include "sqlbak/naive_decoder.h"

#include "sqlbak_gateway/base/text.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <regex>

#include <nlohmann/json.hpp>

namespace sqlbak_gateway::sqlbak::testing {
namespace {

using nlohmann::json;

// Thrown if the document has to be refused.
struct Refused {};

const json kMissing = nullptr;

const json& member(const json& object, const std::string& key) {
  if (!object.is_object()) return kMissing;
  const auto found = object.find(key);
  return found == object.end() ? kMissing : *found;
}

bool is_true(const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0.0;
  if (value.is_null()) return false;
  return !(value.is_string() ? value.get_ref<const std::string&>().empty() : value.empty());
}

json data_of(std::string_view body) {
  if (body.find('\0') != std::string_view::npos) throw Refused();
  json document = json::parse(valid_utf8(body), nullptr, false);
  if (!document.is_object() || !member(document, "data").is_object()) throw Refused();
  return member(document, "data");
}

// The elements of a list that decides a metric.
std::vector<json> elements(const json& list) {
  if (list.is_array()) return list.get<std::vector<json>>();
  if (is_true(list)) throw Refused();
  return {};
}

std::string text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::trunc(number) != number) return value.dump();
    char digits[400];
    std::snprintf(digits, sizeof digits, "%.0f", number);
    return digits == std::string("-0") ? "0" : digits;
  }
  return value.is_number() || value.is_boolean() ? value.dump() : "";
}

std::string text_or(const std::string& otherwise, const json& value) {
  return value.is_null() || value.is_structured() ? otherwise : text(value);
}

EpochMs instant(const json& value) {
  return value.is_number() ? EpochMs(value.get<double>()) : EpochMs();
}

std::string folded(const json& value) {
  return value.is_string() ? lower_case(trimmed(value.get<std::string>())) : "";
}

EntryStatus status(const json& value) {
  if (folded(value) == "succeeded") return EntryStatus::succeeded;
  return folded(value) == "failed" ? EntryStatus::failed : EntryStatus::other;
}

BackupType type(const json& value) {
  const std::map<std::string, BackupType> types = {{"database_full", BackupType::full},
                                                   {"database_differential", BackupType::diff},
                                                   {"database_transaction_log", BackupType::log},
                                                   {"database_incremental", BackupType::inc},
                                                   {"folder", BackupType::folder}};
  const auto found = types.find(folded(value));
  return found == types.end() ? BackupType::unknown : found->second;
}

EpochMs end(const json& object) {
  for (const char* key : {"finished_at", "ended_at", "end_time", "completed_at"}) {
    const EpochMs candidate = instant(member(object, key));
    if (candidate.has_value() && candidate.milliseconds() > 0) return candidate;
  }
  return {};
}

std::optional<bool> flag(const json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const json& value = member(object, key);
    if (!value.is_null() && !value.is_structured()) return is_true(value);
  }
  return std::nullopt;
}

template <typename Row>
Page<Row> page(const json& data, std::optional<Row> (*read)(const json&)) {
  Page<Row> page;
  for (const json& element : elements(member(data, "list"))) {
    ++page.elements;
    if (!element.is_object()) continue;
    const std::optional<Row> row = read(element);
    if (!row) continue;
    Row* same = nullptr;
    for (Row& earlier : page.rows) {
      if (!row->id.empty() && earlier.id == row->id) same = &earlier;
    }
    if (same != nullptr) {
      *same = *row;
    } else {
      page.rows.push_back(*row);
    }
  }
  page.has_more = is_true(member(data, "has_more"));
  const json& total = member(data, "total");
  if (total.is_number_unsigned()) page.total = total.get<std::uint64_t>();
  if (total.is_number_float() && total.get<double>() >= 0) page.total = total.get<std::uint64_t>();
  return page;
}

std::optional<Server> server(const json& row) {
  return Server{text_or("", member(row, "id")), text_or("unknown", member(row, "name")),
                text_or("unknown", member(row, "app_type")),
                lower_case(trimmed(text_or("", member(row, "status"))))};
}

std::optional<Job> job(const json& row) {
  const json& id = member(row, "id");
  if (!is_true(id) || id.is_structured()) return std::nullopt;
  Job job{text(id), text_or("unknown", member(row, "name")), text_or("", member(row, "server_id")), "", {},
          {}};
  for (const char* key : {"type", "job_type"}) {
    const std::string type = lower_case(trimmed(text_or("", member(row, key))));
    if (!type.empty()) job.type = type;
  }
  job.enabled = flag(row, {"is_enabled", "enabled"});
  return job;
}

std::optional<RunRow> run_row(const json& row) {
  const json& id = member(row, "id");
  if (!is_true(id) || id.is_structured()) return std::nullopt;
  return RunRow{text(id)};
}

void add_entry(NaiveRun& run, const json& entry) {
  const BackupType of = type(member(entry, "backup_type"));
  const EntryStatus how = status(member(entry, "status"));
  ++run.entries;
  if (how == EntryStatus::other) run.all_final = false;

  RunTally& tally = run.tallies[of];
  tally.type = of;
  tally.started_at = run.started_at;
  if (how == EntryStatus::succeeded) ++tally.succeeded;
  if (how == EntryStatus::failed) ++tally.failed;
  if (how == EntryStatus::other) ++tally.other;

  std::vector<json> files;
  for (const json& upload : elements(member(entry, "uploads"))) {
    for (const json& file : elements(member(upload, "files"))) {
      if (file.is_object()) files.push_back(file);
    }
  }
  bool left = files.empty();
  for (const json& file : files) left = left || !is_true(member(file, "is_deleted"));
  if (how == EntryStatus::succeeded && left) tally.undeleted = true;

  const EpochMs ended = end(entry);
  if (ended.has_value()) {
    EpochMs& latest = run.extents[of].finished_at;
    if (!latest.has_value() || latest.milliseconds() < ended.milliseconds()) latest = ended;
  }
  for (const char* key : {"size", "size_bytes", "backup_size"}) {
    const json& size = member(entry, key);
    if (!size.is_number() || size.get<double>() < 0) continue;
    if (how == EntryStatus::succeeded) {
      double& sum = run.extents[of].size_bytes;
      sum = (std::isnan(sum) ? 0.0 : sum) + size.get<double>();
    }
    break;
  }
  for (const char* key : {"database_name", "database", "db_name"}) {
    const std::string database = text_or("", member(entry, key));
    if (database.empty()) continue;
    run.databases[{database, of}] = how;
    break;
  }
}

std::int64_t retention(const json& value) {
  const std::string written = value.is_string() ? value.get<std::string>() : "";
  double number = 0;
  if (value.is_number()) number = std::trunc(value.get<double>());
  if (value.is_boolean()) number = value.get<bool>() ? 1 : 0;
  static const std::regex integer(R"([ \t\n\v\f\r]*[+-]?[0-9]+[ \t\n\v\f\r]*)");
  if (std::regex_match(written, integer)) number = std::stod(written);
  return static_cast<std::int64_t>(std::min(1e7, std::max(-1e7, number)));
}

// The result of `read` for the document's data; empty if it is refused.
template <typename Read>
auto unless_refused(std::string_view body, Read read) -> std::optional<decltype(read(json()))> {
  try {
    return read(data_of(body));
  } catch (const Refused&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<Page<Server>> naive_servers(std::string_view body) {
  return unless_refused(body, [](const json& data) { return page(data, server); });
}

std::optional<Page<Job>> naive_jobs(std::string_view body) {
  return unless_refused(body, [](const json& data) { return page(data, job); });
}

std::optional<Page<RunRow>> naive_runs(std::string_view body) {
  return unless_refused(body, [](const json& data) { return page(data, run_row); });
}

std::optional<NaiveRun> naive_run(std::string_view body) {
  return unless_refused(body, [](const json& data) {
    NaiveRun run;
    run.started_at = instant(member(data, "started_at"));
    run.finished_at = end(data);
    for (const json& entry : elements(member(data, "backups"))) {
      if (entry.is_object()) add_entry(run, entry);
    }
    for (const auto& [of, tally] : run.tallies) {
      if (run.finished_at.has_value()) run.extents[of];
    }
    for (auto& [of, extent] : run.extents) {
      extent.type = of;
      extent.started_at = run.started_at;
      if (!extent.finished_at.has_value()) extent.finished_at = run.finished_at;
    }
    return run;
  });
}

std::optional<JobSettings> naive_settings(std::string_view body) {
  return unless_refused(body, [](const json& data) {
    JobSettings settings;
    BackupTypeSet& types = settings.enabled_types;
    const json& schedule = member(data, "schedule_settings");
    if (schedule.is_object() && schedule.contains("database_full")) types.insert(BackupType::full);
    for (const char* key : {"database_differential", "database_transaction_log", "database_incremental"}) {
      if (is_true(member(member(schedule, key), "is_enabled"))) types.insert(type(json(key)));
    }
    const json& folder_types = member(member(data, "folders_backup_settings"), "backup_types");
    if (folder_types.is_array()) {
      for (const json& element : folder_types) types.insert(type(element));
    }
    if (types.empty()) types.insert(BackupType::full);

    bool first = true;
    for (const json& destination : elements(member(data, "destinations"))) {
      if (!destination.is_object()) continue;
      const auto days = [&](const std::string& kind) {
        const std::int64_t total = retention(member(destination, kind + "_backups_keep_months")) * 30 +
                                   retention(member(destination, kind + "_backups_keep_days"));
        return std::min<std::int64_t>(10'000'000, std::max<std::int64_t>(-10'000'000, total));
      };
      settings.full_retention_days =
          first ? days("full") : std::max(settings.full_retention_days, days("full"));
      settings.inc_retention_days = first ? days("inc") : std::max(settings.inc_retention_days, days("inc"));
      first = false;
    }
    settings.enabled = flag(data, {"is_enabled", "enabled"});
    return settings;
  });
}

std::optional<AccountInfo> naive_account(std::string_view body) {
  return unless_refused(body, [](const json& data) {
    return AccountInfo{text_or("", member(data, "email")), flag(data, {"is_suspended"}),
                       instant(member(data, "created_at"))};
  });
}

}  // namespace sqlbak_gateway::sqlbak::testing
