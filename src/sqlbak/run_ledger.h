// RunLedger: the runs of one job while a collection reads them: what is remembered, what the API lists, and
// what this collection has read. It only keeps the books: JobReading decides what is asked, and pack_runs()
// what is remembered afterwards. Not thread-safe.
#pragma once

#include "sqlbak/name_table.h"
#include "sqlbak/run_readings.h"
#include "sqlbak/run_record.h"
#include "sqlbak_gateway/account/memory.h"
#include "sqlbak_gateway/base/failure.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::sqlbak {

// A run that is older than this is not read again, whatever it says.
inline constexpr std::chrono::milliseconds kSettledAfter = std::chrono::hours(72);
// A run that shows no end has finished when two readings this far apart are equal ...
inline constexpr std::chrono::milliseconds kEqualReadingsApart = std::chrono::hours(1);
// ... but the newest run of a job may still go on: it is read again this often.
inline constexpr std::chrono::milliseconds kNewestAgainEvery = std::chrono::hours(1);
// A run that could not be read in this many collections is left out, and tried again once a day.
inline constexpr std::uint8_t kUnreadableAfter = 3;
inline constexpr std::chrono::milliseconds kUnreadableAgainAfter = std::chrono::hours(24);

class RunLedger {
 public:
  // `before` may be null: no runs are remembered. `collected_at` is T.
  RunLedger(std::shared_ptr<const RememberedRuns> before, SystemTime collected_at);

  // Runs that started earlier are not kept. Must be called before anything is listed or packed.
  void keep_from(SystemTime start) { kept_from_ms_ = EpochMs(start).milliseconds(); }

  // The number for an id as the API writes it. Valid for this ledger only.
  RunId id_of(std::string_view text);
  std::string text(RunId id) const { return id.text(names_.names()); }

  // --- What is known ---

  // The number of remembered runs that have not vanished.
  std::size_t known() const { return known_; }
  // Some remembered run has no start.
  bool knows_undated() const { return knows_undated_; }
  // The start of the n-th newest remembered run; empty if there are fewer.
  EpochMs nth_newest_start(std::size_t n) const;
  // Some remembered run turned out not to be true any more: each of the others is asked for again when it is
  // listed. One that cannot be read stays as it was, and is asked for until it can.
  void doubt();

  // --- Details ---

  // Marks the run as asked for in this collection. Returns false if it already was.
  bool ask(RunId id);
  // The open runs that are due to be read again, whether they are listed or not. `last_read_at` is T of the
  // last collection that could read all of them, `ends_shown` as in RunReading.
  std::vector<RunId> due_again(std::optional<SystemTime> last_read_at, bool ends_shown) const;

  void read(RunId id, const RunDetails& details, SystemTime now);
  void not_found(RunId id) { insert(id).asked = Asked::not_found; }
  void unreadable(RunId id, FailureReason reason) {
    insert(id).asked = reason == FailureReason::rate_limited ? Asked::rate_limited : Asked::failed;
  }
  // The details that were read say something else than what is remembered, beyond deleted files.
  bool contradicts_memory(RunId id) const;

  // --- Lists ---

  // Begins a list of the job's runs.
  void begin_list();
  // Adds a page of it. Appends the runs whose details are needed to `to_ask`.
  struct PageRows {
    bool anything_new = false;  // a run that no earlier page of this list had
    bool repeats = false;       // a run that an earlier page, or this one, already had
  };
  PageRows list(const std::vector<RunId>& page, std::vector<RunId>& to_ask);
  // The number of runs in the present list.
  std::size_t listed() const { return listed_; }
  // The list goes back to the oldest remembered run that is in it without missing one in between. False if it
  // has none of the remembered runs.
  bool list_overlaps() const;
  // Remembered runs that count, but that no list of this collection has.
  std::vector<RunId> unlisted() const;
  // No list has any of the remembered runs that count, although there are some.
  bool lost_all() const;
  // The lists are complete: what is in none of them does not count any more.
  void drop_unlisted();

  // --- For packing and for the choice of witnesses ---

  const RememberedRuns* before() const { return before_.get(); }
  const std::shared_ptr<const RememberedRuns>& shared_before() const { return before_; }
  SystemTime collected_at() const { return collected_at_; }
  double kept_from_ms() const { return kept_from_ms_; }
  const std::vector<std::string>& names() const { return names_.names(); }
  const std::vector<std::string>& databases() const { return databases_.names(); }
  const std::vector<RunRecord>& runs() const { return runs_; }  // ascending by id

  const RunRecord* find(RunId id) const;
  // Null if this collection has not read the run.
  const RunReading* reading_of(const RunRecord& run) const {
    return run.was_read() ? &readings_[run.reading] : nullptr;
  }
  // Null if the run is not remembered as one that is read again.
  const UnsettledRun* unsettled_before(const RunRecord& run) const;
  // As read now, else as remembered.
  RunRows rows_of(const RunRecord& run) const;
  EpochMs start_of(const RunRecord& run) const {
    return run.was_read() ? readings_[run.reading].started_at : run.started_at;
  }
  bool has_rows(const RunRecord& run) const {
    return run.was_read() ? readings_[run.reading].rows > 0 : run.first_row != RunRecord::kNone;
  }
  Worth worth_of(const RunRecord& run) const;
  // Whether the run is part of what is published.
  bool counts(const RunRecord& run) const;
  // The start of the newest run that is not dated too far ahead; empty if there is none.
  EpochMs newest_start() const;

 private:
  RunRecord* find(RunId id);
  RunRecord& insert(RunId id);
  void merge(const std::vector<RunRecord>& more);
  RunRows remembered_rows(const RunRecord& run) const;
  bool worth_asking(const UnsettledRun& run) const;
  bool asked_only_hourly(const UnsettledRun& run, bool ends_shown) const;
  bool needs_details(const RunRecord& run) const;
  bool is_old(EpochMs started_at, SystemTime first_seen) const;

  std::shared_ptr<const RememberedRuns> before_;
  const SystemTime collected_at_;
  double kept_from_ms_ = -std::numeric_limits<double>::infinity();
  std::vector<RunRecord> runs_;  // ascending by id
  std::size_t known_ = 0;
  std::size_t listed_ = 0;
  bool knows_undated_ = false;
  NameTable names_;      // that named ids point to
  NameTable databases_;  // that outcomes point to
  RunReadings readings_;
};

}  // namespace sqlbak_gateway::sqlbak
