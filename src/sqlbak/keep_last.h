// Repeated rows of a list: the last one is kept, in the place of the first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace sqlbak_gateway::sqlbak {

// Two rows are the same if their identity(row), which can be anything with an order, is the same. Takes n log
// n steps for any rows.
template <typename Row, typename Identity>
void keep_last_of_each(std::vector<Row>& rows, Identity identity) {
  const auto in_order = [&](const Row& a, const Row& b) { return identity(a) < identity(b); };
  const auto out_of_order = [&](const Row& a, const Row& b) { return !in_order(a, b); };
  if (std::adjacent_find(rows.begin(), rows.end(), out_of_order) == rows.end()) return;

  std::vector<std::uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return in_order(rows[a], rows[b]) || (!in_order(rows[b], rows[a]) && a < b);
  });
  std::vector<bool> replaced;
  for (std::size_t first = 0, end = 0; first < order.size(); first = end) {
    end = first + 1;
    while (end < order.size() && !in_order(rows[order[first]], rows[order[end]])) ++end;
    if (end - first == 1) continue;
    replaced.resize(rows.size());
    rows[order[first]] = std::move(rows[order[end - 1]]);
    for (std::size_t i = first + 1; i < end; ++i) replaced[order[i]] = true;
  }
  if (replaced.empty()) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (replaced[i]) continue;
    if (kept != i) rows[kept] = std::move(rows[i]);
    ++kept;
  }
  rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(kept), rows.end());
}

}  // namespace sqlbak_gateway::sqlbak
