// A second decoder, as naive as possible, to compare the real one with: it builds the whole document and
// looks up one value after the other, rule by rule. It is slow, and was written without looking at the real
// one.
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

// Empty if the document is refused.
std::optional<Page<Server>> naive_servers(std::string_view body);
std::optional<Page<Job>> naive_jobs(std::string_view body);
std::optional<Page<RunRow>> naive_runs(std::string_view body);
std::optional<NaiveRun> naive_run(std::string_view body);
std::optional<JobSettings> naive_settings(std::string_view body);
std::optional<AccountInfo> naive_account(std::string_view body);

}  // namespace sqlbak_gateway::sqlbak::testing
