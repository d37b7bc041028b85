#include "sqlbak_gateway/account/backup_type.h"

#include "sqlbak_gateway/base/text.h"

namespace sqlbak_gateway {

BackupType backup_type_from_api(std::string_view text) {
  text = trimmed(text);
  if (equal_ignoring_case(text, "database_full")) return BackupType::full;
  if (equal_ignoring_case(text, "database_differential")) return BackupType::diff;
  if (equal_ignoring_case(text, "database_incremental")) return BackupType::inc;
  if (equal_ignoring_case(text, "database_transaction_log")) return BackupType::log;
  if (equal_ignoring_case(text, "folder")) return BackupType::folder;
  return BackupType::unknown;
}

}  // namespace sqlbak_gateway
