// ListReading: an account's list of servers or jobs, read page by page. Rows may slip from one page to
// another meanwhile, so a list that shows signs of that is read a second time, and has what either reading
// saw. Not thread-safe.
#pragma once

#include "sqlbak/decode.h"
#include "sqlbak_gateway/sqlbak/collection.h"
#include "sqlbak_gateway/sqlbak/notes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sqlbak_gateway::sqlbak {

enum class Step { none, due, asked };

template <typename Row>
class ListReading {
 public:
  Step step = Step::due;
  std::uint32_t page = 1;
  bool complete = false;
  std::vector<Row> rows;

  // Adds the page that was asked for. Returns why the list cannot be read; empty if it can.
  std::optional<std::string> add(Page<Row> next, NotedField id_field, Notes& notes) {
    Seen seen = add_rows(std::move(next.rows), id_field, notes);
    // Else it is a page as an API gives that does not know where its list ends.
    if (seen.anything_new || !seen.repeats) {
      elements_ += next.elements;
      std::ranges::move(seen.without_id, std::back_inserter(without_id_));
      moved_ = moved_ || seen.repeats;
    }
    moved_ = moved_ || (page > 1 && next.total != total_);
    total_ = next.total;
    complete = !next.has_more || !seen.anything_new;
    step = complete ? Step::none : Step::due;
    if (complete) return std::nullopt;
    if (++page <= kMaxPages && rows.size() + without_id_.size() <= kMaxServers) return std::nullopt;
    return "the list is longer than " + std::to_string(kMaxServers) + " rows or " +
           std::to_string(kMaxPages) + " pages";
  }

  bool has(const std::string& id) const { return places_.contains(id); }

  // To be called when the list is complete. Reads it a second time if it may have moved. `misses_known`: a
  // row is missing that was there lately.
  void settle(bool misses_known) {
    if (page > 1 && reading_ == 1 && (moved_ || elements_ < total_.value_or(0) || misses_known)) {
      ++reading_;
      page = 1;
      step = Step::due;
      complete = false;
      without_id_.clear();
    } else {
      std::ranges::move(without_id_, std::back_inserter(rows));
    }
  }

 private:
  struct Place {
    std::size_t row;
    int reading;  // the latest that saw it
  };
  // What a page has.
  struct Seen {
    bool anything_new = false;    // a row that this reading of the list had not seen
    bool repeats = false;         // a row that it had
    std::vector<Row> without_id;  // they cannot be told apart: no sign that the list goes on
  };

  // A row whose id was seen before replaces the earlier one.
  Seen add_rows(std::vector<Row> page_rows, NotedField id_field, Notes& notes) {
    Seen seen;
    for (Row& row : page_rows) {
      if (row.id.size() > kMaxIdBytes) {
        notes.unrecognised.note(id_field, row.id);
        continue;
      }
      if (row.id.empty()) {
        seen.without_id.push_back(std::move(row));
        continue;
      }
      const auto [place, added] = places_.try_emplace(row.id, Place{rows.size(), reading_});
      const bool repeats = !added && std::exchange(place->second.reading, reading_) == reading_;
      (repeats ? seen.repeats : seen.anything_new) = true;
      if (added) {
        rows.push_back(std::move(row));
      } else {
        rows[place->second.row] = std::move(row);
      }
    }
    return seen;
  }

  std::unordered_map<std::string, Place> places_;  // by id
  std::vector<Row> without_id_;                    // of the present reading
  int reading_ = 1;
  std::size_t elements_ = 0;
  std::optional<std::uint64_t> total_;
  bool moved_ = false;
};

}  // namespace sqlbak_gateway::sqlbak
