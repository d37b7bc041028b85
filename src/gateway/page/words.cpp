#include "gateway/page/words.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <chrono>

namespace sqlbak_gateway::gateway {

std::string duration_in_words(Duration duration) {
  using std::chrono::floor;
  const auto ms = floor<std::chrono::milliseconds>(std::max(duration, Duration::zero())).count();
  if (ms < 1000) return std::to_string(ms) + " ms";
  const std::int64_t seconds = ms / 1000;
  const auto two_units = [](std::int64_t large, std::string_view unit, std::int64_t small,
                            std::string_view small_unit) {
    std::string text = std::to_string(large).append(" ").append(unit);
    if (small > 0) text.append(" ").append(std::to_string(small)).append(" ").append(small_unit);
    return text;
  };
  if (seconds < 10 && ms % 1000 >= 100)
    return std::to_string(seconds) + "." + std::to_string(ms % 1000 / 100) + " s";
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 600) return two_units(seconds / 60, "min", seconds % 60, "s");
  if (seconds < 3600) return std::to_string(seconds / 60) + " min";
  if (seconds < 86'400) return two_units(seconds / 3600, "h", seconds % 3600 / 60, "min");
  return two_units(seconds / 86'400, "d", seconds % 86'400 / 3600, "h");
}

std::string age_in_words(Duration age) {
  if (age < std::chrono::seconds(1)) return "0 s";
  return duration_in_words(std::chrono::floor<std::chrono::seconds>(age));
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string counted(std::uint64_t number, std::string_view singular, std::string_view plural) {
  return grouped(number).append(" ").append(number == 1 ? singular : plural);
}

std::string shortened(std::string_view text, std::size_t bytes) {
  const std::string_view kept = cut_to(text, bytes);
  return kept.size() == text.size() ? std::string(text) : std::string(kept) + "…";
}

std::string display_name(std::string_view name) {
  return shortened(trimmed(name).empty() ? std::string_view("(no name)") : name);
}

}  // namespace sqlbak_gateway::gateway
