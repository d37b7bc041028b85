#include "sqlbak_gateway/base/clock.h"

namespace sqlbak_gateway {

SystemTime RealClock::system_now() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

SteadyTime RealClock::steady_now() const {
  return std::chrono::steady_clock::now();
}

}  // namespace sqlbak_gateway
