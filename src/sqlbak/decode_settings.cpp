// /jobs/{id}/settings: what is scheduled, and how long it is kept.
#include "sqlbak/decode.h"
#include "sqlbak/field.h"
#include "sqlbak/json_walker.h"
#include "sqlbak/plausible.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace sqlbak_gateway::sqlbak {
namespace {

enum : NodeId {
  kSchedule = kData + 1,
  kFolders,
  kDestinations,
  kIsEnabled,
  kEnabled,
  kFull,
  kDiff,
  kLog,
  kInc,
  kDiffIsEnabled,
  kLogIsEnabled,
  kIncIsEnabled,
  kFolderTypes,
  kFolderType,
  kDestination,
  kFullMonths,
  kFullDays,
  kIncMonths,
  kIncDays,
};

constexpr auto kSchema = make_schema(std::array<SchemaRow, kIncDays - kData>{{
    {kSchedule, kData, Shape::object, "schedule_settings"},
    {kFolders, kData, Shape::object, "folders_backup_settings"},
    {kDestinations, kData, Shape::list, "destinations"},
    {kIsEnabled, kData, Shape::scalar, "is_enabled"},
    {kEnabled, kData, Shape::scalar, "enabled"},
    {kFull, kSchedule, Shape::scalar, "database_full"},
    {kDiff, kSchedule, Shape::object, "database_differential"},
    {kLog, kSchedule, Shape::object, "database_transaction_log"},
    {kInc, kSchedule, Shape::object, "database_incremental"},
    {kDiffIsEnabled, kDiff, Shape::scalar, "is_enabled"},
    {kLogIsEnabled, kLog, Shape::scalar, "is_enabled"},
    {kIncIsEnabled, kInc, Shape::scalar, "is_enabled"},
    {kFolderTypes, kFolders, Shape::list, "backup_types"},
    {kFolderType, kFolderTypes, Shape::scalar, ""},
    {kDestination, kDestinations, Shape::object, ""},
    {kFullMonths, kDestination, Shape::scalar, "full_backups_keep_months"},
    {kFullDays, kDestination, Shape::scalar, "full_backups_keep_days"},
    {kIncMonths, kDestination, Shape::scalar, "inc_backups_keep_months"},
    {kIncDays, kDestination, Shape::scalar, "inc_backups_keep_days"},
}});

struct Schedule {
  bool full = false;
  bool diff = false;
  bool log = false;
  bool inc = false;
};

// How long one destination keeps backups of one kind.
struct Keep {
  std::int64_t months = 0;
  std::int64_t total_days() const {
    return std::clamp(months * 30 + days, -kMaxRetentionDays, kMaxRetentionDays);
  }
  std::int64_t days = 0;
};

// The largest over the destinations; empty if there is none.
struct Destinations {
  std::optional<std::int64_t> full_days;
  std::optional<std::int64_t> inc_days;
  std::optional<Error> unreadable;
};

class SettingsDocument final : public Document {
 public:
  void begin() override {
    schedule_ = {};
    folder_types_ = {};
    destinations_ = {};
    enabled_ = {};
    notes_ = {};
  }

  void open(NodeId node) override {
    switch (node) {
      case kSchedule:
        schedule_ = {};
        break;
      case kDiff:
        schedule_.diff = false;
        break;
      case kLog:
        schedule_.log = false;
        break;
      case kInc:
        schedule_.inc = false;
        break;
      case kFolders:
      case kFolderTypes:
        folder_types_ = {};
        break;
      case kDestinations:
        destinations_ = {};
        break;
      case kDestination:
        full_ = inc_ = {};
        break;
      default:
        break;
    }
  }

  void close(NodeId node) override {
    if (node != kDestination) return;
    // An empty one is less than any number of days.
    destinations_.full_days = std::max(destinations_.full_days, std::optional(full_.total_days()));
    destinations_.inc_days = std::max(destinations_.inc_days, std::optional(inc_.total_days()));
  }

  void value(NodeId node, const Value& value) override {
    switch (node) {
      case kFull:
        schedule_.full = true;
        break;
      case kDiffIsEnabled:
        schedule_.diff = truthy(value);
        break;
      case kLogIsEnabled:
        schedule_.log = truthy(value);
        break;
      case kIncIsEnabled:
        schedule_.inc = truthy(value);
        break;
      case kFolderType:
        folder_types_.insert(folder_type(value));
        break;
      case kFullMonths:
        full_.months = retention(value);
        break;
      case kFullDays:
        full_.days = retention(value);
        break;
      case kIncMonths:
        inc_.months = retention(value);
        break;
      case kIncDays:
        inc_.days = retention(value);
        break;
      case kIsEnabled:
      case kEnabled:
        enabled_.read(node - std::size_t{kIsEnabled}, flag_from(value, NotedField::job_enabled, notes_),
                      notes_);
        break;

      // It does not have the shape of the schema, and counts as empty.
      case kSchedule:
      case kDiff:
      case kLog:
      case kInc:
        open(node);
        if (truthy(value)) notes_.unrecognised.note(NotedField::schedule, sample_of(value));
        break;
      case kFolders:
      case kFolderTypes:
        open(node);
        if (truthy(value)) notes_.unrecognised.note(NotedField::folder_types, sample_of(value));
        break;
      case kDestination:
        notes_.unrecognised.note(NotedField::destination, sample_of(value));
        break;
      case kDestinations:
        open(node);
        destinations_.unreadable = not_a_list("data.destinations", value);
        break;
      default:
        break;
    }
  }

  Result<JobSettings> finish(Notes& notes) && {
    if (destinations_.unreadable) return *std::move(destinations_.unreadable);
    JobSettings settings;
    settings.enabled_types = folder_types_;
    if (schedule_.full) settings.enabled_types.insert(BackupType::full);
    if (schedule_.diff) settings.enabled_types.insert(BackupType::diff);
    if (schedule_.log) settings.enabled_types.insert(BackupType::log);
    if (schedule_.inc) settings.enabled_types.insert(BackupType::inc);
    if (settings.enabled_types.empty()) settings.enabled_types.insert(BackupType::full);
    settings.full_retention_days = destinations_.full_days.value_or(0);
    settings.inc_retention_days = destinations_.inc_days.value_or(0);
    settings.enabled = enabled_.take();
    notes.merge(notes_);
    return settings;
  }

 private:
  BackupType folder_type(const Value& value) {
    const BackupType type =
        value.kind == Value::Kind::string ? backup_type_from_api(value.text) : BackupType::unknown;
    if (type == BackupType::unknown) notes_.unrecognised.note(NotedField::folder_types, sample_of(value));
    return type;
  }

  std::int64_t retention(const Value& value) {
    const auto number = retention_of(value);
    if (!number && value.kind != Value::Kind::null) {
      notes_.unrecognised.note(NotedField::retention, sample_of(value));
    }
    return number.value_or(0);
  }

  Schedule schedule_;
  BackupTypeSet folder_types_;
  Destinations destinations_;
  Plausible<bool, PlausibleField::settings_is_enabled, 2> enabled_;
  Notes notes_;

  Keep full_;  // of the destination being read
  Keep inc_;
};

}  // namespace

Result<JobSettings> decode_settings(std::string_view body, Notes& notes) {
  SettingsDocument document;
  if (const auto walked = walk(body, kSchema, document); !walked.ok()) return walked.error();
  return std::move(document).finish(notes);
}

}  // namespace sqlbak_gateway::sqlbak
