#include "soak/truth_told.h"

namespace sqlbak_gateway::soak {
namespace {

using simulator::Series;

std::string name_of(const std::string& key) {
  return key.substr(0, key.find('{'));
}

// The truth does not cover collecting and what is inferred. It treats a retention that has changed as if it
// had always been so.
bool is_decided(const std::string& key, const Told& told) {
  static const std::set<std::string> kSilent = {"probe_success",      "probe_duration_seconds",
                                                "sqlbak_endpoint_up", "sqlbak_job_expected_interval_seconds",
                                                "sqlbak_jobs",        "sqlbak_last_check_timestamp"};
  static const std::set<std::string> kRemembered = {
      "sqlbak_job_last_success_timestamp_seconds", "sqlbak_job_last_attempt_timestamp_seconds",
      "sqlbak_job_last_attempt_success", "sqlbak_job_consecutive_failures"};
  const std::string name = name_of(key);
  if (kSilent.contains(name) || name.starts_with("sqlbak_collection_")) return false;
  if (key.find("source=\"inferred\"") != key.npos) return false;
  // In the truth, entries that neither succeeded nor failed have a size too.
  if (told.odd && name == "sqlbak_job_last_size_bytes") return false;
  if (told.churns && (kRemembered.contains(name) || name == "sqlbak_job_overdue")) return false;
  if (name == "sqlbak_job_overdue") {
    // Only `full` has a configured maximum.
    const std::size_t id = key.find("job_id=\"") + 8;
    return told.initial_jobs.contains(key.substr(id, key.find('"', id) - id)) &&
           key.find("backup_type=\"full\"") != key.npos;
  }
  return true;
}

bool as_kept(const std::string& key, const Series& kept, const Series& seen) {
  static const std::set<std::string> kOfKeptRuns = {
      "sqlbak_job_databases_failing", "sqlbak_job_last_duration_seconds", "sqlbak_job_last_size_bytes",
      "sqlbak_job_retention_violation"};
  if (!kOfKeptRuns.contains(name_of(key))) return false;
  const auto a = kept.find(key);
  const auto b = seen.find(key);
  if (a == kept.end()) return true;
  return b != seen.end() && a->second == b->second;
}

}  // namespace

std::string difference_told(const Series& remembered, const Series& kept, const Series& seen,
                            const Told& told) {
  const auto decided = [&](const Series& series) {
    Series rest;
    for (const auto& [key, value] : series) {
      if (is_decided(key, told) && !as_kept(key, kept, seen)) rest.emplace(key, value);
    }
    return rest;
  };
  return simulator::difference(decided(remembered), decided(seen));
}

}  // namespace sqlbak_gateway::soak
