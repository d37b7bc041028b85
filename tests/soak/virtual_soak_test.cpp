// A soak of a few virtual hours. The environment changes it: SOAK_ACCOUNTS, SOAK_HOURS, SOAK_SEED, and
// SOAK_TABLE, a file for the CSV.
#include "soak/virtual_soak.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

namespace sqlbak_gateway::soak {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(VirtualSoak, NothingLiesNothingLeaksAndTheCountersAddUp) {
  SoakPlan plan;
  plan.seed = from_environment("SOAK_SEED", 1);
  plan.accounts = from_environment("SOAK_ACCOUNTS", 40);
  plan.length = std::chrono::hours(from_environment("SOAK_HOURS", 2));
  std::ofstream table;
  if (const char* file = std::getenv("SOAK_TABLE")) {
    table.open(file);
    plan.table = &table;
  }
  const SoakOutcome outcome = soak(plan);
  EXPECT_EQ(outcome.wrong, "");
  EXPECT_EQ(what_grows(outcome.rows, 1u << 20), "");
  // Enough happened for a soak.
  ASSERT_FALSE(outcome.rows.empty());
  EXPECT_GT(outcome.rows.back().truths, outcome.rows.back().hours * 10);
  EXPECT_GT(outcome.faults, 0u);
  EXPECT_GT(outcome.rotations, 0u);
  EXPECT_GT(outcome.reloads, 0u);
  EXPECT_GT(outcome.restarts, 0u);
  EXPECT_GT(outcome.kills, 0u);
}

TEST(WhatGrows, IsWhatIsAboveTheSecondQuarterInTheLast) {
  std::vector<SoakRow> rows(40);
  for (SoakRow& row : rows) row.heap = row.history = row.own_metrics = 1000;
  for (std::size_t i = 0; i < 10; ++i) rows[i].heap = 5000;  // the warm-up
  EXPECT_EQ(what_grows(rows, 0), "");
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].heap = 1000 + 10 * i;
  EXPECT_EQ(what_grows(rows, 0), "heap grew from 1145 to 1345 bytes\n");
  EXPECT_EQ(what_grows(rows, 1000), "");
}

}  // namespace
}  // namespace sqlbak_gateway::soak
