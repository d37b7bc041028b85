#include "gateway/page/account_list.h"

#include "gateway/page/document.h"
#include "gateway/page/words.h"

namespace sqlbak_gateway::gateway {
namespace {

using evaluation::JobState;

constexpr std::size_t kLongestError = 400;  // bytes

// The list of collections.

std::uint64_t api_requests(const Trace& trace) {
  std::uint64_t requests = 0;
  for (const EndpointTotals& totals : trace.totals) requests += totals.attempts;
  return requests;
}

std::string error_of(const Trace& trace) {
  return shortened(valid_utf8(trace.message), kLongestError);
}

Html duration_cell(const Trace& trace, SystemTime) {
  Html html;
  html << duration_in_words(trace.duration);
  if (trace.throttled > Duration::zero())
    html << " <small>" << duration_in_words(trace.throttled) << " of it waiting for rate limits</small>";
  return html;
}

Html requests_cell(const Trace& trace, SystemTime) {
  Html html;
  html << grouped(api_requests(trace));
  if (trace.retries > 0) html << " <small>" << grouped(trace.retries) << " of them repeated</small>";
  return html;
}

Html error_cell(const Trace& trace, SystemTime) {
  return trace.failed() ? Html() << "<bdi>" << error_of(trace) << "</bdi>" : Html() << "nothing";
}

constexpr Column<Trace> kCollectionColumns[] = {
    {.title = "Started",
     .cell = [](const Trace& trace, SystemTime now) { return ago_or(trace.started_at, now, ""); },
     .json = {"started_at", [](const Trace& trace) { return json_of(trace.started_at); }}},
    {.title = "Result",
     .cell = [](const Trace& trace, SystemTime) { return Html() << trace.result; },
     .colour = [](const Trace& trace) -> std::string_view { return trace.failed() ? "failing" : ""; },
     .json = {"result", [](const Trace& trace) { return Json(trace.result); }}},
    {.title = "Duration",
     .classes = "number",
     .cell = duration_cell,
     .json = {"duration_seconds", [](const Trace& trace) { return json_of(trace.duration); }}},
    {.json = {"throttled_seconds", [](const Trace& trace) { return json_of(trace.throttled); }}},
    {.title = "API requests",
     .classes = "number",
     .cell = requests_cell,
     .json = {"api_requests", [](const Trace& trace) { return Json(api_requests(trace)); }}},
    {.json = {"retries", [](const Trace& trace) { return Json(trace.retries); }}},
    {.title = "What went wrong",
     .cell = error_cell,
     .json = {"error", [](const Trace& trace) { return trace.failed() ? Json(error_of(trace)) : Json(); }}},
};

// The list of accounts.

using Row = const AccountRow&;

Html name_cell(Row row, SystemTime) {
  const std::string& name = row.config().name;
  return Html() << "<a class=\"name\" id=\"account-" << name << "\" href=\"accounts/" << percent_encoded(name)
                << "\">" << name << "</a>" << labels_of(row);
}

Html state_cell(Row row, SystemTime) {
  return Html() << badge(row.standing) << reasons_of(row) << failure_of(row);
}

Html count_cell(const std::optional<std::uint64_t>& number) {
  return number ? Html() << grouped(*number) : Html() << "<span title=\"not known\">–</span>";
}

// A number has the colour of its state if it is above zero, and is quiet if it is not.
std::string_view count_colour(const std::optional<std::uint64_t>& number, std::string_view state) {
  return number.value_or(0) > 0 ? state : "none";
}

Html links_cell(Row row, SystemTime) {
  const std::string& name = row.config().name;
  const std::string address = percent_encoded(name);
  return Html() << "<a id=\"probe-" << name << "\" href=\"probe?account=" << address
                << "\" aria-label=\"Probe of " << name << "\">probe</a> <a id=\"debug-" << name
                << "\" href=\"probe?account=" << address << "&amp;debug=true\" aria-label=\"Debug page of "
                << name << "\">debug</a>";
}

const Trace* last_trace(Row row) {
  return row.view().traces.empty() ? nullptr : row.view().traces.front().get();
}

std::string next_collection(const AccountView& view) {
  if (view.record.in_progress) return "running now";
  const Duration in = view.next_collection_in.value_or(Duration::zero());
  return in > Duration::zero() ? "next: in " + duration_in_words(in) : "next: with the next probe";
}

Duration last_duration(Row row) {
  const CollectionRecord& record = row.view().record;
  return record.completed_any ? record.last_duration : Duration::min();
}

Json reasons_in_json(Row row) {
  Json texts = Json::array();
  for (const Reason& reason : reasons(row)) texts.push_back(reason.text);
  return texts;
}

Json last_collection_in_json(Row row) {
  const Trace* last = last_trace(row);
  return last ? object_of(collection_columns(), *last) : Json();
}

Json next_collection_in_json(Row row) {
  if (row.view().record.in_progress) return {};
  return json_of(row.view().next_collection_in.value_or(Duration::zero()));
}

template <JobState kState>
constexpr Column<AccountRow> jobs_column(std::string_view title, std::string_view explained,
                                         std::string_view member) {
  return {.title = title,
          .explained = explained,
          .classes = "number",
          .cell = [](Row row, SystemTime) { return count_cell(jobs_in(row, kState)); },
          .colour = [](Row row) { return count_colour(jobs_in(row, kState), name(kState)); },
          .json = {member, [](Row row) { return json_of(jobs_in(row, kState)); }},
          .order = {name(kState), [](Row a, Row b) { return jobs_in(a, kState) < jobs_in(b, kState); }}};
}

constexpr Column<AccountRow> kAccountColumns[] = {
    {.title = "Account",
     .heads_row = true,
     .cell = name_cell,
     .json = {"account", [](Row row) { return Json(row.config().name); }},
     .order = {"account", [](Row a, Row b) { return a.config().name < b.config().name; },
               FirstClick::ascending}},
    {.json = {"labels", [](Row row) { return Json(row.config().labels); }}},
    {.title = "State and why",
     .classes = "state",
     .cell = state_cell,
     .json = {"state", [](Row row) { return Json(key(row.standing)); }},
     .order = {"state", [](Row a, Row b) { return worse(b, a); }}},
    {.json = {"at_risk", [](Row row) { return Json(row.at_risk); }}},
    {.json = {"not_collected", [](Row row) { return Json(row.not_collected); }}},
    {.json = {"stale", [](Row row) { return Json(row.stale); }}},
    {.json = {"reasons", reasons_in_json}},
    {.json = {"advice", [](Row row) { return advice(row).empty() ? Json() : Json(advice(row)); }}},
    jobs_column<JobState::protected_>("Protected", "Jobs protected", "jobs.protected"),
    jobs_column<JobState::late>("Late", "Jobs late", "jobs.late"),
    jobs_column<JobState::failing>("Failing", "Jobs failing", "jobs.failing"),
    jobs_column<JobState::unknown>("Unknown", "Jobs in state unknown", "jobs.unknown"),
    jobs_column<JobState::paused>("Paused", "Jobs paused", "jobs.paused"),
    {.json = {"servers", [](Row row) { return json_of(servers(row)); }}},
    {.title = "Offline",
     .explained = "Servers offline",
     .classes = "number",
     .cell = [](Row row, SystemTime) { return count_cell(servers_offline(row)); },
     .colour = [](Row row) { return count_colour(servers_offline(row), "offline"); },
     .json = {"servers_offline", [](Row row) { return json_of(servers_offline(row)); }},
     .order = {"offline", [](Row a, Row b) { return servers_offline(a) < servers_offline(b); }}},
    {.title = "Data age",
     .classes = "number",
     .cell = data_age_of,
     .colour = [](Row row) -> std::string_view { return row.stale ? "old" : ""; },
     .json = {"data_from", [](Row row) { return json_of(data_from(row)); }},
     .order = {"age", [](Row a, Row b) { return a.data_age < b.data_age; }}},
    {.title = "Last collection",
     .classes = "collection",
     .cell = last_collection_of,
     .json = {"last_collection", last_collection_in_json},
     .order = {"collection", [](Row a, Row b) { return last_duration(a) < last_duration(b); }}},
    {.json = {"collecting_now", [](Row row) { return Json(row.view().record.in_progress); }}},
    {.json = {"next_collection_in_seconds", next_collection_in_json}},
    {.title = "Details", .classes = "links", .cell = links_cell},
};

bool in_subset(Row row, std::string_view subset) {
  return std::any_of(kStandings.begin(), kStandings.end(),
                     [&](Standing standing) { return key(standing) == subset && counts_as(row, standing); });
}

std::vector<std::string_view> searched(Row row) {
  std::vector<std::string_view> texts = {row.config().name, words(row.standing)};
  for (const auto& [label, value] : row.config().labels) texts.push_back(value);
  return texts;
}

}  // namespace

const List<AccountRow>& account_list() {
  static const List<AccountRow> list = [] {
    List<AccountRow> made(kAccountColumns, "state");
    for (const Standing standing : kStandings) made.options.subsets.push_back(key(standing));
    made.in_subset = in_subset;
    made.searched = searched;
    made.worse = worse;
    return made;
  }();
  return list;
}

std::span<const Column<Trace>> collection_columns() {
  return kCollectionColumns;
}

Html labels_of(Row row) {
  Html html;
  if (row.config().labels.empty()) return html;
  html << "<ul class=\"labels\" aria-label=\"Labels\">";
  for (const auto& [label, value] : row.config().labels)
    html << "<li><span>" << label << "</span> <bdi>" << value << "</bdi></li>";
  return html << "</ul>";
}

Html reasons_of(Row row) {
  Html html;
  const std::vector<Reason> all = reasons(row);
  if (all.empty()) return html;
  html << "<ul class=\"reasons\">";
  for (const Reason& reason : all)
    html << "<li class=\"" << key(reason.weight) << "\"><bdi>" << reason.text << "</bdi></li>";
  return html << "</ul>";
}

Html failure_of(Row row) {
  Html html;
  if (advice(row).empty()) return html;
  const Trace* last = last_trace(row);
  if (last && last->failed()) html << "<p class=\"error\"><bdi>" << error_of(*last) << "</bdi></p>";
  return html << "<p class=\"advice\"><b>To do:</b> " << advice(row) << "</p>";
}

Html data_age_of(Row row, SystemTime now) {
  const std::optional<SystemTime> from = data_from(row);
  return from ? age(*from, now) : Html() << "no data";
}

Html last_collection_of(Row row, SystemTime now) {
  Html html;
  if (const Trace* last = last_trace(row)) {
    const Html result =
        last->failed() ? Html() << "<strong class=\"bad\">failed</strong>" : Html() << last->result;
    html << "<p>" << result << ", " << ago_or(last->started_at, now, "") << "</p><p class=\"soft\">"
         << duration_in_words(last->duration) << ", "
         << counted(api_requests(*last), "API request", "API requests") << "</p>";
  } else {
    html << "<p>none since the start</p>";
  }
  return html << "<p class=\"soft\" title=\"Collections happen when somebody probes the account\">"
              << next_collection(row.view()) << "</p>";
}

}  // namespace sqlbak_gateway::gateway
