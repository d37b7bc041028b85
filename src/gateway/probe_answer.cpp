#include "gateway/probe_answer.h"

#include "gateway/account_settings.h"
#include "gateway/published.h"
#include "sqlbak_gateway/evaluation/findings.h"

namespace sqlbak_gateway::gateway {
namespace {

bool too_old(const AccountState& state, const ProbeMoment& moment, Duration max_stale) {
  const CollectionRecord& record = state.record();
  const SystemTime collected_at = state.data()->collected_at();
  // However long a backfill takes, what it has read is as new as it can be, and fresh when it ends.
  const bool as_new_as_can_be = (record.in_progress && collected_at >= record.last_attempt) ||
                                state.freshness(moment.now) == AccountState::Freshness::fresh;
  return !as_new_as_can_be && moment.at - collected_at > max_stale;
}

ProbeResult result_of(const AccountState& state, const ProbeMoment& moment, bool has_data) {
  const CollectionRecord& record = state.record();
  if (!has_data)
    return record.in_progress && !record.last_failure ? ProbeResult::pending : ProbeResult::failed;
  if (!state.has_good_data()) return ProbeResult::pending;
  if (moment.collected) return ProbeResult::collected;
  return state.freshness(moment.now) == AccountState::Freshness::fresh ? ProbeResult::fresh
                                                                       : ProbeResult::stale;
}

evaluation::CollectionStatus status_of(const AccountState& state) {
  const CollectionRecord& record = state.record();
  evaluation::CollectionStatus status;
  status.succeeded = state.probe_success();
  status.last_success = record.last_success;
  status.last_attempt = record.last_attempt;
  if (record.completed_any) {
    status.duration = record.last_duration;
    status.api_requests = record.last_api_requests;
  }
  status.in_progress = record.in_progress;
  if (record.last_failure) status.failure = record.last_failure->reason;
  for (const sqlbak::Endpoint endpoint : sqlbak::kEndpoints) {
    const std::optional<bool>& up = record.endpoint_up[static_cast<std::size_t>(endpoint)];
    if (up) status.endpoints.push_back({name(endpoint), *up});
  }
  return status;
}

}  // namespace

ProbeAnswer answer_of(const AccountState& state, const ProbeMoment& moment, Duration max_stale) {
  ProbeAnswer answer;
  answer.at = moment.at;
  answer.version = state.version();
  answer.status = status_of(state);
  answer.status.probe_duration = moment.now - moment.arrived;
  if (const auto& data = state.data()) {
    // What the collection came to stays when its data are too old to be shown.
    const Snapshot& snapshot = data->snapshot();
    answer.status.jobs_pending = snapshot.jobs_pending;
    answer.status.jobs_unreadable = snapshot.jobs_unreadable;
    answer.series_dropped = data->layout->series_dropped();
    if (!too_old(state, moment, max_stale)) {
      answer.data = data;
      answer.status.jobruns_available = state.has_good_data() && snapshot.jobruns_available;
      answer.status.jobsettings_available = state.has_good_data() && snapshot.jobsettings_available;
    }
  }
  answer.result = result_of(state, moment, answer.data != nullptr);
  return answer;
}

std::string exposition_text(const ProbeAnswer& answer, const config::AccountConfig& config) {
  std::string text;
  if (answer.data) {
    exposition::render(*answer.data->layout, evaluation::answer(answer.data->account, answer.at),
                       answer.status, text);
  } else {
    exposition::render(format_of(config), answer.status, answer.series_dropped, text);
  }
  return text;
}

}  // namespace sqlbak_gateway::gateway
