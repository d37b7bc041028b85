#include "gateway/page/account_list.h"
#include "gateway/page/document.h"
#include "gateway/page/job_list.h"
#include "gateway/page/list_html.h"
#include "gateway/page/pages.h"
#include "gateway/page/words.h"
#include "sqlbak_gateway/base/text.h"

namespace sqlbak_gateway::gateway {
namespace {

using evaluation::JobState;

constexpr std::size_t kServersShown = 50;

std::string sentence(const evaluation::AmbiguousOverride& over) {
  std::string text =
      std::string(over.of_server ? "servers" : "jobs") + ".\"" + display_name(over.target) + "\" ";
  if (over.matches == 0) return text + "matches nothing: correct its name, or remove it";
  return text + "matches " + grouped(over.matches) + " at once and holds for all of them: use an id" +
         (over.of_server ? "" : ", or \"server/job\"");
}

// Each in a sentence.
std::vector<std::string> overrides_to_correct(const AccountRow& row) {
  std::vector<std::string> sentences;
  if (!row.data()) return sentences;
  for (const evaluation::AmbiguousOverride& over : row.data()->ambiguous_overrides)
    sentences.push_back(sentence(over));
  return sentences;
}

std::vector<const Server*> shown_offline_servers(const AccountRow& row) {
  std::vector<const Server*> offline;
  if (!row.data()) return offline;
  for (const Server* server : row.data()->servers) {
    if (!server->online() && offline.size() < kServersShown) offline.push_back(server);
  }
  return offline;
}

// Newest first: the latest ones, and earlier failures.
std::vector<std::shared_ptr<const Trace>> collections_of(const AccountView& view) {
  std::vector<std::shared_ptr<const Trace>> traces(view.traces.begin(), view.traces.end());
  for (const auto& trace : view.failures) {
    if (view.traces.empty() || trace->started_at < view.traces.back()->started_at) traces.push_back(trace);
  }
  return traces;
}

Html head(const AccountRow& row, SystemTime now) {
  const config::AccountConfig& config = row.config();
  Html html;
  html << "<div id=\"account\" data-live><h1>" << config.name << " " << badge(row.standing) << "</h1>"
       << labels_of(row) << reasons_of(row) << failure_of(row)
       << "<dl class=\"facts\"><div><dt>Data age</dt><dd>" << data_age_of(row, now)
       << "</dd></div><div><dt>Servers</dt><dd>"
       << (row.data() ? grouped(*servers(row)) + ", " + grouped(*servers_offline(row)) + " offline"
                      : "not known")
       << "</dd></div><div><dt>Last probe</dt><dd>";
  return html << ago_or(row.view().counters.last_probe, now, "none yet")
              << "</dd></div><div class=\"wide\"><dt>Last collection</dt><dd>" << last_collection_of(row, now)
              << "</dd></div><div class=\"wide\"><dt>API</dt><dd>" << config.api_url
              << " <small>collected at most every " << duration_in_words(config.cache_ttl) << "; shown for "
              << duration_in_words(config.max_stale) << "</small></dd></div></dl></div>";
}

Html figures(const AccountRow& row, const ListView& list) {
  std::vector<Figure> figures = {{"", "Jobs", 0, "all"}};
  for (const JobState state : kJobStatesWorstFirst) {
    const std::uint64_t jobs = jobs_in(row, state).value_or(0);
    figures.front().number += jobs;
    figures.push_back({name(state), name(state), jobs, std::string("job-").append(name(state))});
  }
  if (figures.front().number == 1) figures.front().title = "Job";
  return figure_list("Jobs by state", figures, list);
}

Html notes(const Snapshot& snapshot) {
  Html html;
  if (snapshot.jobs_pending > 0) {
    html << "<p class=\"note\">" << counted(snapshot.jobs_pending, "job has", "jobs have")
         << " not been read yet: the initial collection is running.</p>";
  }
  if (snapshot.jobs_unreadable > 0) {
    html << "<p class=\"note\">" << counted(snapshot.jobs_unreadable, "job", "jobs")
         << " could not be read in the last collection; the page shows earlier data instead.</p>";
  }
  return html;
}

Html overrides(const AccountRow& row) {
  Html html;
  const std::vector<std::string> sentences = overrides_to_correct(row);
  if (sentences.empty()) return html;
  html << "<section aria-labelledby=\"overrides-title\"><h2 id=\"overrides-title\">Overrides to "
          "correct</h2><ul class=\"plain\">";
  for (const std::string& over : sentences) html << "<li><bdi>" << over << "</bdi></li>";
  return html << "</ul></section>";
}

Html offline_servers(const AccountRow& row) {
  Html html;
  const std::vector<const Server*> shown = shown_offline_servers(row);
  if (shown.empty()) return html;
  html << "<section aria-labelledby=\"offline-title\"><h2 id=\"offline-title\">Servers offline</h2><ul "
          "class=\"plain\">";
  for (const Server* server : shown) {
    html << "<li><bdi class=\"name\">" << display_name(server->name) << "</bdi> <small><bdi>"
         << shortened(server->status) << "</bdi>, <bdi>" << shortened(server->app_type) << "</bdi>, id <bdi>"
         << shortened(server->id) << "</bdi></small></li>";
  }
  html << "</ul>";
  const std::uint64_t all = servers_offline(row).value_or(0);
  if (all > shown.size()) html << "<p>and " << grouped(all - shown.size()) << " more.</p>";
  return html << "</section>";
}

Html collections(const AccountView& view, SystemTime now) {
  const auto traces = collections_of(view);
  Html html;
  html << "<section aria-labelledby=\"collections-title\"><h2 id=\"collections-title\">Recent "
          "collections</h2>";
  if (traces.empty()) return html << "<p>None since the start.</p></section>";
  html << "<table role=\"table\" class=\"collections\"><thead role=\"rowgroup\"><tr role=\"row\">"
       << headings(collection_columns()) << "</tr></thead><tbody role=\"rowgroup\">";
  for (const auto& trace : traces)
    html << "<tr role=\"row\">" << cells(collection_columns(), *trace, now) << "</tr>";
  return html << "</tbody></table></section>";
}

std::string as_html(const AccountRow& row, const Listing<JobRow>& jobs, const GatewayFacts& gateway) {
  const SystemTime now = gateway.now;
  const std::string& name = row.config().name;
  const std::string address = percent_encoded(name);
  Html main;
  main << "<nav aria-label=\"Where you are\"><a href=\"../\">All accounts</a></nav>" << head(row, now)
       << figures(row, jobs) << list_tools({"job", "jobs", "job, server or state"}, jobs)
       << "<div id=\"list\" data-live tabindex=\"-1\">"
       << (row.data() ? notes(*row.data()->snapshot) : Html())
       << job_table(jobs, now, row.data() ? "No job matches." : "Nothing has been read of this account yet.")
       << "</div>" << pager(jobs) << "<div id=\"more\" data-live>" << overrides(row) << offline_servers(row)
       << collections(row.view(), now) << "</div>" << glossary_of_states()
       << "<p class=\"formats\"><a href=\"../probe?account=" << address
       << "\">Probe: its metrics</a> <a href=\"../probe?account=" << address
       << "&amp;debug=true\">Debug: its collections step by step</a> <a href=\"" << address
       << ".json\">The same as JSON</a></p>";
  return html_document(name + " – sqlbak-gateway", "../", gateway, main);
}

std::string as_json(const AccountRow& row, const Listing<JobRow>& jobs, const GatewayFacts& gateway) {
  Json document = json_document(gateway);
  document.update(object_of(account_list().columns, row));
  document["last_probe_at"] = json_of(row.view().counters.last_probe);
  document["jobs_pending"] = row.data() ? row.data()->snapshot->jobs_pending : 0;
  document["jobs_unreadable"] = row.data() ? row.data()->snapshot->jobs_unreadable : 0;
  document["job_list"] = array_of(job_list().columns, jobs.rows);
  Json& servers = document["server_list_offline"] = Json::array();
  for (const Server* server : shown_offline_servers(row)) {
    servers.push_back({{"id", shortened(server->id)},
                       {"name", display_name(server->name)},
                       {"app_type", shortened(server->app_type)},
                       {"status", shortened(server->status)}});
  }
  document["overrides_to_correct"] = overrides_to_correct(row);
  Json& collections = document["collections"] = Json::array();
  for (const auto& trace : collections_of(row.view()))
    collections.push_back(object_of(collection_columns(), *trace));
  return text_of(document);
}

}  // namespace

std::string account_page(const AccountOnPage& account, const http::Request& request, PageFormat format,
                         const GatewayFacts& gateway) {
  const AccountRow row = account_row(account, gateway.now);
  std::vector<JobRow> rows;
  if (row.data()) {
    for (const auto& job : row.data()->jobs) rows.push_back({job.get()});
  }
  const bool html = format == PageFormat::html;
  const Listing<JobRow> jobs =
      select_rows(std::move(rows), request, job_list(), html ? kRowsPerPage : kAllRows);
  return html ? as_html(row, jobs, gateway) : as_json(row, jobs, gateway);
}

}  // namespace sqlbak_gateway::gateway
