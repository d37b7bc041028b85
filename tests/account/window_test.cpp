#include "sqlbak_gateway/account/window.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway {
namespace {

using std::chrono::hours;

constexpr hours kDay{24};
constexpr Duration kLookback = 2 * kDay;

JobSettings keeping(std::int64_t full_days, std::int64_t inc_days,
                    std::initializer_list<BackupType> enabled) {
  JobSettings settings;
  settings.full_retention_days = full_days;
  settings.inc_retention_days = inc_days;
  for (const BackupType type : enabled) settings.enabled_types.insert(type);
  return settings;
}

TEST(WindowTest, IsTheLookbackWithoutSettings) {
  EXPECT_EQ(window_of(kLookback, nullptr), kLookback);
}

TEST(WindowTest, IsTheLargestRetentionAndSevenDays) {
  const JobSettings settings = keeping(30, 40, {BackupType::full, BackupType::log});
  EXPECT_EQ(window_of(kLookback, &settings), 47 * kDay);
}

TEST(WindowTest, IgnoresTypesThatAreNotEnabled) {
  const JobSettings settings = keeping(30, 40, {BackupType::full});
  EXPECT_EQ(window_of(kLookback, &settings), 37 * kDay);
}

TEST(WindowTest, IsSevenDaysWithoutRetention) {
  const JobSettings settings = keeping(30, 40, {BackupType::folder});
  EXPECT_EQ(window_of(kLookback, &settings), 7 * kDay);
}

TEST(WindowTest, IsTheLookbackWhereThatIsLarger) {
  const JobSettings settings = keeping(1, 0, {BackupType::full});
  EXPECT_EQ(window_of(9 * kDay, &settings), 9 * kDay);
}

TEST(WindowTest, IsShortenedByANegativeRetention) {
  const JobSettings settings = keeping(-3, 0, {BackupType::full});
  EXPECT_EQ(window_of(kLookback, &settings), 4 * kDay);
  const JobSettings both = keeping(-3, 0, {BackupType::full, BackupType::log});
  EXPECT_EQ(window_of(kLookback, &both), 7 * kDay);
}

TEST(WindowTest, HoldsTheLargestRetention) {
  const JobSettings settings = keeping(kMaxRetentionDays, 0, {BackupType::full});
  EXPECT_EQ(window_of(kLookback, &settings).count(), (kMaxRetentionDays + 7.0) * kMillisecondsPerDay);
}

}  // namespace
}  // namespace sqlbak_gateway
