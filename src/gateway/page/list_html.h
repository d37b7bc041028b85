// A list as HTML: its figures, filter, table and pager. Sorting, filters and paging are links and a form, so
// they need no JavaScript. Pure functions.
#pragma once

#include "gateway/page/list.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::gateway {

// A figure above a list: how many rows a subset has. It leads to the subset.
struct Figure {
  std::string_view subset;  // empty: all rows
  std::string_view title;
  std::uint64_t number = 0;
  std::string colour;  // a class, used if the number is above zero
};
Html figure_list(std::string_view label, const std::vector<Figure>& figures, const ListView& list);

// What a list is about, in words.
struct ListWords {
  std::string_view one;     // "account"
  std::string_view many;    // "accounts"
  std::string_view filter;  // what the filter looks at
};
// The filter, and how many of how many rows are shown, which screen readers hear when it changes.
Html list_tools(const ListWords& words, const ListView& list);

Html pager(const ListView& list);

// A heading of the table and a cell below it; `order` and `explained` as in Column.
struct Heading {
  std::string_view title;
  std::string_view explained;
  std::string_view order;
  std::string_view classes;
};
Html heading(const Heading& column, const ListView& list);
enum class CellKind { data, row_header };
// `rows`: how many rows of the table it spans; 0 if its row is not one of a group.
Html table_cell(CellKind kind, std::size_t rows, std::string_view title, std::string_view classes,
                std::string_view colour, const Html& content);

// The headings of the columns that HTML shows. `list` may be left out if none of them sorts.
template <typename Row>
Html headings(std::span<const Column<Row>> columns, const ListView& list = {}) {
  Html html;
  for (const Column<Row>& column : columns) {
    if (!column.title.empty())
      html << heading({column.title, column.explained, column.order.key, column.classes}, list);
  }
  return html;
}

// The cells of a row; `rows` as above.
template <typename Row>
Html cells(std::span<const Column<Row>> columns, const Row& row, SystemTime now, std::size_t rows = 0) {
  Html html;
  for (const Column<Row>& column : columns) {
    if (column.title.empty()) continue;
    html << table_cell(column.heads_row ? CellKind::row_header : CellKind::data, rows, column.title,
                       column.classes, column.colour ? column.colour(row) : "", column.cell(row, now));
  }
  return html;
}

// How many columns HTML shows.
template <typename Row>
std::size_t width(std::span<const Column<Row>> columns) {
  return static_cast<std::size_t>(std::count_if(
      columns.begin(), columns.end(), [](const Column<Row>& column) { return !column.title.empty(); }));
}

}  // namespace sqlbak_gateway::gateway
