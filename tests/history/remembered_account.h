// Accounts as collections remember them, for tests that write them down and read them back.
#pragma once

#include "history/codec.h"
#include "simulator/scenarios.h"
#include "simulator/simulator.h"
#include "sqlbak_gateway/sqlbak/collection.h"
#include "support/collecting.h"
#include "support/manual_clock.h"

#include <memory>
#include <string>
#include <utility>

namespace sqlbak_gateway::history::testing {

// A simulated account and what is remembered of it, collection after collection.
class RememberedAccount {
 public:
  // NOLINTNEXTLINE(clang-analyzer-optin.cplusplus.UninitializedObject): Simulator initializes all it has
  explicit RememberedAccount(std::uint64_t seed, const simulator::Knobs& knobs = {},
                             simulator::Size size = {2, 4, 20})
      : simulator_(world(seed, size), clock_, knobs) {}

  // Time passes, the account goes on, and is collected.
  std::shared_ptr<const AccountMemory> collect(Duration after = std::chrono::hours(5)) {
    clock_.advance(after);
    sqlbak::CollectionPlan plan;
    plan.started_at = clock_.system_now();
    sqlbak::Collection collection(plan, memory_);
    sqlbak_gateway::testing::drive(collection, simulator_, "token", clock_);
    memory_ = collection.finish().memory;
    return memory_;
  }
  // What it remembers from now on.
  void restart_with(std::shared_ptr<const AccountMemory> memory) { memory_ = std::move(memory); }
  simulator::Simulator& simulator() { return simulator_; }

 private:
  static simulator::World world(std::uint64_t seed, simulator::Size size) {
    simulator::World world;
    world.add(simulator::generated_account("acme", "token", size,
                                           sqlbak_gateway::testing::ManualClock::kStart, seed));
    return world;
  }

  sqlbak_gateway::testing::ManualClock clock_;
  simulator::Simulator simulator_;
  std::shared_ptr<const AccountMemory> memory_;
};

// All of a memory as one text, to compare by; "" for none.
inline std::string fingerprint(const std::shared_ptr<const AccountMemory>& memory) {
  if (!memory) return "";
  const EncodedAccount account = encode_account(*memory);
  std::string text = account.header + account.lists;
  for (const auto& job : memory->jobs) {
    text += encode_job(*job);
    if (!job->runs) continue;
    for (const auto& [day, chunk] : encode_chunks(*job->runs)) text += std::to_string(day) + chunk;
  }
  return text;
}

// Through bytes and back.
inline std::shared_ptr<const AccountMemory> reread(const AccountMemory& memory) {
  AccountDecoder decoder;
  const EncodedAccount account = encode_account(memory);
  if (!decoder.account(account.header, account.lists)) return nullptr;
  for (const auto& job : memory.jobs) {
    if (!decoder.job(encode_job(*job))) return nullptr;
    if (!job->runs) continue;
    for (const auto& [day, chunk] : encode_chunks(*job->runs)) {
      if (!decoder.chunk(job->id, chunk)) return nullptr;
    }
  }
  return std::move(decoder).finish();
}

}  // namespace sqlbak_gateway::history::testing
