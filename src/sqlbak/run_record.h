// RunRecord: one run while a collection reads its job. Plain data, 32 bytes: an account may have 140,000.
#pragma once

#include "sqlbak/run_state.h"
#include "sqlbak_gateway/account/memory.h"

#include <cstdint>
#include <limits>

namespace sqlbak_gateway::sqlbak {

// Whether the run's details were asked for in this collection, and what came of it.
enum class Asked : std::uint8_t { no, waiting, read, not_found, failed, rate_limited };

// Which lists of this collection the run was in. The lists are read one after the other.
enum class Listed : std::uint8_t {
  never,
  before,    // in an earlier one, and not in the present one
  now,       // in the present one
  left_out,  // in none, although they are complete
};

struct RunRecord {
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  RunId id;
  EpochMs started_at;               // as remembered
  std::uint32_t first_row = kNone;  // in RememberedRuns::ids; kNone: no rows are remembered
  std::uint32_t entry = kNone;      // of an idle run in RememberedRuns::idle, of others in ::unsettled
  std::uint32_t reading = kNone;    // of this collection
  Known known = Known::none;        // when the collection began
  Asked asked = Asked::no;
  Listed listed = Listed::never;
  bool doubted = false;  // what is known may not be true any more

  bool was_listed() const { return listed == Listed::before || listed == Listed::now; }
  bool was_read() const { return reading != kNone; }
  bool failed() const { return asked == Asked::failed || asked == Asked::rate_limited; }
  // No list has the run, or its details do not exist: it is in no window.
  bool is_gone() const {
    if (listed == Listed::left_out || asked == Asked::not_found) return true;
    if (known == Known::missing) return !was_read();
    return (known == Known::vanished || known == Known::vanished_open) && !was_listed();
  }
};
static_assert(sizeof(RunRecord) == 32);

inline constexpr auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };

}  // namespace sqlbak_gateway::sqlbak
