#include "program/signals.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <system_error>
#include <unistd.h>

namespace sqlbak_gateway {

sigset_t stop_and_reload_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

std::optional<int> next_signal(const sigset_t& signals, std::optional<Duration> patience) {
  int signal = 0;
  if (!patience) {
    sigwait(&signals, &signal);
    return signal;
  }
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(*patience);
  const timespec time{whole.count(), (*patience - whole).count()};
  signal = sigtimedwait(&signals, nullptr, &time);
  return signal > 0 ? std::optional(signal) : std::nullopt;
}

void end_at_the_latest_after(Duration time) {
  std::signal(SIGALRM, [](int) { std::_Exit(EXIT_SUCCESS); });
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  const itimerval timer{{0, 0}, {microseconds / 1'000'000, microseconds % 1'000'000}};
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}

StopWhileStarting::StopWhileStarting() : started_(::eventfd(0, EFD_CLOEXEC)) {
  sigset_t stops = stop_and_reload_signals();
  sigdelset(&stops, SIGHUP);
  signals_ = ::signalfd(-1, &stops, SFD_CLOEXEC);
  if (started_ < 0 || signals_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  thread_ = std::thread([this] {
    std::array<pollfd, 2> either{{{started_, POLLIN, 0}, {signals_, POLLIN, 0}}};
    while (::poll(either.data(), either.size(), -1) < 0) {
    }
    if (either[0].revents == 0) std::_Exit(EXIT_SUCCESS);
  });
}

StopWhileStarting::~StopWhileStarting() {
  ::eventfd_write(started_, 1);
  thread_.join();
  ::close(signals_);
  ::close(started_);
}

}  // namespace sqlbak_gateway
