// The transport over libcurl's multi interface: any number of calls on the caller's one thread, over HTTP/1.1
// or, where a TLS peer offers it, HTTP/2 with many calls on one connection.
//
// What it holds to, whatever the peer does: certificates and host names are verified (TLS 1.2 at least);
// redirects are not followed; only http and https are spoken; the path is sent as given; the deadline ends a
// call even while bytes drip in; the body is bounded before (Content-Length) and after inflation, and
// complete; headers are bounded; the token goes to the API and nowhere else (not to a proxy, a log, or an
// error text); a DNS server that hangs delays nobody but the call that waits for it.
//
// A proxy of the environment is not used for loopback addresses; one in Peer always is. The process must
// ignore SIGPIPE.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/upstream/transport.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sqlbak_gateway::upstream {

struct CurlOptions {
  std::string user_agent = "sqlbak-gateway";
  bool http2 = true;  // offer HTTP/2 to TLS peers
  // For a name, a connection and its TLS, within the call's deadline.
  Duration connect_timeout = std::chrono::seconds(10);
  // Connections kept open for later calls; there may be more while more calls than that run over HTTP/1.1.
  std::uint32_t idle_connections = 64;
};

// Opens nothing before the first call.
class CurlTransport final : public Transport {
 public:
  // The clock must outlive it and be one that goes by itself.
  CurlTransport(const Clock& clock, CurlOptions options);
  ~CurlTransport() override;

  void start(Call call) override;
  void cancel(std::uint64_t id) override;
  std::vector<Completion> poll(Deadline until) override;
  void wake() override;

  std::size_t in_flight() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sqlbak_gateway::upstream
