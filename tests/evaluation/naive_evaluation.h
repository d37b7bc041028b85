// The published exporter's metrics again, in the most obvious way: strings, maps and a pass per question. The
// oracle of tests and the yardstick of benchmarks; it shares nothing with the evaluation but its input.
#pragma once

#include "sqlbak_gateway/account/snapshot.h"

#include <map>
#include <string>
#include <tuple>

namespace sqlbak_gateway::testing {

struct NaiveSample {
  std::string name;
  std::map<std::string, std::string> labels;
  friend bool operator<(const NaiveSample& a, const NaiveSample& b) {
    return std::tie(a.name, a.labels) < std::tie(b.name, b.labels);
  }
};

// Judged at the snapshot's T, with ages at `at`.
std::map<NaiveSample, double> naive_published_metrics(const Snapshot& snapshot, Duration lookback,
                                                      SystemTime at);

}  // namespace sqlbak_gateway::testing
