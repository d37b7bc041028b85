// The command line.
#pragma once

#include "sqlbak_gateway/base/log.h"
#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/config/config.h"

#include <optional>
#include <string>
#include <vector>

namespace sqlbak_gateway::config {

inline constexpr const char* kDefaultConfigFile = "/etc/sqlbak-gateway/gateway.toml";

struct Flags {
  std::string config_file = kDefaultConfigFile;
  bool config_check = false;
  std::vector<ListenAddress> listen_addresses;  // --web.listen-address; empty for those of the file
  std::optional<std::string> probe;             // the account to collect once
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::logfmt;
  bool version = false;
  bool help = false;
};

// `arguments` is argv without the program's name. Values follow as --flag=value or --flag value, with one
// dash or two, as with other exporters. An Error for an unknown flag (with the nearest known one), a missing
// or malformed value, a flag given twice (except --web.listen-address), or an argument that is not a flag.
Result<Flags> parse_flags(const std::vector<std::string>& arguments);

// What --help prints.
std::string help_text();

}  // namespace sqlbak_gateway::config
