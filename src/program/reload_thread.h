// ReloadThread: the one thread that reloads. The files may be on a file system that hangs, and neither a stop
// nor a watchdog must wait for that.
//
// Resource type; request() and reload() may be called from any thread.
#pragma once

#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/base/result.h"

#include <cstdint>
#include <functional>
#include <thread>

namespace sqlbak_gateway {

class ReloadThread {
 public:
  using Reload = std::function<Result<void>()>;
  explicit ReloadThread(Reload reload);
  ReloadThread(const ReloadThread&) = delete;
  ReloadThread& operator=(const ReloadThread&) = delete;
  // Waits for a reload that is going on.
  ~ReloadThread();

  // Asks for a reload and does not wait. Several requests during one reload are one.
  void request() EXCLUDES(mutex_);
  // Asks for a reload, waits until one that began after the call has ended, and returns what came of it.
  Result<void> reload() EXCLUDES(mutex_);

 private:
  void run(const Reload& reload) EXCLUDES(mutex_);
  // Waits for a request and returns how many there are; 0 at the end.
  std::uint64_t wanted() EXCLUDES(mutex_);

  Mutex mutex_;
  Condition changed_;
  std::uint64_t requested_ GUARDED_BY(mutex_) = 0;
  std::uint64_t done_ GUARDED_BY(mutex_) = 0;  // the requests that the latest reload has served
  Result<void> outcome_ GUARDED_BY(mutex_);    // of the latest reload
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace sqlbak_gateway
