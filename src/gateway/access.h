// Access: who a request comes from, and what they may see.
//
// With [[access]] entries everything but the health endpoints needs credentials: HTTP basic auth against a
// bcrypt hash, or a bearer token. Without entries everybody may see every account, and only this machine may
// see the configuration or reload it.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/config/bounded_tokens.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/gateway/bcrypt.h"
#include "sqlbak_gateway/http/authorization.h"
#include "sqlbak_gateway/http/message.h"
#include "sqlbak_gateway/http/server.h"

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

// Resource type, safe from any thread. Made anew by a reload, with what the former had learnt.
class Access {
 public:
  // `tokens` and `clock` outlive it and all that are made after it.
  Access(std::vector<config::AccessEntry> entries, const config::BoundedTokens& tokens, const Clock& clock,
         TryPassword try_password = bcrypt_matches);
  // Of an entry that did not change (the same name with the same hash or the same source of its token) what
  // has been verified stays so; who has to wait after failures still does.
  Access(std::vector<config::AccessEntry> entries, const Access& former);
  ~Access();
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  enum class Denial {
    unknown,    // no credentials, or wrong ones: the same answer whatever is wrong with them
    throttled,  // too many wrong passwords from this address lately, for this name or whatever name
    busy,       // nothing is said of the password: those of others are being checked
  };
  struct Verdict {
    std::optional<Caller> caller;  // nothing: denied
    Denial denial = Denial::unknown;
    Duration retry_after{};  // of Denial::throttled and Denial::busy
  };
  // Costs as much for an unknown name as for a wrong password, whatever the name: as many rounds of bcrypt as
  // the dearest entry has. May block while bcrypt works (0.2 s at cost 12), and for a second before it; what
  // was right is answered from memory afterwards. `urgency`: the request's.
  Verdict check(const http::Request& request, http::Urgency urgency = http::Urgency::ordinary);

  // Whether there is any access control.
  bool enabled() const;
  // Whether any entry has a password, or a bearer token: which scheme there is any use in trying.
  bool takes_passwords() const;
  bool takes_bearer_tokens() const;

 private:
  struct Learnt;
  struct Entry;

  Access(std::vector<config::AccessEntry> entries, const std::vector<Entry>& former,
         std::shared_ptr<Learnt> learnt);
  Verdict check_basic(const http::BasicCredentials& given, const http::Request& request,
                      http::Urgency urgency) const;
  Verdict check_bearer(const Secret& token) const;

  const std::shared_ptr<Learnt> learnt_;
  std::vector<Entry> entries_;  // not changed once made
  int dearest_cost_ = 0;        // of the entries' hashes; 0: none has one
};

}  // namespace sqlbak_gateway::gateway
