// The fixture of the collection tests: an account of the simulator, written by hand. Each collection
// remembers what the one before knew.
#pragma once

#include "simulator/simulator.h"
#include "sqlbak_gateway/sqlbak/collection.h"
#include "support/collecting.h"
#include "support/manual_clock.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::sqlbak::testing {

using simulator::Days;
using simulator::Hours;
using simulator::Id;
using std::chrono::minutes;

class CollectedAccount : public ::testing::Test {
 protected:
  static constexpr SystemTime kNow = sqlbak_gateway::testing::ManualClock::kStart;

  template <typename Change>
  auto change(Change change) {
    return simulator_.with([&](simulator::World& world) { return change(world.account("acme")); });
  }

  CollectedAccount() {
    plan_.token_fingerprint = "fingerprint";
    change([](simulator::Account& account) { account.add_server({.name = "sql"}); });
  }

  // --- The account ---
  // A job on the server "sql" for full backups, kept for the given number of days (0: for ever).
  Id add_job(const std::string& name, int retention_days = 0) {
    return change([&](simulator::Account& account) {
      return account.add_job(
          {.name = name, .server_id = 1, .destinations = {{"S3", 0, retention_days, 0, retention_days}}});
    });
  }
  Id add_run(Id job, Duration age, const simulator::HandRun& run = {}) {
    const auto started_at = clock_.system_now() - std::chrono::duration_cast<std::chrono::milliseconds>(age);
    return change([&](simulator::Account& account) { return account.add_run(job, started_at, run); });
  }
  void finish_run(Id run, std::string_view status = "succeeded") {
    change([&](simulator::Account& account) {
      simulator::Run& open = account.run(run);
      open.finished_at = account.now();
      for (simulator::Entry& entry : open.entries) entry.status = account.word(status);
    });
  }
  void delete_files(Id run) {
    change([&](simulator::Account& account) {
      for (simulator::Entry& entry : account.run(run).entries) {
        for (simulator::Upload& upload : entry.uploads) {
          upload.deleted = static_cast<std::uint8_t>((1u << upload.files) - 1u);
        }
      }
    });
  }
  void turn(std::string_view knob) {
    simulator::Knobs knobs = simulator_.knobs();
    const Result<void> set = simulator::set_knob(knobs, knob);
    ASSERT_TRUE(set.ok()) << set.error().message;
    simulator_.set_knobs(knobs);
  }
  void fail_with(std::string_view rule) {
    const Result<std::uint64_t> added = simulator_.add_fault(rule);
    ASSERT_TRUE(added.ok()) << added.error().message;
  }
  void heal() { simulator_.clear_faults(); }
  void pass(Duration time) { clock_.advance(time); }

  // --- Collecting ---
  // One collection. What it remembers is given to the next.
  CollectionOutcome collect(const sqlbak_gateway::testing::Drive& how = {}) {
    simulator_.forget_requests();
    plan_.started_at = clock_.system_now();
    Collection collection(plan_, memory_);
    sqlbak_gateway::testing::drive(collection, simulator_, token_, clock_, how);
    CollectionOutcome outcome = collection.finish();
    memory_ = outcome.memory;
    return outcome;
  }
  // Gives the next collection up after the given number of answers.
  static sqlbak_gateway::testing::Drive given_up_after(std::uint64_t answers) {
    return {.max_in_flight = 1,
            .before_answer = [answers](std::uint64_t so_far) { return so_far < answers; }};
  }
  // The requests of the latest collection.
  std::uint64_t requests(std::string_view endpoint = "*") { return simulator_.request_count("*", endpoint); }
  std::vector<std::string> targets(std::string_view endpoint) {
    std::vector<std::string> targets;
    for (const simulator::LoggedRequest& request : simulator_.requests()) {
      if (request.endpoint == endpoint) targets.push_back(request.target);
    }
    return targets;
  }

  static const JobSnapshot& job(const CollectionOutcome& outcome, std::string_view name) {
    for (const auto& job : outcome.snapshot->jobs) {
      if (job->job.name == name) return *job;
    }
    throw std::runtime_error("no job " + std::string(name));
  }
  // The starts of the runs that count, in hours before now, oldest first.
  std::vector<double> ages(const JobSnapshot& job) {
    std::vector<double> ages;
    for (const RunTally& tally : job.runs->tallies) {
      if (tally.vanished) continue;
      ages.push_back((EpochMs(clock_.system_now()).milliseconds() - tally.started_at.milliseconds()) /
                     kMillisecondsPerHour);
    }
    return ages;
  }
  static std::optional<bool> up(const CollectionOutcome& outcome, Endpoint endpoint) {
    return outcome.endpoint_up[static_cast<std::size_t>(endpoint)];
  }

  static simulator::World world() {
    simulator::World world;
    world.add(std::make_unique<simulator::Account>("acme", "token", kNow, 1));
    return world;
  }

  sqlbak_gateway::testing::ManualClock clock_;
  simulator::Simulator simulator_{world(), clock_};
  CollectionPlan plan_;
  std::string token_ = "token";
  std::shared_ptr<const AccountMemory> memory_;
};

}  // namespace sqlbak_gateway::sqlbak::testing
