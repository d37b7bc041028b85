// Connection: the life of one client connection as a state machine. It moves bytes when told that they can
// move, keeps its own deadline, and says what it waits for. Polling, running handlers and closing are the
// event loop's affair.
//
//   shaking_hands ─▶ reading ─▶ answering ─▶ writing ─▶ reading … or draining ─▶ (closed)
//
// It belongs to one thread at a time: to the worker that answers from dispatch to give-back, else to the
// event thread.
#pragma once

#include "http/channel.h"
#include "http/request_reader.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/http/server.h"

#include <cstdint>
#include <list>
#include <memory>
#include <string>

namespace sqlbak_gateway::http {

// Who is at the other end.
struct Client {
  std::string address;  // numeric
  std::string group;    // whom max_connections_per_address counts together: an IPv4 address or an IPv6 /64
  bool loopback = false;
};

class Connection {
 public:
  enum class Wants { readable, writable, handler, closing };

  Connection(const Limits& limits, const Observer& observer, const Clock& clock,
             const Poco::Net::StreamSocket& accepted, const Poco::Net::Context::Ptr& tls, Client client);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Moves what can be moved, but only a part of a large answer, because other connections wait for this
  // thread too. After `handler`, request() is to be answered; after `closing`, the socket is to be closed.
  Wants advance();
  const Request& request() const { return current_.request; }
  // Answers request(), with as much as the network takes. `last`: the connection is not to be kept.
  Wants answer(const Response& response, bool last);
  // The deadline has passed.
  Wants time_out();
  // Makes room for others. If a request is on its way, the client is told why.
  void evict();
  void close() { channel_.close(); }

  Deadline deadline() const { return deadline_; }
  // It waits for a request of which nothing has arrived.
  bool idle() const { return phase_ == Phase::reading && reader_.empty(); }
  // Nothing is lost when it is closed now: no request has begun, or its answer has gone out.
  bool settled() const { return idle() || phase_ == Phase::draining || phase_ == Phase::shaking_hands; }
  const Client& client() const { return client_; }
  const Poco::Net::StreamSocket& socket() const { return channel_.socket(); }

  // What the event loop notes about the connection; only for the event thread.
  struct Notes {
    std::list<std::shared_ptr<Connection>>::iterator place;  // in the order of quietness
    int polled = 0;                                          // the poll set's mode; 0: not in it
  } notes;
  // Handing over between the event thread and a worker.
  struct Owner {
    Mutex mutex;
    bool worker GUARDED_BY(mutex) = false;
    bool unpolled GUARDED_BY(mutex) = false;  // taken out of the poll set, so the event thread must be told

    bool is_worker() EXCLUDES(mutex) {
      MutexLock lock(mutex);
      return worker;
    }
    void set_worker(bool is) EXCLUDES(mutex) {
      MutexLock lock(mutex);
      worker = is;
    }
  } owner;

 private:
  enum class Phase { shaking_hands, reading, answering, writing, draining };

  Wants shake_hands();
  Wants read();
  Wants refuse(Refused refused);
  Wants send(const Response& response, bool keep);
  // At most about so many bytes.
  Wants write(std::size_t at_most);
  Wants written();
  Wants drain();
  Wants wait_for(Channel::State state);
  void allow(Duration time) { deadline_ = Deadline::after(clock_.steady_now(), time); }
  void reject(Rejection reason) const;

  const Limits& limits_;
  const Observer& observer_;
  const Clock& clock_;
  Channel channel_;
  Client client_;
  RequestReader reader_;
  Phase phase_;
  Deadline deadline_ = Deadline::never();
  Complete current_;
  std::string head_;
  std::shared_ptr<const std::string> body_;  // null: none, or HEAD
  std::size_t sent_ = 0;                     // of head and body together
  bool keep_ = true;
  std::size_t drained_ = 0;
};

}  // namespace sqlbak_gateway::http
