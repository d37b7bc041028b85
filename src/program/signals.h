// The signals that stop and reload the program.
//
// main blocks them before it starts any thread, and every thread inherits that: only those who wait for a
// signal here get it.
#pragma once

#include "sqlbak_gateway/base/clock.h"

#include <csignal>
#include <optional>
#include <thread>

namespace sqlbak_gateway {

// SIGTERM and SIGINT stop, SIGHUP reloads.
sigset_t stop_and_reload_signals();

// Waits for the next of `signals`; empty if `patience` has passed without one.
std::optional<int> next_signal(const sigset_t& signals, std::optional<Duration> patience);

// Ends the process when `time` has passed, whatever hangs. The history file is then as the last collection
// left it. A timer does it and no thread, because the system may refuse threads.
void end_at_the_latest_after(Duration time);

// As long as it lives, a signal to stop ends the process: what is being started may hang with a file system,
// and there is nothing yet that a stop would have to save. Resource type; needs the signals blocked.
class StopWhileStarting {
 public:
  StopWhileStarting();
  StopWhileStarting(const StopWhileStarting&) = delete;
  StopWhileStarting& operator=(const StopWhileStarting&) = delete;
  ~StopWhileStarting();

 private:
  int started_;
  int signals_ = -1;
  std::thread thread_;
};

}  // namespace sqlbak_gateway
