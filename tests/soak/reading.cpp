#include "soak/reading.h"

#include <charconv>
#include <cmath>
#include <functional>

namespace sqlbak_gateway::soak {
namespace {

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool in_name(char c) {
  return begins_name(c) || (c >= '0' && c <= '9');
}

// Takes a name off the front; empty if there is none.
std::string_view take_name(std::string_view& rest) {
  if (rest.empty() || !begins_name(rest.front())) return {};
  std::size_t end = 1;
  while (end < rest.size() && in_name(rest[end])) ++end;
  const std::string_view name = rest.substr(0, end);
  rest.remove_prefix(end);
  return name;
}

// Takes {label="value",…} off the front.
bool take_labels(std::string_view& rest) {
  rest.remove_prefix(1);
  while (true) {
    if (take_name(rest).empty() || !rest.starts_with("=\"")) return false;
    std::size_t end = 2;
    for (; end < rest.size() && rest[end] != '"'; ++end) {
      if (rest[end] != '\\') continue;
      ++end;
      if (end == rest.size() || (rest[end] != '\\' && rest[end] != '"' && rest[end] != 'n')) return false;
    }
    if (end >= rest.size()) return false;
    rest.remove_prefix(end + 1);
    if (rest.starts_with('}')) break;
    if (!rest.starts_with(',')) return false;
    rest.remove_prefix(1);
  }
  rest.remove_prefix(1);
  return true;
}

bool about_the_reader(std::string_view name) {
  return name.starts_with("probe_") || name.starts_with("sqlbak_collection_") ||
         name == "sqlbak_endpoint_up" || name == "sqlbak_last_check_timestamp" ||
         name == "sqlbak_jobruns_available" || name == "sqlbak_jobsettings_available";
}

std::optional<double>* kept(Reading& reading, std::string_view name) {
  if (name == "probe_success") return &reading.probe_success;
  if (name == "sqlbak_last_check_timestamp") return &reading.last_check;
  if (name == "sqlbak_collection_last_attempt_timestamp_seconds") return &reading.last_attempt;
  if (name == "sqlbak_collection_in_progress") return &reading.in_progress;
  if (name == "sqlbak_collection_jobs_pending") return &reading.jobs_pending;
  return nullptr;
}

// What is wrong with the line; empty if nothing is.
std::string_view read_line(Reading& reading, std::string_view line) {
  if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) return {};
  std::string_view rest = line;
  const std::string_view name = take_name(rest);
  if (name.empty()) return "no name";
  if (rest.starts_with('{') && !take_labels(rest)) return "malformed labels";
  const std::string_view block = line.substr(0, line.size() - rest.size());
  if (!rest.starts_with(' ')) return "no value";
  rest.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc{} || end != rest.data() + rest.size() || !std::isfinite(value)) {
    return "the value is no finite number";
  }
  ++reading.series;
  if (about_the_reader(name)) {
    if (value < 0) return "a negative value";
    if (std::optional<double>* place = kept(reading, name)) *place = value;
    return {};
  }
  ++reading.data_series;
  const bool age = name == "sqlbak_job_last_success_age_hours" ||
                   (name == "sqlbak_job_summary" &&
                    block.find("metric=\"last_success_age_hours\"") != std::string_view::npos);
  if (value < 0 && !(age && value == -1)) return "a negative value";
  if (age && value >= 0) {
    ++reading.ages;
    reading.age_hours += value;
    if (value == 0) ++reading.ages_of_zero;
  }
  reading.judged =
      reading.judged * 0x100000001b3u + std::hash<std::string_view>{}(age && value >= 0 ? block : line);
  return {};
}

}  // namespace

Reading read_answer(std::string_view exposition) {
  Reading reading;
  while (!exposition.empty() && reading.wrong.empty()) {
    const std::size_t end = exposition.find('\n');
    if (end == std::string_view::npos) {
      reading.wrong = "the last line is cut off";
      break;
    }
    const std::string_view line = exposition.substr(0, end);
    exposition.remove_prefix(end + 1);
    if (const std::string_view wrong = read_line(reading, line); !wrong.empty()) {
      reading.wrong.append(wrong).append(": ").append(line);
    }
  }
  return reading;
}

}  // namespace sqlbak_gateway::soak
