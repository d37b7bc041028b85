// SampleWriter appends metric families and samples to a text.
#pragma once

#include "sqlbak_gateway/exposition/catalogue.h"

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::exposition {

// The value of a series that is left out, because it is not known.
inline constexpr double kNoSample = std::numeric_limits<double>::quiet_NaN();

template <typename T>
double or_no_sample(const std::optional<T>& value) {
  return value ? static_cast<double>(*value) : kNoSample;
}

inline constexpr std::size_t kLongestValue = 32;  // bytes of any double as text

// Appends name="value" after a comma unless it is the first. The value is made valid UTF-8, shortened to
// `most_bytes`, and escaped.
void append_label(std::string& labels, std::string_view name, std::string_view value,
                  std::size_t most_bytes = std::string::npos);

class SampleWriter {
 public:
  explicit SampleWriter(std::string& out) : out_(out) {}
  SampleWriter(const SampleWriter&) = delete;
  SampleWriter& operator=(const SampleWriter&) = delete;
  ~SampleWriter() { end_family(); }

  // Begins the samples of a metric. A family without samples is not written.
  void family(const Metric& metric);
  // Writes a sample with both parts of its labels, which must be escaped; writes nothing if the value is NaN.
  void sample(std::string_view labels, std::string_view labels_after, double value);
  void sample(double value) { sample({}, {}, value); }

 private:
  void end_family();

  std::string& out_;
  std::string_view name_;
  std::size_t family_start_ = 0;
  std::size_t samples_start_ = 0;
};

}  // namespace sqlbak_gateway::exposition
