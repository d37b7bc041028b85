#include "gateway/page/list_html.h"

#include "gateway/page/words.h"

namespace sqlbak_gateway::gateway {
namespace {

std::string_view direction(const ListQuery& query) {
  return query.descending ? "desc" : "asc";
}

Html figure_item(const Figure& figure, const ListView& list) {
  ListQuery there;
  there.words = list.query.words;
  there.show = figure.subset;
  there.sort = list.options->orders.front().key;
  there.descending = list.options->orders.front().descending_first;
  const std::string_view id = figure.subset.empty() ? std::string_view("all") : figure.subset;
  Html html;
  html << "<li class=\"" << (figure.number > 0 ? std::string_view(figure.colour) : std::string_view("none"))
       << "\"><a id=\"figure-" << id << "\" data-swap href=\"" << to_address(there, *list.options) << "\"";
  if (list.query.show == figure.subset) html << " aria-current=\"true\"";
  return html << "><b>" << grouped(figure.number) << "</b> <i>" << figure.title << "</i></a></li>";
}

Html filter_form(const ListWords& words, const ListView& list) {
  const ListQuery& query = list.query;
  Html html;
  html << "<form id=\"filter\" role=\"search\" method=\"get\"><label for=\"q\">Filter</label>"
          "<input id=\"q\" name=\"q\" type=\"search\" maxlength=\"200\" autocomplete=\"off\" "
          "spellcheck=\"false\" aria-keyshortcuts=\"/\" placeholder=\""
       << words.filter << "\" value=\"" << query.words << "\"><span id=\"filter-kept\" data-live>";
  if (!query.show.empty()) html << "<input type=\"hidden\" name=\"show\" value=\"" << query.show << "\">";
  if (query.sort != list.options->orders.front().key)
    html << "<input type=\"hidden\" name=\"sort\" value=\"" << query.sort << "\">";
  if (query.descending != list.options->order(query.sort).descending_first)
    html << "<input type=\"hidden\" name=\"order\" value=\"" << direction(query) << "\">";
  return html << "</span><button>Filter</button></form>";
}

}  // namespace

Html figure_list(std::string_view label, const std::vector<Figure>& figures, const ListView& list) {
  Html html;
  html << "<ul id=\"figures\" data-live aria-label=\"" << label << "\">";
  for (const Figure& each : figures) html << figure_item(each, list);
  return html << "</ul>";
}

Html list_tools(const ListWords& words, const ListView& list) {
  const PageOfList& page = list.page;
  Html html;
  html << "<div class=\"tools\">" << filter_form(words, list) << "<p id=\"how-many\" role=\"status\">";
  if (page.matching == 0) {
    html << "Nothing matches";
  } else {
    if (page.pages > 1) html << grouped(page.first + 1) << "–" << grouped(page.first + page.count) << " of ";
    html << counted(page.matching, words.one, words.many);
  }
  html << "</p><p id=\"everything\" data-live>";
  if (!list.query.show.empty() || !list.query.words.empty())
    html << "<a id=\"show-everything\" data-swap data-clears href=\"?\">Show everything</a>";
  return html << "</p></div>";
}

Html pager(const ListView& list) {
  const PageOfList& page = list.page;
  Html html;
  html << "<nav id=\"pager\" data-live aria-label=\"Pages\">";
  if (page.pages > 1) {
    const auto link = [&](std::size_t number, std::string_view id, std::string_view title) {
      ListQuery there = list.query;
      there.page = number;
      html << "<a id=\"" << id << "\" data-swap href=\"" << to_address(there, *list.options) << "\">" << title
           << "</a>";
    };
    if (page.page > 1) link(page.page - 1, "page-before", "← Previous");
    html << "<span>Page " << grouped(page.page) << " of " << grouped(page.pages) << "</span>";
    if (page.page < page.pages) link(page.page + 1, "page-after", "Next →");
  }
  return html << "</nav>";
}

Html heading(const Heading& column, const ListView& list) {
  const ListQuery& query = list.query;
  const bool sorted = !column.order.empty() && query.sort == column.order;
  Html html;
  html << "<th role=\"columnheader\" scope=\"col\"";
  if (!column.classes.empty()) html << " class=\"" << column.classes << "\"";
  if (sorted)
    html << " aria-sort=\"" << std::string_view(query.descending ? "descending" : "ascending") << "\"";
  if (column.order.empty()) return html << ">" << column.title << "</th>";
  ListQuery next = query;
  next.page = 1;
  next.sort = column.order;
  next.descending = sorted ? !query.descending : list.options->order(column.order).descending_first;
  html << "><a id=\"sort-" << column.order << "\" data-swap href=\"" << to_address(next, *list.options)
       << "\"";
  if (!column.explained.empty()) html << " title=\"" << column.explained << "\"";
  return html << ">" << column.title << "</a></th>";
}

Html table_cell(CellKind kind, std::size_t rows, std::string_view title, std::string_view classes,
                std::string_view colour, const Html& content) {
  const bool header = kind == CellKind::row_header;
  Html html;
  if (header) {
    html << "<th role=\"rowheader\" scope=\"" << std::string_view(rows > 0 ? "rowgroup" : "row") << "\"";
  } else {
    html << "<td role=\"cell\" data-title=\"" << title << "\"";
  }
  if (rows > 0) html << " rowspan=\"" << rows << "\"";
  if (!classes.empty() || !colour.empty()) {
    const std::string_view space = !classes.empty() && !colour.empty() ? " " : "";
    html << " class=\"" << classes << space << colour << "\"";
  }
  html << ">" << content;
  return header ? html << "</th>" : html << "</td>";
}

}  // namespace sqlbak_gateway::gateway
