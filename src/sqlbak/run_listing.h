// RunListing: one list of a job's runs, read page by page. Plain data; JobReading adds the pages.
#pragma once

#include "sqlbak_gateway/base/clock.h"

#include <cstdint>
#include <optional>

namespace sqlbak_gateway::sqlbak {

struct RunListing {
  enum class Extent {
    overlap,  // back to a full page of known runs
    whole,    // back as far as runs are kept
    again,    // whole, a second time in this collection, because the first list left out known runs
  };
  enum class Step { due, asked, complete, failed };

  bool has_ended() const { return step == Step::complete || step == Step::failed; }

  Extent extent = Extent::whole;
  SystemTime started_after{};  // the filter that the API is asked to apply
  Step step = Step::due;       // of the page
  std::uint32_t page = 1;
  std::optional<std::uint64_t> total = {};  // as the latest page gave it
  bool moved = false;                       // rows moved between its pages
};

// What is known of a job's runs after the lists that a collection read.
enum class Coverage {
  overlap,   // those that the list had, and the older ones from before
  whole,     // all of them
  doubtful,  // all that are listed; but runs that exist were left out, so the next list is whole again
  moved,     // rows moved between the pages: nothing is taken as gone, and the next list is whole again
};

}  // namespace sqlbak_gateway::sqlbak
