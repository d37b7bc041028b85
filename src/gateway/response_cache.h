// ResponseCache: answers from memory of the same account, version, encoding and second are the same text, so
// they are made once. Bodies are dropped when their second is over, by the next answer or by expire().
// Resource type, safe from any thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/mutex.h"

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace sqlbak_gateway::gateway {

class ResponseCache {
 public:
  struct Key {
    std::uint64_t account = 0;  // AccountKey
    std::uint64_t version = 0;  // ProbeAnswer::version
    bool gzip = false;          // the client accepts it
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  using Body = std::shared_ptr<const std::string>;
  struct Cached {
    Body body;          // null if there is none
    bool gzip = false;  // it is compressed (small ones are not, even for clients that would accept it)
  };

  // What was kept for `key` in the second that `now` lies in.
  Cached find(const Key& key, SystemTime now) EXCLUDES(mutex_);
  void keep(const Key& key, SystemTime now, Cached cached) EXCLUDES(mutex_);
  // Drops what is not of the second that `now` lies in. Called once a second, so that nothing outlives its
  // second by more than one.
  void expire(SystemTime now) EXCLUDES(mutex_);

 private:
  void enter_second(SystemTime now) REQUIRES(mutex_);

  Mutex mutex_;
  std::chrono::sys_seconds second_ GUARDED_BY(mutex_){};
  std::map<Key, Cached> bodies_ GUARDED_BY(mutex_);
};

}  // namespace sqlbak_gateway::gateway
