// Whose memory is it? A soak runs the program and the simulated API in one process; only the program's heap
// must stay flat. What is allocated while a SimulatorsOwn stands is the simulator's until it is freed,
// wherever that happens.
//
// The program's heap is what is left: everything malloc has handed out, SQLite's too, less the simulator's.
#pragma once

#include <cstdint>
#include <optional>

namespace sqlbak_gateway::soak {

// On this thread. They nest.
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
// Nothing under a sanitizer, whose allocator keeps its own books.
std::optional<HeapBytes> heap_bytes();

}  // namespace sqlbak_gateway::soak
