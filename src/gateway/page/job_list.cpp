#include "gateway/page/job_list.h"

#include "gateway/page/document.h"
#include "gateway/page/list_html.h"
#include "gateway/page/states.h"
#include "gateway/page/words.h"

#include <cmath>
#include <limits>

namespace sqlbak_gateway::gateway {
namespace {

using evaluation::JobState;
using evaluation::PreparedJob;
using evaluation::PreparedRow;

// How bad a state is; 0 is worst.
std::ptrdiff_t rank(JobState state) {
  return std::find(kJobStatesWorstFirst.begin(), kJobStatesWorstFirst.end(), state) -
         kJobStatesWorstFirst.begin();
}

bool worse(const JobRow& a, const JobRow& b) {
  const Job& x = a.job->source->job;
  const Job& y = b.job->source->job;
  if (a.job->state != b.job->state) return rank(a.job->state) < rank(b.job->state);
  if (x.name != y.name) return x.name < y.name;
  return x.id < y.id;
}

// The oldest last success of its types; a type that never succeeded is oldest of all.
double oldest_success(const JobRow& row) {
  double oldest = std::numeric_limits<double>::infinity();
  for (const PreparedRow& type : row.job->rows)
    oldest = std::min(oldest, type.last_success.has_value() ? type.last_success.milliseconds() : 0.0);
  return oldest;
}

std::optional<SystemTime> instant(EpochMs time) {
  constexpr double kFarthest = 253'402'300'799'000;  // the year 9999
  if (!time.has_value() || std::abs(time.milliseconds()) > kFarthest) return std::nullopt;
  return SystemTime(std::chrono::milliseconds(static_cast<std::int64_t>(time.milliseconds())));
}

std::string types_where(const PreparedJob& job, bool (*holds)(const PreparedRow&)) {
  std::string types;
  for (const PreparedRow& row : job.rows) {
    if (holds(row)) types.append(types.empty() ? "" : ", ").append(name(row.type));
  }
  return types;
}

std::string why_failing(const PreparedJob& job) {
  std::string text;
  const std::string types =
      types_where(job, [](const PreparedRow& row) { return row.last_attempt_succeeded == false; });
  if (!types.empty()) text = "the last attempt failed: " + types;
  if (job.databases_failing.value_or(0) > 0)
    text += (text.empty() ? "" : "; ") + counted(*job.databases_failing, "database fails", "databases fail");
  return text;
}

// Why the job is in its state; empty if there is nothing to say.
std::string why(const PreparedJob& job) {
  switch (job.state) {
    case JobState::late:
      return "no recent success: " +
             types_where(job, [](const PreparedRow& row) { return row.overdue == true; });
    case JobState::failing:
      return why_failing(job);
    case JobState::unknown:
      if (!job.source->runs || !job.source->settings) return "it could not be read completely";
      return "it is not known how often it should succeed: set max_age, or wait for five successes";
    case JobState::paused:
      if (job.policy.ignored) return "ignored by configuration";
      if (job.enabled == false) return "disabled in SqlBak";
      return "nothing to back up";
    case JobState::protected_:
      return "";
  }
  return "";
}

std::optional<Duration> max_age(const PreparedRow& row) {
  if (!row.max_age) return std::nullopt;
  constexpr double kLongest = 1e9;  // seconds; safely inside a Duration
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::min(row.max_age->seconds, kLongest)));
}

// Whether files are deleted as the retention says.
struct Retention {
  std::string_view key;  // in JSON
  std::string_view words;
};
Retention retention(const PreparedRow& row) {
  if (row.retention_violation.value_or(false)) return {"violated", "expired, and not deleted"};
  if (row.older_than_policy.value_or(false))
    return {"older_than_policy", "expired, to be deleted after the next success"};
  if (row.retention_days && (row.older_than_policy || row.retention_violation))
    return {"kept", "as it should be"};
  return {"unknown", "not known"};
}

Html job_cell(const JobRow& row, SystemTime) {
  const Job& job = row.job->source->job;
  return Html() << "<bdi class=\"name\">" << display_name(job.name) << "</bdi><small>on <bdi>"
                << display_name(job.server_name) << "</bdi></small><small>id <bdi>" << shortened(job.id)
                << "</bdi></small>";
}

Html state_cell(const JobRow& row, SystemTime) {
  const std::string reason = why(*row.job);
  Html html = badge(row.job->state);
  if (!reason.empty()) html << "<p class=\"why\">" << reason << "</p>";
  return html;
}

// What stands for an instant that is missing.
std::string_view missing(const TypeRow& row) {
  return row.job->source->runs ? "none known" : "not known";
}

Html last_success_cell(const TypeRow& row, SystemTime now) {
  Html html = ago_or(instant(row.type->last_success), now, missing(row));
  if (row.type->overdue == true) html << ", late";
  return html;
}

Html max_age_cell(const TypeRow& row, SystemTime) {
  const std::optional<Duration> allowed = max_age(*row.type);
  if (!allowed) return Html() << "not known";
  return Html() << duration_in_words(*allowed) << " <small>"
                << std::string_view(row.type->max_age->configured ? "configured" : "inferred") << "</small>";
}

Html last_attempt_cell(const TypeRow& row, SystemTime now) {
  Html html = ago_or(instant(row.type->last_attempt), now, missing(row));
  if (row.type->last_attempt_succeeded)
    html << ", " << std::string_view(*row.type->last_attempt_succeeded ? "succeeded" : "failed");
  const std::uint64_t failures = row.type->consecutive_failures.value_or(0);
  if (row.type->last_attempt_succeeded && failures > 1)
    html << " <small>" << grouped(failures) << " in a row</small>";
  return html;
}

Html retention_cell(const TypeRow& row, SystemTime) {
  const std::optional<std::int64_t>& days = row.type->retention_days;
  if (days && *days <= 0) return Html() << "none set";
  Html html;
  if (days) html << counted(static_cast<std::uint64_t>(*days), "day", "days") << ": ";
  return html << retention(*row.type).words;
}

Json max_age_source(const TypeRow& row) {
  if (!row.type->max_age) return {};
  return row.type->max_age->configured ? "config" : "inferred";
}

constexpr Column<TypeRow> kTypeColumns[] = {
    {.title = "Type",
     .cell = [](const TypeRow& row, SystemTime) { return Html() << name(row.type->type); },
     .json = {"type", [](const TypeRow& row) { return Json(name(row.type->type)); }}},
    {.title = "Last success",
     .cell = last_success_cell,
     .colour = [](const TypeRow& row) -> std::string_view { return row.type->overdue == true ? "late" : ""; },
     .json = {"last_success_at", [](const TypeRow& row) { return json_of(instant(row.type->last_success)); }},
     .order = {"success"}},
    {.title = "Allowed age",
     .cell = max_age_cell,
     .json = {"max_age_seconds", [](const TypeRow& row) { return json_of(max_age(*row.type)); }}},
    {.json = {"max_age_source", max_age_source}},
    {.json = {"overdue", [](const TypeRow& row) { return json_of(row.type->overdue); }}},
    {.title = "Last attempt",
     .cell = last_attempt_cell,
     .colour = [](const TypeRow& row) -> std::string_view {
       return row.type->last_attempt_succeeded == false ? "failing" : "";
     },
     .json = {"last_attempt_at",
              [](const TypeRow& row) { return json_of(instant(row.type->last_attempt)); }}},
    {.json = {"last_attempt_succeeded",
              [](const TypeRow& row) { return json_of(row.type->last_attempt_succeeded); }}},
    {.json = {"consecutive_failures",
              [](const TypeRow& row) { return Json(row.type->consecutive_failures.value_or(0)); }}},
    {.json = {"retention_days", [](const TypeRow& row) { return json_of(row.type->retention_days); }}},
    {.title = "Retention",
     .cell = retention_cell,
     .colour = [](const TypeRow& row) -> std::string_view {
       return row.type->retention_violation == true ? "violated" : "";
     },
     .json = {"retention", [](const TypeRow& row) { return Json(retention(*row.type).key); }}},
};

std::vector<TypeRow> types_of(const JobRow& row) {
  std::vector<TypeRow> types;
  for (const PreparedRow& type : row.job->rows) types.push_back({row.job, &type});
  return types;
}

using Row = const JobRow&;

constexpr Column<JobRow> kJobColumns[] = {
    {.json = {"id", [](Row row) { return Json(shortened(row.job->source->job.id)); }}},
    {.title = "Job",
     .heads_row = true,
     .cell = job_cell,
     .json = {"name", [](Row row) { return Json(display_name(row.job->source->job.name)); }},
     .order = {"job", [](Row a, Row b) { return a.job->source->job.name < b.job->source->job.name; },
               FirstClick::ascending}},
    {.json = {"server", [](Row row) { return Json(display_name(row.job->source->job.server_name)); }},
     .order = {"server",
               [](Row a, Row b) { return a.job->source->job.server_name < b.job->source->job.server_name; },
               FirstClick::ascending}},
    {.title = "State and why",
     .classes = "state",
     .cell = state_cell,
     .json = {"state", [](Row row) { return Json(name(row.job->state)); }},
     .order = {"state", [](Row a, Row b) { return rank(b.job->state) < rank(a.job->state); }}},
    {.json = {"why",
              [](Row row) {
                const std::string reason = why(*row.job);
                return reason.empty() ? Json() : Json(reason);
              }}},
    {.json = {"databases_failing", [](Row row) { return json_of(row.job->databases_failing); }}},
    {.json = {"types", [](Row row) { return array_of<TypeRow>(kTypeColumns, types_of(row)); }},
     .order = {"success", [](Row a, Row b) { return oldest_success(b) < oldest_success(a); }}},
};

std::vector<std::string_view> searched(const JobRow& row) {
  const Job& job = row.job->source->job;
  return {job.name, job.server_name, name(row.job->state)};
}

std::string_view colour(const PreparedRow& type) {
  if (type.overdue == true) return "late";
  if (type.last_attempt_succeeded == false) return "failing";
  return "fine";
}

// A job's rows of the table, one for each type.
Html job_rows(const JobRow& row, SystemTime now) {
  const std::vector<TypeRow> types = types_of(row);
  Html spanning = cells<JobRow>(kJobColumns, row, now, std::max<std::size_t>(1, types.size()));
  Html html;
  html << "<tbody role=\"rowgroup\" class=\"job-" << name(row.job->state) << "\">";
  for (const TypeRow& type : types) {
    html << "<tr role=\"row\" class=\"" << colour(*type.type) << "\">" << spanning
         << cells<TypeRow>(kTypeColumns, type, now) << "</tr>";
    spanning = {};
  }
  if (types.empty()) {
    html << "<tr role=\"row\">" << spanning << "<td role=\"cell\" colspan=\"" << width<TypeRow>(kTypeColumns)
         << "\">no type is known</td></tr>";
  }
  return html << "</tbody>";
}

}  // namespace

const List<JobRow>& job_list() {
  static const List<JobRow> list = [] {
    List<JobRow> made(kJobColumns, "state");
    for (const JobState state : kJobStatesWorstFirst) made.options.subsets.push_back(name(state));
    made.in_subset = [](Row row, std::string_view subset) { return name(row.job->state) == subset; };
    made.searched = searched;
    made.worse = worse;
    return made;
  }();
  return list;
}

Html job_table(const Listing<JobRow>& jobs, SystemTime now, std::string_view if_empty) {
  Html html;
  html << "<table role=\"table\" class=\"jobs\"><caption class=\"hidden\">Jobs by backup type</caption>"
          "<thead role=\"rowgroup\"><tr role=\"row\">"
       << headings<JobRow>(kJobColumns, jobs) << headings<TypeRow>(kTypeColumns, jobs) << "</tr></thead>";
  for (const JobRow& row : jobs.rows) html << job_rows(row, now);
  if (jobs.rows.empty()) {
    html << "<tbody role=\"rowgroup\"><tr role=\"row\"><td role=\"cell\" colspan=\""
         << width<JobRow>(kJobColumns) + width<TypeRow>(kTypeColumns) << "\" class=\"empty\">" << if_empty
         << "</td></tr></tbody>";
  }
  return html << "</table>";
}

}  // namespace sqlbak_gateway::gateway
