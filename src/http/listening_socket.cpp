#include "http/listening_socket.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>

namespace sqlbak_gateway::http {
namespace {

constexpr int kBacklog = 4096;  // the kernel lowers it to net.core.somaxconn

bool is_ipv4_wildcard(const ListenAddress& address) {
  return address.host == "0.0.0.0";
}
bool is_ipv6_wildcard(const ListenAddress& address) {
  return address.host == "::";
}

// Poco's tryParse() takes "::" and "0.0.0.0" for no addresses.
std::optional<Poco::Net::IPAddress> numeric(const std::string& host) {
  in_addr ipv4{};
  if (::inet_pton(AF_INET, host.c_str(), &ipv4) == 1) return Poco::Net::IPAddress(&ipv4, sizeof ipv4);
  in6_addr ipv6{};
  if (::inet_pton(AF_INET6, host.c_str(), &ipv6) == 1) return Poco::Net::IPAddress(&ipv6, sizeof ipv6);
  return std::nullopt;
}

Error cannot_listen(const ListenAddress& address, int code, const std::string& otherwise) {
  std::string why = otherwise;
  if (code == EADDRINUSE)
    why = "the port is in use by another program (or another gateway); stop it or choose another port";
  if (code == EADDRNOTAVAIL) why = "this machine has no such address";
  if (code == EACCES)
    why = "a port below 1024 needs the capability CAP_NET_BIND_SERVICE; choose a higher one";
  if (code == EAFNOSUPPORT) why = "this machine has no IPv6; write an IPv4 address";
  if (code == EMFILE || code == ENFILE)
    why = "the process has no descriptors left; raise its limit (LimitNOFILE)";
  return Error{"cannot listen on " + to_text(address) + ": " + why};
}

Result<Poco::Net::ServerSocket> bind(const PreparedListener& listener) {
  // The address is reused (a restart must not wait for old connections), the port is not: Poco's shorter
  // overloads set SO_REUSEPORT too, and a second gateway would silently take half of the connections.
  constexpr bool kReuseAddress = true;
  constexpr bool kReusePort = false;
  try {
    Poco::Net::ServerSocket socket;
    if (listener.resolved.family() == Poco::Net::SocketAddress::IPv6) {
      socket.bind6(listener.resolved, kReuseAddress, kReusePort, !listener.both_families);
    } else {
      socket.bind(listener.resolved, kReuseAddress, kReusePort);
    }
    socket.listen(kBacklog);
    socket.setBlocking(false);
    return socket;
  } catch (const Poco::Exception& exception) {
    return cannot_listen(listener.address, exception.code(), exception.displayText());
  }
}

}  // namespace

Result<std::vector<PreparedListener>> prepare(const std::vector<Listener>& listeners) {
  if (listeners.empty()) return Error{"there is no address to listen on"};
  std::vector<PreparedListener> prepared;
  for (const Listener& listener : listeners) {
    const auto& [host, port] = listener.address;
    PreparedListener next;
    next.address = listener.address;
    next.both_families = is_ipv6_wildcard(listener.address);
    try {
      const std::optional<Poco::Net::IPAddress> ip = numeric(host);
      next.resolved = ip ? Poco::Net::SocketAddress(*ip, port) : Poco::Net::SocketAddress(host, port);
    } catch (const Poco::Exception&) {
      return Error{"cannot listen on " + to_text(listener.address) +
                   ": the name cannot be resolved; write a numeric address"};
    }
    if (listener.tls) {
      const Result<TlsContext> tls = load_tls_context(*listener.tls);
      if (!tls) return tls.error();
      next.tls = tls->context;
      next.certificate = tls->certificate;
    }
    prepared.push_back(std::move(next));
  }
  // Both wildcards of one port can only be bound together when each keeps to its family.
  for (PreparedListener& wildcard : prepared) {
    wildcard.both_families =
        wildcard.both_families && std::none_of(prepared.begin(), prepared.end(), [&](const auto& other) {
          return is_ipv4_wildcard(other.address) && other.address.port == wildcard.address.port &&
                 other.address.port != 0;
        });
  }
  return prepared;
}

ListeningSockets::Change ListeningSockets::change_to(std::vector<PreparedListener> listeners) const {
  Change change;
  change.leaving = bound_;
  for (PreparedListener& listener : listeners) {
    const auto kept = std::find_if(change.leaving.begin(), change.leaving.end(),
                                   [&](const Bound& bound) { return bound.listener.same_socket(listener); });
    if (kept == change.leaving.end()) {
      change.fresh.push_back(change.next.size());
      change.next.push_back({std::move(listener), Poco::Net::ServerSocket(), false});
    } else {
      change.next.push_back({std::move(listener), kept->socket, kept->polled});
      change.leaving.erase(kept);
    }
  }
  return change;
}

// 0.0.0.0:8000 cannot be bound while 127.0.0.1:8000 is, nor the other way round.
void ListeningSockets::make_way(const PreparedListener& listener, Change& change) {
  for (auto old = change.leaving.begin(); old != change.leaving.end();) {
    const std::uint16_t port = old->socket.address().port();
    if (port != listener.address.port) {
      ++old;
      continue;
    }
    change.released.push_back(old->listener);
    change.released.back().resolved = Poco::Net::SocketAddress(old->listener.resolved.host(), port);
    release(*old);
    old = change.leaving.erase(old);
  }
}

void ListeningSockets::undo(Change& change) {
  for (const std::size_t index : change.fresh) change.next[index].socket.close();
  std::erase_if(bound_,
                [](const Bound& bound) { return bound.socket.impl()->sockfd() == POCO_INVALID_SOCKET; });
  for (const PreparedListener& listener : change.released) {
    if (Result<Poco::Net::ServerSocket> socket = bind(listener)) bound_.push_back({listener, *socket, false});
  }
  retry();
}

Result<void> ListeningSockets::rebind(std::vector<PreparedListener> listeners) {
  Change change = change_to(std::move(listeners));
  for (const std::size_t index : change.fresh) {
    Bound& fresh = change.next[index];
    make_way(fresh.listener, change);
    Result<Poco::Net::ServerSocket> socket = bind(fresh.listener);
    if (!socket) {
      undo(change);
      return socket.error();
    }
    fresh.socket = *socket;
  }
  for (Bound& bound : change.leaving) release(bound);
  bound_ = std::move(change.next);
  held_ = true;
  for (Bound& bound : bound_) pause(bound);
  note_facts();
  return {};
}

void ListeningSockets::note_facts() {
  MutexLock lock(mutex_);
  ports_.clear();
  certificate_expiry_.reset();
  for (const Bound& bound : bound_) {
    ports_.push_back(bound.socket.address().port());
    if (!bound.listener.tls) continue;
    certificate_expiry_ =
        std::min(certificate_expiry_.value_or(SystemTime::max()), bound.listener.certificate.not_after);
  }
}

std::vector<std::uint16_t> ListeningSockets::ports() const {
  MutexLock lock(mutex_);
  return ports_;
}

std::optional<SystemTime> ListeningSockets::certificate_expiry() const {
  MutexLock lock(mutex_);
  return certificate_expiry_;
}

void ListeningSockets::close() {
  for (Bound& bound : bound_) release(bound);
  bound_.clear();
}

void ListeningSockets::release(Bound& bound) {
  pause(bound);
  bound.socket.close();
}

ListeningSockets::Bound* ListeningSockets::find(const Poco::Net::Socket& socket) {
  const auto found =
      std::find_if(bound_.begin(), bound_.end(), [&](const Bound& bound) { return bound.socket == socket; });
  return found == bound_.end() ? nullptr : &*found;
}

void ListeningSockets::pause(Bound& bound) {
  if (bound.polled) poll_set_.remove(bound.socket);
  bound.polled = false;
}

void ListeningSockets::resume() {
  held_ = false;
  retry();
}

void ListeningSockets::retry() {
  if (held_) return;
  for (Bound& bound : bound_) {
    if (!bound.polled) poll_set_.add(bound.socket, Poco::Net::PollSet::POLL_READ);
    bound.polled = true;
  }
}

bool ListeningSockets::any_paused() const {
  return std::any_of(bound_.begin(), bound_.end(), [](const Bound& bound) { return !bound.polled; });
}

}  // namespace sqlbak_gateway::http
