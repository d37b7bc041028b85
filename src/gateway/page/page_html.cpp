#include "gateway/page/page_html.h"

#include "gateway/page/html.h"
#include "gateway/page/page_assets.h"
#include "sqlbak_gateway/base/text.h"

#include <chrono>

namespace sqlbak_gateway::gateway {
namespace {

using evaluation::JobState;

// A column of a list that can be sorted. The header of a column without an order is plain.
struct Column {
  std::string_view title;
  std::string_view order;  // empty: not sortable
  bool number = false;
  std::string_view explained = {};  // what the title is short for
};

constexpr std::array<Column, 11> kAccountColumns = {{{"Account", "account"},
                                                     {"State and why", "state"},
                                                     {"Protected", "protected", true, "Jobs protected"},
                                                     {"Late", "late", true, "Jobs late"},
                                                     {"Failing", "failing", true, "Jobs failing"},
                                                     {"Unknown", "unknown", true, "Jobs in state unknown"},
                                                     {"Paused", "paused", true, "Jobs paused"},
                                                     {"Offline", "offline", true, "Servers offline"},
                                                     {"Data age", "age", true},
                                                     {"Last collection", "collection"},
                                                     {"Details", ""}}};

constexpr std::array<Column, 7> kJobColumns = {{{"Job", "job"},
                                                {"State and why", "state"},
                                                {"Type", ""},
                                                {"Last success", "success"},
                                                {"Allowed age", ""},
                                                {"Last attempt", ""},
                                                {"Retention", ""}}};

std::string iso(SystemTime time) {
  return format_time(std::chrono::floor<std::chrono::seconds>(time));
}

// "2026-01-31 23:59:59 UTC"
std::string clock_time(SystemTime time) {
  const std::string text = iso(time);
  return text.substr(0, 10) + " " + text.substr(11, 8) + " UTC";
}

Html ago(SystemTime then, SystemTime now) {
  Html html;
  html << "<time datetime=\"" << iso(then) << "\" title=\"" << clock_time(then) << "\">"
       << age_in_words(now - then) << "</time>";
  return html;
}

Html badge(Standing standing) {
  Html html;
  html << "<span class=\"badge " << key(standing) << "\">" << words(standing) << "</span>";
  return html;
}

Html badge(JobState state) {
  Html html;
  html << "<span class=\"badge job-" << name(state) << "\">" << name(state) << "</span>";
  return html;
}

// A number that is a state's when it is above zero, and quiet when it is not.
Html count_cell(std::string_view title, std::optional<std::uint64_t> number, std::string_view colour) {
  Html html;
  html << "<td role=\"cell\" class=\"number";
  if (!number || *number == 0) {
    html << " none";
  } else {
    html << " " << colour;
  }
  html << "\" data-title=\"" << title << "\">";
  if (number) {
    html << grouped(*number);
  } else {
    html << "<span title=\"not known\">–</span>";
  }
  html << "</td>";
  return html;
}

template <std::size_t Count>
Html header_row(const std::array<Column, Count>& columns, const ListQuery& query,
                std::span<const ListOrder> orders) {
  Html html;
  html << "<thead role=\"rowgroup\"><tr role=\"row\">";
  for (const Column& column : columns) {
    const bool sorted = !column.order.empty() && query.sort == column.order;
    html << "<th role=\"columnheader\" scope=\"col\"";
    if (column.number) html << " class=\"number\"";
    if (sorted) html << " aria-sort=\"" << std::string(query.descending ? "descending" : "ascending") << "\"";
    html << ">";
    if (column.order.empty()) {
      html << column.title << "</th>";
      continue;
    }
    ListQuery next = query;
    next.page = 1;
    next.sort = column.order;
    if (sorted) {
      next.descending = !query.descending;
    } else {
      for (const ListOrder& order : orders) {
        if (order.key == column.order) next.descending = order.descending_first;
      }
    }
    html << "<a id=\"sort-" << column.order << "\" data-swap href=\"" << to_address(next, orders) << "\"";
    if (!column.explained.empty()) html << " title=\"" << column.explained << "\"";
    html << ">" << column.title << "</a></th>";
  }
  html << "</tr></thead>";
  return html;
}

Html pager(const ListQuery& query, const PageOfList& page, std::span<const ListOrder> orders) {
  Html html;
  html << "<nav id=\"pager\" data-live aria-label=\"Pages\">";
  if (page.pages > 1) {
    const auto link = [&](std::size_t number, std::string_view id, std::string_view title) {
      ListQuery there = query;
      there.page = number;
      html << "<a id=\"" << id << "\" data-swap href=\"" << to_address(there, orders) << "\">" << title
           << "</a>";
    };
    if (page.page > 1) link(page.page - 1, "page-before", "← Previous");
    html << "<span>Page " << grouped(page.page) << " of " << grouped(page.pages) << "</span>";
    if (page.page < page.pages) link(page.page + 1, "page-after", "Next →");
  }
  html << "</nav>";
  return html;
}

Html filter_form(const ListQuery& query, std::span<const ListOrder> orders, std::string_view what) {
  Html html;
  html << "<form id=\"filter\" role=\"search\" method=\"get\"><label for=\"q\">Filter</label>"
          "<input id=\"q\" name=\"q\" type=\"search\" maxlength=\"200\" autocomplete=\"off\" "
          "spellcheck=\"false\" "
          "aria-keyshortcuts=\"/\" placeholder=\""
       << what << "\" value=\"" << query.words << "\"><span id=\"filter-kept\" data-live>";
  if (!query.show.empty()) html << "<input type=\"hidden\" name=\"show\" value=\"" << query.show << "\">";
  if (query.sort != orders.front().key)
    html << "<input type=\"hidden\" name=\"sort\" value=\"" << query.sort << "\">";
  for (const ListOrder& order : orders) {
    if (order.key == query.sort && order.descending_first != query.descending) {
      html << "<input type=\"hidden\" name=\"order\" value=\""
           << std::string(query.descending ? "desc" : "asc") << "\">";
    }
  }
  html << "</span><button>Filter</button></form>";
  return html;
}

// How many of how many are shown, which screen readers hear when it changes.
Html how_many(const ListQuery& query, const PageOfList& page, std::size_t matching, std::string_view one,
              std::string_view many) {
  Html html;
  html << "<p id=\"how-many\" role=\"status\">";
  if (matching == 0) {
    html << "Nothing matches";
  } else if (page.pages > 1) {
    html << grouped(page.first + 1) << "–" << grouped(page.first + page.count) << " of "
         << counted(matching, one, many);
  } else {
    html << counted(matching, one, many);
  }
  html << "</p><p id=\"everything\" data-live>";
  if (!query.show.empty() || !query.words.empty())
    html << "<a id=\"show-everything\" data-swap data-clears href=\"?\">Show everything</a>";
  html << "</p>";
  return html;
}

Html document(std::string_view title, std::string_view root, const GatewayFacts& gateway, const Html& main) {
  Html html;
  html << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" << title
       << "</title><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
          "<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"robots\" content=\"noindex\">"
          "<link rel=\"icon\" type=\"image/svg+xml\" href=\""
       << root << address(PageAsset::icon) << "\"><link rel=\"stylesheet\" href=\"" << root
       << address(PageAsset::stylesheet) << "\"><script defer src=\"" << root << address(PageAsset::script)
       << "\"></script></head><body>"
          "<a class=\"skip\" href=\"#list\">Skip to the list</a><header><a class=\"brand\" href=\""
       << root << "./\">sqlbak-gateway</a><p id=\"gateway\" data-live>version " << gateway.version << " · up "
       << age_in_words(gateway.uptime);
  if (gateway.configuration) {
    const GatewayFacts::Configuration& configuration = *gateway.configuration;
    html << " · ";
    if (configuration.last_reload_succeeded) {
      html << "configuration loaded " << ago(configuration.last_reload_success, gateway.now) << " ago";
    } else if (configuration.files_rejected > 0) {
      html << "<strong class=\"bad\">"
           << counted(configuration.files_rejected, "configuration file was", "configuration files were")
           << " skipped because of errors; the log names them</strong>";
    } else {
      html << "<strong class=\"bad\">the last reload failed; the configuration of "
           << clock_time(configuration.last_reload_success)
           << " stays in force, and the log says why</strong>";
    }
  }
  html << "</p><p id=\"refresh\"><span id=\"as-of\" data-live>as of <time datetime=\"" << iso(gateway.now)
       << "\">" << clock_time(gateway.now)
       << "</time></span></p></header><p id=\"unreachable\" role=\"alert\"></p><main>" << main
       << "</main><footer><p><a href=\"" << root << "sd\">What Prometheus discovers</a>";
  if (gateway.configuration) {
    html << " <a href=\"" << root << "metrics\">The gateway's own metrics</a> <a href=\"" << root
         << "config\">The running configuration</a>";
  }
  html << "</p></footer></body></html>\n";
  return html;
}

Html label_list(const std::map<std::string, std::string>& labels) {
  Html html;
  if (labels.empty()) return html;
  html << "<ul class=\"labels\" aria-label=\"Labels\">";
  for (const auto& [label, value] : labels)
    html << "<li><span>" << label << "</span> <bdi>" << value << "</bdi></li>";
  html << "</ul>";
  return html;
}

Html reason_list(const std::vector<Reason>& reasons) {
  Html html;
  if (reasons.empty()) return html;
  html << "<ul class=\"reasons\">";
  for (const Reason& reason : reasons)
    html << "<li class=\"" << key(reason.weight) << "\"><bdi>" << reason.text << "</bdi></li>";
  html << "</ul>";
  return html;
}

std::string next_attempt(const NextAttempt& next) {
  switch (next.when) {
    case NextAttempt::When::running:
      return "running now";
    case NextAttempt::When::with_next_probe:
      return "next: with the next probe";
    case NextAttempt::When::later:
      return "next: in " + duration_in_words(next.in);
  }
  return "";
}

Html last_collection(const AccountSummary& account, SystemTime now) {
  Html html;
  if (account.last_collection) {
    const CollectionFacts& last = *account.last_collection;
    html << "<p>";
    if (last.failed()) {
      html << "<strong class=\"bad\">failed</strong>";
    } else {
      html << last.result;
    }
    html << ", " << ago(last.started_at, now) << " ago</p><p class=\"soft\">"
         << duration_in_words(last.duration) << ", "
         << counted(last.api_requests, "API request", "API requests") << "</p>";
  } else {
    html << "<p>none since the start</p>";
  }
  html << "<p class=\"soft\" title=\"Collections happen when somebody probes the account\">"
       << next_attempt(account.next) << "</p>";
  return html;
}

// Why a collection failed, and what to do about it.
Html trouble(const AccountSummary& account) {
  Html html;
  if (account.advice.empty()) return html;
  if (account.last_collection && account.last_collection->failed())
    html << "<p class=\"error\"><bdi>" << account.last_collection->error << "</bdi></p>";
  html << "<p class=\"advice\"><b>To do:</b> " << account.advice << "</p>";
  return html;
}

std::optional<std::uint64_t> jobs_of(const AccountSummary& account, JobState state) {
  if (!account.jobs) return std::nullopt;
  return (*account.jobs)[static_cast<std::size_t>(state)];
}

Html account_row(const AccountSummary& account, SystemTime now) {
  Html html;
  const std::string address = percent_encoded(account.name);
  html << "<tr role=\"row\" class=\"" << key(account.standing)
       << "\"><th role=\"rowheader\" scope=\"row\"><a class=\"name\" id=\"account-" << account.name
       << "\" href=\"accounts/" << address << "\">" << account.name << "</a>" << label_list(account.labels)
       << "</th><td role=\"cell\" class=\"state\">" << badge(account.standing) << reason_list(account.reasons)
       << trouble(account) << "</td>"
       << count_cell("Protected", jobs_of(account, JobState::protected_), "protected")
       << count_cell("Late", jobs_of(account, JobState::late), "late")
       << count_cell("Failing", jobs_of(account, JobState::failing), "failing")
       << count_cell("Unknown", jobs_of(account, JobState::unknown), "unknown")
       << count_cell("Paused", jobs_of(account, JobState::paused), "paused")
       << count_cell("Offline", account.servers_offline, "offline");
  html << "<td role=\"cell\" class=\"number";
  if (account.stale) html << " old";
  html << "\" data-title=\"Data age\">";
  if (account.data_from) {
    html << ago(*account.data_from, now);
  } else {
    html << "no data";
  }
  html << "</td><td role=\"cell\" class=\"collection\" data-title=\"Last collection\">"
       << last_collection(account, now) << "</td><td role=\"cell\" class=\"links\"><a id=\"probe-"
       << account.name << "\" href=\"probe?account=" << address << "\" aria-label=\"Probe of " << account.name
       << "\">probe</a> <a id=\"debug-" << account.name << "\" href=\"probe?account=" << address
       << "&amp;debug=true\" aria-label=\"Debug page of " << account.name << "\">debug</a></td></tr>";
  return html;
}

// A figure of the summary. With an address it leads to what it counts.
Html figure(std::string_view id, std::string_view title, std::uint64_t number, std::string_view colour,
            const ListQuery* there, bool current, std::span<const ListOrder> orders) {
  Html html;
  html << "<li class=\"" << std::string_view(number > 0 ? colour : "none") << "\">";
  if (there) {
    html << "<a id=\"figure-" << id << "\" data-swap href=\"" << to_address(*there, orders) << "\"";
    if (current) html << " aria-current=\"true\"";
    html << ">";
  } else {
    html << "<span>";
  }
  html << "<b>" << grouped(number) << "</b> <i>" << title << "</i>";
  if (there) {
    html << "</a></li>";
  } else {
    html << "</span></li>";
  }
  return html;
}

Html account_figures(const Overview& page) {
  Html html;
  const auto subset = [&](Standing standing, std::size_t number) {
    ListQuery there;
    there.sort = account_orders().front().key;
    there.descending = account_orders().front().descending_first;
    there.words = page.query.words;
    there.show = key(standing);
    html << figure(key(standing), words(standing), number, key(standing), &there,
                   page.query.show == key(standing), account_orders());
  };
  ListQuery all;
  all.sort = account_orders().front().key;
  all.descending = true;
  all.words = page.query.words;
  html << "<ul id=\"figures\" data-live aria-label=\"Accounts by state\">"
       << figure("all", page.accounts == 1 ? "Account" : "Accounts", page.accounts, "all", &all,
                 page.query.show.empty(), account_orders());
  subset(Standing::at_risk, page.at_risk);
  subset(Standing::not_collected, page.not_collected);
  subset(Standing::stale, page.stale);
  const auto number = [&](Standing standing) { return page.by_standing[static_cast<std::size_t>(standing)]; };
  subset(Standing::attention, number(Standing::attention));
  subset(Standing::waiting, number(Standing::waiting));
  subset(Standing::well, number(Standing::well));
  html << "</ul>";
  return html;
}

// "All is well", or how many are at risk: the page in one sentence.
Html verdict(const Overview& page) {
  Html html;
  html << "<h1 id=\"verdict\" data-live>";
  if (page.accounts == 0) {
    html << "No account to see";
  } else if (page.at_risk > 0) {
    html << counted(page.at_risk, "account", "accounts") << " at risk";
  } else if (page.not_collected > 0) {
    html << counted(page.not_collected, "account", "accounts") << " not collected";
  } else if (page.stale > 0) {
    html << counted(page.stale, "account", "accounts") << " stale";
  } else if (page.by_standing[static_cast<std::size_t>(Standing::waiting)] == page.accounts) {
    html << "Waiting for the first probe";
  } else if (page.by_standing[static_cast<std::size_t>(Standing::attention)] > 0) {
    html << "Nothing at risk, something to look at";
  } else {
    html << "All is well";
  }
  html << "</h1>";
  return html;
}

Html state_words() {
  Html html;
  html << "<details><summary>What the words mean</summary><h2>States of accounts</h2><dl>";
  for (const Standing standing : kStandings)
    html << "<dt>" << badge(standing) << "</dt><dd>" << meaning(standing) << "</dd>";
  html << "</dl><h2>States of jobs</h2><dl>";
  for (const JobState state :
       {JobState::paused, JobState::late, JobState::failing, JobState::protected_, JobState::unknown}) {
    html << "<dt>" << badge(state) << "</dt><dd>" << meaning(state) << "</dd>";
  }
  html << "</dl><p>Of several that apply, the first is the state. States are judged when an account is "
          "collected; ages are as of now.</p></details>";
  return html;
}

std::string_view class_of(const TypeFacts& type) {
  if (type.overdue == true) return "late";
  if (type.last_attempt_succeeded == false) return "failing";
  return "fine";
}

Html type_cells(const TypeFacts& type, SystemTime now) {
  Html html;
  html << "<td role=\"cell\" data-title=\"Type\">" << type.type
       << "</td><td role=\"cell\" data-title=\"Last success\" class=\""
       << std::string_view(type.overdue == true ? "late" : "") << "\">";
  if (type.last_success) {
    html << ago(*type.last_success, now) << " ago";
  } else if (type.runs_known) {
    html << "none known";
  } else {
    html << "not known";
  }
  if (type.overdue == true) html << ", late";
  html << "</td><td role=\"cell\" data-title=\"Allowed age\">";
  if (type.max_age) {
    html << duration_in_words(*type.max_age) << " <small>"
         << std::string_view(type.max_age_configured ? "configured" : "inferred") << "</small>";
  } else {
    html << "not known";
  }
  html << "</td><td role=\"cell\" data-title=\"Last attempt\" class=\""
       << std::string_view(type.last_attempt_succeeded == false ? "failing" : "") << "\">";
  if (type.last_attempt) {
    html << ago(*type.last_attempt, now) << " ago";
  } else {
    html << std::string_view(type.runs_known ? "none known" : "not known");
  }
  if (type.last_attempt_succeeded) {
    html << ", " << std::string_view(*type.last_attempt_succeeded ? "succeeded" : "failed");
    if (type.consecutive_failures > 1)
      html << " <small>" << grouped(type.consecutive_failures) << " in a row</small>";
  }
  html << "</td><td role=\"cell\" data-title=\"Retention\" class=\""
       << std::string_view(type.retention == TypeFacts::Retention::violated ? "violated" : "") << "\">";
  if (type.retention_days) {
    html << (*type.retention_days > 0
                 ? counted(static_cast<std::uint64_t>(*type.retention_days), "day", "days")
                 : std::string("none set"));
  }
  if (!type.retention_days || *type.retention_days > 0) {
    if (type.retention_days) html << ": ";
    html << words(type.retention);
  }
  html << "</td>";
  return html;
}

Html job_rows(const JobFacts& job, SystemTime now) {
  Html html;
  const std::size_t rows = std::max<std::size_t>(1, job.types.size());
  html << "<tbody role=\"rowgroup\" class=\"job-" << name(job.state) << "\">";
  for (std::size_t i = 0; i < rows; ++i) {
    html << "<tr role=\"row\"";
    if (i < job.types.size()) html << " class=\"" << class_of(job.types[i]) << "\"";
    html << ">";
    if (i == 0) {
      html << "<th role=\"rowheader\" scope=\"rowgroup\" rowspan=\"" << rows << "\"><bdi class=\"name\">"
           << job.name << "</bdi><small>on <bdi>" << job.server << "</bdi></small><small>id <bdi>" << job.id
           << "</bdi></small></th><td role=\"cell\" class=\"state\" rowspan=\"" << rows << "\">"
           << badge(job.state);
      if (!job.why.empty()) html << "<p class=\"why\">" << job.why << "</p>";
      html << "</td>";
    }
    if (i < job.types.size()) {
      html << type_cells(job.types[i], now);
    } else {
      html << "<td role=\"cell\" colspan=\"5\">no type is known</td>";
    }
    html << "</tr>";
  }
  html << "</tbody>";
  return html;
}

Html job_figures(const AccountDetail& page) {
  Html html;
  const AccountSummary& account = page.summary;
  ListQuery all;
  all.sort = job_orders().front().key;
  all.descending = true;
  all.words = page.query.words;
  html << "<ul id=\"figures\" data-live aria-label=\"Jobs by state\">";
  std::uint64_t sum = 0;
  if (account.jobs) {
    for (const std::uint64_t number : *account.jobs) sum += number;
  }
  html << figure("all", sum == 1 ? "Job" : "Jobs", sum, "all", &all, page.query.show.empty(), job_orders());
  for (const JobState state :
       {JobState::late, JobState::failing, JobState::unknown, JobState::protected_, JobState::paused}) {
    ListQuery there = all;
    there.show = name(state);
    html << figure(name(state), name(state), jobs_of(account, state).value_or(0),
                   std::string("job-").append(name(state)), &there, page.query.show == name(state),
                   job_orders());
  }
  html << "</ul>";
  return html;
}

Html collection_table(const AccountDetail& page) {
  Html html;
  html << "<section aria-labelledby=\"collections-title\"><h2 id=\"collections-title\">Recent "
          "collections</h2>";
  if (page.collections.empty()) {
    html << "<p>None since the start.</p></section>";
    return html;
  }
  html
      << "<table role=\"table\" class=\"collections\"><thead role=\"rowgroup\"><tr role=\"row\">"
         "<th role=\"columnheader\" scope=\"col\">Started</th><th role=\"columnheader\" "
         "scope=\"col\">Result</th>"
         "<th role=\"columnheader\" scope=\"col\" class=\"number\">Duration</th>"
         "<th role=\"columnheader\" scope=\"col\" class=\"number\">API requests</th>"
         "<th role=\"columnheader\" scope=\"col\">What went wrong</th></tr></thead><tbody role=\"rowgroup\">";
  for (const CollectionFacts& collection : page.collections) {
    html << "<tr role=\"row\"><td role=\"cell\" data-title=\"Started\">"
         << ago(collection.started_at, page.gateway.now)
         << " ago</td><td role=\"cell\" data-title=\"Result\" class=\""
         << std::string_view(collection.failed() ? "failing" : "") << "\">" << collection.result
         << "</td><td role=\"cell\" class=\"number\" data-title=\"Duration\">"
         << duration_in_words(collection.duration);
    if (collection.throttled > Duration::zero()) {
      html << " <small>" << duration_in_words(collection.throttled)
           << " of it waiting for rate limits</small>";
    }
    html << "</td><td role=\"cell\" class=\"number\" data-title=\"API requests\">"
         << grouped(collection.api_requests);
    if (collection.retries > 0) html << " <small>" << grouped(collection.retries) << " of them again</small>";
    html << "</td><td role=\"cell\" data-title=\"What went wrong\">";
    if (collection.failed()) {
      html << "<bdi>" << collection.error << "</bdi>";
    } else {
      html << "nothing";
    }
    html << "</td></tr>";
  }
  html << "</tbody></table></section>";
  return html;
}

Html offline_servers(const AccountDetail& page) {
  Html html;
  if (page.servers_offline.empty()) return html;
  html << "<section aria-labelledby=\"offline-title\"><h2 id=\"offline-title\">Servers offline</h2><ul "
          "class=\"plain\">";
  for (const ServerFacts& server : page.servers_offline) {
    html << "<li><bdi class=\"name\">" << server.name << "</bdi> <small><bdi>" << server.status
         << "</bdi>, <bdi>" << server.app_type << "</bdi>, id <bdi>" << server.id << "</bdi></small></li>";
  }
  html << "</ul>";
  const std::uint64_t all = page.summary.servers_offline.value_or(0);
  if (all > page.servers_offline.size())
    html << "<p>and " << grouped(all - page.servers_offline.size()) << " more.</p>";
  html << "</section>";
  return html;
}

Html overrides(const AccountDetail& page) {
  Html html;
  if (page.overrides.empty()) return html;
  html << "<section aria-labelledby=\"overrides-title\"><h2 id=\"overrides-title\">Overrides to "
          "correct</h2><ul class=\"plain\">";
  for (const std::string& over : page.overrides) html << "<li><bdi>" << over << "</bdi></li>";
  html << "</ul></section>";
  return html;
}

Html account_facts(const AccountDetail& page) {
  const AccountSummary& account = page.summary;
  const SystemTime now = page.gateway.now;
  Html html;
  html << "<dl class=\"facts\"><div><dt>Data age</dt><dd>";
  if (account.data_from) {
    html << ago(*account.data_from, now);
  } else {
    html << "no data";
  }
  html << "</dd></div><div><dt>Servers</dt><dd>";
  if (account.servers) {
    html << grouped(*account.servers) << ", " << grouped(account.servers_offline.value_or(0)) << " offline";
  } else {
    html << "not known";
  }
  html << "</dd></div><div><dt>Last probe</dt><dd>";
  if (page.last_probe) {
    html << ago(*page.last_probe, now) << " ago";
  } else {
    html << "none yet";
  }
  html << "</dd></div><div class=\"wide\"><dt>Last collection</dt><dd>" << last_collection(account, now)
       << "</dd></div><div class=\"wide\"><dt>API</dt><dd>" << page.api_url
       << " <small>collected at most every " << duration_in_words(page.cache_ttl) << "; shown for "
       << duration_in_words(page.max_stale) << "</small></dd></div></dl>";
  return html;
}

}  // namespace

std::string to_html(const Overview& page) {
  Html main;
  main << verdict(page) << account_figures(page) << "<div class=\"tools\">"
       << filter_form(page.query, account_orders(), "account, label or state")
       << how_many(page.query, page.page, page.matching, "account", "accounts")
       << "</div><div id=\"list\" data-live tabindex=\"-1\"><table role=\"table\" class=\"accounts\">"
          "<caption class=\"hidden\">Accounts, their jobs and their last collection</caption>"
       << header_row(kAccountColumns, page.query, account_orders()) << "<tbody role=\"rowgroup\">";
  for (const AccountSummary& account : page.rows) main << account_row(account, page.gateway.now);
  if (page.rows.empty()) {
    main << "<tr role=\"row\"><td role=\"cell\" colspan=\"11\" class=\"empty\">"
         << std::string_view(page.accounts == 0
                                 ? "No account is configured, or you may see none."
                                 : "No account matches. Change the filter, or show everything.")
         << "</td></tr>";
  }
  main << "</tbody></table></div>" << pager(page.query, page.page, account_orders()) << state_words()
       << "<p class=\"formats\"><a href=\"accounts.json\">The same as JSON</a></p>";
  const std::string title = page.at_risk > 0
                                ? std::string("(").append(grouped(page.at_risk)).append(") sqlbak-gateway")
                                : std::string("sqlbak-gateway");
  return document(title, "", page.gateway, main).take();
}

std::string to_html(const AccountDetail& page) {
  const AccountSummary& account = page.summary;
  const std::string address = percent_encoded(account.name);
  Html main;
  main << "<nav aria-label=\"Where you are\"><a href=\"../\">All accounts</a></nav><div id=\"account\" "
          "data-live><h1>"
       << account.name << " " << badge(account.standing) << "</h1>" << label_list(account.labels)
       << reason_list(account.reasons) << trouble(account) << account_facts(page) << "</div>"
       << job_figures(page) << "<div class=\"tools\">"
       << filter_form(page.query, job_orders(), "job, server or state")
       << how_many(page.query, page.page, page.matching, "job", "jobs")
       << "</div><div id=\"list\" data-live tabindex=\"-1\">";
  if (page.jobs_pending > 0) {
    main << "<p class=\"note\">" << counted(page.jobs_pending, "job has", "jobs have")
         << " not been read yet: the first reading goes on.</p>";
  }
  if (page.jobs_unreadable > 0) {
    main << "<p class=\"note\">" << counted(page.jobs_unreadable, "job", "jobs")
         << " could not be read at the last collection; what is shown of them is what was known before.</p>";
  }
  main << "<table role=\"table\" class=\"jobs\"><caption class=\"hidden\">Jobs by backup type</caption>"
       << header_row(kJobColumns, page.query, job_orders());
  for (const JobFacts& job : page.jobs) main << job_rows(job, page.gateway.now);
  if (page.jobs.empty()) {
    main << "<tbody role=\"rowgroup\"><tr role=\"row\"><td role=\"cell\" colspan=\"7\" class=\"empty\">"
         << std::string_view(account.jobs ? "No job matches." : "Nothing has been read of this account yet.")
         << "</td></tr></tbody>";
  }
  main << "</table></div>" << pager(page.query, page.page, job_orders()) << "<div id=\"more\" data-live>"
       << overrides(page) << offline_servers(page) << collection_table(page) << "</div>" << state_words()
       << "<p class=\"formats\"><a href=\"../probe?account=" << address
       << "\">Probe: its metrics</a> <a href=\"../probe?account=" << address
       << "&amp;debug=true\">Debug: its collections step by step</a> <a href=\"" << address
       << ".json\">The same as JSON</a></p>";
  return document(account.name + " – sqlbak-gateway", "../", page.gateway, main).take();
}

}  // namespace sqlbak_gateway::gateway
