// A list of a page, described by one table of columns. A column says everything about itself in one place:
// its heading and cells in HTML, its member in JSON, and how rows are sorted by it.
//
// Templates over the type of a row, which is a small value that refers to what it shows. Pure.
#pragma once

#include "gateway/page/html.h"
#include "gateway/page/json.h"
#include "gateway/page/list_query.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sqlbak_gateway::gateway {

template <typename Row>
struct Member {
  std::string_view name = {};  // "jobs.late" is the member `late` of the object `jobs`; empty: not in JSON
  Json (*value)(const Row& row) = nullptr;
};

enum class FirstClick { ascending, descending };

template <typename Row>
struct Order {
  std::string_view key = {};  // in addresses; empty: the heading does not sort
  // Whether `a` stands before `b` when ascending. Null if another column of the list has this order.
  bool (*before)(const Row& a, const Row& b) = nullptr;
  FirstClick first_click = FirstClick::descending;  // what the first click on the heading gives
};

template <typename Row>
struct Column {
  std::string_view title = {};      // in HTML; empty: not shown there
  std::string_view explained = {};  // what the title is short for
  // Classes of its heading and cells, for page.css: how it looks, and what becomes of it on a small screen.
  std::string_view classes = {};
  bool heads_row = false;
  Html (*cell)(const Row& row, SystemTime now) = nullptr;
  std::string_view (*colour)(const Row& row) = nullptr;  // one more class of the cell; null if there is none
  Member<Row> json = {};
  Order<Row> order = {};
};

// The columns, and what else a list needs to be filtered and sorted. Made once, then constant.
template <typename Row>
struct List {
  List(std::span<const Column<Row>> all_columns, std::string_view default_order) : columns(all_columns) {
    for (const Column<Row>& column : columns) {
      if (!column.order.before) continue;
      const bool first = column.order.key == default_order;
      options.orders.insert(first ? options.orders.begin() : options.orders.end(),
                            {column.order.key, column.order.first_click == FirstClick::descending});
    }
  }

  std::span<const Column<Row>> columns;
  ListOptions options;
  bool (*in_subset)(const Row& row, std::string_view subset) = nullptr;
  std::vector<std::string_view> (*searched)(const Row& row) = nullptr;  // the texts that the filter looks at
  bool (*worse)(const Row& a, const Row& b) = nullptr;  // decides between rows of the same rank
};

inline constexpr std::size_t kRowsPerPage = 100;
inline constexpr std::size_t kAllRows = 1'000'000'000;

template <typename Row>
struct Listing : ListView {
  std::vector<Row> rows;  // of the page
};

// The part of a list that a request asks for.
template <typename Row>
Listing<Row> select_rows(std::vector<Row> rows, const http::Request& request, const List<Row>& list,
                         std::size_t per_page) {
  const ListQuery query = list_query(request, list.options);
  const std::vector<std::string> terms = query.terms();
  std::erase_if(rows, [&](const Row& row) {
    return (!query.show.empty() && !list.in_subset(row, query.show)) ||
           (!terms.empty() && !contains_all(terms, list.searched(row)));
  });
  const auto column = std::find_if(list.columns.begin(), list.columns.end(), [&](const Column<Row>& each) {
    return each.order.before && each.order.key == query.sort;
  });
  std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    const bool ascending = column->order.before(a, b);
    if (ascending || column->order.before(b, a)) return ascending != query.descending;
    return list.worse(a, b);
  });
  Listing<Row> listing;
  listing.options = &list.options;
  listing.query = query;
  listing.page = page_of_list(query, rows.size(), per_page);
  listing.query.page = listing.page.page;
  const auto first = rows.begin() + static_cast<std::ptrdiff_t>(listing.page.first);
  listing.rows.assign(first, first + static_cast<std::ptrdiff_t>(listing.page.count));
  return listing;
}

// A row as JSON.
template <typename Row>
Json object_of(std::span<const Column<Row>> columns, const Row& row) {
  Json object = Json::object();
  for (const Column<Row>& column : columns) {
    const std::string_view name = column.json.name;
    if (name.empty()) continue;
    const std::size_t dot = name.find('.');
    Json& member = object[std::string(name.substr(0, dot))];
    Json value = column.json.value(row);
    if (dot == std::string_view::npos) {
      member = std::move(value);
    } else if (!value.is_null()) {  // an object of which nothing is known is null
      member[std::string(name.substr(dot + 1))] = std::move(value);
    }
  }
  return object;
}

template <typename Row>
Json array_of(std::span<const Column<Row>> columns, const std::vector<Row>& rows) {
  Json array = Json::array();
  for (const Row& row : rows) array.push_back(object_of(columns, row));
  return array;
}

}  // namespace sqlbak_gateway::gateway
