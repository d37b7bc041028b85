// The program's lives in a virtual soak: its connection to the simulated API, its history file, and its end,
// orderly or by a kill.
#pragma once

#include "simulator/in_process_transport.h"
#include "soak/owned_allocations.h"
#include "sqlbak_gateway/gateway/gateway.h"
#include "sqlbak_gateway/gateway/reload.h"
#include "sqlbak_gateway/gateway/routes.h"
#include "sqlbak_gateway/history/history.h"
#include "support/manual_clock.h"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sqlbak_gateway::soak {

// The simulated API. Counts the calls, and books the simulator's memory apart from the program's.
class CountedTransport final : public upstream::Transport {
 public:
  CountedTransport(simulator::Simulator& api, testing::ManualClock& clock)
      : inner_(api, clock, std::chrono::milliseconds(50)) {}

  void start(upstream::Call call) override {
    ++started_;
    const SimulatorsOwn own;
    inner_.start(std::move(call));
  }
  // A call that has ended is ignored if it is cancelled because of another one that ended at the same moment.
  void cancel(std::uint64_t id) override {
    completed_ -= just_ended_.erase(id);
    inner_.cancel(id);
  }
  std::vector<upstream::Completion> poll(Deadline until) override {
    std::vector<upstream::Completion> ended = inner_.poll(until);
    completed_ += ended.size();
    just_ended_.clear();
    for (const upstream::Completion& completion : ended) just_ended_.insert(completion.id);
    return ended;
  }
  void wake() override { inner_.wake(); }

  std::uint64_t started() const { return started_; }
  // Calls whose completion the program has used.
  std::uint64_t completed() const { return completed_; }

 private:
  simulator::InProcessTransport inner_;
  std::uint64_t started_ = 0;
  std::uint64_t completed_ = 0;
  std::set<std::uint64_t> just_ended_;  // in the latest poll()
};

// A history that writes only at flush(), so that what a kill loses follows from the seed and not from the
// disk.
class LaggingHistory final : public history::History {
 public:
  explicit LaggingHistory(std::unique_ptr<history::History> file) : file_(std::move(file)) {}

  Result<std::shared_ptr<const AccountMemory>> load(const std::string& account, Deadline deadline) override {
    const auto unwritten = unwritten_.find(account);
    if (unwritten == unwritten_.end()) return file_->load(account, deadline);
    return unwritten->second;
  }
  void store(const std::string& account, std::shared_ptr<const AccountMemory> memory) override {
    unwritten_.insert_or_assign(account, std::move(memory));
  }
  void configured(std::vector<std::string> accounts) override { file_->configured(std::move(accounts)); }
  bool drain(Deadline deadline) override { return file_->drain(deadline); }
  history::HistoryStatus status() const override { return file_->status(); }

  void flush() {
    for (auto& [account, memory] : unwritten_) file_->store(account, std::move(memory));
    unwritten_.clear();
    file_->drain(Deadline::never());
  }

 private:
  std::unique_ptr<history::History> file_;
  std::map<std::string, std::shared_ptr<const AccountMemory>> unwritten_;
};

// One life of the program. Destroying it is a kill. After stop() it ends as main() does.
class Life {
 public:
  struct World {
    testing::ManualClock& clock;
    simulator::Simulator& api;
    const Logger& log;
    const config::BoundedTokens& tokens;
    std::string config_file;
    config::Environment environment;
    std::uint64_t seed;
  };

  explicit Life(const World& world);

  void stop() {
    collector_->abandon_all();
    history_->flush();
  }

  // What was left out of the configuration at the start. Empty if nothing was.
  const std::string& mistakes() const { return mistakes_; }
  gateway::Gateway& gateway() { return *gateway_; }
  gateway::Routes& routes() { return *routes_; }
  LaggingHistory& history() { return *history_; }
  const CountedTransport& transport() const { return transport_; }
  void turn(Deadline until) { collector_->turn(until); }

 private:
  std::string mistakes_;
  CountedTransport transport_;
  std::unique_ptr<LaggingHistory> history_;
  std::unique_ptr<gateway::Collector> collector_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<gateway::Routes> routes_;
};

}  // namespace sqlbak_gateway::soak
