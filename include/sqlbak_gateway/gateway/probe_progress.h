// ProbeProgress: what `--probe` says to standard error while it waits.
//
// First that it has begun, with whom and how long that may take; then how far it is. On a terminal that is
// one line which is written over; elsewhere (a file, a journal, a pipe) it is a line every kProgressEvery.
#pragma once

#include "sqlbak_gateway/gateway/account_view.h"

#include <string>

namespace sqlbak_gateway::gateway {

inline constexpr Duration kProgressEvery = std::chrono::seconds(10);

// Not thread-safe. Pure: what it returns is for the caller to print.
class ProbeProgress {
 public:
  ProbeProgress(const config::AccountConfig& account, bool terminal);

  std::string begun() const;
  // `waited` is since the beginning. Empty: it is too early to say something again.
  std::string going_on(Duration waited, const AccountView& view);
  // Takes the line off a terminal.
  std::string ended() const;

 private:
  const std::string account_;
  const std::string api_url_;
  const bool terminal_;
  Duration next_ = kProgressEvery;  // without a terminal
};

}  // namespace sqlbak_gateway::gateway
