// The list of an account's jobs: its tables of columns. A job has one row for each backup type, below cells
// that span them.
#pragma once

#include "gateway/page/list.h"
#include "sqlbak_gateway/evaluation/prepared.h"

namespace sqlbak_gateway::gateway {

// Both refer to the prepared account, which must outlive them.
struct JobRow {
  const evaluation::PreparedJob* job;
};
struct TypeRow {
  const evaluation::PreparedJob* job;
  const evaluation::PreparedRow* type;
};

// Its columns are those of the job.
const List<JobRow>& job_list();

// The table of jobs, which says `if_empty` if there are none.
Html job_table(const Listing<JobRow>& jobs, SystemTime now, std::string_view if_empty);

}  // namespace sqlbak_gateway::gateway
