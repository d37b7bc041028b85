#include "soak/owned_allocations.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <malloc.h>
#include <new>

// Sanitizers bring an allocator of their own, and check that what comes from it goes back to it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // g++
#define COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)  // clang
#define COUNTS_ALLOCATIONS !(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define COUNTS_ALLOCATIONS 1
#endif

namespace {

thread_local bool simulators_turn = false;

}  // namespace

#if COUNTS_ALLOCATIONS

namespace {

std::atomic<std::uint64_t> simulators_bytes{0};

// Stands in front of every block, and is as large as the strictest alignment, so that the block is aligned
// too.
struct alignas(std::max_align_t) Header {
  std::uint64_t simulators;  // bytes that belong to the simulator; 0 if they are the program's
};

void* allocate(std::size_t size) {
  auto* header = static_cast<Header*>(std::malloc(size + sizeof(Header)));
  if (header == nullptr) throw std::bad_alloc();
  header->simulators = simulators_turn ? malloc_usable_size(header) : 0;
  simulators_bytes.fetch_add(header->simulators, std::memory_order_relaxed);
  return header + 1;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  Header* header = static_cast<Header*>(memory) - 1;
  simulators_bytes.fetch_sub(header->simulators, std::memory_order_relaxed);
  std::free(header);
}

}  // namespace

// The other forms call this one, except the over-aligned ones.
void* operator new(std::size_t size) {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}

#endif

namespace sqlbak_gateway::soak {

SimulatorsOwn::SimulatorsOwn() : before_(simulators_turn) {
  simulators_turn = true;
}
SimulatorsOwn::~SimulatorsOwn() {
  simulators_turn = before_;
}

std::optional<HeapBytes> heap_bytes() {
#if !COUNTS_ALLOCATIONS
  return std::nullopt;
#else
  const struct mallinfo2 info = ::mallinfo2();
  const std::uint64_t simulator = simulators_bytes.load(std::memory_order_relaxed);
  return HeapBytes{info.uordblks + info.hblkhd - simulator, simulator};
#endif
}

}  // namespace sqlbak_gateway::soak
