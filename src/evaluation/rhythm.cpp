#include "evaluation/rhythm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace sqlbak_gateway::evaluation {
namespace {

constexpr std::size_t kFewestGaps = 4;  // between five successes
constexpr std::size_t kLatestGaps = 50;
constexpr double kPauseIsLongerThan = 7 * kMillisecondsPerDay;
constexpr double kWeekendIsSeenIn = 6 * kMillisecondsPerDay;
constexpr double kWeekend = 2 * kMillisecondsPerDay;
constexpr double kLeastSlack = 1.5 * kMillisecondsPerHour;  // an hour for a clock change, and the run itself
constexpr double kMostSlack = kMillisecondsPerDay;

// The latest gaps are enough for the typical gap, and follow a schedule that has changed.
double typical_gap(const std::vector<double>& gaps) {
  std::array<double, kLatestGaps> latest;
  const std::size_t count = std::min(gaps.size(), latest.size());
  std::copy(gaps.end() - static_cast<std::ptrdiff_t>(count), gaps.end(), latest.begin());
  const auto middle = latest.begin() + static_cast<std::ptrdiff_t>((count - 1) / 2);
  std::nth_element(latest.begin(), middle, latest.begin() + static_cast<std::ptrdiff_t>(count));
  return *middle;
}

bool may_be_pause(double gap, double typical) {
  return gap > kPauseIsLongerThan && gap > 3 * typical;
}

// The longest gap that belongs to the rhythm. A single long pause (holidays, a broken server) does not belong
// to it: it is longer than a week, than three typical gaps, and than twice any other gap.
double longest_usual(std::vector<double>& gaps, double typical) {
  const double longest = *std::max_element(gaps.begin(), gaps.end());
  if (!may_be_pause(longest, typical)) return longest;
  std::sort(gaps.begin(), gaps.end());
  auto usual = gaps.end() - 1;
  while (usual != gaps.begin() && may_be_pause(*usual, typical) && *usual > 2 * *(usual - 1)) --usual;
  return *usual;
}

// Puts the gaps between the `earlier` successes before the known ones, and moves the first. If no success is
// known, sets both ends.
void add_earlier(const std::vector<EpochMs>& earlier, std::vector<double>& gaps_ms, double& first_ms,
                 double& last_ms) {
  std::vector<double> gaps;  // the latest first
  for (auto success = earlier.rbegin(); success != earlier.rend(); ++success) {
    const double start = success->milliseconds();
    if (std::isnan(first_ms)) {
      last_ms = start;
    } else if (start < first_ms) {
      gaps.push_back(first_ms - start);
    } else {
      continue;
    }
    first_ms = start;
  }
  gaps_ms.insert(gaps_ms.begin(), gaps.rbegin(), gaps.rend());
}

}  // namespace

std::optional<Rhythm> rhythm(std::vector<double>& gaps_ms, double first_ms, double last_ms,
                             const std::vector<EpochMs>& earlier) {
  const bool tells_enough = gaps_ms.size() >= kFewestGaps && last_ms - first_ms >= kWeekendIsSeenIn;
  if (!tells_enough) add_earlier(earlier, gaps_ms, first_ms, last_ms);
  if (gaps_ms.size() < kFewestGaps) return std::nullopt;
  const double typical = typical_gap(gaps_ms);
  const double longest = longest_usual(gaps_ms, typical);
  const double unseen_weekend = last_ms - first_ms < kWeekendIsSeenIn ? kWeekend : 0;
  return Rhythm{typical, longest + std::clamp(longest / 2, kLeastSlack, kMostSlack) + unseen_weekend};
}

}  // namespace sqlbak_gateway::evaluation
