// ListQuery: which part of a list the reader of a page asks for: a subset, a filter, an order, a page. It
// comes from an address that anybody may have typed, so nothing in it is an error: what is not understood
// keeps its default. Value types.
#pragma once

#include "sqlbak_gateway/http/message.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::gateway {

// An order of a list. `key` names it in addresses.
struct ListOrder {
  std::string_view key;
  bool descending_first = false;  // what the first click on its heading gives
};

// What a list offers. The texts are static.
struct ListOptions {
  std::vector<std::string_view> subsets;
  std::vector<ListOrder> orders;  // the first is the default; never empty

  // The order of that name, or the default.
  const ListOrder& order(std::string_view key) const;
};

struct ListQuery {
  std::string words;      // each must be found; empty: no filter
  std::string_view show;  // one of the list's subsets; empty: all rows
  std::string_view sort;  // one of the list's orders; never empty
  bool descending = false;
  std::size_t page = 1;  // from 1

  // The words of the filter in lower case.
  std::vector<std::string> terms() const;
  friend bool operator==(const ListQuery&, const ListQuery&) = default;
};

inline constexpr std::size_t kMaxFilterBytes = 200;

ListQuery list_query(const http::Request& request, const ListOptions& options);

// "?q=erp&sort=late&page=2" without what has its default value; "?" if everything has.
std::string to_address(const ListQuery& query, const ListOptions& options);

// Whether each of the terms occurs in one of the texts.
bool contains_all(const std::vector<std::string>& terms, const std::vector<std::string_view>& texts);

// Which of the `matching` rows the query's page shows. A page after the last one is the last one.
struct PageOfList {
  std::size_t matching = 0;
  std::size_t page = 1;
  std::size_t pages = 1;
  std::size_t first = 0;  // index
  std::size_t count = 0;
};
PageOfList page_of_list(const ListQuery& query, std::size_t matching, std::size_t per_page);

// A list as a page shows it, without its rows.
struct ListView {
  const ListOptions* options = nullptr;
  ListQuery query;
  PageOfList page;
};

}  // namespace sqlbak_gateway::gateway
