// InProcessTransport: upstream::Transport over a Simulator on a manual clock. No socket, no thread, no
// waiting: calls are a heap of completions, and poll() moves the clock.
//
// Time. start() asks the simulator at once, at the clock's present, and works out from the reply's wire when
// the call ends: its delay, its drips, or its deadline, whichever is first. poll(until) returns what is due;
// if nothing is, it advances the clock to the earliest of the next completion and `until`, and returns what
// is due then: all completions of that instant, in the order they were started. With a wake() pending it
// returns what is due without moving the clock. With nothing in flight and `until` never it returns at once,
// since no real wait could ever end.
//
// Faults end calls as the real transport does (a test holds both to it): no answer in time is `timeout`; a
// connection closed before the answer, or reset anywhere, is `connection`; an answer cut off in its head or
// body, or larger than the call allows, is `bad_response`.
//
// start, cancel and poll on one thread; wake() from any.
#pragma once

#include "simulator/simulator.h"
#include "sqlbak_gateway/upstream/transport.h"
#include "support/manual_clock.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace sqlbak_gateway::simulator {

class InProcessTransport final : public upstream::Transport {
 public:
  // Both outlive the transport; the simulator runs on the same clock. Each call takes `round_trip` on top of
  // its faults.
  InProcessTransport(Simulator& simulator, testing::ManualClock& clock, Duration round_trip = {});

  void start(upstream::Call call) override;
  void cancel(std::uint64_t id) override;
  std::vector<upstream::Completion> poll(Deadline until) override;
  void wake() override { woken_.store(true); }

  std::size_t in_flight() const { return by_id_.size(); }
  // The largest number of calls that were in flight at once.
  std::size_t most_in_flight() const { return most_in_flight_; }
  void set_round_trip(Duration round_trip) { round_trip_ = round_trip; }
  // Empty if no call is in flight, or none of them will ever end.
  std::optional<SteadyTime> next_completion() const;

 private:
  using Place = std::pair<SteadyTime, std::uint64_t>;  // when the call ends, and its number
  Simulator& simulator_;
  testing::ManualClock& clock_;
  Duration round_trip_;
  std::atomic<bool> woken_{false};
  std::map<Place, upstream::Completion> ending_;
  std::map<std::uint64_t, Place> by_id_;
  std::uint64_t started_ = 0;
  std::size_t most_in_flight_ = 0;
};

}  // namespace sqlbak_gateway::simulator
