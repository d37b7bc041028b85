// Dispatcher: gives requests to the threads that answer them, one pool for ordinary requests and one for
// urgent ones, and refuses what is too many.
//
// Resource type, held by shared pointers only: workers share it, so that those whose handler hangs when the
// server stops can be left behind.
#pragma once

#include "http/inbox.h"
#include "http/workers.h"
#include "sqlbak_gateway/http/server.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>

namespace sqlbak_gateway::http {

class Dispatcher : public std::enable_shared_from_this<Dispatcher> {
 public:
  using ConnectionPtr = std::shared_ptr<Connection>;
  using Wants = Connection::Wants;

  explicit Dispatcher(const Limits& limits);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  // cut() must have been called.
  ~Dispatcher() = default;

  // Once, before any request.
  void serve(Service service) { service_ = std::move(service); }

  Inbox& inbox() { return inbox_; }
  const Observer& observer() const { return service_.observer; }
  void set_max_requests_in_flight(std::size_t requests);
  std::size_t requests_in_flight() const { return ordinary_.in_flight; }
  std::size_t threads() const { return ordinary_.workers->threads() + urgent_.workers->threads(); }

  // The rest is the event thread's.
  // Answers the request of `connection`, and returns what that wants next; or gives it to a worker and
  // returns nothing. The connection must be polled for reading.
  std::optional<Wants> dispatch(const ConnectionPtr& connection);
  // From now on answers are the last of their connections.
  void keep_no_connections() { stopping_ = true; }
  std::size_t handlers_running() const { return ordinary_.running + urgent_.running; }
  // Ends threads that were not needed since the last call.
  void trim();
  // Ends all threads but those whose handler does not return; how many these are.
  std::size_t cut();

 private:
  struct Pool {
    Urgency serves;
    std::size_t lingering;                  // threads beyond those for requests
    std::atomic<std::size_t> max_requests;  // in the handler at once
    std::shared_ptr<Workers> workers;
    std::atomic<std::size_t> in_flight{0};  // admitted and not yet answered
    std::atomic<std::size_t> running{0};    // in the handler
  };

  Pool& pool_for(Urgency urgency) { return urgency == Urgency::urgent ? urgent_ : ordinary_; }
  Urgency urgency_of(const Connection& connection) const;
  static bool admit(Pool& pool);
  // The handler's answer, or 500 where it throws.
  Response respond(const Connection& connection) const;
  Response busy() const;

  // On a worker's thread:
  void answer(const ConnectionPtr& connection, Pool& pool);
  // Whether the client sends more within a moment.
  bool linger(const Connection& connection);
  // `touched`: the event thread knows of all the life that the connection has shown.
  void give_back(const ConnectionPtr& connection, Wants wants, bool touched);

  Service service_;  // not changed once requests come
  Inbox inbox_;
  Pool ordinary_;
  Pool urgent_;
  std::atomic<std::size_t> lingering_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> cut_{false};  // no handler is called any more
};

}  // namespace sqlbak_gateway::http
