// AccountMemory: what is remembered of an account between collections, so that a finished run is read once.
//
// Plain data, immutable once shared. A collection takes one and makes the next. The two share the parts of a
// job that did not change, also with the snapshots: JobSnapshot::runs points to RememberedRuns::runs. The
// layer `history` writes it down and reads it back.
//
// An account may have 140,000 runs, so they are packed: 32 bytes for each run and type, and 8 for each
// database that was backed up. docs/remembering.md describes the states of a run; the lists below hold them.
#pragma once

#include "sqlbak_gateway/account/epoch_ms.h"
#include "sqlbak_gateway/account/remembered.h"
#include "sqlbak_gateway/account/run.h"
#include "sqlbak_gateway/account/snapshot.h"
#include "sqlbak_gateway/base/clock.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway {

// The id of a run in eight bytes: the number itself if the text is one as the API writes it (digits without a
// leading zero, below 2^63), else an index into the names of the same RememberedRuns.
class RunId {
 public:
  RunId() = default;
  static constexpr RunId from_bits(std::uint64_t bits) { return RunId(bits); }
  static constexpr RunId named(std::uint32_t index) { return RunId(kNamed | index); }
  // Empty if `text` is not such a number.
  static std::optional<RunId> numeric(std::string_view text);

  bool is_named() const { return (bits_ & kNamed) != 0; }
  std::uint32_t name_index() const { return static_cast<std::uint32_t>(bits_ & ~kNamed); }
  std::uint64_t bits() const { return bits_; }
  // The id as the API wrote it. `names` are those of the same RememberedRuns.
  std::string text(const std::vector<std::string>& names) const;
  friend bool operator==(RunId, RunId) = default;
  friend bool operator<(RunId a, RunId b) { return a.bits_ < b.bits_; }

 private:
  static constexpr std::uint64_t kNamed = std::uint64_t{1} << 63;
  explicit constexpr RunId(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t bits_ = 0;
};

// How the backup of one database ended.
struct PackedOutcome {
  std::uint32_t tally = 0;          // index: run and type
  std::uint32_t database : 30 = 0;  // index
  std::uint32_t status : 2 = 0;     // EntryStatus
  friend bool operator==(const PackedOutcome&, const PackedOutcome&) = default;
};
static_assert(sizeof(PackedOutcome) == 8);

// A run whose details are asked for again: it is open, missing, or vanished and open.
struct UnsettledRun {
  RunId id;
  EpochMs started_at;            // also empty while its details have never been read
  SystemTime first_seen{};       // when its details were first asked for
  SystemTime unchanged_since{};  // when it was first read as it is now
  SystemTime failed_at{};        // the last time its details could not be read
  std::uint8_t failures = 0;  // collections in a row in which they could not, although those of others could
  bool read = false;          // they could be read at least once
  bool missing = false;       // it is listed, but its details do not exist (404): it counts for nothing
  friend bool operator==(const UnsettledRun&, const UnsettledRun&) = default;
};

// A finished run that counts for nothing. It is known so that it is not asked for again while it is listed.
struct IdleRun {
  RunId id;
  EpochMs started_at;
  bool empty = false;  // it has no entries; else it started before what is kept
  friend bool operator==(const IdleRun&, const IdleRun&) = default;
};

// The known runs of one job.
struct RememberedRuns {
  // All tallies. Databases only back to the latest decided outcome of each, and extents only of the latest
  // few runs that show an end or a size.
  JobRuns runs;
  std::vector<RunId> ids;               // one for each tally; equal ones in a row are one run
  std::vector<PackedOutcome> outcomes;  // ascending by tally
  std::vector<std::string> databases;   // `outcomes` point to them
  std::vector<std::string> names;       // named ids point to them
  std::vector<UnsettledRun> unsettled;  // ascending by id; those with entries have tallies, too
  std::vector<IdleRun> idle;            // ascending by id
};

struct RememberedJob {
  std::string id;
  std::shared_ptr<const Remembered> remembered;  // what the runs that are no longer kept came to; never null
  std::shared_ptr<const JobSettings> settings;   // the last good ones; null: none yet
  std::optional<SystemTime> settings_read_at;    // T of the collection that read them
  std::shared_ptr<const RememberedRuns> runs;    // null: none read yet
  bool runs_complete = false;                    // `runs` once held every run that there was
  std::optional<SystemTime> runs_read_at;        // T of the last collection that could read all of them
  // Every run that started at or after this instant is known, or pending. Empty if a whole list is due.
  std::optional<SystemTime> covered_from;
  std::uint32_t collections_since_whole = 0;  // since the last whole list
  std::optional<SystemTime> unlisted_since;   // since then the list of jobs has not named it
  std::optional<SystemTime> doubted_at;       // T of the last collection that doubted its runs
};

struct AccountMemory {
  std::string token_fingerprint;    // of the token it was read with
  std::optional<AccountInfo> info;  // `/me`, when it last answered
  std::optional<SystemTime> info_asked_at;
  bool complete = false;  // the initial collection is complete
  // The API has shown the end of some run, so one without an end still runs.
  bool runs_show_end = false;
  std::vector<std::shared_ptr<const RememberedJob>> jobs;
  std::shared_ptr<const Snapshot> last_good;  // of the last successful collection; null before it
};

}  // namespace sqlbak_gateway
