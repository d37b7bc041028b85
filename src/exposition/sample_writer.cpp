#include "exposition/sample_writer.h"

#include "sqlbak_gateway/base/text.h"

#include <charconv>
#include <cmath>

namespace sqlbak_gateway::exposition {
namespace {

// Writes the shortest text that reads back as the same number, and whole numbers in full.
char* write_value(char* to, char* end, double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53: up to here every whole number is exact
  if (std::abs(value) <= kExact) {
    const auto whole = static_cast<long long>(value);
    if (static_cast<double>(whole) == value) return std::to_chars(to, end, whole).ptr;
  }
  if (std::isinf(value)) return to + std::string_view(value > 0 ? "+Inf" : "-Inf").copy(to, 4);
  return std::to_chars(to, end, value).ptr;
}

}  // namespace

void append_label(std::string& labels, std::string_view name, std::string_view value,
                  std::size_t most_bytes) {
  if (!labels.empty()) labels += ',';
  labels.append(name).append("=\"");
  std::string repaired;
  if (!is_valid_utf8(value)) value = repaired = valid_utf8(value);
  for (const char c : shortened_to(value, most_bytes)) {
    switch (c) {
      case '\\':
        labels += "\\\\";
        break;
      case '"':
        labels += "\\\"";
        break;
      case '\n':
        labels += "\\n";
        break;
      default:
        labels += c;
    }
  }
  labels += '"';
}

void SampleWriter::family(const Metric& metric) {
  end_family();
  name_ = metric.name;
  family_start_ = out_.size();
  out_.append("# HELP ").append(metric.name).append(" ").append(metric.help);
  out_.append("\n# TYPE ").append(metric.name).append(" ").append(name(metric.type)).append("\n");
  samples_start_ = out_.size();
}

void SampleWriter::sample(std::string_view labels, std::string_view labels_after, double value) {
  if (std::isnan(value)) return;
  out_.append(name_);
  if (labels.empty()) {
    out_.push_back(' ');
  } else {
    out_.push_back('{');
    out_.append(labels).append(labels_after).append("} ");
  }
  char digits[kLongestValue];
  char* end = write_value(digits, digits + sizeof digits - 1, value);
  *end++ = '\n';
  out_.append(digits, end);
}

void SampleWriter::end_family() {
  if (out_.size() == samples_start_) out_.resize(family_start_);
  samples_start_ = std::string::npos;
}

}  // namespace sqlbak_gateway::exposition
