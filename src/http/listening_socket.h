// Resolving and binding what listeners name.
#pragma once

#include "http/tls_context.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/http/listener.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <Poco/Net/PollSet.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>

namespace sqlbak_gateway::http {

// A Listener whose address, name and files are known to be good, but which is not bound yet.
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

// May block while a name is looked up. All or nothing.
Result<std::vector<PreparedListener>> prepare(const std::vector<Listener>& listeners);

// The sockets that are bound. Resource type; belongs to the event thread, but for the methods that say
// otherwise.
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

  // Keeps the sockets that serve on, binds the new ones and closes the others. Nothing is accepted until
  // resume(). On an Error everything is as before.
  Result<void> rebind(std::vector<PreparedListener> listeners) EXCLUDES(mutex_);
  // Accepts again after rebind() or pause().
  void resume();
  // Accepts no more from this socket until retry(): the process has no room for connections.
  void pause(Bound& bound);
  // Accepts again after pause(), but not between rebind() and resume().
  void retry();
  void close();

  Bound* find(const Poco::Net::Socket& socket);
  bool any_paused() const;

  // Of what is bound, in the order of the configuration. Any thread.
  std::vector<std::uint16_t> ports() const EXCLUDES(mutex_);
  // The first to expire; empty without TLS. Any thread.
  std::optional<SystemTime> certificate_expiry() const EXCLUDES(mutex_);

 private:
  // What a rebind does to the sockets.
  struct Change {
    std::vector<Bound> next;
    std::vector<std::size_t> fresh;          // places in `next` of those to be bound
    std::vector<Bound> leaving;              // still open
    std::vector<PreparedListener> released;  // of those that had to be closed early
  };
  Change change_to(std::vector<PreparedListener> listeners) const;
  // Closes whatever has the port of `listener`, which could not be bound otherwise.
  void make_way(const PreparedListener& listener, Change& change);
  void undo(Change& change);
  void note_facts() EXCLUDES(mutex_);
  void release(Bound& bound);

  Poco::Net::PollSet& poll_set_;
  std::vector<Bound> bound_;  // in the order of the configuration
  bool held_ = false;         // between rebind() and resume()

  mutable Mutex mutex_;
  std::vector<std::uint16_t> ports_ GUARDED_BY(mutex_);
  std::optional<SystemTime> certificate_expiry_ GUARDED_BY(mutex_);
};

}  // namespace sqlbak_gateway::http
