// What of an answer the simulator's truth decides, for a reader that began one day and has remembered since.
#pragma once

#include "simulator/truth.h"

#include <set>
#include <string>

namespace sqlbak_gateway::soak {

// What is known of the account besides. Value type.
struct Told {
  bool churns = false;                 // retentions were changed and jobs added since the reader began
  bool odd = false;                    // some runs end neither well nor badly
  std::set<std::string> initial_jobs;  // ids of those that were there when the reader began
};

// What differs in what the truth decides; empty: nothing. `remembered` is the truth for a reader who began
// when this one did, `kept` for one who begins now: of runs that have left their window, only some facts are
// remembered.
std::string difference_told(const simulator::Series& remembered, const simulator::Series& kept,
                            const simulator::Series& seen, const Told& told);

}  // namespace sqlbak_gateway::soak
