// Judging one job at T.
#pragma once

#include "evaluation/run_facts.h"
#include "sqlbak_gateway/evaluation/prepared.h"

#include <memory>

namespace sqlbak_gateway::evaluation {

// `facts` is scratch space. It is passed in so that its memory is reused.
PreparedJob judge(std::shared_ptr<const JobSnapshot> source, const JobPolicy& policy, SystemTime collected_at,
                  FactsByType& facts);

// Whether the job makes backups: false if the API calls it a maintenance job.
bool is_backup_job(const Job& job);

}  // namespace sqlbak_gateway::evaluation
