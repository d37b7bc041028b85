// What holds of every collection's outcome, and of every snapshot's exposition, whatever the API said.
#pragma once

#include "sqlbak_gateway/sqlbak/collection.h"

namespace sqlbak_gateway::fuzz {

// `before`: what was remembered when it began; null: nothing.
void require_outcome(const sqlbak::CollectionOutcome& outcome, const AccountMemory* before);

// It is judged and rendered with every kind of names, now and later; the text is well-formed and valid UTF-8,
// bounded by max_series, and ages do not fall.
void require_exposition(const Snapshot& snapshot, SystemTime now);

}  // namespace sqlbak_gateway::fuzz
