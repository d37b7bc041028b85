// The promises about every collection's outcome and every snapshot's exposition, whatever the API answered.
#pragma once

#include "sqlbak_gateway/sqlbak/collection.h"

namespace sqlbak_gateway::fuzz {

// `before` is what was remembered when the collection began; null if nothing was.
void require_outcome(const sqlbak::CollectionOutcome& outcome, const AccountMemory* before);

// Judges and renders the snapshot with every kind of names, now and later. The text must be well-formed and
// valid UTF-8 and bounded by max_series, and ages must not fall.
void require_exposition(const Snapshot& snapshot, SystemTime now);

}  // namespace sqlbak_gateway::fuzz
