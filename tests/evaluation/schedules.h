// Schedules as they are found in the field, as the runs they leave behind.
#pragma once

#include "evaluation/account_under_test.h"

namespace sqlbak_gateway::testing {

// kT is a Wednesday at noon.
inline constexpr double kLastMidnight = 12;  // hours before T

// At 20:00 of every weekday in the `weeks` before Monday of T's week, and on that Monday and Tuesday.
inline JobUnderTest every_weekday_evening(int weeks) {
  JobUnderTest job;
  const auto evening = [](int days_before_wednesday) {
    return hours_ago(kLastMidnight - 20 + 24 * days_before_wednesday);
  };
  for (int days = 1; days <= 2 + 7 * weeks; ++days) {
    const int weekday = ((3 - days) % 7 + 7) % 7;  // 0 is Sunday
    if (weekday != 0 && weekday != 6) job.ran(succeeded(BackupType::full, evening(days)));
  }
  return job;
}

// Every 15 minutes from 08:00 to 18:00 on weekdays.
inline JobUnderTest office_hours_logs(int weeks) {
  JobUnderTest job;
  job.enables({BackupType::log});
  for (int days = 0; days <= 2 + 7 * weeks; ++days) {
    const int weekday = ((3 - days) % 7 + 7) % 7;
    if (weekday == 0 || weekday == 6) continue;
    for (int quarter = 0; quarter <= 40; ++quarter) {
      const double ago = kLastMidnight + 24 * days - 8 - quarter * 0.25;
      if (ago >= 0) job.ran(succeeded(BackupType::log, hours_ago(ago)));
    }
  }
  return job;
}

}  // namespace sqlbak_gateway::testing
