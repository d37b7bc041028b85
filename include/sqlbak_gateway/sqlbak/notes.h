// Notes: values that decoding did not recognise, and which of the plausible names of undocumented fields it
// found. They tell the operator that the API has grown, or that a guess of this program is wrong. They never
// change a metric. Value types; they cost nothing while nothing is noted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::sqlbak {

// The field of an unrecognised value, or of a text that was too long. The names are values of the label
// `field`, so their spelling is fixed.
enum class NotedField : std::uint8_t {
  server_row,      // an element of the list of servers that is no object
  server_id,       // of a server or a job: an object or a list
  server_name,     // of a name or an app type: an object or a list
  server_status,   // not online, offline or disconnected
  job_row,         // an element of the list of jobs that is no object
  job_id,          // missing or not true, or an object or a list: the job is skipped
  job_name,        // an object or a list
  job_type,        // not backup or maintenance
  job_enabled,     // an object or a list
  run_row,         // an element of the list of runs that is no object
  run_id,          // missing or not true, or an object or a list: the run is skipped
  run_started_at,  // there, but not a number
  run_ended_at,    // there, but not a number
  run_details,     // could not be read in three collections: the run is left out, or kept as it was known
  entry,           // an element of `backups` that is no object
  entry_type,      // a backup type never seen before
  entry_status,    // not succeeded, failed, running, cancelled or warning
  entry_size,      // there, but not a number
  entry_database,  // an object or a list
  upload,          // an element of `uploads` that is no object
  file,            // an element of `files` that is no object
  schedule,        // schedule_settings, or a member of it, that is no object
  folder_types,    // folders_backup_settings or its backup_types, or a type in it, of the wrong shape
  destination,     // an element of `destinations` that is no object
  retention,       // a number of months or days that is none
  account,         // a field of /me of the wrong type
};
inline constexpr std::size_t kNotedFieldCount = 26;

std::string_view name(NotedField field);

// How often each field held an unrecognised value, and one sample of it.
class Unrecognised {
 public:
  static constexpr std::size_t kMaxSampleBytes = 64;

  struct Entry {
    NotedField field;
    std::uint64_t count = 0;
    std::string sample;  // the first one seen: valid UTF-8, at most kMaxSampleBytes
  };

  // `sample` is valid UTF-8. A long one is cut off between two characters.
  void note(NotedField field, std::string_view sample);
  void merge(const Unrecognised& other);

  bool empty() const { return entries_.empty(); }
  // At most one for each field, in the order of their first appearance.
  const std::vector<Entry>& entries() const { return entries_; }
  std::uint64_t count(NotedField field) const;

 private:
  void add(NotedField field, std::uint64_t times, std::string_view sample);

  std::vector<Entry> entries_;
};

// The names that undocumented fields may have. If several are present, the one named first here counts.
enum class PlausibleField : std::uint8_t {
  job_type_job_type,
  job_type_type,
  job_enabled_is_enabled,
  job_enabled_enabled,
  settings_is_enabled,
  settings_enabled,
  run_finished_at,
  run_ended_at,
  run_end_time,
  run_completed_at,
  entry_finished_at,
  entry_ended_at,
  entry_end_time,
  entry_completed_at,
  entry_size,
  entry_size_bytes,
  entry_backup_size,
  entry_database_name,
  entry_database,
  entry_db_name,
};
inline constexpr std::size_t kPlausibleFieldCount = 20;

// Endpoint and path, for example "jobrun_details: backups[].size".
std::string_view name(PlausibleField field);

// Which of the plausible names held a usable value.
class FieldsSeen {
 public:
  void insert(PlausibleField field) { bits_ |= std::uint32_t{1} << static_cast<unsigned>(field); }
  void merge(FieldsSeen other) { bits_ |= other.bits_; }
  bool contains(PlausibleField field) const { return (bits_ >> static_cast<unsigned>(field)) & 1u; }
  bool empty() const { return bits_ == 0; }
  // In the order of the enumeration.
  std::vector<std::string_view> names() const;

 private:
  static_assert(kPlausibleFieldCount <= 32);
  std::uint32_t bits_ = 0;
};

struct Notes {
  Unrecognised unrecognised;
  FieldsSeen fields;

  void merge(const Notes& other) {
    unrecognised.merge(other.unrecognised);
    fields.merge(other.fields);
  }
};

}  // namespace sqlbak_gateway::sqlbak
