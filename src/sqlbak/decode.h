// Decoding: the body of an API answer to packed records, by the contract's rules for dynamic types. Nothing
// of the JSON is kept. Pure functions, safe to call from any thread.
//
// The answers come from a service whose API is only partly documented, so decoding is tolerant wherever that
// cannot make a metric lie: members never seen before are ignored, null and missing are the same, of a
// repeated member the last one stands. What is not recognised goes into the Notes, and decoding goes on. But
// what decides a metric and cannot be read is an Error for that document, never zero:
//   - a body that is not one whole JSON value (NaN, Infinity, a cut-off or continued document are not JSON);
//   - an envelope other than {"data": {...}};
//   - `list`, `backups`, `uploads`, `files` or `destinations` that are neither a list nor falsy;
//     falsy (null, missing, false, 0, "", {}) is an empty list.
// Any depth of nesting and any bytes are safe: no recursion, and memory in proportion to the body at worst.
// Invalid UTF-8 and halves of surrogate pairs in strings become U+FFFD. Errors are messages for an operator;
// their reason is bad_response.
//
// Ids are the text of the JSON: of a string its content, of a number its digits, without decimals where it
// has none (42.0 and 4.2e1 are "42"), exact at any size; true is "true".
#pragma once

#include "sqlbak_gateway/account/run.h"
#include "sqlbak_gateway/account/snapshot.h"
#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/sqlbak/notes.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::sqlbak {

// A page with more elements than this is an Error: the API was asked for a hundred.
inline constexpr std::size_t kMaxPageElements = 100'000;

// One page of a list.
template <typename Row>
struct Page {
  // In the list's order. A row whose id came before on this page has replaced that one, in its place. Rows
  // that cannot be identified are left out (jobs and runs; a server needs no id, and those without one are
  // never the same).
  std::vector<Row> rows;
  std::size_t elements = 0;            // of the list, with what was left out or replaced
  bool has_more = false;               // by truthiness: "false" is true
  std::optional<std::uint64_t> total;  // nothing where the API does not give a number
};

Result<Page<Server>> decode_servers(std::string_view body, Notes& notes);

// `server_name` is left empty: it is joined with the servers' list when both are complete.
Result<Page<Job>> decode_jobs(std::string_view body, Notes& notes);

// A row of a job's runs. Only the id is documented; whatever else it carries is read from the run's details.
struct RunRow {
  std::string id;  // never empty
  friend bool operator==(const RunRow&, const RunRow&) = default;
};
Result<Page<RunRow>> decode_runs(std::string_view body, Notes& notes);

// At most one T for each backup type (T has a member `type`), in the order they were added. Value type
// without heap memory.
template <typename T>
class PerType {
 public:
  using value_type = T;
  using const_iterator = const T*;

  // The one for `type`, made when there is none yet.
  T& of(BackupType type) {
    for (std::size_t i = 0; i < size_; ++i) {
      if (items_[i].type == type) return items_[i];
    }
    assert(size_ < kBackupTypeCount);
    items_[size_].type = type;
    return items_[size_++];
  }
  const T* find(BackupType type) const {
    const auto found = std::find_if(begin(), end(), [type](const T& item) { return item.type == type; });
    return found == end() ? nullptr : found;
  }
  const T* begin() const { return items_.data(); }
  const T* end() const { return items_.data() + size_; }
  T* begin() { return items_.data(); }
  T* end() { return items_.data() + size_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  std::array<T, kBackupTypeCount> items_{};
  std::size_t size_ = 0;
};

// What one run did: /jobruns/{id}.
struct RunDetails {
  EpochMs started_at;       // only a JSON number is one; fractions are kept
  EpochMs finished_at;      // of the run as a whole; nothing where the API gives no end
  std::size_t entries = 0;  // of `backups`
  bool all_final = true;    // every entry succeeded or failed; true of no entries at all

  // One per type among the entries, `folder` included; `open` is left false.
  PerType<RunTally> tallies;
  // Of the types that have an end (the latest of their entries', else the run's) or a size (the sum of their
  // succeeded entries').
  PerType<RunExtent> extents;
  // The last entry of each database and type, where entries name a database.
  std::vector<DatabaseOutcome> databases;
};
Result<RunDetails> decode_run(std::string_view body, Notes& notes);

Result<JobSettings> decode_settings(std::string_view body, Notes& notes);

// /me.
Result<AccountInfo> decode_account(std::string_view body, Notes& notes);

}  // namespace sqlbak_gateway::sqlbak
