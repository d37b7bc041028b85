// Decoding: from the body of an API answer to packed records. Nothing of the JSON is kept. Pure functions,
// safe to call from any thread.
//
// The API is only partly documented, so decoding is tolerant wherever that cannot make a metric wrong:
// unknown members are ignored, null and missing are the same, and the last of repeated members counts.
// Unrecognised values go into the Notes, and decoding goes on. But an unreadable value that decides a metric
// is an Error for its document, never zero:
//   - a body that is not one whole JSON value (NaN, Infinity, a cut-off or continued document are not JSON);
//   - an envelope other than {"data": {...}};
//   - `list`, `backups`, `uploads`, `files` or `destinations` that are neither a list nor falsy;
//     falsy (null, missing, false, 0, "", {}) is an empty list.
// Any depth of nesting and any bytes are safe: there is no recursion, and memory is at worst in proportion to
// the body. Invalid UTF-8 and halves of surrogate pairs in strings become U+FFFD. Errors are messages for an
// operator, and their reason is bad_response.
//
// An id is text: the content of a string, or the digits of a number, exact at any size and without decimals
// if they are zero (42.0 and 4.2e1 are "42"); true is "true".
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

// A page with more elements than this is an Error. The API is asked for a hundred.
inline constexpr std::size_t kMaxPageElements = 100'000;

// One page of a list.
template <typename Row>
struct Page {
  // In the order of the list. The last of several rows with one id stands in the place of the first. Jobs and
  // runs without an id are left out; a server needs none, and servers without one are never the same.
  std::vector<Row> rows;
  std::size_t elements = 0;            // of the list, including those left out or replaced
  bool has_more = false;               // by truthiness: the string "false" is true
  std::optional<std::uint64_t> total;  // empty if the API gives no number
};

Result<Page<Server>> decode_servers(std::string_view body, Notes& notes);

// `server_name` is left empty: Collection fills it in once both lists are complete.
Result<Page<Job>> decode_jobs(std::string_view body, Notes& notes);

// A row of the list of a job's runs. Only its id is used: the run's details have the rest.
struct RunRow {
  std::string id;  // never empty
  friend bool operator==(const RunRow&, const RunRow&) = default;
};
Result<Page<RunRow>> decode_runs(std::string_view body, Notes& notes);

// At most one T for each backup type, in the order in which they were added. T has a member `type`. Value
// type without heap memory.
template <typename T>
class PerType {
 public:
  using value_type = T;
  using const_iterator = const T*;

  // The one for `type`, which is added if there is none yet.
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
  EpochMs finished_at;      // of the run as a whole; empty if the API gives no end
  std::size_t entries = 0;  // of `backups`
  bool all_final = true;    // every entry succeeded or failed; true if there are no entries

  // One for each type among the entries, `folder` included. `open` is false.
  PerType<RunTally> tallies;
  // One for each type that has an end (the latest of its entries, else that of the run) or a size (the sum of
  // its succeeded entries).
  PerType<RunExtent> extents;
  // The last entry of each database and type, if entries name a database.
  std::vector<DatabaseOutcome> databases;
};
Result<RunDetails> decode_run(std::string_view body, Notes& notes);

Result<JobSettings> decode_settings(std::string_view body, Notes& notes);

// /me.
Result<AccountInfo> decode_account(std::string_view body, Notes& notes);

}  // namespace sqlbak_gateway::sqlbak
