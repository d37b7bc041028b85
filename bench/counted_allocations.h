// How often the program has allocated, for benchmarks that promise not to. Linking counted_allocations.cpp
// replaces the global operator new.
#pragma once

#include <cstdint>

namespace sqlbak_gateway::benchmarks {

std::uint64_t counted_allocations();

}  // namespace sqlbak_gateway::benchmarks
