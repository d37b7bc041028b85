// A strict reader of the text format 0.0.4, for looking at what was rendered. It refuses what Prometheus or
// its tools would stumble over: families that are not grouped, a HELP or TYPE that is missing, doubled or
// late, a series that is there twice, a timestamp, bytes that are not UTF-8.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace sqlbak_gateway::testing {

using Labels = std::map<std::string, std::string>;

struct Series {
  std::string name;
  Labels labels;
  friend bool operator<(const Series& a, const Series& b) {
    return std::tie(a.name, a.labels) < std::tie(b.name, b.labels);
  }
};

struct ParsedExposition {
  std::string fault;  // why the text was refused; empty: it is well-formed
  std::map<Series, double> samples;
  std::map<std::string, std::string> types;  // by family
  std::map<std::string, std::string> helps;  // by family
  std::vector<std::string> families;         // in their order

  bool has(const std::string& name) const { return types.contains(name); }
  // The value of a series; NaN when it is not there.
  double value(const std::string& name, const Labels& labels = {}) const;
};

// What was read up to the first fault.
ParsedExposition parse_exposition(std::string_view text);

}  // namespace sqlbak_gateway::testing
