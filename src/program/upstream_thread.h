// UpstreamThread: the thread that collects. It ends when it is destroyed, without waiting for answers of the
// API.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/gateway/collector.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

namespace sqlbak_gateway {

class UpstreamThread {
 public:
  // Calls `every_second` about once a second. Everything must outlive the thread.
  UpstreamThread(gateway::Collector& collector, const Clock& clock, std::function<void()> every_second)
      : collector_(collector), thread_([this, &clock, every_second = std::move(every_second)] {
          while (!stopping_) {
            collector_.turn(Deadline::after(clock.steady_now(), std::chrono::seconds(1)));
            every_second();
            turned_ = true;
          }
          collector_.abandon_all();
        }) {}
  UpstreamThread(const UpstreamThread&) = delete;
  UpstreamThread& operator=(const UpstreamThread&) = delete;
  ~UpstreamThread() {
    stopping_ = true;
    collector_.wake();
    thread_.join();
  }

  // Whether it has made a turn since the last call. Any one thread.
  bool turned_since_last_asked() { return turned_.exchange(false); }

 private:
  gateway::Collector& collector_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> turned_{true};
  std::thread thread_;
};

}  // namespace sqlbak_gateway
