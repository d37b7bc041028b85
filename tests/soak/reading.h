// Reads an answer as a strict client does: checks that every line is well formed, and collects what the
// checks of a soak need. It is a single pass without a map, because a soak reads millions of answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::soak {

// Value type.
struct Reading {
  std::string wrong;  // the first line that must not be there, and why; empty if there is none
  std::size_t series = 0;
  // Series about the account's servers and jobs, not about collecting them.
  std::size_t data_series = 0;
  std::uint64_t judged = 0;  // a fingerprint of the data without the ages: what is decided at T
  std::size_t ages = 0;      // known ages
  double age_hours = 0;      // the sum of the known ages
  std::size_t ages_of_zero = 0;

  std::optional<double> probe_success;
  std::optional<double> last_check;
  std::optional<double> last_attempt;
  std::optional<double> in_progress;
  std::optional<double> jobs_pending;
};

Reading read_answer(std::string_view exposition);

}  // namespace sqlbak_gateway::soak
