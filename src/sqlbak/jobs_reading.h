// JobsReading: all jobs of an account, read one after the other in the order of the list. A job that takes
// hundreds of requests waits, after these, until all others have had theirs. Not thread-safe.
#pragma once

#include "sqlbak/audit.h"
#include "sqlbak/job_reading.h"
#include "sqlbak_gateway/account/memory.h"
#include "sqlbak_gateway/account/snapshot.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sqlbak_gateway::sqlbak {

class JobsReading {
 public:
  // `memory` may be null. The context outlives the reading.
  JobsReading(CollectionContext& context, std::vector<Job> jobs, const AccountMemory* memory);

  // A request, and the job that the answer is for.
  struct Asked {
    std::size_t job = 0;
    JobRequest request;
  };
  bool has_next() const;
  Asked next();  // only if has_next()
  // Returns whether the answer could be used.
  bool on(const Asked& asked, const Answer& answer, SystemTime at);

  // How many jobs have been read completely, and how many have not.
  std::uint64_t read() const { return read_; }
  std::uint64_t pending() const { return jobs_.size() - read_; }
  // One for each job, in the order of the list; empty while the job has not been read completely.
  const std::vector<JobResult>& results() const { return results_; }
  // What is remembered of the jobs if the collection ends now, half-read ones included.
  std::vector<std::shared_ptr<const RememberedJob>> memory() const;

 private:
  // A job that is being read.
  struct Active {
    std::size_t index;
    JobReading reading;
    std::uint64_t asked = 0;
  };
  struct Known {
    std::shared_ptr<const RememberedJob> memory;
    std::shared_ptr<const JobSnapshot> last_good;
  };

  Known known(std::size_t job) const;
  void begin_audit();
  Active& begin(std::size_t job);
  Active* active(std::size_t job) const;
  void end(const Active& job);

  CollectionContext& context_;
  const std::vector<Job> jobs_;
  std::unordered_map<std::string, Known> known_;  // by job id
  std::optional<AuditedRun> audited_;
  std::vector<std::size_t> order_;  // the order in which the jobs are read
  std::size_t next_ = 0;            // in order_
  std::vector<std::unique_ptr<Active>> active_;
  std::vector<JobResult> results_;
  std::uint64_t read_ = 0;
};

}  // namespace sqlbak_gateway::sqlbak
