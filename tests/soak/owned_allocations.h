// Tells the program's heap from the simulator's. A soak runs both in one process, and only the program's heap
// must stay flat. What is allocated while a SimulatorsOwn exists belongs to the simulator until it is freed,
// wherever that happens.
//
// The program's heap is the rest: everything that malloc has handed out, SQLite's too, less the simulator's.
#pragma once

#include <cstdint>
#include <optional>

namespace sqlbak_gateway::soak {

// Applies to this thread. Objects may nest.
class SimulatorsOwn {
 public:
  SimulatorsOwn();
  SimulatorsOwn(const SimulatorsOwn&) = delete;
  SimulatorsOwn& operator=(const SimulatorsOwn&) = delete;
  ~SimulatorsOwn();

 private:
  bool before_;
};

struct HeapBytes {
  std::uint64_t program = 0;
  std::uint64_t simulator = 0;
};
// Empty under a sanitizer, which has an allocator of its own.
std::optional<HeapBytes> heap_bytes();

}  // namespace sqlbak_gateway::soak
