#include "gateway/page/states.h"

namespace sqlbak_gateway::gateway {
namespace {

using evaluation::JobState;

std::string_view meaning(Standing standing) {
  constexpr std::array<std::string_view, kStandings.size()> texts = {
      "A job is late or failing, or SqlBak has suspended the account.",
      "The latest collection failed. The page shows the data from before it.",
      "The data are older than three hours (or than twice cache_ttl, if that is longer).",
      "None of the above, but something needs a look: a server is offline or has no job, a job is in state "
      "unknown or could not be read, or an override matches nothing.",
      "There is no verdict yet: the account has not been probed, or its initial collection is running.",
      "Everything is known, recent and in order."};
  return texts[static_cast<std::size_t>(standing)];
}

std::string_view meaning(JobState state) {
  switch (state) {
    case JobState::protected_:
      return "Its settings and runs are known, and every enabled type has succeeded recently enough.";
    case JobState::late:
      return "The last success of one of its types is older than its max_age.";
    case JobState::failing:
      return "The last finished attempt of one of its types failed, or the latest backup of one of its "
             "databases did.";
    case JobState::unknown:
      return "It could not be read yet, or it is not known how often one of its types should succeed: set "
             "max_age, or wait for five successes.";
    case JobState::paused:
      return "Nothing is expected of it: the configuration ignores it, it is disabled in SqlBak, or it is "
             "not a backup job.";
  }
  return "";
}

}  // namespace

std::string_view key(Standing standing) {
  constexpr std::array<std::string_view, kStandings.size()> keys = {"at-risk",   "not-collected", "stale",
                                                                    "attention", "waiting",       "well"};
  return keys[static_cast<std::size_t>(standing)];
}

std::string_view words(Standing standing) {
  constexpr std::array<std::string_view, kStandings.size()> texts = {
      "At risk", "Not collected", "Stale", "Attention", "Waiting", "All well"};
  return texts[static_cast<std::size_t>(standing)];
}

std::string_view words(FailureReason reason) {
  switch (reason) {
    case FailureReason::config:
      return "its token cannot be used";
    case FailureReason::auth:
      return "SqlBak refuses the token";
    case FailureReason::rate_limited:
      return "SqlBak limits the rate of requests";
    case FailureReason::timeout:
      return "SqlBak does not answer in time";
    case FailureReason::connection:
      return "SqlBak cannot be reached";
    case FailureReason::upstream_error:
      return "SqlBak answers with an error";
    case FailureReason::bad_response:
      return "SqlBak's answer is not valid";
  }
  return "";
}

std::string_view remedy(FailureReason reason) {
  switch (reason) {
    case FailureReason::config:
      return "Correct what the error names. A token file is read again by itself; no reload is needed.";
    case FailureReason::auth:
      return "Create a new token in SqlBak and write it to the account's token file; no reload is needed.";
    case FailureReason::rate_limited:
      return "If it lasts, lower the account's requests_per_second, raise its cache_ttl, and find out who "
             "else uses its token.";
    case FailureReason::timeout:
      return "The gateway keeps trying. If it lasts, check the network and SqlBak's status.";
    case FailureReason::connection:
      return "Check DNS, firewall, proxy and certificates on the gateway's machine.";
    case FailureReason::upstream_error:
      return "The gateway keeps trying. If it lasts, check SqlBak's status.";
    case FailureReason::bad_response:
      return "Check api_url and any proxy in between; the debug page shows what was received.";
  }
  return "";
}

Html badge(Standing standing) {
  return Html() << "<span class=\"badge " << key(standing) << "\">" << words(standing) << "</span>";
}

Html badge(JobState state) {
  return Html() << "<span class=\"badge job-" << name(state) << "\">" << name(state) << "</span>";
}

Html glossary_of_states() {
  // A job is in the first of these that applies.
  constexpr std::array kInOrderOfPrecedence = {JobState::paused, JobState::late, JobState::failing,
                                               JobState::protected_, JobState::unknown};
  Html html;
  html << "<details><summary>What the words mean</summary><h2>States of accounts</h2><dl>";
  for (const Standing standing : kStandings)
    html << "<dt>" << badge(standing) << "</dt><dd>" << meaning(standing) << "</dd>";
  html << "</dl><h2>States of jobs</h2><dl>";
  for (const JobState state : kInOrderOfPrecedence)
    html << "<dt>" << badge(state) << "</dt><dd>" << meaning(state) << "</dd>";
  return html << "</dl><p>If several states apply, the first in this list counts. States are decided when "
                 "an account is collected; ages are current.</p></details>";
}

}  // namespace sqlbak_gateway::gateway
