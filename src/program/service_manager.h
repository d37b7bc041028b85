// ServiceManager: tells systemd that the service is ready, reloads, stops or is alive (Type=notify). Calls do
// nothing if the program was not started from such a unit ($NOTIFY_SOCKET unset). Value type; safe from any
// thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"

#include <optional>
#include <string>

namespace sqlbak_gateway {

class ServiceManager {
 public:
  // Reads the unit's WatchdogSec= from the environment.
  ServiceManager();

  // The service serves, again after reloading(). `systemctl status` shows `status`.
  void ready(const std::string& status) const;
  // A reload has begun at `now`.
  void reloading(SteadyTime now) const;
  void stopping() const;

  // How often to call alive(): a third of what the unit allows. Empty if the unit has no watchdog.
  std::optional<Duration> alive_every() const { return alive_every_; }
  // The service makes progress. systemd restarts it if this is not called in time.
  void alive() const;

 private:
  std::optional<Duration> alive_every_;
};

}  // namespace sqlbak_gateway
