#include "gateway/page/list_query.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <charconv>

namespace sqlbak_gateway::gateway {
namespace {

constexpr std::size_t kLastPage = 1'000'000;

std::string_view first_value(const http::Request& request, std::string_view name) {
  const std::vector<std::string_view> values = request.parameters(name);
  return values.empty() ? std::string_view() : values.front();
}

}  // namespace

const ListOrder& ListOptions::order(std::string_view key) const {
  const auto found =
      std::find_if(orders.begin(), orders.end(), [&](const ListOrder& order) { return order.key == key; });
  return found == orders.end() ? orders.front() : *found;
}

std::vector<std::string> ListQuery::terms() const {
  std::vector<std::string> terms;
  std::string_view rest = words;
  while (!(rest = trimmed(rest)).empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    terms.push_back(lower_case(rest.substr(0, end)));
    rest.remove_prefix(end);
  }
  return terms;
}

ListQuery list_query(const http::Request& request, const ListOptions& options) {
  ListQuery query;
  query.words = valid_utf8(trimmed(first_value(request, "q").substr(0, kMaxFilterBytes)));
  const std::string_view show = first_value(request, "show");
  const auto subset = std::find(options.subsets.begin(), options.subsets.end(), show);
  if (subset != options.subsets.end()) query.show = *subset;
  const ListOrder& order = options.order(first_value(request, "sort"));
  query.sort = order.key;
  const std::string_view direction = first_value(request, "order");
  query.descending = direction == "desc" || (direction != "asc" && order.descending_first);
  const std::string_view page = first_value(request, "page");
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(page.data(), page.data() + page.size(), number);
  if (error == std::errc{} && end == page.data() + page.size())
    query.page = std::clamp<std::size_t>(number, 1, kLastPage);
  return query;
}

std::string to_address(const ListQuery& query, const ListOptions& options) {
  std::string address = "?";
  const auto add = [&](std::string_view name, std::string_view value) {
    if (address.size() > 1) address += '&';
    address.append(name).append("=").append(percent_encoded(value));
  };
  if (!query.words.empty()) add("q", query.words);
  if (!query.show.empty()) add("show", query.show);
  const ListOrder& order = options.order(query.sort);
  if (order.key != options.orders.front().key) add("sort", order.key);
  if (query.descending != order.descending_first) add("order", query.descending ? "desc" : "asc");
  if (query.page > 1) add("page", std::to_string(query.page));
  return address;
}

bool contains_all(const std::vector<std::string>& terms, const std::vector<std::string_view>& texts) {
  std::vector<std::string> lowered;
  lowered.reserve(texts.size());
  for (const std::string_view text : texts) lowered.push_back(lower_case(text));
  return std::all_of(terms.begin(), terms.end(), [&](const std::string& term) {
    return std::any_of(lowered.begin(), lowered.end(),
                       [&](const std::string& text) { return text.find(term) != std::string::npos; });
  });
}

PageOfList page_of_list(const ListQuery& query, std::size_t matching, std::size_t per_page) {
  PageOfList page;
  page.matching = matching;
  page.pages = std::max<std::size_t>(1, (matching + per_page - 1) / per_page);
  page.page = std::min(query.page, page.pages);
  page.first = (page.page - 1) * per_page;
  page.count = std::min(per_page, matching - page.first);
  return page;
}

}  // namespace sqlbak_gateway::gateway
