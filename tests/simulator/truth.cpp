#include "simulator/truth.h"

#include "simulator/truth_reading.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace sqlbak_gateway::simulator {
namespace truth {
namespace {

std::string escaped(const std::string& value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '"')
      out += "\\\"";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

void add_summary(Series& series, const Job& job, const std::string& type, const std::string& metric,
                 double value) {
  Labels labels = row_labels(job, type);
  labels.emplace_back("row_key", job.server_name + "|" + job.name + "|" + type);
  labels.emplace_back("metric", metric);
  series[series_name("sqlbak_job_summary", labels)] = value;
}

// The published metrics of one job and type, from its runs in the window.
void add_published_row(Series& series, const Job& job, const std::string& type,
                       const std::vector<const Run*>& runs, const Question& question) {
  const double retention = static_cast<double>(job.retention(type));
  double succeeded = 0;
  double failed = 0;
  double total = 0;
  bool old_backups = false;
  std::optional<double> last_success;
  for (const Run* run : runs) {
    for (const Entry& entry : run->entries) {
      if (entry.type != type || entry.type == "folder") continue;
      ++total;
      if (entry.status == "failed") ++failed;
      if (entry.status != "succeeded") continue;
      ++succeeded;
      if (!run->started_ms) continue;
      last_success = std::max(last_success.value_or(*run->started_ms), *run->started_ms);
      const double age_days = (ms(question.collected_at) - *run->started_ms) / kDayMs;
      if (retention > 0 && age_days > retention && entry.undeleted) old_backups = true;
    }
  }
  const double age_hours =
      last_success ? std::max(0.0, (ms(question.answered_at) - *last_success) / kHourMs) : -1;
  const Labels labels = row_labels(job, type);
  series[series_name("sqlbak_job_retention_days", labels)] = retention;
  series[series_name("sqlbak_job_has_backups_older_than_policy", labels)] = old_backups ? 1 : 0;
  series[series_name("sqlbak_job_last_success_age_hours", labels)] = age_hours;
  series[series_name("sqlbak_job_backups_succeeded_total", labels)] = succeeded;
  series[series_name("sqlbak_job_backups_failed_total", labels)] = failed;
  series[series_name("sqlbak_job_backups_total", labels)] = total;
  add_summary(series, job, type, "retention_days", retention);
  add_summary(series, job, type, "last_success_age_hours", age_hours);
  add_summary(series, job, type, "old_backups", old_backups ? 1 : 0);
}

}  // namespace

std::string series_name(const std::string& name, Labels labels) {
  std::ranges::sort(labels);
  std::string out = name;
  for (const auto& [label, value] : labels) {
    out.append(out.size() == name.size() ? "{" : ",")
        .append(label)
        .append("=\"")
        .append(escaped(value))
        .append("\"");
  }
  return labels.empty() ? out : out + "}";
}

Labels row_labels(const Job& job, const std::string& type) {
  return {{"server_name", job.server_name},
          {"job_name", job.name},
          {"job_id", job.id},
          {"server_id", job.server_id},
          {"backup_type", type}};
}

}  // namespace truth

Series published_truth(const Account& account, const Knobs& knobs, const Question& question) {
  using truth::series_name;
  const truth::Reading reading = truth::read(account, knobs);
  Series series;
  double offline = 0;
  for (const truth::Server& server : reading.servers) {
    const bool online = server.status == "online";
    if (!online) ++offline;
    series[series_name("sqlbak_server_online", {{"server_id", server.id},
                                                {"server_name", server.name},
                                                {"app_type", server.app_type}})] = online ? 1 : 0;
  }
  series["sqlbak_offline_servers_total"] = offline;
  series["sqlbak_jobruns_available"] = 1;
  series["sqlbak_jobsettings_available"] = 1;
  for (const truth::Job& job : reading.jobs) {
    const double window_start = truth::ms(question.collected_at) - job.window_ms(question);
    std::vector<const truth::Run*> runs;
    std::set<std::string> types = job.enabled_types;
    for (const truth::Run& run : job.runs) {
      if (run.started_ms && *run.started_ms < window_start) continue;
      runs.push_back(&run);
      for (const truth::Entry& entry : run.entries) {
        if (entry.type != "folder") types.insert(entry.type);
      }
    }
    for (const std::string& type : types) truth::add_published_row(series, job, type, runs, question);
  }
  return series;
}

Series family(const Series& series, std::string_view name_pattern) {
  Series out;
  for (const auto& [name, value] : series) {
    if (glob_matches(name_pattern, name.substr(0, name.find('{')))) out[name] = value;
  }
  return out;
}

namespace {

// The labels between braces; `text` starts after '{' and ends up after '}'. False: they are malformed.
bool read_labels(std::string_view& text, truth::Labels& labels) {
  while (!text.empty() && text.front() != '}') {
    const std::size_t equals = text.find("=\"");
    if (equals == text.npos) return false;
    auto& [name, value] = labels.emplace_back(std::string(trimmed(text.substr(0, equals))), "");
    text.remove_prefix(equals + 2);
    while (!text.empty() && text.front() != '"') {
      const bool escape = text.front() == '\\' && text.size() > 1;
      if (escape) text.remove_prefix(1);
      value += escape && text.front() == 'n' ? '\n' : text.front();
      text.remove_prefix(1);
    }
    if (text.empty()) return false;
    text.remove_prefix(1);
    if (!text.empty() && text.front() == ',') text.remove_prefix(1);
  }
  if (text.empty()) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<double> read_value(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text == "Inf") return std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string number_text(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b)) ||
         std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

}  // namespace

Result<Series> parse_exposition(std::string_view text) {
  Series series;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const std::size_t name_end = line.find_first_of("{ ");
    const std::string name(line.substr(0, name_end));
    std::string_view rest = name_end == line.npos ? std::string_view() : line.substr(name_end);
    truth::Labels labels;
    bool well_formed = true;
    if (rest.starts_with('{')) {
      rest.remove_prefix(1);
      well_formed = read_labels(rest, labels);
    }
    rest = trimmed(rest);
    const std::optional<double> value = read_value(rest.substr(0, rest.find(' ')));
    if (!well_formed || !value) return Error{"this is no sample: " + std::string(line)};
    if (!series.emplace(truth::series_name(name, labels), *value).second) {
      return Error{"this series is there twice: " + std::string(line)};
    }
  }
  return series;
}

std::string to_text(const Series& series) {
  std::string text;
  for (const auto& [name, value] : series)
    text.append(name).append(" ").append(number_text(value)).append("\n");
  return text;
}

std::string difference(const Series& expected, const Series& seen) {
  std::string lines;
  for (const auto& [name, value] : expected) {
    const auto found = seen.find(name);
    if (found == seen.end())
      lines += "only expected: " + name + " " + number_text(value) + "\n";
    else if (!same(value, found->second)) {
      lines += "expected " + number_text(value) + ", seen " + number_text(found->second) + ": " + name + "\n";
    }
  }
  for (const auto& [name, value] : seen) {
    if (!expected.contains(name)) lines += "only seen: " + name + " " + number_text(value) + "\n";
  }
  return lines;
}

}  // namespace sqlbak_gateway::simulator
