// RunLedger: the runs of one job while a collection reads them: what was remembered, what the API lists, and
// what this collection has read. Pure bookkeeping: JobReading decides what is asked. Not thread-safe.
//
// It works on ids, 48 bytes a run, and what was read is packed at once.
#pragma once

#include "sqlbak_gateway/account/memory.h"
#include "sqlbak_gateway/base/failure.h"
#include "sqlbak_gateway/sqlbak/decode.h"

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sqlbak_gateway::sqlbak {

// A run is read again at each collection until it is this old, or finished before.
inline constexpr std::chrono::milliseconds kSettledAfter = std::chrono::hours(72);
// Two equal readings this far apart make a run finished where it shows no end.
inline constexpr std::chrono::milliseconds kEqualReadingsApart = std::chrono::hours(1);
// But nothing proves that the newest run of a job does not go on: it is read again this often.
inline constexpr std::chrono::milliseconds kNewestAgainEvery = std::chrono::hours(1);
// A run that could not be read in so many collections is left out, and tried again once a day.
inline constexpr std::uint8_t kUnreadableAfter = 3;
inline constexpr std::chrono::milliseconds kUnreadableAgainAfter = std::chrono::hours(24);
// Ends and sizes are kept of the latest so many runs of each type: one to be told, and some to fall back on
// when runs vanish.
inline constexpr std::size_t kExtentsKept = 4;

inline constexpr auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
// How the outcomes of a run are ordered, whenever two of them are compared.
inline bool in_order(const PackedOutcome& a, const PackedOutcome& b) {
  return a.tally != b.tally ? a.tally < b.tally : a.database < b.database;
}

class RunLedger {
 public:
  // `remembered` may be null. `collected_at` is T.
  RunLedger(std::shared_ptr<const RememberedRuns> remembered, SystemTime collected_at);

  // Runs that started before are not kept. To be said before anything is listed or packed.
  void keep_from(SystemTime start) { kept_from_ms_ = static_cast<double>(start.time_since_epoch().count()); }

  // The number for an id as the API writes it. Good for this ledger only.
  RunId id_of(std::string_view text);
  std::string text(RunId id) const { return id.text(names_); }

  // --- What is known ---

  std::size_t known() const { return known_; }
  bool knows_undated() const { return knows_undated_; }
  // The start of the n-th newest run; nothing when there are fewer.
  EpochMs nth_newest_start(std::size_t n) const;
  // A remembered run turned out not to be true any more: each of the others is asked for again when it is
  // listed. One that cannot be read stays as it was, and is asked for until it can.
  void doubt();

  // --- Asking for details ---

  // Marks the run as asked for in this collection. False: it was already.
  bool ask(RunId id);
  // The runs that have to be asked for again, whether they are listed or not. `last_read_at`: T of the last
  // collection that could read all of them. `ends_shown`: as in Circumstances.
  std::vector<RunId> unsettled(std::optional<SystemTime> last_read_at, bool ends_shown) const;

  void read(RunId id, const RunDetails& details, SystemTime now);
  void gone(RunId id);
  void unreadable(RunId id, FailureReason reason);
  // The details read now say something else than those remembered, beyond files having been deleted.
  bool contradicts_memory(RunId id) const;

  // --- Listing ---

  // Listings of one collection come one after the other.
  void begin_listing();
  // A page of the listing. Appends the runs whose details are not known to `to_ask`.
  struct Listed {
    bool anything_new = false;  // a run that no earlier page of this listing had
    bool repeats = false;       // … or one that some had
  };
  Listed list(const std::vector<RunId>& page, std::vector<RunId>& to_ask);
  std::size_t listed() const { return listed_; }
  // The listing reached back to the oldest of the known runs that it brought: every known run that started
  // after that one is in it. False: it cannot be relied upon, or it brought none.
  bool listing_overlaps() const;
  // Runs that count, but that no listing of this collection had.
  std::vector<RunId> unlisted() const;
  // No run that counts was in a listing of this collection, although some are known.
  bool lost_all() const;
  // They do not count any more.
  void drop_unlisted();

  // --- Files past their retention ---

  // The oldest runs that started in [from, to], whose backup of the type succeeded and still had files when
  // it was last read, unless that was in this collection. None where an older one is known to stand.
  std::vector<RunId> next_witnesses(BackupType type, double from_ms, double to_ms, std::size_t at_most) const;

  // --- The result ---

  struct Packed {
    std::shared_ptr<const RememberedRuns> runs;    // the remembered ones themselves when nothing changed
    std::shared_ptr<const Remembered> remembered;  // likewise
    std::uint64_t failed = 0;          // runs that could not be read now: last good ones or nothing
    std::uint64_t left_out = 0;        // runs that could not be read in kUnreadableAfter collections
    std::uint64_t newly_left_out = 0;  // of them: in this one for the first time
  };
  struct Circumstances {
    bool listed_whole = false;      // the listings had everything
    bool others_were_read = false;  // some run's details were readable now: one that fails does so for itself
    bool ends_shown = false;        // the API is known to show the end of a run: one without still runs
  };
  Packed pack(const std::shared_ptr<const Remembered>& remembered, const Circumstances& circumstances) const;

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  struct Run {
    RunId id;
    EpochMs started_at;               // as remembered
    std::uint32_t first_row = kNone;  // in the remembered tallies
    std::uint32_t unsettled = kNone;  // in the remembered unsettled ones
    std::uint32_t reading = kNone;    // of this collection
    bool known = false;               // remembered in any way
    bool idle = false;                // remembered as counting for nothing …
    bool empty = false;               // … for want of entries
    bool missing = false;             // remembered as listed without being there
    bool vanished = false;            // remembered as not listed any more
    bool doubted = false;             // what is remembered of it may not be true
    bool listed = false;              // by the present listing
    bool seen = false;                // by any of this collection
    bool asked = false;
    bool gone = false;
    std::optional<FailureReason> failure;
  };
  // A run's rows: of one type each.
  struct Rows {
    const RunTally* tallies = nullptr;
    const RunExtent* extents = nullptr;  // of a reading, one for one; null: of what is remembered
    std::uint32_t count = 0;
    const PackedOutcome* outcomes = nullptr;
    std::uint32_t outcome_count = 0;
    std::uint32_t first = 0;  // what PackedOutcome::tally counts from
  };
  // Of a run that shows no end and stands still: it may still run where ends are shown, but then it cannot
  // succeed any more once it has failed.
  static bool decided_without_an_end(bool final, bool failed, bool ends_shown) {
    return final && (failed || !ends_shown);
  }
  struct Reading {
    EpochMs started_at;
    SystemTime unchanged_since{};
    std::uint32_t first_row = 0;
    std::uint32_t rows = 0;
    std::uint32_t first_outcome = 0;
    std::uint32_t outcomes = 0;
    bool old = false;        // for kSettledAfter
    bool shows_end = false;  // the API shows one
    bool final = false;      // every entry is, and there is one
    bool failed = false;     // an entry is: the run has failed, whatever is still to come
    bool quiet = false;      // it stands still for kEqualReadingsApart

    // What it came to is decided, as far as can be told.
    bool decided(bool ends_shown) const {
      return shows_end ? final : quiet && decided_without_an_end(final, failed, ends_shown);
    }
    // It need not be read again.
    bool settled(bool newest, bool ends_shown) const {
      if (newest && !shows_end) return old && final;
      return old || decided(ends_shown);
    }
    bool open(bool ends_shown) const {
      if (old || shows_end || decided(ends_shown)) return false;
      return ends_shown || !final;
    }
  };
  class Packing;  // decides what is remembered
  class Packer;   // writes it down

  Run* find(RunId id);
  const Run* find(RunId id) const;
  Run& insert(RunId id);
  void merge(const std::vector<Run>& more);
  std::uint32_t database_of(const std::string& name);
  Rows remembered_rows(const Run& run) const;
  Rows read_rows(const Reading& reading) const;
  Rows rows_of(const Run& run) const {
    return run.reading == kNone ? remembered_rows(run) : read_rows(readings_[run.reading]);
  }
  bool same(const Rows& remembered, const Rows& read) const;
  bool counts(const Run& run) const;
  const Reading* reading_of(const Run& run) const {
    return run.reading == kNone ? nullptr : &readings_[run.reading];
  }
  EpochMs start_of(const Run& run) const {
    return run.reading == kNone ? run.started_at : readings_[run.reading].started_at;
  }
  bool has_rows(const Run& run) const {
    return run.reading == kNone ? run.first_row != kNone : readings_[run.reading].rows > 0;
  }
  bool vanished_now(const Run& run) const {
    return run.gone || (run.vanished && !run.seen) || (run.missing && run.reading == kNone);
  }
  const UnsettledRun* unsettled_before(const Run& run) const {
    return run.unsettled == kNone ? nullptr : &before_->unsettled[run.unsettled];
  }
  bool worth_asking(const UnsettledRun& run) const;
  bool asked_only_hourly(const UnsettledRun& run, bool ends_shown) const;
  bool needs_details(const Run& run) const;
  bool is_old(EpochMs started_at, SystemTime first_seen) const;
  // Of those that are believed and have not vanished. Nothing: there is none.
  EpochMs newest_start() const;

  std::shared_ptr<const RememberedRuns> before_;  // null: nothing was
  const SystemTime collected_at_;
  double kept_from_ms_ = -std::numeric_limits<double>::infinity();
  std::vector<Run> runs_;  // ascending by id
  std::size_t known_ = 0;
  std::size_t listed_ = 0;
  bool knows_undated_ = false;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint32_t> name_index_;
  std::vector<std::string> databases_;
  std::unordered_map<std::string, std::uint32_t> database_index_;

  std::vector<Reading> readings_;
  std::vector<RunTally> tallies_;        // of the readings
  std::vector<RunExtent> extents_;       // one for one
  std::vector<PackedOutcome> outcomes_;  // ascending by tally; indices count in the whole of tallies_
};

}  // namespace sqlbak_gateway::sqlbak
