// Makes a Config of files, flags and environment, and finds everything that is wrong at once.
#pragma once

#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/config/environment.h"

#include <optional>
#include <string>
#include <vector>

namespace sqlbak_gateway::config {

// One thing that is wrong or doubtful, and where. The message says what to do about it, and never contains a
// secret.
struct Diagnostic {
  Place place;
  std::string message;
};

// "FILE:LINE:COLUMN: MESSAGE"; the parts of the place that are not known are left out.
std::string to_text(const Diagnostic& diagnostic);
void append(std::vector<Diagnostic>& to, std::vector<Diagnostic> more);

// What happens to a bad file in accounts_dir.
enum class LoadMode {
  start,   // it is skipped and reported in `rejected`: one customer's typing error must not stop the others
           // after a reboot. An account that two files of accounts_dir define is that of neither: it has a
           // token of Kind::none
  reload,  // it is an error: the running configuration stays. So is going from some accounts to none
  check,   // it is an error: --config.check
};

struct LoadOptions {
  LoadMode mode = LoadMode::start;
  Environment environment;                     // required
  std::vector<ListenAddress> listen_override;  // --web.listen-address; empty: what the file says
  const Config* running = nullptr;             // for LoadMode::reload: what is in force now
};

// A file of accounts_dir that was left out: with all its accounts, or with those only that another file
// defines too.
struct RejectedFile {
  std::string file;
  std::vector<Diagnostic> errors;  // never empty
  bool in_part = false;
};

struct LoadOutcome {
  std::optional<Config> config;      // nothing exactly when `errors` is not empty
  std::vector<Diagnostic> errors;    // the main file's first; by file, line and column
  std::vector<Diagnostic> warnings;  // in force whether or not there are errors
  std::vector<RejectedFile> rejected;
};

// Reads the main file and its accounts_dir, and applies single-account mode: with SQLBAK_API_TOKEN or
// SQLBAK_API_TOKEN_FILE set and no account configured (the main file may then be absent) the one account is
// `default`, from CHECK_INTERVAL, EXPORTER_PORT, JOBRUNS_LOOKBACK_HOURS and SQLBAK_API_URL on top of the
// file's [defaults].
//
// Does not read tokens, certificates or CA files, because a fault in one account's token affects that account
// alone (check.h reads them for --config.check). Blocks on the file system. No state; safe from any thread.
LoadOutcome load(const std::string& file, const LoadOptions& options);

}  // namespace sqlbak_gateway::config
