#include "http/event_loop.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/resource.h>

#include <Poco/Exception.h>

namespace sqlbak_gateway::http {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);  // how late a deadline may be noticed
constexpr int kAcceptsATurn = 64;                           // a burst of connections leaves time for answers

// How many descriptors connections may have: the limit less what everything else needs.
std::size_t connections_possible() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  const std::size_t descriptors = limit.rlim_cur;
  const std::size_t reserved = std::clamp<std::size_t>(descriptors / 4, 16, 512);
  return descriptors > 2 * reserved ? descriptors - reserved : reserved;
}

Limits within_the_possible(Limits limits) {
  limits.max_connections = std::max<std::size_t>(1, std::min(limits.max_connections, connections_possible()));
  limits.max_connections_per_address =
      std::max<std::size_t>(1, std::min(limits.max_connections_per_address, limits.max_connections));
  return limits;
}

Client client_at(const Poco::Net::SocketAddress& peer) {
  Poco::Net::IPAddress address = peer.host();
  const auto* const bytes = static_cast<const char*>(address.addr());
  if (address.family() == Poco::Net::IPAddress::IPv6 && address.isIPv4Mapped()) {
    constexpr std::size_t kPrefix = 12;
    address = Poco::Net::IPAddress(bytes + kPrefix, sizeof(in_addr));
  }
  Client client;
  client.address = address.toString();
  client.loopback = address.isLoopback();
  constexpr std::size_t kNetwork = 8;  // bytes of an IPv6 /64
  client.group = address.family() == Poco::Net::IPAddress::IPv6
                     ? std::string(static_cast<const char*>(address.addr()), kNetwork)
                     : client.address;
  return client;
}

// Not Poco's poll(), which makes and destroys an epoll instance each time.
bool somebody_waits(const Poco::Net::ServerSocket& socket) {
  pollfd polled{socket.impl()->sockfd(), POLLIN, 0};
  return ::poll(&polled, 1, 0) > 0;
}

bool out_of_descriptors(int code) {
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

// A thread that is started in its scope has every signal blocked: signals are main's, and a write to a
// connection that is gone must be an error (EPIPE), not a SIGPIPE, which OpenSSL's and Poco's writes do not
// suppress.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

EventLoop::EventLoop(const Limits& limits, const Clock& clock)
    : limits_(within_the_possible(limits)),
      clock_(clock),
      dispatcher_(std::make_shared<Dispatcher>(limits_)),
      listening_(poll_set_),
      last_tick_(clock.steady_now()),
      last_trim_(last_tick_) {
  poll_set_.add(dispatcher_->inbox().socket(), Poco::Net::PollSet::POLL_READ);
}

// --- The event thread ---

void EventLoop::run() {
  while (!finished()) turn();
  for (const ConnectionPtr& connection : Connections::Order(connections_.all())) {
    if (connection->owner.is_worker() || !connection->settled()) ++cut_connections_;
    // Only shut down: a worker may be about to write, and another connection must not get the descriptor
    // meanwhile.
    ::shutdown(connection->socket().impl()->sockfd(), SHUT_RDWR);
  }
  connections_ = Connections();
  connection_count_ = 0;
  dispatcher_->inbox().close();
}

bool EventLoop::finished() const {
  if (!stopping_) return false;
  if (connections_.size() == 0 && dispatcher_->handlers_running() == 0) return true;
  return stop_deadline_.passed(clock_.steady_now());
}

void EventLoop::turn() {
  const bool quiet = connections_.size() == 0 && !stopping_ && !listening_.any_paused();
  const auto patience =
      quiet ? limits_.thread_idle_time : std::min(kTick, stop_deadline_.remaining(clock_.steady_now()));
  const auto microseconds = std::chrono::ceil<std::chrono::microseconds>(patience).count();
  // Poco rounds down to milliseconds: a remainder of less must not become a busy wait.
  for (const auto& [socket, mode] :
       poll_set_.poll(Poco::Timespan(std::max<Poco::Timespan::TimeDiff>(microseconds, 1000)))) {
    if (socket == dispatcher_->inbox().socket()) {
      dispatcher_->inbox().clear_wake_up();
    } else if (const ConnectionPtr connection = connections_.find(socket)) {
      ready(connection);
    } else if (ListeningSockets::Bound* const bound = listening_.find(socket)) {
      accept(*bound);
    }
  }
  take_returned();
  dispatcher_->inbox().run_tasks();
  turned_ = true;
  if (stopping_ || clock_.steady_now() - last_tick_ >= kTick) tick();
}

void EventLoop::tick() {
  const SteadyTime now = clock_.steady_now();
  last_tick_ = now;
  listening_.retry();
  for (auto next = connections_.all().begin(); next != connections_.all().end();) {
    const ConnectionPtr connection = *next++;
    if (connection->owner.is_worker()) continue;
    if (stopping_ && connection->settled()) {
      close(connection);
    } else if (connection->deadline().passed(now)) {
      follow(connection, connection->time_out());
    }
  }
  while (connections_.size() > limits_.max_connections && evict(nullptr)) {
  }
  if (now - last_trim_ >= limits_.thread_idle_time) {
    last_trim_ = now;
    dispatcher_->trim();
  }
}

void EventLoop::accept(ListeningSockets::Bound& bound) {
  for (int accepted = 0; accepted < kAcceptsATurn; ++accepted) {
    try {
      // Asking first is cheaper than the exception for a queue that is empty.
      if (!somebody_waits(bound.socket)) return;
      Poco::Net::SocketAddress peer;
      Poco::Net::StreamSocket socket = bound.socket.acceptConnection(peer);
      admit(socket, peer, bound.listener);
    } catch (const Poco::Exception& exception) {
      if (!out_of_descriptors(exception.code())) continue;  // that client is gone already
      reject(Rejection::descriptors);
      if (evict(nullptr)) continue;
      listening_.pause(
          bound);  // until the next tick, instead of being told of the waiting client again and again
      return;
    }
  }
}

void EventLoop::admit(Poco::Net::StreamSocket& accepted, const Poco::Net::SocketAddress& peer,
                      const PreparedListener& listener) {
  accepted.setBlocking(false);
  accepted.setNoDelay(true);
  Client client = client_at(peer);
  const bool group_full = connections_.of_group(client.group) >= limits_.max_connections_per_address;
  // Where workers have all of them, there is one more for a moment: see tick().
  if (group_full || connections_.size() >= limits_.max_connections)
    evict(group_full ? &client.group : nullptr);
  auto connection = std::make_shared<Connection>(limits_, dispatcher_->observer(), clock_, accepted,
                                                 listener.tls, std::move(client));
  poll_set_.add(connection->socket(), Poco::Net::PollSet::POLL_READ);
  connection->notes.polled = Poco::Net::PollSet::POLL_READ;
  connections_.add(std::move(connection));
  connection_count_ = connections_.size();
}

bool EventLoop::evict(const std::string* group) {
  const ConnectionPtr victim = connections_.quietest(group);
  if (!victim) return false;
  victim->evict();
  close(victim);
  return true;
}

void EventLoop::ready(const ConnectionPtr& connection) {
  {
    MutexLock lock(connection->owner.mutex);
    if (connection->owner.worker) {
      connection->owner.unpolled = true;
      poll(connection, 0);
      return;
    }
  }
  connections_.touch(connection);
  follow(connection, connection->advance());
}

void EventLoop::follow(const ConnectionPtr& connection, Wants wants) {
  if (wants == Wants::handler) {
    poll(connection, Poco::Net::PollSet::POLL_READ);
    const std::optional<Wants> next = dispatcher_->dispatch(connection);
    if (!next) return;
    wants = *next;
  }
  switch (wants) {
    case Wants::readable:
      poll(connection, Poco::Net::PollSet::POLL_READ);
      break;
    case Wants::writable:
      poll(connection, Poco::Net::PollSet::POLL_WRITE);
      break;
    case Wants::closing:
      close(connection);
      break;
    case Wants::handler:
      defer(connection);
      break;
  }
}

void EventLoop::defer(const ConnectionPtr& connection) {
  connection->owner.set_worker(true);
  dispatcher_->inbox().give_back(connection, Wants::handler);
}

void EventLoop::poll(const ConnectionPtr& connection, int mode) {
  int& polled = connection->notes.polled;
  if (polled == mode) return;
  if (mode == 0) {
    poll_set_.remove(connection->socket());
  } else if (polled == 0) {
    poll_set_.add(connection->socket(), mode);
  } else {
    poll_set_.update(connection->socket(), mode);
  }
  polled = mode;
}

void EventLoop::close(const ConnectionPtr& connection) {
  poll(connection, 0);
  connections_.remove(connection);
  connection->close();
  connection_count_ = connections_.size();
}

void EventLoop::take_returned() {
  for (const auto& [connection, wants] : dispatcher_->inbox().take_returned()) {
    {
      MutexLock lock(connection->owner.mutex);
      connection->owner.worker = false;
      connection->owner.unpolled = false;
    }
    connections_.touch(connection);
    follow(connection, wants);
  }
}

void EventLoop::reject(Rejection reason) const {
  if (dispatcher_->observer().rejected) dispatcher_->observer().rejected(reason);
}

// --- Any thread ---

Result<void> EventLoop::bind(std::vector<PreparedListener> listeners) {
  return listening_.rebind(std::move(listeners));
}

void EventLoop::start(Service service) {
  dispatcher_->serve(std::move(service));
  listening_.resume();
  const SignalsBlocked blocked;  // the workers, which this thread and they start, inherit it
  thread_ = std::thread([this] { run(); });
}

Result<void> EventLoop::rebind(std::vector<PreparedListener> listeners) {
  Result<void> outcome = Error{"the server has stopped"};
  dispatcher_->inbox().run([&] {
    if (!stopping_) outcome = listening_.rebind(std::move(listeners));
  });
  return outcome;
}

void EventLoop::resume() {
  dispatcher_->inbox().run([&] {
    if (!stopping_) listening_.resume();
  });
}

void EventLoop::set_max_requests_in_flight(std::size_t requests) {
  dispatcher_->set_max_requests_in_flight(requests);
}

Server::Load EventLoop::load() const {
  return {connection_count_, dispatcher_->requests_in_flight(), dispatcher_->threads()};
}

bool EventLoop::turned_since_last_asked() {
  const bool turned = turned_.exchange(false);
  dispatcher_->inbox().wake();
  return turned;
}

Server::Stopped EventLoop::stop(Deadline deadline) {
  if (!thread_.joinable()) return {cut_connections_, dispatcher_->handlers_running()};
  dispatcher_->inbox().run([&] {
    stopping_ = true;
    dispatcher_->keep_no_connections();
    stop_deadline_ = deadline;
    listening_.close();
    tick();
  });
  thread_.join();
  return {cut_connections_, dispatcher_->cut()};
}

}  // namespace sqlbak_gateway::http
