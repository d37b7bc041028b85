// What the operating system says of this process: the usual process_* metrics.
#pragma once

#include <optional>

namespace sqlbak_gateway::gateway {

// Nothing where the system does not tell. Seconds and bytes.
struct ProcessFacts {
  std::optional<double> cpu_seconds;
  std::optional<double> start_time_seconds;  // Unix time
  std::optional<double> virtual_memory_bytes;
  std::optional<double> resident_memory_bytes;
  std::optional<double> threads;
  std::optional<double> open_fds;
  std::optional<double> max_fds;
};

// Reads /proc. Safe from any thread.
ProcessFacts process_facts();

}  // namespace sqlbak_gateway::gateway
