// A job that stops is late, and stays late, although its successes leave the window: its rhythm is
// remembered.
#include "sqlbak/collected_account.h"
#include "sqlbak_gateway/evaluation/prepared.h"

#include <string>
#include <vector>

namespace sqlbak_gateway::sqlbak {
namespace {

using testing::Days;
using testing::Hours;
using testing::Id;

class AJobThatStops : public testing::CollectedAccount {
 protected:
  struct Hour {
    int hour;
    evaluation::JobState state;
    double max_age_hours;
  };

  // Collects every six hours for the given time. `meanwhile` may add runs before each collection.
  template <typename Meanwhile>
  std::vector<Hour> watch(Duration time, Meanwhile meanwhile) {
    std::vector<Hour> hours;
    const SystemTime begin = clock_.system_now();
    while (clock_.system_now() - begin < time) {
      meanwhile();
      const CollectionOutcome outcome = collect();
      const evaluation::PreparedAccount account = evaluation::prepare(outcome.snapshot, {});
      const evaluation::PreparedJob& job = *account.jobs.at(0);
      const auto hour = std::chrono::duration_cast<Hours>(clock_.system_now() - begin).count();
      const auto& max_age = job.rows.at(0).max_age;
      hours.push_back({static_cast<int>(hour), job.state, max_age ? max_age->seconds / 3600 : -1});
      pass(Hours(6));
    }
    return hours;
  }
  std::vector<Hour> watch(Duration time) {
    return watch(time, [] {});
  }
  static void late_from(int hour, const std::vector<Hour>& hours) {
    for (const Hour& at : hours) {
      EXPECT_EQ(at.state == evaluation::JobState::late, at.hour >= hour)
          << at.hour << " h: " << evaluation::name(at.state) << ", max_age " << at.max_age_hours;
    }
  }
};

TEST_F(AJobThatStops, IsLateAfterADayAndAHalfWhereItWasDaily) {
  const Id job = add_job("daily");
  for (int day = 0; day < 45; ++day) add_run(job, Days(day) + Hours(1));
  late_from(36, watch(Days(60)));
}

TEST_F(AJobThatStops, IsLateHoweverLongItsBackupsAreKept) {
  const Id job = add_job("daily", 7);
  for (int day = 0; day < 45; ++day) add_run(job, Days(day) + Hours(1));
  late_from(36, watch(Days(60)));
}

TEST_F(AJobThatStops, IsLateForAsLongAsItTakesWhereItWasWeekly) {
  const Id job = add_job("weekly", 30);
  for (int week = 0; week < 12; ++week) add_run(job, Days(7 * week) + Hours(1));
  late_from(24 * 8, watch(Days(90)));
}

TEST_F(AJobThatStops, HasTheSameMaxAgeAsLongAsItRunsAndAfterwards) {
  const Id job = add_job("daily");
  for (int day = 1; day < 10; ++day) add_run(job, Days(day));
  for (const Hour& at : watch(Days(20), [&, n = 0]() mutable {
         if (n++ % 4 == 0) add_run(job, std::chrono::minutes(0));
       })) {
    EXPECT_EQ(at.max_age_hours, 36) << at.hour;
  }
  for (const Hour& at : watch(Days(60))) EXPECT_EQ(at.max_age_hours, 36) << at.hour;
  for (const auto& type : memory_->jobs[0]->remembered->types) {
    EXPECT_LE(type.successes.size(), RememberedType::kSuccesses);
  }
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
