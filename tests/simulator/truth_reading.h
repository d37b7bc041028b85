// What truth.cpp and truth_jobs.cpp work on: an account as a perfect reader of the API's JSON understands it,
// in plain types.
#pragma once

#include "simulator/truth.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sqlbak_gateway::simulator::truth {

struct Entry {
  std::string type;    // "full", "diff", "log", "inc", "folder", "unknown"
  std::string status;  // trimmed, lower case
  std::string database;
  bool undeleted = false;  // a file that is not deleted, or no file at all
  std::optional<double> size;
};

struct Run {
  std::optional<double> started_ms;  // a JSON number
  std::optional<double> finished_ms;
  bool finished = false;
  std::vector<Entry> entries;
};

struct Server {
  std::string id, name, app_type, status;
};

struct Job {
  std::string id, name, server_id, server_name;
  std::optional<std::string> type;
  std::optional<bool> enabled;
  double first_there_ms = 0;
  std::set<std::string> enabled_types;
  std::map<std::string, std::int64_t> retention_days;  // by type; a type that is missing has none
  std::vector<Run> runs;                               // all that the API lists, whatever their age

  std::int64_t retention(const std::string& of_type) const {
    const auto found = retention_days.find(of_type);
    return found == retention_days.end() ? 0 : found->second;
  }
  // The larger of the lookback and a week more than the longest retention of its enabled types.
  double window_ms(const Question& question) const;
};

struct Reading {
  std::vector<Server> servers;
  std::vector<Job> jobs;
};
Reading read(const Account& account, const Knobs& knobs);

using Labels = std::vector<std::pair<std::string, std::string>>;
// name{…} with the labels in alphabetical order.
std::string series_name(const std::string& name, Labels labels);
// server_name, job_name, job_id, server_id, backup_type
Labels row_labels(const Job& job, const std::string& type);

inline double ms(SystemTime time) {
  return static_cast<double>(time.time_since_epoch().count());
}
inline constexpr double kHourMs = 3'600'000;
inline constexpr double kDayMs = 24 * kHourMs;

}  // namespace sqlbak_gateway::simulator::truth
