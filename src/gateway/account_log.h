// AccountLog: what the log says of an account's collections. Says a thing once, when it begins, changes or
// ends; what repeats is in the metrics. Value type, safe from any thread.
#pragma once

#include "gateway/published.h"
#include "sqlbak_gateway/base/failure.h"
#include "sqlbak_gateway/base/log.h"
#include "sqlbak_gateway/gateway/account_view.h"

#include <chrono>
#include <optional>
#include <string>

namespace sqlbak_gateway::gateway {

class AccountLog {
 public:
  // `log` outlives it.
  AccountLog(const Logger& log, std::string account) : log_(log), account_(std::move(account)) {}

  // A collection ended. `before`: why the one before it failed; empty if it succeeded.
  void ended(std::optional<FailureReason> before, const CollectionRecord& after) const;
  // The API's clock and ours begin to differ, or agree again. `before` and `after`: how far it was ahead,
  // empty if that was not known.
  void clock(std::optional<std::chrono::milliseconds> before,
             std::optional<std::chrono::milliseconds> after) const;
  // The first collection that has read everything ended.
  void initial_collection_complete(const CollectionRecord& after) const;
  // Overrides that match nothing, or several, unless they are those of `before` (null if there are no data
  // before).
  void overrides(const Published* before, const Published& now) const;

 private:
  const Logger& log_;
  const std::string account_;
};

}  // namespace sqlbak_gateway::gateway
