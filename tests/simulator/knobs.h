// Knobs: the honest ways in which the real API may differ from what is known of it. With any setting the API
// tells the truth; lies and failures are faults (faults.h). Value type.
#pragma once

#include "simulator/random.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/result.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::simulator {

struct Knobs {
  // Rows of /jobruns besides their id.
  bool row_started_at = true;
  bool row_status = true;
  bool row_job_id = true;
  enum class Order { newest_first, oldest_first, shuffled };
  Order order = Order::newest_first;

  bool total = true;             // list envelopes carry page, page_size and total
  std::size_t page_size = 100;   // the most rows a page has, whatever is asked for
  bool ids_as_text = false;      // ids are JSON strings
  bool named_runs = false;       // ids of runs are no numbers ("run-10005")
  bool job_id_required = false;  // /jobruns without job_id is 400; else it lists the runs of all jobs

  // Members whose names are not certain; off: the member is not there.
  bool finished_at = true;     // of a run
  bool sizes = true;           // of entries and files
  bool database_names = true;  // of entries
  bool job_type = true;        // of a job
  bool job_enabled = true;     // of a job

  // started_after is cut to a multiple of this, down (more rows than asked for) or up (fewer).
  std::chrono::milliseconds filter_granularity{1};
  bool filter_rounds_up = false;

  // The API's clock less the true one. It moves the Date header, every instant shown, and how started_after
  // is read.
  std::chrono::milliseconds clock_skew{0};

  bool me = true;           // /me answers; off: 404
  bool maintenance = true;  // /jobs lists maintenance jobs without being asked for them
  bool gzip = false;        // answers are compressed for clients that accept it
};

// Sets one knob from text as `--knob` and the control endpoint take it: "order=oldest_first", "total=off",
// "filter_granularity=1d". Error with the names and what is expected.
Result<void> set_knob(Knobs& knobs, std::string_view assignment);
// One line of help for each knob.
std::vector<std::string> knob_help();
// Random knobs, except for the page size.
Knobs random_knobs(Random& random);

}  // namespace sqlbak_gateway::simulator
