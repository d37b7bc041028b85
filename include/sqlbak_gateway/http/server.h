// Server: HTTP/1.1 and 1.0 over TCP and TLS, which cannot be starved.
//
// One event thread accepts, shakes hands, reads requests until they are whole, finishes slow writes, and
// keeps every deadline; it never waits for a client. A thread is spent only on a request that is whole and
// admitted: ordinary requests have a pool of max_requests_in_flight threads, and urgent ones a small pool of
// their own, so that operators get answers while every ordinary thread waits. Immediate requests, which are
// health checks, need no thread at all. What is refused is refused with an answer that says why.
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
  // Open connections; lowered to what the descriptor limit allows. Beyond it the connection that has been
  // quiet for longest is closed, so that holding connections open gains an attacker nothing.
  std::size_t max_connections = 8192;
  // The share of one client address (one /64 of IPv6). Beyond it, its own quietest connection is closed.
  std::size_t max_connections_per_address = 4096;

  std::size_t max_request_line_bytes = 8u << 10;  // beyond it: 414
  std::size_t max_header_bytes = 32u << 10;       // beyond it: 431
  std::size_t max_headers = 100;                  // beyond it: 431
  std::size_t max_body_bytes = 64u << 10;         // beyond it: 413

  Duration handshake_time = std::chrono::seconds(10);  // of TLS
  // From the connection or the request's first byte to its last; beyond it: 408.
  Duration request_time = std::chrono::seconds(10);
  // Between requests. Longer than the five minutes for which Prometheus keeps a connection, so that the
  // client hangs up and no request meets a closing connection.
  Duration idle_time = std::chrono::seconds(330);
  Duration write_time = std::chrono::seconds(60);  // for the client to take the whole answer
  // Threads that were not needed for this time end, after twice as long at the latest.
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
  evicted,            // closed to make room for newer connections
  descriptors,        // the process ran out of descriptors
};
inline constexpr std::array kRejections = {
    Rejection::busy,           Rejection::malformed,    Rejection::uri_too_long, Rejection::headers_too_large,
    Rejection::body_too_large, Rejection::slow_request, Rejection::slow_reader,  Rejection::handshake,
    Rejection::evicted,        Rejection::descriptors};
std::string_view name(Rejection rejection);

// Who is told of answers and refusals. Called on the server's threads, several at once; must be quick. Empty
// functions are not called.
struct Observer {
  // An answer, the handler's or a refusal of the server, was handed to the network. `path` is the client's
  // text, which must not become a label value as it is; empty if none could be read.
  std::function<void(std::string_view path, int status)> answered;
  std::function<void(Rejection)> rejected;
};

enum class Urgency {
  immediate,  // on the event thread: the handler must neither wait nor work
  urgent,
  ordinary
};
// Pure, quick, safe from any thread.
using Triage = std::function<Urgency(std::string_view path)>;

// What answers requests.
struct Service {
  Handler handler;
  Triage triage;  // empty: all ordinary
  Observer observer;
};

class EventLoop;

// Resource type. `clock` and whatever the service refers to must outlive it.
class Server {
 public:
  // Binds every listener, of which there must be one at least. All or nothing: an Error says which address or
  // file, why, and what to do. Clients that connect wait until serve().
  static Result<std::unique_ptr<Server>> bind(const std::vector<Listener>& listeners, const Limits& limits,
                                              const Clock& clock);
  // stop() with a second's grace.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Starts to accept and to answer. Once. The Error is a lack of threads.
  Result<void> serve(Service service);

  // The bound ports, in the order of the listeners. Any thread.
  std::vector<std::uint16_t> ports() const;

  // A reload takes two steps, so that the caller can change its rules between them: no new address is served
  // under the old rules, and no old address under the new. Any thread, one reload at a time.
  //
  // rebind() is the first step. A listener whose address stays keeps its socket and connections, and uses the
  // TLS files as they are now for new handshakes; new ones are bound and the others closed (connections of a
  // closed one finish their request). Until resume() nothing is accepted; clients wait. All or nothing: after
  // an Error everything is as before, and resume() is not needed.
  Result<void> rebind(const std::vector<Listener>& listeners);
  void resume();
  void set_max_requests_in_flight(std::size_t requests);

  // When the first of the certificates in use expires; empty without TLS.
  std::optional<SystemTime> certificate_expiry() const;

  struct Load {
    std::size_t connections = 0;
    std::size_t requests_in_flight = 0;  // ordinary ones in the handler
    std::size_t threads = 0;             // of both pools, without the event thread
  };
  Load load() const;

  // Whether the event thread has made a turn since the last call (true the first time). Wakes it for another
  // turn, and does not wait. Any one thread.
  bool turned_since_last_asked();

  struct Stopped {
    std::size_t connections_cut = 0;  // whose answers were not finished
    // Handlers that did not return. What they refer to must not be destroyed, so the process has to exit.
    std::size_t handlers_running = 0;
  };
  // Stops listening at once, closes idle connections, lets running requests be answered until `deadline`,
  // then cuts. Returns at the deadline at the latest, whatever handlers and clients do. Once; any thread but
  // the server's own.
  Stopped stop(Deadline deadline);

 private:
  Server(std::unique_ptr<EventLoop> loop, const Clock& clock);
  const std::unique_ptr<EventLoop> loop_;
  const Clock& clock_;
};

// Raises the process's soft limit of open descriptors to the hard one, and returns what it is then.
std::size_t raise_descriptor_limit();

}  // namespace sqlbak_gateway::http
