// Policy: what the configuration says about judging an account. Value types. Nothing here comes from the API.
#pragma once

#include "sqlbak_gateway/account/backup_type.h"
#include "sqlbak_gateway/base/clock.h"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sqlbak_gateway::evaluation {

// How old the last success of each type may become. Empty if the configuration does not say.
struct MaxAges {
  std::array<std::optional<Duration>, kBackupTypeCount> of_type;

  std::optional<Duration>& of(BackupType type) { return of_type[index(type)]; }
  const std::optional<Duration>& of(BackupType type) const { return of_type[index(type)]; }
  // For each type, the value of `closer` if it has one, else this one.
  void refine(const MaxAges& closer);
  friend bool operator==(const MaxAges&, const MaxAges&) = default;
};

// [accounts.NAME.jobs."TARGET"] or [accounts.NAME.servers."TARGET"].
struct Override {
  std::string target;          // a job's id, name or "server/job"; a server's id or name
  std::optional<bool> ignore;  // never late, never counted against the customer
  MaxAges max_age;
  friend bool operator==(const Override&, const Override&) = default;
};

// An override of a server holds for all its jobs. An override of a job takes precedence. If several match one
// job, an id takes precedence over "server/job", and that over a name.
struct Policy {
  Duration lookback = std::chrono::hours(168);
  MaxAges max_age;
  std::vector<Override> jobs;
  std::vector<Override> servers;
  friend bool operator==(const Policy&, const Policy&) = default;
};

}  // namespace sqlbak_gateway::evaluation
