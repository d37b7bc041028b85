// JobReading: one job's part of a collection: which of its requests comes next, and what the answers mean.
//
// The order is: settings if they are due, and the run that is audited; the list of the job's runs, and at the
// same time the details of those that are new or open; runs that the list leaves out; backups past their
// retention. docs/remembering.md explains the rules. Pure, like Collection. Not thread-safe.
#pragma once

#include "sqlbak/run_ledger.h"
#include "sqlbak/run_listing.h"
#include "sqlbak/run_packing.h"
#include "sqlbak_gateway/account/memory.h"
#include "sqlbak_gateway/account/snapshot.h"
#include "sqlbak_gateway/sqlbak/collection.h"
#include "sqlbak_gateway/sqlbak/notes.h"
#include "sqlbak_gateway/sqlbak/request.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sqlbak_gateway::sqlbak {

// What all jobs of a collection share. It outlives their readings.
struct CollectionContext {
  CollectionPlan plan;
  Notes notes;
  std::uint64_t runs_known = 0;    // of all jobs: remembered, or listed now
  std::uint64_t details_read = 0;  // details that could be read
  bool runs_show_end = false;      // as in AccountMemory
};

// A request of a job.
struct JobRequest {
  Endpoint endpoint = Endpoint::settings;  // settings, jobruns or jobrun_details
  RunId run;                               // of jobrun_details
  std::string target;
};

struct JobResult {
  std::shared_ptr<const RememberedJob> memory;  // from now on; of what was read so far if not done
  std::shared_ptr<const JobSnapshot> snapshot;  // null if not done
  bool settings_read = true;                    // or kept, and not due
  bool runs_listed = true;                      // and one of them, if there are any, could be read
  std::uint64_t runs_failed = 0;                // they make jobruns_available 0
  std::uint64_t runs_left_out = 0;              // they do not any more
  std::uint64_t runs_newly_left_out = 0;        // those among them that are left out since this collection
  bool contradicted = false;                    // the audit found that a remembered run has changed
};

// The runs whose details a job needs, in the order in which they are asked for.
class DetailsQueue {
 public:
  void add(RunId run) { runs_.push_back(run); }
  bool has_next() const { return next_ < runs_.size(); }
  RunId next() {
    ++in_flight_;
    return runs_[next_++];
  }
  void answered() { --in_flight_; }
  // Drops what was not asked for yet.
  void clear() {
    runs_.clear();
    next_ = 0;
  }
  bool is_idle() const { return !has_next() && in_flight_ == 0; }

 private:
  std::vector<RunId> runs_;
  std::size_t next_ = 0;
  std::size_t in_flight_ = 0;
};

class JobReading {
 public:
  // `before` may be null: the job was never seen. `last_good` may be null; it is what was published of the
  // job last. `audited`, a settled run of `before`, is read again.
  JobReading(CollectionContext& context, Job job, std::shared_ptr<const RememberedJob> before,
             std::shared_ptr<const JobSnapshot> last_good, std::optional<RunId> audited);
  JobReading(const JobReading&) = delete;
  JobReading& operator=(const JobReading&) = delete;

  bool has_next() const;
  JobRequest next();
  // Returns whether the answer could be used.
  bool on(const JobRequest& request, const Answer& answer, SystemTime now);
  bool done() const { return std::holds_alternative<Done>(stage_); }

  // The result, or what has been read so far.
  JobResult result() const;

 private:
  struct Opening {};    // settings and audit
  struct LookingUp {};  // the details of runs that the list leaves out
  struct Witnesses {    // the details of backups past their retention
    Coverage coverage;
    std::size_t at_once = 1;  // of each type; doubles with each round
  };
  struct Done {
    std::optional<Coverage> coverage;  // empty: the runs could not be listed
  };
  enum class SettingsStep { kept, due, asked, read, failed };
  enum class Audit {
    agrees,        // as far as is known
    contradicted,  // the audited run has changed
    doubted,       // likewise, and all runs of the job are therefore read afresh
  };

  SystemTime now() const { return context_.plan.started_at; }
  bool settings_due() const;
  // The window, and how far back runs are kept, which may be further.
  std::chrono::milliseconds window() const;
  std::chrono::milliseconds reach() const;
  bool doubted_lately() const;
  void ask(RunId run);

  void advance();
  void open_listing();
  void list(RunListing::Extent extent, SystemTime started_after);
  void list_whole(RunListing::Extent extent);
  std::optional<SystemTime> start_of_overlap() const;
  void close_listing(const RunListing& listing);
  bool ask_for_witnesses(Witnesses& round);

  bool on_settings(const Answer& answer);
  bool on_page(const Answer& answer);
  void add_rows(RunListing& listing, const std::vector<RunRow>& rows, bool has_more);
  bool on_details(RunId run, const Answer& answer, SystemTime now);
  void audit();

  std::optional<Coverage> coverage() const;
  std::shared_ptr<RememberedJob> memory_without_runs() const;
  void remember_runs(RememberedJob& memory, const PackedJob& packed) const;
  std::shared_ptr<const JobSnapshot> published(const RememberedJob& memory, bool runs_current) const;

  CollectionContext& context_;
  const Job job_;
  const std::shared_ptr<const RememberedJob> before_;
  const std::shared_ptr<const JobSnapshot> last_good_;
  const std::optional<RunId> audited_;
  RunLedger ledger_;
  DetailsQueue details_;
  std::variant<Opening, RunListing, LookingUp, Witnesses, Done> stage_;
  Audit audit_ = Audit::agrees;

  SettingsStep settings_step_ = SettingsStep::kept;
  std::shared_ptr<const JobSettings> settings_;  // as read now, else the last good ones; null: none yet
  std::optional<SystemTime> settings_read_at_;
};

}  // namespace sqlbak_gateway::sqlbak
