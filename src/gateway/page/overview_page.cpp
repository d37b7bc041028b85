#include "gateway/page/account_list.h"
#include "gateway/page/document.h"
#include "gateway/page/list_html.h"
#include "gateway/page/pages.h"
#include "gateway/page/words.h"

#include <array>

namespace sqlbak_gateway::gateway {
namespace {

// Over all accounts that the reader may see, whatever the query leaves of them.
struct Totals {
  std::size_t accounts = 0;
  std::array<std::size_t, kStandings.size()> by_standing{};  // an account may count as several

  explicit Totals(const std::vector<AccountRow>& rows) : accounts(rows.size()) {
    for (const Standing standing : kStandings) {
      by_standing[static_cast<std::size_t>(standing)] = static_cast<std::size_t>(std::count_if(
          rows.begin(), rows.end(), [&](const AccountRow& row) { return counts_as(row, standing); }));
    }
  }
  std::size_t in(Standing standing) const { return by_standing[static_cast<std::size_t>(standing)]; }
};

// The page in one sentence.
std::string verdict(const Totals& totals) {
  if (totals.accounts == 0) return "No accounts";
  const auto so_many = [&](Standing standing, std::string_view what) {
    return counted(totals.in(standing), "account ", "accounts ").append(what);
  };
  if (totals.in(Standing::at_risk) > 0) return so_many(Standing::at_risk, "at risk");
  if (totals.in(Standing::not_collected) > 0) return so_many(Standing::not_collected, "not collected");
  if (totals.in(Standing::stale) > 0) return so_many(Standing::stale, "stale");
  if (totals.in(Standing::waiting) == totals.accounts) return "Waiting for the first probe";
  if (totals.in(Standing::attention) > 0) return "Nothing at risk, something to look at";
  return "All is well";
}

Html figures(const Totals& totals, const ListView& list) {
  std::vector<Figure> figures = {{"", totals.accounts == 1 ? "Account" : "Accounts", totals.accounts, "all"}};
  for (const Standing standing : kStandings)
    figures.push_back({key(standing), words(standing), totals.in(standing), std::string(key(standing))});
  return figure_list("Accounts by state", figures, list);
}

Html account_table(const Listing<AccountRow>& accounts, SystemTime now, std::string_view if_empty) {
  const auto columns = account_list().columns;
  Html html;
  html << "<table role=\"table\" class=\"accounts\">"
          "<caption class=\"hidden\">Accounts, their jobs and their last collection</caption>"
          "<thead role=\"rowgroup\"><tr role=\"row\">"
       << headings(columns, accounts) << "</tr></thead><tbody role=\"rowgroup\">";
  for (const AccountRow& row : accounts.rows)
    html << "<tr role=\"row\" class=\"" << key(row.standing) << "\">" << cells(columns, row, now) << "</tr>";
  if (accounts.rows.empty()) {
    html << "<tr role=\"row\"><td role=\"cell\" colspan=\"" << width(columns) << "\" class=\"empty\">"
         << if_empty << "</td></tr>";
  }
  return html << "</tbody></table>";
}

std::string as_html(const Totals& totals, const Listing<AccountRow>& accounts, const GatewayFacts& gateway) {
  const std::string_view if_empty = totals.accounts == 0
                                        ? "No account is configured, or you may not see any."
                                        : "No account matches. Change the filter, or show everything.";
  Html main;
  main << "<h1 id=\"verdict\" data-live>" << verdict(totals) << "</h1>" << figures(totals, accounts)
       << list_tools({"account", "accounts", "account, label or state"}, accounts)
       << "<div id=\"list\" data-live tabindex=\"-1\">" << account_table(accounts, gateway.now, if_empty)
       << "</div>" << pager(accounts) << glossary_of_states()
       << "<p class=\"formats\"><a href=\"accounts.json\">The same as JSON</a></p>";
  const std::size_t at_risk = totals.in(Standing::at_risk);
  const std::string title = at_risk > 0 ? "(" + grouped(at_risk) + ") sqlbak-gateway" : "sqlbak-gateway";
  return html_document(title, "", gateway, main);
}

std::string as_json(const Totals& totals, const Listing<AccountRow>& accounts, const GatewayFacts& gateway) {
  Json document = json_document(gateway);
  document["summary"] = {{"accounts", totals.accounts},
                         {"at_risk", totals.in(Standing::at_risk)},
                         {"not_collected", totals.in(Standing::not_collected)},
                         {"stale", totals.in(Standing::stale)}};
  document["accounts"] = array_of(account_list().columns, accounts.rows);
  return text_of(document);
}

}  // namespace

std::string overview_page(const std::vector<AccountOnPage>& accounts, const http::Request& request,
                          PageFormat format, const GatewayFacts& gateway) {
  std::vector<AccountRow> rows;
  rows.reserve(accounts.size());
  for (const AccountOnPage& account : accounts) rows.push_back(account_row(account, gateway.now));
  const Totals totals(rows);
  const bool html = format == PageFormat::html;
  const Listing<AccountRow> listing =
      select_rows(std::move(rows), request, account_list(), html ? kRowsPerPage : kAllRows);
  return html ? as_html(totals, listing, gateway) : as_json(totals, listing, gateway);
}

}  // namespace sqlbak_gateway::gateway
