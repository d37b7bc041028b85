// Backup types, as label values name them, and sets of them. Value types.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sqlbak_gateway {

enum class BackupType : std::uint8_t { full, diff, inc, log, folder, unknown };

inline constexpr std::size_t kBackupTypeCount = 6;
inline constexpr std::array<BackupType, kBackupTypeCount> kBackupTypes = {
    BackupType::full, BackupType::diff,   BackupType::inc,
    BackupType::log,  BackupType::folder, BackupType::unknown};

constexpr std::size_t index(BackupType type) {
  return static_cast<std::size_t>(type);
}

// The value of the label `backup_type`.
constexpr std::string_view name(BackupType type) {
  constexpr std::array<std::string_view, kBackupTypeCount> names = {"full", "diff",   "inc",
                                                                    "log",  "folder", "unknown"};
  return names[index(type)];
}

// From the API's spelling, after trimming and lower-casing: database_full, database_differential,
// database_incremental, database_transaction_log, folder; anything else is unknown.
BackupType backup_type_from_api(std::string_view text);

class BackupTypeSet {
 public:
  constexpr BackupTypeSet() = default;
  constexpr void insert(BackupType type) { bits_ = static_cast<std::uint8_t>(bits_ | (1u << index(type))); }
  constexpr bool contains(BackupType type) const { return (bits_ >> index(type)) & 1u; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr BackupTypeSet united_with(BackupTypeSet other) const {
    BackupTypeSet both;
    both.bits_ = static_cast<std::uint8_t>(bits_ | other.bits_);
    return both;
  }
  friend constexpr bool operator==(BackupTypeSet, BackupTypeSet) = default;

 private:
  std::uint8_t bits_ = 0;
};

}  // namespace sqlbak_gateway
