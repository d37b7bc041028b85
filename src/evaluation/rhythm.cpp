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
constexpr double kLeastSlack = kMillisecondsPerHour;  // a clock change, and the run itself
constexpr double kMostSlack = kMillisecondsPerDay;

// The latest are enough to tell the typical gap, and follow a schedule that was changed.
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

// The longest of the gaps that belongs to the rhythm. A pause (holidays, a broken server) does not: one that
// stands alone, longer than a week, more than three typical gaps and more than twice as long as any other.
double longest_usual(std::vector<double>& gaps, double typical) {
  const double longest = *std::max_element(gaps.begin(), gaps.end());
  if (!may_be_pause(longest, typical)) return longest;
  std::sort(gaps.begin(), gaps.end());
  auto usual = gaps.end() - 1;
  while (usual != gaps.begin() && may_be_pause(*usual, typical) && *usual > 2 * *(usual - 1)) --usual;
  return *usual;
}

// The span of what there is then.
double add_earlier(const Successes& known, const std::vector<EpochMs>& earlier) {
  double first = known.first_ms;
  double last = known.last_ms;
  std::vector<double> gaps;  // the latest first
  for (auto success = earlier.rbegin(); success != earlier.rend(); ++success) {
    const double start = success->milliseconds();
    if (std::isnan(first)) {
      last = start;
    } else if (start < first) {
      gaps.push_back(first - start);
    } else {
      continue;
    }
    first = start;
  }
  known.gaps_ms.insert(known.gaps_ms.begin(), gaps.rbegin(), gaps.rend());
  return last - first;
}

}  // namespace

std::optional<Rhythm> rhythm(Successes known, const std::vector<EpochMs>& earlier) {
  double span = known.last_ms - known.first_ms;
  const bool tells_enough = known.gaps_ms.size() >= kFewestGaps && span >= kWeekendIsSeenIn;
  if (!tells_enough && !earlier.empty()) span = add_earlier(known, earlier);
  return rhythm(known.gaps_ms, span);
}

std::optional<Rhythm> rhythm(std::vector<double>& gaps_ms, double span_ms) {
  if (gaps_ms.size() < kFewestGaps) return std::nullopt;
  const double typical = typical_gap(gaps_ms);
  const double longest = longest_usual(gaps_ms, typical);
  const double unseen_weekend = span_ms < kWeekendIsSeenIn ? kWeekend : 0;
  return Rhythm{typical, longest + std::clamp(longest / 2, kLeastSlack, kMostSlack) + unseen_weekend};
}

}  // namespace sqlbak_gateway::evaluation
