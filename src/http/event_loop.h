// EventLoop: the one thread that waits for all connections.
//
// Why Poco's sockets, TLS and PollSet are used but not its HTTPServer: docs/decisions.md. Here a connection
// costs memory only; threads are for requests that are whole and admitted.
//
// A connection in a worker's hands stays in the poll set: the usual client sends nothing before it has its
// answer, so a request costs no epoll_ctl. If it sends or hangs up all the same, it is taken out until the
// worker gives it back.
//
// The members are many because everything that one turn of the thread needs is here; what other threads touch
// is in the Dispatcher and its Inbox, and four atomics.
#pragma once

#include "http/connections.h"
#include "http/dispatcher.h"
#include "http/listening_socket.h"
#include "sqlbak_gateway/http/server.h"

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <Poco/Net/PollSet.h>
#include <Poco/Net/StreamSocket.h>

namespace sqlbak_gateway::http {

class EventLoop {
 public:
  EventLoop(const Limits& limits, const Clock& clock);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  // stop() must have been called.
  ~EventLoop() = default;

  // Any thread; see Server.
  Result<void> bind(std::vector<PreparedListener> listeners);
  void start(Service service);
  Result<void> rebind(std::vector<PreparedListener> listeners);
  void resume();
  void set_max_requests_in_flight(std::size_t requests);
  std::vector<std::uint16_t> ports() const { return listening_.ports(); }
  std::optional<SystemTime> certificate_expiry() const { return listening_.certificate_expiry(); }
  Server::Load load() const;
  bool turned_since_last_asked();
  Server::Stopped stop(Deadline deadline);

 private:
  using Wants = Connection::Wants;
  using ConnectionPtr = std::shared_ptr<Connection>;

  // On the event thread:
  void run();
  void turn();
  void tick();
  bool finished() const;
  void accept(ListeningSockets::Bound& bound);
  void admit(Poco::Net::StreamSocket& accepted, const Poco::Net::SocketAddress& peer,
             const PreparedListener& listener);
  bool evict(const std::string* group);
  void ready(const ConnectionPtr& connection);
  void take_returned();
  void follow(const ConnectionPtr& connection, Wants wants);
  // For a pipelined request that follows one answered on this thread: it waits until the others have had
  // their turn.
  void defer(const ConnectionPtr& connection);
  void poll(const ConnectionPtr& connection, int mode);
  // The pointer must be the caller's own, not the list's.
  void close(const ConnectionPtr& connection);
  void reject(Rejection reason) const;

  const Limits limits_;
  const Clock& clock_;
  const std::shared_ptr<Dispatcher> dispatcher_;
  Poco::Net::PollSet poll_set_;
  ListeningSockets listening_;
  Connections connections_;
  std::atomic<std::size_t> connection_count_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> turned_{true};  // since somebody asked
  Deadline stop_deadline_ = Deadline::never();
  SteadyTime last_tick_;
  SteadyTime last_trim_;
  std::size_t cut_connections_ = 0;
  std::thread thread_;
};

}  // namespace sqlbak_gateway::http
