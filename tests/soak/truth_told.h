// Compares an answer with the simulator's truth, for a reader that began at some time and has remembered
// since.
#pragma once

#include "simulator/truth.h"

#include <set>
#include <string>

namespace sqlbak_gateway::soak {

// What else the soak knows of the account. Value type.
struct Told {
  bool churns = false;                 // retentions were changed and jobs added since the reader began
  bool odd = false;                    // some runs end neither well nor badly
  std::set<std::string> initial_jobs;  // ids of those that were there when the reader began
};

// The differences from the truth; empty if there are none. `remembered` is the truth for a reader who began
// when this one did, `kept` for one who begins now. They differ because only some facts are remembered of
// runs that have left their window.
std::string difference_told(const simulator::Series& remembered, const simulator::Series& kept,
                            const simulator::Series& seen, const Told& told);

}  // namespace sqlbak_gateway::soak
