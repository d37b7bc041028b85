#include "sqlbak_gateway/account/window.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace sqlbak_gateway {

std::chrono::duration<double, std::milli> window_of(Duration lookback, const JobSettings* settings) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  if (!settings) return lookback;
  std::optional<std::int64_t> largest;
  for (const BackupType type : kBackupTypes) {
    if (!settings->enabled_types.contains(type)) continue;
    largest = std::max(largest, std::optional(settings->retention_days(type)));
  }
  const Milliseconds retention(static_cast<double>(largest.value_or(0)) * kMillisecondsPerDay);
  return std::max<Milliseconds>(lookback, retention + kRetentionReserve);
}

}  // namespace sqlbak_gateway
