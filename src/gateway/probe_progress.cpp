#include "sqlbak_gateway/gateway/probe_progress.h"

#include "gateway/published.h"

namespace sqlbak_gateway::gateway {

ProbeProgress::ProbeProgress(const config::AccountConfig& account, bool terminal)
    : account_(account.name), api_url_(account.api_url), terminal_(terminal) {}

std::string ProbeProgress::begun() const {
  return "collecting " + account_ + " from " + api_url_ +
         ": nothing is remembered, so everything is read; of a large account that may take minutes\n";
}

std::string ProbeProgress::going_on(Duration waited, const AccountView& view) {
  if (!terminal_) {
    if (waited < next_) return "";
    next_ = waited + kProgressEvery;
  }
  std::uint64_t requests = 0;
  for (const auto& [key, count] : view.counters.api_requests) requests += count;
  std::string line = "collecting " + account_ + ": " + std::to_string(requests) + " API requests";
  if (view.data) {
    line += ", " + std::to_string(view.data->snapshot().jobs.size()) + " jobs read, " +
            std::to_string(view.data->snapshot().jobs_pending) + " to go";
  }
  return terminal_ ? '\r' + line + "\x1b[K" : line + '\n';
}

std::string ProbeProgress::ended() const {
  return terminal_ ? "\r\x1b[K" : "";
}

}  // namespace sqlbak_gateway::gateway
