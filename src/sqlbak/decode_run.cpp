// /jobruns/{id}: what one run did.
#include "sqlbak/decode.h"
#include "sqlbak/field.h"
#include "sqlbak/json_walker.h"
#include "sqlbak/keep_last.h"
#include "sqlbak/plausible.h"
#include "sqlbak_gateway/base/text.h"

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace sqlbak_gateway::sqlbak {
namespace {

enum : NodeId {
  kStartedAt = kData + 1,
  kRunFinishedAt,
  kRunEndedAt,
  kRunEndTime,
  kRunCompletedAt,
  kBackups,
  kEntry,
  kBackupType,
  kStatus,
  kUploads,
  kFinishedAt,
  kEndedAt,
  kEndTime,
  kCompletedAt,
  kSize,
  kSizeBytes,
  kBackupSize,
  kDatabaseName,
  kDatabase,
  kDbName,
  kUpload,
  kFiles,
  kFile,
  kIsDeleted,
};

constexpr auto kSchema = make_schema(std::array<SchemaRow, kIsDeleted - kData>{{
    {kStartedAt, kData, Shape::scalar, "started_at"},
    {kRunFinishedAt, kData, Shape::scalar, "finished_at"},
    {kRunEndedAt, kData, Shape::scalar, "ended_at"},
    {kRunEndTime, kData, Shape::scalar, "end_time"},
    {kRunCompletedAt, kData, Shape::scalar, "completed_at"},
    {kBackups, kData, Shape::list, "backups"},
    {kEntry, kBackups, Shape::object, ""},
    {kBackupType, kEntry, Shape::scalar, "backup_type"},
    {kStatus, kEntry, Shape::scalar, "status"},
    {kUploads, kEntry, Shape::list, "uploads"},
    {kFinishedAt, kEntry, Shape::scalar, "finished_at"},
    {kEndedAt, kEntry, Shape::scalar, "ended_at"},
    {kEndTime, kEntry, Shape::scalar, "end_time"},
    {kCompletedAt, kEntry, Shape::scalar, "completed_at"},
    {kSize, kEntry, Shape::scalar, "size"},
    {kSizeBytes, kEntry, Shape::scalar, "size_bytes"},
    {kBackupSize, kEntry, Shape::scalar, "backup_size"},
    {kDatabaseName, kEntry, Shape::scalar, "database_name"},
    {kDatabase, kEntry, Shape::scalar, "database"},
    {kDbName, kEntry, Shape::scalar, "db_name"},
    {kUpload, kUploads, Shape::object, ""},
    {kFiles, kUpload, Shape::list, "files"},
    {kFile, kFiles, Shape::object, ""},
    {kIsDeleted, kFile, Shape::scalar, "is_deleted"},
}});

constexpr std::size_t kUsualDatabases = 8;

// The files of an upload, or of all uploads of an entry.
struct Files {
  bool any = false;        // lists a file
  bool undeleted = false;  // … whose is_deleted is not true
  std::optional<Error> unreadable;

  void add(const Files& other) {
    any |= other.any;
    undeleted |= other.undeleted;
    if (!unreadable) unreadable = other.unreadable;
  }
};

struct Entry {
  BackupType type = BackupType::unknown;
  EntryStatus status = EntryStatus::other;
  Files files;
  Plausible<double, PlausibleField::entry_finished_at, 4> end;
  Plausible<double, PlausibleField::entry_size, 3> size;
  Plausible<std::string, PlausibleField::entry_database_name, 3> database;
};

BackupType type_from(const Value& value, Notes& notes) {
  const BackupType type =
      value.kind == Value::Kind::string ? backup_type_from_api(value.text) : BackupType::unknown;
  if (type == BackupType::unknown && value.kind != Value::Kind::null) {
    notes.unrecognised.note(NotedField::entry_type, sample_of(value));
  }
  return type;
}

// "succeeded" and "failed", however they are trimmed and capitalised; everything else is `other`.
EntryStatus status_from(const Value& value, Notes& notes) {
  if (value.kind == Value::Kind::string) {
    const std::string_view status = trimmed(value.text);
    if (equal_ignoring_case(status, "succeeded")) return EntryStatus::succeeded;
    if (equal_ignoring_case(status, "failed")) return EntryStatus::failed;
    // Known statuses that are neither. Every backup is running for a while, so they are not noted.
    for (const std::string_view known : {"running", "cancelled", "canceled", "warning"}) {
      if (equal_ignoring_case(status, known)) return EntryStatus::other;
    }
  }
  if (value.kind != Value::Kind::null) notes.unrecognised.note(NotedField::entry_status, sample_of(value));
  return EntryStatus::other;
}

EpochMs start_from(const Value& value, Notes& notes) {
  const EpochMs instant = instant_of(value);
  if (!instant.has_value() && value.kind != Value::Kind::null) {
    notes.unrecognised.note(NotedField::run_started_at, sample_of(value));
  }
  return instant;
}

// An instant after 1970; empty for null and 0.
std::optional<double> end_from(const Value& value, Notes& notes) {
  const EpochMs instant = instant_of(value);
  if (instant.milliseconds() > 0) return instant.milliseconds();
  if (!instant.has_value() && value.kind != Value::Kind::null) {
    notes.unrecognised.note(NotedField::run_ended_at, sample_of(value));
  }
  return std::nullopt;
}

std::optional<double> size_from(const Value& value, Notes& notes) {
  const auto size = amount_of(value);
  if (!size && value.kind != Value::Kind::null)
    notes.unrecognised.note(NotedField::entry_size, sample_of(value));
  return size;
}

std::optional<std::string> database_from(const Value& value, Notes& notes) {
  std::string database = text_or("", value, NotedField::entry_database, notes);
  if (database.empty()) return std::nullopt;
  return database;
}

class RunDocument final : public Document {
 public:
  void begin() override {
    started_at_ = EpochMs();
    end_ = {};
    begin_backups();
    notes_ = {};
  }

  void open(NodeId node) override {
    switch (node) {
      case kBackups:
        begin_backups();
        break;
      case kEntry:
        entry_ = {};
        break;
      case kUploads:
        entry_.files = {};
        break;
      case kUpload:
      case kFiles:
        upload_files_ = {};
        break;
      case kFile:
        is_deleted_ = false;
        break;
      default:
        break;
    }
  }

  void close(NodeId node) override {
    switch (node) {
      case kFile:
        upload_files_.any = true;
        upload_files_.undeleted |= !is_deleted_;
        break;
      case kUpload:
        entry_.files.add(upload_files_);
        break;
      case kEntry:
        add_entry();
        break;
      default:
        break;
    }
  }

  void value(NodeId node, const Value& value) override {
    switch (node) {
      case kStartedAt:
        started_at_ = start_from(value, notes_);
        break;
      case kRunFinishedAt:
      case kRunEndedAt:
      case kRunEndTime:
      case kRunCompletedAt:
        end_.read(node - std::size_t{kRunFinishedAt}, end_from(value, notes_), notes_);
        break;
      case kBackups:
        begin_backups();
        unreadable_ = not_a_list("data.backups", value);
        break;
      case kEntry:
        notes_.unrecognised.note(NotedField::entry, sample_of(value));
        break;
      case kBackupType:
        entry_.type = type_from(value, notes_);
        break;
      case kStatus:
        entry_.status = status_from(value, notes_);
        break;
      case kFinishedAt:
      case kEndedAt:
      case kEndTime:
      case kCompletedAt:
        entry_.end.read(node - std::size_t{kFinishedAt}, end_from(value, notes_), notes_);
        break;
      case kSize:
      case kSizeBytes:
      case kBackupSize:
        entry_.size.read(node - std::size_t{kSize}, size_from(value, notes_), notes_);
        break;
      case kDatabaseName:
      case kDatabase:
      case kDbName:
        entry_.database.read(node - std::size_t{kDatabaseName}, database_from(value, notes_), notes_);
        break;
      case kUploads:
        entry_.files = {};
        entry_.files.unreadable = not_a_list("data.backups[].uploads", value);
        break;
      case kUpload:
        notes_.unrecognised.note(NotedField::upload, sample_of(value));
        break;
      case kFiles:
        upload_files_ = {};
        upload_files_.unreadable = not_a_list("data.backups[].uploads[].files", value);
        break;
      case kFile:
        notes_.unrecognised.note(NotedField::file, sample_of(value));
        break;
      case kIsDeleted:
        is_deleted_ = truthy(value);
        break;
      default:
        break;
    }
  }

  Result<RunDetails> finish(Notes& notes) && {
    if (unreadable_) return *std::move(unreadable_);
    run_.started_at = started_at_;
    if (const auto ended = end_.take()) run_.finished_at = EpochMs(*ended);
    for (RunTally& tally : run_.tallies) {
      tally.started_at = run_.started_at;
      if (run_.finished_at.has_value()) run_.extents.of(tally.type);
    }
    for (RunExtent& extent : run_.extents) {
      extent.started_at = run_.started_at;
      if (!extent.finished_at.has_value()) extent.finished_at = run_.finished_at;
    }
    keep_last_of_each(run_.databases, [](const DatabaseOutcome& outcome) {
      return std::tie(outcome.database, outcome.type);
    });
    for (DatabaseOutcome& outcome : run_.databases) outcome.started_at = run_.started_at;
    notes.merge(notes_);
    return std::move(run_);
  }

 private:
  void begin_backups() {
    run_ = {};
    unreadable_.reset();
  }

  void add_entry() {
    if (entry_.files.unreadable && !unreadable_) unreadable_ = std::move(entry_.files.unreadable);
    const bool succeeded = entry_.status == EntryStatus::succeeded;
    ++run_.entries;
    run_.all_final &= entry_.status != EntryStatus::other;

    RunTally& tally = run_.tallies.of(entry_.type);
    switch (entry_.status) {
      case EntryStatus::succeeded:
        ++tally.succeeded;
        break;
      case EntryStatus::failed:
        ++tally.failed;
        break;
      case EntryStatus::other:
        ++tally.other;
        break;
    }
    tally.undeleted |= succeeded && (entry_.files.undeleted || !entry_.files.any);

    if (const auto ended = entry_.end.take()) {
      EpochMs& latest = run_.extents.of(entry_.type).finished_at;
      if (!(latest.milliseconds() > *ended)) latest = EpochMs(*ended);
    }
    if (const auto size = entry_.size.take(); size && succeeded) {
      double& sum = run_.extents.of(entry_.type).size_bytes;
      sum = std::isnan(sum) ? *size : sum + *size;
    }
    if (auto database = entry_.database.take()) {
      if (run_.databases.empty()) run_.databases.reserve(kUsualDatabases);
      run_.databases.push_back({EpochMs(), *std::move(database), entry_.type, entry_.status});
    }
  }

  EpochMs started_at_;
  Plausible<double, PlausibleField::run_finished_at, 4> end_;
  RunDetails run_;  // what `backups` has brought
  std::optional<Error> unreadable_;
  Notes notes_;

  Entry entry_;
  Files upload_files_;
  bool is_deleted_ = false;
};

}  // namespace

Result<RunDetails> decode_run(std::string_view body, Notes& notes) {
  RunDocument document;
  if (const auto walked = walk(body, kSchema, document); !walked.ok()) return walked.error();
  return std::move(document).finish(notes);
}

}  // namespace sqlbak_gateway::sqlbak
