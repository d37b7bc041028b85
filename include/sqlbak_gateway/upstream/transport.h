// Transport: the seam between collecting and the network. One implementation is libcurl's multi interface;
// tests and benchmarks put the simulator behind it.
//
// Everything here happens on the upstream thread, but for wake(), which any thread may call.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/base/failure.h"
#include "sqlbak_gateway/base/secret.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::upstream {

// How to reach one account's API; shared by its requests, and never changed once shared.
struct Peer {
  std::string api_url;               // without a trailing '/'; never holds credentials
  std::optional<std::string> proxy;  // nothing: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment
  Secret proxy_credentials;          // "user:password", or empty
  std::string ca_file;               // PEM; empty: the system's
};

// One GET with the token in X-SqlBak-Token. Redirects are never followed.
struct Call {
  std::uint64_t id = 0;  // chosen by the caller; unique among the calls in flight
  std::shared_ptr<const Peer> peer;
  std::shared_ptr<const Secret> token;
  std::string target;                        // appended to api_url; starts with '/'
  Deadline deadline = Deadline::never();     // for everything: connecting, headers, the last byte of the body
  std::uint64_t max_body_bytes = 16u << 20;  // after inflation
};

// The end of a call: either an HTTP answer with a complete body, or a failure.
struct Completion {
  std::uint64_t id = 0;
  int status = 0;                          // 0 when there was no complete answer
  std::string body;                        // inflated
  std::optional<std::string> retry_after;  // the header as it came
  std::optional<SystemTime> server_date;   // the Date header, for a Retry-After that is a date
  struct Failure {
    FailureReason reason = FailureReason::connection;  // timeout, connection or bad_response
    std::string message;   // what happened, for an operator: names the host, tells the kinds of TLS trouble
                           // apart; no secret
    bool lasting = false;  // asking again at once would not help: a certificate that is refused, a body that
                           // is too large
  };
  std::optional<Failure> failure;
  Duration elapsed{};
};

// Resource type. Destroying it drops the calls in flight without completing them.
class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  // Begins a call; its end comes out of poll(), never out of start() itself.
  virtual void start(Call call) = 0;
  // Forgets a call: no completion will come for it. Unknown ids are ignored.
  virtual void cancel(std::uint64_t id) = 0;
  // Waits until something completed, wake() was called, or `until` has come, and returns what completed
  // (maybe nothing).
  virtual std::vector<Completion> poll(Deadline until) = 0;
  // Ends a poll() at once, or makes the next one return at once.
  virtual void wake() = 0;
};

}  // namespace sqlbak_gateway::upstream
