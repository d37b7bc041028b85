#include "program/service_manager.h"

#include <chrono>
#include <cstdint>
#include <systemd/sd-daemon.h>

namespace sqlbak_gateway {
namespace {

// If systemd does not listen, the service works all the same.
void tell(const std::string& state) {
  (void)sd_notify(0, state.c_str());
}

}  // namespace

ServiceManager::ServiceManager() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) > 0) {
    alive_every_ = std::chrono::microseconds(microseconds) / 3;
  }
}

void ServiceManager::ready(const std::string& status) const {
  tell("READY=1\nSTATUS=" + status);
}

void ServiceManager::reloading(SteadyTime now) const {
  // The steady clock is CLOCK_MONOTONIC, as systemd wants it.
  const auto since_boot = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  tell("RELOADING=1\nSTATUS=Reloading the configuration\nMONOTONIC_USEC=" +
       std::to_string(since_boot.count()));
}

void ServiceManager::stopping() const {
  tell("STOPPING=1\nSTATUS=Answering what is still being asked");
}

void ServiceManager::alive() const {
  tell("WATCHDOG=1");
}

}  // namespace sqlbak_gateway
