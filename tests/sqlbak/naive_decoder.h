// A second decoder, as naive as possible: it builds the whole document and looks things up, rule by rule as
// the contract words them. Slow, and written without a look at the other one, to be compared with it.
#pragma once

#include "sqlbak/decode.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace sqlbak_gateway::sqlbak::testing {

struct NaiveRun {
  EpochMs started_at;
  EpochMs finished_at;
  std::size_t entries = 0;
  bool all_final = true;
  std::map<BackupType, RunTally> tallies;
  std::map<BackupType, RunExtent> extents;
  std::map<std::tuple<std::string, BackupType>, EntryStatus> databases;
};

// Nothing where the document is refused.
std::optional<Page<Server>> naive_servers(std::string_view body);
std::optional<Page<Job>> naive_jobs(std::string_view body);
std::optional<Page<RunRow>> naive_runs(std::string_view body);
std::optional<NaiveRun> naive_run(std::string_view body);
std::optional<JobSettings> naive_settings(std::string_view body);
std::optional<AccountInfo> naive_account(std::string_view body);

}  // namespace sqlbak_gateway::sqlbak::testing
