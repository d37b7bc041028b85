#include "sqlbak_gateway/gateway/account_view.h"

#include <algorithm>

namespace sqlbak_gateway::gateway {
namespace {

// The statuses of IANA's registry, and those that proxies in wide use add.
int known_status(int status) {
  constexpr std::array<std::pair<int, int>, 13> kKnown = {{{0, 0},
                                                           {100, 104},
                                                           {200, 208},
                                                           {226, 226},
                                                           {300, 308},
                                                           {400, 417},
                                                           {421, 426},
                                                           {428, 429},
                                                           {431, 431},
                                                           {451, 451},
                                                           {499, 499},
                                                           {500, 511},
                                                           {520, 526}}};
  const bool known = std::any_of(kKnown.begin(), kKnown.end(), [status](const auto& range) {
    return range.first <= status && status <= range.second;
  });
  return known ? status : kOtherStatus;
}

}  // namespace

std::string_view name(ProbeResult result) {
  constexpr std::array<std::string_view, kProbeResults.size()> names = {"fresh", "collected", "stale",
                                                                        "pending", "failed"};
  return names[static_cast<std::size_t>(result)];
}

void AccountCounters::count_request(sqlbak::Endpoint endpoint, int status) {
  ++api_requests[{endpoint, known_status(status)}];
}

}  // namespace sqlbak_gateway::gateway
