// ServiceManager: what systemd is told about the service (Type=notify): ready, reloading, stopping, alive.
//
// Whoever did not start the program from such a unit ($NOTIFY_SOCKET unset) notices nothing: every call does
// nothing then. Value-like, no state but the watchdog's interval; all methods are thread-safe.
#pragma once

#include "sqlbak_gateway/base/clock.h"

#include <optional>
#include <string>

namespace sqlbak_gateway {

class ServiceManager {
 public:
  // Reads the unit's WatchdogSec= from the environment.
  ServiceManager();

  // The service serves; `status` is the line that `systemctl status` shows. Ends reloading().
  void ready(const std::string& status) const;
  // A reload has begun at `now`.
  void reloading(SteadyTime now) const;
  void stopping() const;

  // How often alive() is to be called: a third of what the unit allows. Nothing: the unit has no watchdog.
  std::optional<Duration> alive_every() const { return alive_every_; }
  // To be called only while the work gets done: silence makes systemd restart the service.
  void alive() const;

 private:
  std::optional<Duration> alive_every_;
};

}  // namespace sqlbak_gateway
