// What runs came to that are not kept any more.
#pragma once

#include "sqlbak_gateway/account/remembered.h"
#include "sqlbak_gateway/account/run.h"

namespace sqlbak_gateway::sqlbak {

// Adds a run that is not kept any more to what is remembered of its type. Runs must be added in the order of
// their starts. `open`: the run was still running when it was last read.
void add_past_run(Remembered& remembered, const RunTally& tally, bool open);

}  // namespace sqlbak_gateway::sqlbak
