// Server: HTTP/1.1 and 1.0 over TCP and TLS, which cannot be starved.
//
// One event thread accepts, shakes hands, reads requests until they are whole, finishes slow writes, and
// keeps every deadline; it never waits for a client. A thread is spent only on a request that is whole and
// admitted: ordinary ones in a pool of max_requests_in_flight, urgent ones in a small pool of their own, so
// that operators get answers while every ordinary thread waits. Immediate ones, health checks, need no thread
// at all. What is refused is refused with an answer that says why.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/http/listener.h"
#include "sqlbak_gateway/http/message.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::http {

// What one client, and all together, may use. The defaults fit a gateway of a thousand accounts.
struct Limits {
  std::size_t max_requests_in_flight = 256;  // ordinary requests in the handler at once; beyond it: 503
  std::size_t urgent_threads = 16;
  // Open connections; lowered to what the descriptor limit allows. When full, the connection that has been
  // quiet for longest gives way to a new one, so that holding connections open gains an attacker nothing.
  std::size_t max_connections = 8192;
  // The share of one client address (one /64 of IPv6). Beyond it, its own quietest connection gives way.
  std::size_t max_connections_per_address = 4096;

  std::size_t max_request_line_bytes = 8u << 10;  // beyond it: 414
  std::size_t max_header_bytes = 32u << 10;       // beyond it: 431
  std::size_t max_headers = 100;                  // beyond it: 431
  std::size_t max_body_bytes = 64u << 10;         // beyond it: 413

  Duration handshake_time = std::chrono::seconds(10);  // of TLS
  // From the connection or the request's first byte to its last; beyond it: 408.
  Duration request_time = std::chrono::seconds(10);
  // Between requests. Longer than the five minutes Prometheus keeps a connection, so that it is the client
  // who hangs up and no request meets a closing connection.
  Duration idle_time = std::chrono::seconds(330);
  Duration write_time = std::chrono::seconds(60);  // for the whole answer to be taken by the client
  // Threads that were not needed for so long end, after twice as long at the latest.
  Duration thread_idle_time = std::chrono::seconds(10);
};

// Why the server turned a client away: values of the label `reason` of sqlbak_gateway_http_rejected_total.
enum class Rejection {
  busy,               // 503: max_requests_in_flight reached
  malformed,          // 400, 411, 417, 501 or 505
  uri_too_long,       // 414
  headers_too_large,  // 431
  body_too_large,     // 413
  slow_request,       // 408: no whole request in request_time
  slow_reader,        // cut: the answer was not taken in write_time
  handshake,          // cut: TLS failed or took too long
  evicted,            // gave way to newer connections
  descriptors,        // the process ran out of descriptors
};
inline constexpr std::array kRejections = {
    Rejection::busy,           Rejection::malformed,    Rejection::uri_too_long, Rejection::headers_too_large,
    Rejection::body_too_large, Rejection::slow_request, Rejection::slow_reader,  Rejection::handshake,
    Rejection::evicted,        Rejection::descriptors};
std::string_view name(Rejection rejection);

// Whom to tell. Called on the server's threads, several at once; must be quick. Empty functions are not
// called.
struct Observer {
  // An answer was handed to the network (by the handler or, refusing, by the server). `path` is the client's
  // text: never a label value as it is; empty when none could be read.
  std::function<void(std::string_view path, int status)> answered;
  std::function<void(Rejection)> rejected;
};

enum class Urgency {
  immediate,  // on the event thread, whatever all others do: the handler must neither wait nor work
  urgent,
  ordinary
};
// Pure, quick, safe from any thread.
using Triage = std::function<Urgency(std::string_view path)>;

class EventLoop;

// Resource type. `clock` and whatever the functions refer to must outlive it.
class Server {
 public:
  struct Options {
    std::vector<Listener> listeners;  // at least one
    Limits limits;
    Handler handler;
    Triage triage;  // empty: all ordinary
    Observer observer;
  };

  // Binds every listener, then serves. All or nothing: an Error says which address or file, why, and what to
  // do.
  static Result<std::unique_ptr<Server>> start(Options options, const Clock& clock);
  // stop() with a second's grace.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The bound ports, in the order of the listeners. Any thread.
  std::vector<std::uint16_t> ports() const;

  // Follows a reload; any thread, one at a time. A listener whose address stays keeps its socket and
  // connections, and uses the TLS files as they are now for new handshakes; the others are closed or opened
  // (connections of a closed one finish their request). All or nothing as start(). Once nothing can fail any
  // more, and the closed ones are closed, `ready` is called on the server's thread: what is accepted on the
  // new ones comes after it. It must be quick.
  Result<void> set_listeners(const std::vector<Listener>& listeners, const std::function<void()>& ready = {});
  void set_max_requests_in_flight(std::size_t requests);

  // When the first of the certificates in use expires; nothing without TLS.
  std::optional<SystemTime> certificate_expiry() const;

  struct Load {
    std::size_t connections = 0;
    std::size_t requests_in_flight = 0;  // ordinary ones in the handler
    std::size_t threads = 0;             // of both pools, without the event thread
  };
  Load load() const;

  // Whether the event thread has gone round since the call before (true the first time), and sends it round
  // again. Waits for nothing. Any one thread.
  bool turned_since_last_asked();

  struct Stopped {
    std::size_t connections_cut = 0;   // whose answers were not finished
    std::size_t handlers_running = 0;  // that did not return; what they refer to must not be destroyed: exit
  };
  // Stops listening at once, closes idle connections, lets running requests be answered until `deadline`,
  // then cuts. Returns at the deadline at the latest, whatever handlers and clients do. Once; any thread but
  // the server's own.
  Stopped stop(Deadline deadline);

 private:
  Server(std::shared_ptr<EventLoop> loop, const Clock& clock);
  std::shared_ptr<EventLoop> loop_;
  const Clock& clock_;
};

// Raises the process's soft limit of open descriptors to the hard one; what it is then.
std::size_t raise_descriptor_limit();

}  // namespace sqlbak_gateway::http
