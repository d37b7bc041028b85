// Resolving and binding what a Listener names.
#pragma once

#include "http/tls_context.h"
#include "sqlbak_gateway/http/listener.h"

#include <functional>
#include <string>
#include <vector>

#include <Poco/Net/PollSet.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>

namespace sqlbak_gateway::http {

// A Listener whose text, name and files have been found good, but which is not bound yet.
struct PreparedListener {
  ListenAddress address;
  Poco::Net::SocketAddress resolved;
  bool both_families = false;   // an IPv6 wildcard that takes IPv4 clients too
  Poco::Net::Context::Ptr tls;  // null: plain
  CertificateFacts certificate;

  // The same socket serves both.
  bool same_socket(const PreparedListener& other) const {
    return address == other.address && both_families == other.both_families;
  }
};

// May block on a name. All or nothing.
Result<std::vector<PreparedListener>> prepare(const std::vector<Listener>& listeners);

// The sockets that are bound. Resource type; belongs to the event thread.
class ListeningSockets {
 public:
  struct Bound {
    PreparedListener listener;
    Poco::Net::ServerSocket socket;
    bool polled = false;
  };

  explicit ListeningSockets(Poco::Net::PollSet& poll_set) : poll_set_(poll_set) {}
  ListeningSockets(const ListeningSockets&) = delete;
  ListeningSockets& operator=(const ListeningSockets&) = delete;

  // Keeps the sockets that serve on, binds the new ones, closes the others, calls `ready` (unless it is
  // empty), and only then lets the new ones be polled. On an Error everything is as before.
  Result<void> adopt(std::vector<PreparedListener> listeners, const std::function<void()>& ready);
  void close();

  Bound* find(const Poco::Net::Socket& socket);
  // No more connections from it until resume(): the process has no room for them.
  void pause(Bound& bound);
  void resume();
  bool any_paused() const;
  const std::vector<Bound>& all() const { return bound_; }

 private:
  void release(Bound& bound);

  Poco::Net::PollSet& poll_set_;
  std::vector<Bound> bound_;  // in the order of the configuration
};

}  // namespace sqlbak_gateway::http
