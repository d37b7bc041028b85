// Runs begin, end, appear, vanish and cannot be read, at random. When the API is well again, what is known of
// them is right. There are many settled runs besides, so that the audit seldom repairs what is wrong.
#include "sqlbak/remembering.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sqlbak_gateway::sqlbak {
namespace {

using testing::CollectionRemembering;
using testing::Days;
using testing::Hours;
using testing::Id;
using ::testing::IsEmpty;
using testing::minutes;

class RandomRuns : public CollectionRemembering, public ::testing::WithParamInterface<std::uint64_t> {
 protected:
  RandomRuns() {
    turn(GetParam() % 2 == 0 ? "finished_at=on" : "finished_at=off");
    for (int i = kSettled; i >= 1; --i) add_run(job_id, Hours(24 + i));
  }

  void something_happens() {
    if (runs.empty() || random.below(8) == 0) {
      runs.push_back(add_run(job_id, minutes(1), {.status = "running", .open = true}));
      return;
    }
    const Id run = runs[random.below(runs.size())];
    switch (random.below(7)) {
      case 0:
        end(run);
        break;
      case 1:
      case 2:
        change([&](simulator::Account& account) { account.run(run).unlisted = !account.run(run).unlisted; });
        break;
      case 3:
      case 4:
        change(
            [&](simulator::Account& account) { account.run(run).unreadable = !account.run(run).unreadable; });
        break;
      case 5:
        heal();
        if (random.below(2) == 0) fail_with("endpoint=jobrun_details,status=500,path=" + details(run));
        if (random.below(3) == 0) fail_with("endpoint=jobrun_details,status=429,probability=0.5");
        break;
      default:
        turn(random.below(2) == 0 ? "page_size=7" : "page_size=100");
    }
  }
  // Ends the run if it is still running.
  void end(Id run) {
    const bool running = change([&](simulator::Account& account) {
      return account.run(run).entries[0].status == account.word("running");
    });
    if (running) finish_run(run, random.below(2) == 0 ? "failed" : "succeeded");
  }
  void everything_is_well() {
    heal();
    for (const Id run : runs) end(run);
    change([&](simulator::Account& account) {
      for (simulator::Run& run : account.job(job_id).runs) run.unlisted = run.unreadable = false;
    });
  }
  void collect_or_give_up() {
    const std::optional<std::uint64_t> most =
        random.below(4) == 0 ? std::optional(random.below(8)) : std::nullopt;
    collect({.seed = random.below(1000),
             .before_answer = [most](std::uint64_t answers) { return !most || answers < *most; }});
  }
  // How each run ended, by its start.
  using Ends = std::map<double, std::string>;
  static Ends shown(const JobSnapshot& job) {
    Ends ends;
    for (const RunTally& tally : job.runs->tallies) {
      ends[tally.started_at.milliseconds()] = tally.vanished        ? "vanished"
                                              : tally.open          ? "open"
                                              : tally.failed > 0    ? "failed"
                                              : tally.succeeded > 0 ? "succeeded"
                                                                    : "other";
    }
    return ends;
  }
  Ends truth() {
    return change([&](simulator::Account& account) {
      Ends ends;
      for (const simulator::Run& run : account.job(job_id).runs) {
        ends[EpochMs(*run.started_at).milliseconds()] =
            run.entries[0].status == account.word("failed") ? "failed" : "succeeded";
      }
      return ends;
    });
  }

  static constexpr int kSettled = 50;
  simulator::Random random{GetParam()};
  const Id job_id = add_job("job");
  std::vector<Id> runs;
};

TEST_P(RandomRuns, AreKnownAsTheyAreWhenTheApiIsWellAgain) {
  for (int i = 0; i < 60; ++i) {
    something_happens();
    collect_or_give_up();
    pass(minutes(1 + static_cast<int>(random.below(40))));
  }
  everything_is_well();
  pass(Hours(25));
  add_run(job_id, minutes(1));
  collect();
  pass(minutes(61));
  EXPECT_EQ(shown(job(collect(), "job")), truth());

  pass(Days(9));
  collect();
  pass(Hours(2));
  collect();
  EXPECT_EQ(requests("jobrun_details"), 0u);
  EXPECT_THAT(memory_->jobs[0]->runs->ids, IsEmpty());
  EXPECT_THAT(memory_->jobs[0]->runs->unsettled, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomRuns, ::testing::Range(std::uint64_t{1}, std::uint64_t{21}));

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
