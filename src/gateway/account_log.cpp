#include "gateway/account_log.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <vector>

namespace sqlbak_gateway::gateway {
namespace {

// The log is shared by all tenants, and each account's overrides are written by whoever owns its file.
constexpr std::size_t kOverridesInLog = 10;
constexpr std::size_t kOverrideBytesInLog = 300;

}  // namespace

void AccountLog::ended(std::optional<FailureReason> before, const CollectionRecord& after) const {
  if (after.last_failure) {
    if (before == after.last_failure->reason) return;
    log_.warn("collection failed", {{"account", account_},
                                    {"reason", name(after.last_failure->reason)},
                                    {"error", after.last_failure->message}});
  } else if (before) {
    log_.info("collection succeeded again", {{"account", account_}});
  } else {
    log_.debug("collection succeeded", {{"account", account_},
                                        {"api_requests", after.last_api_requests},
                                        {"duration", format_duration(after.last_duration)}});
  }
}

void AccountLog::clock(std::optional<std::chrono::milliseconds> before,
                       std::optional<std::chrono::milliseconds> after) const {
  const bool agreed = !before || clocks_agree(*before);
  const bool agree = !after || clocks_agree(*after);
  if (agreed && !agree) {
    log_.warn(
        "the API's clock differs from this machine's: check the time here; what is late is judged by the "
        "API's",
        {{"account", account_},
         {"api_ahead_seconds", std::chrono::round<std::chrono::seconds>(*after).count()}});
  } else if (!agreed && agree) {
    log_.info("the API's clock agrees with this machine's again", {{"account", account_}});
  }
}

void AccountLog::initial_collection_complete(const CollectionRecord& after) const {
  log_.info("initial collection complete", {{"account", account_},
                                            {"api_requests", after.last_api_requests},
                                            {"duration", format_duration(after.last_duration)}});
}

void AccountLog::overrides(const Published* before, const Published& now) const {
  const std::vector<evaluation::AmbiguousOverride>& all = now.account->ambiguous_overrides;
  if (before && before->account->ambiguous_overrides == all) return;
  const std::size_t logged = std::min(all.size(), kOverridesInLog);
  for (std::size_t i = 0; i < logged; ++i) {
    const evaluation::AmbiguousOverride& over = all[i];
    const std::string_view kind = over.of_server ? "servers." : "jobs.";
    log_.warn(over.matches == 0 ? "an override matches nothing: correct its name, or remove it"
                                : "an override matches several: name an id, or \"server/job\"",
              {{"account", account_},
               {"override", std::string(kind).append(cut_to(over.target, kOverrideBytesInLog))},
               {"matches", over.matches}});
  }
  if (logged == all.size()) return;
  log_.warn("more overrides match nothing or several: the account's debug page lists them",
            {{"account", account_}, {"overrides", all.size() - logged}});
}

}  // namespace sqlbak_gateway::gateway
