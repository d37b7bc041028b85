// ListQuery: which part of a list a reader of a page asks for: a filter, an order, a page. It comes from an
// address that anybody may have typed, so that nothing in it is an error: what is not understood is left at
// its default. Value type.
#pragma once

#include "sqlbak_gateway/http/message.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::gateway {

// A way to put a list in order. `key` is what stands in the address.
struct ListOrder {
  std::string_view key;
  bool descending_first = false;  // what the first click on its header gives
};

struct ListQuery {
  std::string words;      // each must be found; empty: no filter
  std::string_view show;  // one of the list's subsets; empty: everything
  std::string_view sort;  // one of the list's orders; never empty
  bool descending = false;
  std::size_t page = 1;  // from 1

  // In lower case, without repeats of blanks.
  std::vector<std::string> terms() const;
  friend bool operator==(const ListQuery&, const ListQuery&) = default;
};

inline constexpr std::size_t kMaxFilterBytes = 200;

// `subsets` and `orders` are static; the first order is the default.
ListQuery list_query(const http::Request& request, std::span<const std::string_view> subsets,
                     std::span<const ListOrder> orders);

// "?q=erp&sort=late&page=2", without what is at its default; "?" when everything is.
std::string to_address(const ListQuery& query, std::span<const ListOrder> orders);

// Which of `matching` things the query's page holds; a page behind the last is the last.
struct PageOfList {
  std::size_t page = 1;
  std::size_t pages = 1;
  std::size_t first = 0;  // index
  std::size_t count = 0;
};
PageOfList page_of_list(const ListQuery& query, std::size_t matching, std::size_t per_page);

}  // namespace sqlbak_gateway::gateway
