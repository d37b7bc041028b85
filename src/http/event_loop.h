// EventLoop: the one thread that waits for all connections, and the two pools that answer.
//
// Why Poco's sockets, TLS and PollSet are used but not its HTTPServer: that one spends a thread on every
// connection for as long as it is open. Idle, silent, dripping and never-reading clients then hold threads
// for ever (its timeouts are per system call), and when threads and queue are full it closes connections
// without an answer, the health check's included. Here a connection costs memory only; threads are for
// requests that are whole and admitted.
//
// A connection in a worker's hands stays in the poll set: the usual client sends nothing before it has its
// answer, so a request costs no epoll_ctl. Should it send (or hang up) all the same, it is taken out until
// the worker gives it back.
#pragma once

#include "http/connections.h"
#include "http/listening_socket.h"
#include "http/workers.h"
#include "sqlbak_gateway/http/server.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <Poco/Net/PollSet.h>
#include <Poco/Net/StreamSocket.h>

namespace sqlbak_gateway::http {

// Resource type. Workers left behind by stop() share it.
class EventLoop : public std::enable_shared_from_this<EventLoop> {
 public:
  EventLoop(Server::Options options, const Clock& clock);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  // stop() must have been called.
  ~EventLoop() = default;

  void start();
  // Any thread; see Server.
  Result<void> adopt(std::vector<PreparedListener> listeners, const std::function<void()>& ready = {})
      EXCLUDES(mutex_);
  void set_max_requests_in_flight(std::size_t requests);
  std::vector<std::uint16_t> ports() const EXCLUDES(mutex_);
  std::optional<SystemTime> certificate_expiry() const EXCLUDES(mutex_);
  Server::Load load() const;
  bool turned_since_last_asked();
  Server::Stopped stop(Deadline deadline) EXCLUDES(mutex_);

 private:
  using Wants = Connection::Wants;
  using ConnectionPtr = std::shared_ptr<Connection>;
  struct Pool {
    explicit Pool(Urgency its) : serves(its) {}
    const Urgency serves;
    std::shared_ptr<Workers> workers;
    std::atomic<std::size_t> in_flight{0};  // admitted and not yet answered
    std::atomic<std::size_t> running{0};    // in the handler
  };

  // On the event thread:
  void run();
  void turn();
  void tick();
  bool finished();
  void accept(ListeningSockets::Bound& bound);
  void admit(Poco::Net::StreamSocket& accepted, const Poco::Net::SocketAddress& peer,
             const PreparedListener& listener);
  bool evict(const std::string* group);
  void ready(const ConnectionPtr& connection);
  void take_returned();
  void take_tasks();
  void follow(const ConnectionPtr& connection, Wants wants);
  // Nothing when a worker has it now.
  std::optional<Wants> dispatch(const ConnectionPtr& connection);
  // A pipelined request that follows one answered on this thread: when the others have had their turn.
  void defer(const ConnectionPtr& connection);
  void poll(const ConnectionPtr& connection, int mode);
  // The pointer must be the caller's own, not the list's.
  void close(const ConnectionPtr& connection);

  // On a worker's:
  void answer(const ConnectionPtr& connection, Pool& pool);
  // Whether the client sends more within a moment.
  bool linger(const Connection& connection);
  // `touched`: the event thread knows of all the life that it has shown.
  void give_back(const ConnectionPtr& connection, Wants wants, bool touched) EXCLUDES(mutex_);

  // Any thread:
  Urgency urgency_of(const Connection& connection) const;
  Pool& pool_for(Urgency urgency) { return urgency == Urgency::urgent ? urgent_ : ordinary_; }
  // The handler's answer, or 500 where it throws.
  Response respond(const Connection& connection) const;
  // Counts the request in, unless there are too many.
  bool admit_request(Pool& pool);
  void wake();
  void run_on_event_thread(const std::function<void()>& task) EXCLUDES(mutex_);
  void reject(Rejection reason) const;

  const Limits limits_;
  const Handler handler_;
  const Triage triage_;
  const Observer observer_;
  const Clock& clock_;

  Pool ordinary_{Urgency::ordinary};
  Pool urgent_{Urgency::urgent};
  std::atomic<std::size_t> max_in_flight_;
  std::atomic<std::size_t> lingering_{0};
  std::atomic<std::size_t> connection_count_{0};
  std::atomic<bool> stopping_{false};  // answers are the last of their connections
  std::atomic<bool> turned_{true};     // since somebody asked
  std::atomic<bool> cut_{false};       // no handler is called any more

  Poco::Net::StreamSocket wake_;  // an eventfd
  std::atomic<bool> woken_{false};
  Poco::Net::PollSet poll_set_;
  ListeningSockets listening_;
  Connections connections_;
  Deadline stop_deadline_ = Deadline::never();
  SteadyTime last_tick_;
  SteadyTime last_trim_;
  std::size_t cut_connections_ = 0;

  mutable Mutex mutex_;
  Condition done_;
  std::vector<std::pair<ConnectionPtr, Wants>> returned_ GUARDED_BY(mutex_);
  std::vector<const std::function<void()>*> tasks_ GUARDED_BY(mutex_);
  bool ended_ GUARDED_BY(mutex_) = false;
  std::vector<std::uint16_t> ports_ GUARDED_BY(mutex_);
  std::optional<SystemTime> certificate_expiry_ GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace sqlbak_gateway::http
