// Judging one job at T.
#pragma once

#include "evaluation/run_facts.h"
#include "sqlbak_gateway/evaluation/prepared.h"

#include <memory>

namespace sqlbak_gateway::evaluation {

// `facts` is scratch space, kept between jobs for its room.
PreparedJob judge(std::shared_ptr<const JobSnapshot> source, const JobPolicy& policy, SystemTime collected_at,
                  FactsByType& facts);

// Whether it is a job that makes backups, as far as the API says: not maintenance.
bool is_backup_job(const Job& job);

}  // namespace sqlbak_gateway::evaluation
