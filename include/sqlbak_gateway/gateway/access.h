// Access: who a request comes from, and what they may see.
//
// With [[access]] entries everything but the health endpoints needs credentials: HTTP basic auth against a
// bcrypt hash, or a bearer token. Without entries everybody may see every account, and only this machine may
// see the configuration or reload it.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/config/token.h"
#include "sqlbak_gateway/http/message.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::gateway {

// Whoever sent a request. Value type.
struct Caller {
  std::string name;                   // of the access entry; empty without access control
  std::vector<std::string> accounts;  // names or globs
  bool operator_rights = false;       // may see /metrics, /config and reload

  bool may_see(std::string_view account) const;
};

// Resource type, safe from any thread. Made anew by a reload.
class Access {
 public:
  // `tokens` outlives it.
  Access(std::vector<config::AccessEntry> entries, const config::TokenReader& tokens, const Clock& clock);
  ~Access();
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  enum class Denial {
    unknown,    // no credentials, or wrong ones: the same answer whatever is wrong with them
    throttled,  // too many wrong ones from this address for this name lately
  };
  struct Verdict {
    std::optional<Caller> caller;  // nothing: denied
    Denial denial = Denial::unknown;
    Duration retry_after{};  // of Denial::throttled
  };
  // Takes as long for an unknown name as for a wrong password. May block while bcrypt works (0.2 s at cost
  // 12), and answers from a cache afterwards.
  Verdict check(const http::Request& request);

  // Whether there is any access control.
  bool enabled() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sqlbak_gateway::gateway
