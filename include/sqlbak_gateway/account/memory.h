// AccountMemory: what is remembered of an account between collections, so that a finished run is read once.
//
// Plain data, immutable once shared. A collection takes one and makes the next; the parts of a job that did
// not change are shared between the two, and with the snapshots (RememberedRuns::runs is what
// JobSnapshot::runs points to). The layer `history` writes it down and reads it back.
//
// Packed, because an account may have 140,000 runs: 32 bytes a run and type, and 8 for each database backed
// up in it.
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

// The id of a run in eight bytes: the number itself when the text is one as the API writes them (digits
// without a leading zero, below 2^63), else an index into the names beside it. Meaningless without those.
class RunId {
 public:
  RunId() = default;
  static constexpr RunId from_bits(std::uint64_t bits) { return RunId(bits); }
  static constexpr RunId named(std::uint32_t index) { return RunId(kNamed | index); }
  // Nothing when `text` is not such a number.
  static std::optional<RunId> numeric(std::string_view text);

  bool is_named() const { return (bits_ & kNamed) != 0; }
  std::uint32_t name_index() const { return static_cast<std::uint32_t>(bits_ & ~kNamed); }
  std::uint64_t bits() const { return bits_; }
  // As the API wrote it; `names` are those of the same RememberedRuns.
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

// A run whose details are asked for again: it may still change, could not be read, or is listed without being
// there. One that has vanished is asked for when it is back.
struct UnsettledRun {
  RunId id;
  EpochMs started_at;            // nothing, too, while its details have never been read
  SystemTime first_seen{};       // when its details were first asked for
  SystemTime unchanged_since{};  // when it was first read as it is now
  SystemTime failed_at{};        // the last time its details could not be read
  std::uint8_t failures = 0;     // collections in a row in which they could not, through its own fault
  bool read = false;             // they could at least once
  bool missing = false;          // it is listed, but its details are gone (404): it counts for nothing
  friend bool operator==(const UnsettledRun&, const UnsettledRun&) = default;
};

// A finished run that counts for nothing. Known, so that it is not asked for again as long as it is listed.
struct IdleRun {
  RunId id;
  EpochMs started_at;
  bool empty = false;  // it has no entries; else it is from before what is kept
  friend bool operator==(const IdleRun&, const IdleRun&) = default;
};

// The known runs of one job.
struct RememberedRuns {
  // Every tally; databases only as far as the latest word on each goes, extents of the latest few runs that
  // show an end or a size.
  JobRuns runs;
  std::vector<RunId> ids;               // of the tallies, one for one: equal ones in a row are one run
  std::vector<PackedOutcome> outcomes;  // ascending by tally
  std::vector<std::string> databases;   // that outcomes point to
  std::vector<std::string> names;       // that named ids point to
  std::vector<UnsettledRun> unsettled;  // ascending by id; those with entries have their tallies above
  std::vector<IdleRun> idle;            // ascending by id
};

struct RememberedJob {
  std::string id;
  std::shared_ptr<const Remembered> remembered;  // what its runs of old, no longer kept, came to; never null
  std::shared_ptr<const JobSettings> settings;   // the last good ones; null: none yet
  std::optional<SystemTime> settings_read_at;    // T of the collection that read them
  std::shared_ptr<const RememberedRuns> runs;    // null: none read yet
  bool runs_complete = false;                    // `runs` once held every run that there was
  std::optional<SystemTime> runs_read_at;        // T of the last collection that could read all of them
  // Every run that started at or after this is known, or pending. Nothing: a whole listing is due.
  std::optional<SystemTime> covered_from;
  std::uint32_t collections_since_whole = 0;  // since the last whole listing
  std::optional<SystemTime> unlisted_since;   // the account's list of jobs has not named it since then
  std::optional<SystemTime> doubted_at;       // T of the last collection whose audit put its runs in doubt
};

struct AccountMemory {
  std::string token_fingerprint;    // of the token it was read with
  std::optional<AccountInfo> info;  // `/me`, when it last answered
  std::optional<SystemTime> info_asked_at;
  bool complete = false;  // a collection has succeeded: there is no backfill any more
  // The API has shown the end of some run: one without an end still runs.
  bool runs_show_end = false;
  std::vector<std::shared_ptr<const RememberedJob>> jobs;
  std::shared_ptr<const Snapshot> last_good;  // of the last successful collection; null before it
};

}  // namespace sqlbak_gateway
