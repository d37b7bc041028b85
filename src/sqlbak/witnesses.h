// The choice of witnesses: backups past their retention whose files are looked at in each collection.
#pragma once

#include "sqlbak/run_ledger.h"

#include <cstddef>
#include <vector>

namespace sqlbak_gateway::sqlbak {

// The oldest runs that started in [from_ms, to_ms] (epoch milliseconds), whose backup of the type succeeded
// and still had files when it was last read, unless this collection has read them; at most `at_most`. Empty
// if this collection has seen an older one that still has its files.
std::vector<RunId> next_witnesses(const RunLedger& ledger, BackupType type, double from_ms, double to_ms,
                                  std::size_t at_most);

}  // namespace sqlbak_gateway::sqlbak
