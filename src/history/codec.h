// Encodes what is remembered of an account, in parts that change at different rates, so that a collection
// writes little:
//
//   header  a few bytes for each job; changes with every collection
//   lists   servers and jobs as last published; change when somebody renames something, or when a collection
//           has read a job only in part (they then have what was published of that job's runs)
//   job     settings, the results of runs that are no longer kept, open runs; changes when a run begins or
//           ends
//   chunk   the runs of a job that started on one day; today's chunk changes when a run ends
//
// changes() says which parts to write after a collection. Every part ends in a checksum. Decoding checks
// everything that it reads, and refuses bytes that are not valid. Pure functions, safe to call from any
// thread.
#pragma once

#include "sqlbak_gateway/account/memory.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sqlbak_gateway::history {

// By day since the epoch; runs without a start come last.
using Chunks = std::map<std::int64_t, std::string>;

struct EncodedAccount {
  std::string header;
  std::string lists;  // empty if nothing was published yet
};
EncodedAccount encode_account(const AccountMemory& memory);
std::string encode_job(const RememberedJob& job);
Chunks encode_chunks(const RememberedRuns& runs);

// The parts that differ between two memories of an account. The header is always written.
struct Changes {
  std::string header;
  std::optional<std::string> lists;         // empty if they are the same
  std::map<std::string, std::string> jobs;  // to write, by id
  std::vector<std::string> removed_jobs;    // to remove with all their chunks
  struct Chunk {
    std::string job;
    std::int64_t day = 0;
    std::optional<std::string> body;  // empty: to remove
  };
  std::vector<Chunk> chunks;
};
// From `before` (null: from nothing) to `after`.
Changes changes(const AccountMemory* before, const AccountMemory& after);

// Puts an account together from its parts: first its header and lists, then its jobs, then their chunks by
// day.
class AccountDecoder {
 public:
  // Each returns false if the bytes are damaged or do not fit together.
  bool account(std::string_view header, std::string_view lists);
  bool job(std::string_view body);
  bool chunk(std::string_view job_id, std::string_view body);
  std::shared_ptr<const AccountMemory> finish() &&;

 private:
  // Texts that occur repeatedly, by number.
  using Numbers = std::unordered_map<std::string, std::uint32_t>;
  struct Part {
    std::shared_ptr<RememberedJob> job;
    std::shared_ptr<RememberedRuns> runs;  // null if there are none
    Numbers names;
    Numbers databases;
    bool read = false;
  };
  bool published(std::string_view lists);

  const std::shared_ptr<const JobRuns> placeholder_runs_ = std::make_shared<const JobRuns>();
  const std::shared_ptr<const JobSettings> placeholder_settings_ = std::make_shared<const JobSettings>();
  std::shared_ptr<AccountMemory> memory_ = std::make_shared<AccountMemory>();
  std::shared_ptr<Snapshot> snapshot_;
  std::map<std::string, Part, std::less<>> parts_;
};

}  // namespace sqlbak_gateway::history
