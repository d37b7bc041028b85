// The JSON documents of the API, from the world and the knobs: one row or object at a time, without envelope
// and paging. Pure.
#pragma once

#include "simulator/knobs.h"
#include "simulator/world.h"

#include <string_view>

#include <nlohmann/json.hpp>

namespace sqlbak_gateway::simulator::documents {

using nlohmann::json;

// The prefix of run ids if they are names (the knob named_runs).
inline constexpr std::string_view kRunName = "run-";

json me(const Account& account, const Knobs& knobs);
json server(const Account& account, const Server& server, const Knobs& knobs);
json job(const Account& account, const Job& job, const Knobs& knobs);
json settings(const Account& account, const Job& job, const Knobs& knobs);
// A row of /jobruns.
json run_row(const Account& account, const Job& job, const Run& run, const Knobs& knobs);
// The details of a run.
json run(const Account& account, const Job& job, const Run& run, const Knobs& knobs);

}  // namespace sqlbak_gateway::simulator::documents
