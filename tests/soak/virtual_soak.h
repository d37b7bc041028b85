// A virtual soak: the program without its sockets runs for virtual days against the simulated API, in
// minutes. Two clients scrape every account each minute. Faults come and go, tokens rotate, reloads add,
// remove and change accounts, and the program is stopped or killed and starts again on the same history file.
// Every answer is checked.
//
// Everything except the history's writer runs on one thread and a manual clock, so it follows from the seed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace sqlbak_gateway::soak {

struct SoakPlan {
  std::uint64_t seed = 1;
  std::size_t accounts = 60;
  std::chrono::hours length{3};   // virtual
  std::ostream* table = nullptr;  // gets CSV, one line for each virtual hour; may be null
};

// The state at one moment. Value type; sizes in bytes.
struct SoakRow {
  double hours = 0;               // virtual, since the start
  std::uint64_t heap = 0;         // the program's; 0 under a sanitizer
  std::uint64_t simulator = 0;    // the simulator's heap
  std::uint64_t history = 0;      // the file and its log
  std::uint64_t own_metrics = 0;  // of /metrics
  std::size_t accounts = 0;       // configured
  std::uint64_t series = 0;       // of the latest answers of all accounts
  std::uint64_t answers = 0;      // from here on: since the start
  std::uint64_t api_requests = 0;
  std::uint64_t collections = 0;
  std::uint64_t truths = 0;  // collections held against the simulator's truth
};

struct SoakOutcome {
  std::string wrong;          // what went wrong first, with seed and virtual time; empty if nothing did
  std::vector<SoakRow> rows;  // every ten virtual minutes
  std::uint64_t faults = 0;
  std::uint64_t rotations = 0;
  std::uint64_t reloads = 0;
  std::uint64_t restarts = 0;
  std::uint64_t kills = 0;
};

SoakOutcome soak(const SoakPlan& plan);

// Empty if everything that must be flat is flat: on average over the last quarter at most a tenth above the
// second quarter (the first is the warm-up). The heap may grow by `heap_slack` bytes more, the history by the
// size of its log.
std::string what_grows(const std::vector<SoakRow>& rows, std::uint64_t heap_slack);

}  // namespace sqlbak_gateway::soak
