// The fixture of the tests about what a collection remembers.
#pragma once

#include "sqlbak/collected_account.h"
#include "sqlbak_gateway/evaluation/prepared.h"

#include <cstdint>
#include <string>

namespace sqlbak_gateway::sqlbak::testing {

class CollectionRemembering : public testing::CollectedAccount {
 protected:
  CollectionRemembering() { plan_.settings_ttl = Hours(1); }
  static std::string details(Id run) { return "/jobruns/" + std::to_string(run); }
  static evaluation::PreparedRow full_row(const CollectionOutcome& outcome) {
    return evaluation::prepare(outcome.snapshot, {}).jobs.at(0)->rows.at(0);
  }
  // Makes a job "job" whose runs were read, and which say since then that they failed.
  void three_runs_that_changed() {
    const Id job_id = add_job("job");
    for (int i = 3; i >= 1; --i) add_run(job_id, Hours(i));
    collect();
    change([&](simulator::Account& account) {
      for (simulator::Run& run : account.job(job_id).runs) run.entries[0].status = account.word("failed");
    });
  }
  // One remembered run more is read again in every collection.
  static constexpr std::uint64_t kAudit = 1;
};

}  // namespace sqlbak_gateway::sqlbak::testing
