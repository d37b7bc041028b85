// States: what the page calls the states of accounts and jobs and the reasons of failures, what they mean,
// and what to do about them. Constant data. docs/page.md and docs/metrics.md define the states in full.
#pragma once

#include "gateway/page/html.h"
#include "sqlbak_gateway/base/failure.h"
#include "sqlbak_gateway/evaluation/prepared.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace sqlbak_gateway::gateway {

// The states of an account, worst first. An account is in the first state that applies to it.
enum class Standing : std::uint8_t {
  at_risk,        // a job is late or failing, or SqlBak has suspended the account
  not_collected,  // the latest completed collection failed
  stale,          // the data are old: see stale_after()
  attention,      // something else needs a look: a server is offline, a job is in state unknown, …
  waiting,        // there is no verdict yet: not probed, or the initial collection is running
  well
};
inline constexpr std::array kStandings = {Standing::at_risk,   Standing::not_collected, Standing::stale,
                                          Standing::attention, Standing::waiting,       Standing::well};
// In addresses and JSON: "at-risk".
std::string_view key(Standing standing);
// For people: "At risk".
std::string_view words(Standing standing);

// Why a collection failed, as a clause.
std::string_view words(FailureReason reason);
// What to do about it.
std::string_view remedy(FailureReason reason);

// The states of jobs, worst first.
inline constexpr std::array kJobStatesWorstFirst = {
    evaluation::JobState::late, evaluation::JobState::failing, evaluation::JobState::unknown,
    evaluation::JobState::protected_, evaluation::JobState::paused};

Html badge(Standing standing);
Html badge(evaluation::JobState state);
// All states and their meaning, for the end of a page.
Html glossary_of_states();

}  // namespace sqlbak_gateway::gateway
