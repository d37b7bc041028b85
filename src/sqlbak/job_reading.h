// JobReading: one job's part of a collection: which of its requests comes next, and what their answers make
// of it.
//
// In order: settings where they are due; the list of its runs, and beside it the details of those that are
// not known or not settled; runs that the list leaves out; files past their retention. The rules are
// explained in docs/architecture.md ("What makes remembering exact"). Pure, like Collection. Not
// thread-safe.
#pragma once

#include "sqlbak/run_ledger.h"
#include "sqlbak_gateway/account/memory.h"
#include "sqlbak_gateway/account/snapshot.h"
#include "sqlbak_gateway/sqlbak/collection.h"
#include "sqlbak_gateway/sqlbak/notes.h"
#include "sqlbak_gateway/sqlbak/request.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sqlbak_gateway::sqlbak {

// What all jobs of a collection share. Outlives their readings.
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
  std::shared_ptr<const RememberedJob> memory;  // from now on; half of it when the reading is not done
  std::shared_ptr<const JobSnapshot> snapshot;  // null when it is not done
  bool settings_read = true;                    // or kept, and not due
  bool runs_listed = true;                      // and, where there are any, one could be read
  std::uint64_t runs_failed = 0;                // they make jobruns_available 0
  std::uint64_t runs_left_out = 0;              // they do not any more
  std::uint64_t runs_newly_left_out = 0;        // of them: since this collection
  bool contradicted = false;                    // the audit found a remembered run changed
};

class JobReading {
 public:
  // `before` may be null: the job was never seen. `last_good` may be null: what was published of it last.
  // `audited`, a settled run of `before`, is read again, whatever is known of it.
  JobReading(CollectionContext& context, Job job, std::shared_ptr<const RememberedJob> before,
             std::shared_ptr<const JobSnapshot> last_good, std::optional<RunId> audited);
  JobReading(const JobReading&) = delete;
  JobReading& operator=(const JobReading&) = delete;

  bool has_next() const;
  JobRequest next();
  // True: the answer could be used.
  bool on(const JobRequest& request, const Answer& answer, SystemTime now);
  bool done() const { return stage_ == Stage::done; }

  // What it came to, or what has been read so far.
  JobResult result() const;

 private:
  // opening: settings and audit. unlisted: the details of runs that the listing left out. witnesses: those of
  // runs whose files are past their retention.
  enum class Stage { opening, listing, unlisted, witnesses, done };
  enum class Step { none, due, asked };

  SystemTime now() const { return context_.plan.started_at; }
  bool settings_due() const;
  // 5.1's window, and how far back runs are kept, which may be further.
  std::chrono::milliseconds window() const;
  std::chrono::milliseconds reach() const;
  bool doubted_lately() const;
  void ask(RunId run);
  bool waits_for_details() const { return asked_ < to_ask_.size() || in_flight_ > 0; }
  void advance();
  void open_listing();
  void list_from(SystemTime started_after);
  void list_whole();
  void list_again();
  std::optional<SystemTime> start_of_overlap() const;
  void close_listing();
  bool ask_for_witnesses();
  bool on_settings(const Answer& answer);
  bool on_page(const Answer& answer);
  bool on_details(RunId run, const Answer& answer, SystemTime now);

  CollectionContext& context_;
  const Job job_;
  const std::shared_ptr<const RememberedJob> before_;
  const std::shared_ptr<const JobSnapshot> last_good_;
  const std::optional<RunId> audited_;
  RunLedger ledger_;
  Stage stage_ = Stage::opening;

  Step settings_step_ = Step::none;
  std::shared_ptr<const JobSettings> settings_;  // those of now, or the last good ones
  std::optional<SystemTime> settings_read_at_;
  bool settings_failed_ = false;

  Step page_step_ = Step::none;
  std::uint32_t page_ = 0;
  SystemTime started_after_{};
  bool whole_ = false;  // the listing goes back as far as it can
  bool listed_again_ = false;
  bool shifted_ = false;                // rows moved between its pages
  bool doubtful_ = false;               // it leaves out what is there
  std::size_t witnesses_at_once_ = 1;   // of each type; doubles with each round
  std::optional<std::uint64_t> total_;  // as the last page said
  bool listing_failed_ = false;
  bool contradicted_ = false;
  bool doubted_ = false;  // … and all that is known of the runs with it

  std::vector<RunId> to_ask_;  // from asked_ on
  std::size_t asked_ = 0;
  std::size_t in_flight_ = 0;
};

}  // namespace sqlbak_gateway::sqlbak
