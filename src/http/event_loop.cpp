#include "http/event_loop.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <Poco/Exception.h>
#include <Poco/Net/StreamSocketImpl.h>

namespace sqlbak_gateway::http {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);  // how late a deadline may be noticed
// A worker that has answered keeps the connection for a moment: a client that asks again at once is then
// served without the event thread and two changes of thread. These threads come on top of those for the
// requests in flight.
constexpr std::chrono::milliseconds kLinger{10};
constexpr std::size_t kLingeringThreads = 8;
constexpr int kAcceptsATurn = 64;  // so that a burst of connections leaves time for answers

// What the process may have open, less what is needed for everything but connections.
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
bool readable(const Poco::Net::Socket& socket, std::chrono::milliseconds patience) {
  pollfd polled{socket.impl()->sockfd(), POLLIN, 0};
  return ::poll(&polled, 1, static_cast<int>(patience.count())) > 0;
}

bool out_of_descriptors(int code) {
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

// A thread started in its scope has every signal blocked: signals are main's, and a write to a connection
// that is gone must be an error (EPIPE), not a SIGPIPE, which OpenSSL's and Poco's writes do not suppress.
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

EventLoop::EventLoop(Server::Options options, const Clock& clock)
    : limits_(within_the_possible(options.limits)),
      handler_(std::move(options.handler)),
      triage_(std::move(options.triage)),
      observer_(std::move(options.observer)),
      clock_(clock),
      max_in_flight_(limits_.max_requests_in_flight),
      wake_(new Poco::Net::StreamSocketImpl(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))),
      listening_(poll_set_),
      last_tick_(clock.steady_now()),
      last_trim_(last_tick_) {
  ordinary_.workers = std::make_shared<Workers>(limits_.max_requests_in_flight + kLingeringThreads);
  urgent_.workers = std::make_shared<Workers>(limits_.urgent_threads);
  poll_set_.add(wake_, Poco::Net::PollSet::POLL_READ);
}

void EventLoop::start() {
  const SignalsBlocked blocked;  // inherited by the workers, which only this thread starts
  thread_ = std::thread([this] { run(); });
}

// --- The event thread ---

void EventLoop::run() {
  while (!finished()) turn();
  for (const ConnectionPtr& connection : Connections::Order(connections_.all())) {
    MutexLock lock(connection->owner.mutex);
    if (connection->owner.worker || !connection->settled()) ++cut_connections_;
    // Only shut down: a worker may be about to write, and another connection must not get the descriptor
    // meanwhile.
    ::shutdown(connection->socket().impl()->sockfd(), SHUT_RDWR);
  }
  connections_ = Connections();
  connection_count_ = 0;
  MutexLock lock(mutex_);
  ended_ = true;
  tasks_.clear();
  returned_.clear();
  done_.notify_all();
}

bool EventLoop::finished() {
  if (!stopping_) return false;
  if (connections_.size() == 0 && ordinary_.running == 0 && urgent_.running == 0) return true;
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
    if (socket == wake_) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto bytes = ::read(wake_.impl()->sockfd(), &count, sizeof count);
      // Only now: a waking in between would be taken away too, and no later one would be written any more.
      // What comes before this needs none: what is to be done is looked for below.
      woken_ = false;
    } else if (const ConnectionPtr connection = connections_.find(socket)) {
      ready(connection);
    } else if (ListeningSockets::Bound* const bound = listening_.find(socket)) {
      accept(*bound);
    }
  }
  take_returned();
  take_tasks();
  turned_ = true;
  if (stopping_ || clock_.steady_now() - last_tick_ >= kTick) tick();
}

void EventLoop::tick() {
  const SteadyTime now = clock_.steady_now();
  last_tick_ = now;
  listening_.resume();
  for (auto next = connections_.all().begin(); next != connections_.all().end();) {
    const ConnectionPtr connection = *next++;
    {
      MutexLock lock(connection->owner.mutex);
      if (connection->owner.worker) continue;
    }
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
    ordinary_.workers->trim();
    urgent_.workers->trim();
  }
}

void EventLoop::accept(ListeningSockets::Bound& bound) {
  for (int accepted = 0; accepted < kAcceptsATurn; ++accepted) {
    try {
      // Asking first is cheaper than the exception for a queue that is empty.
      if (!readable(bound.socket, std::chrono::milliseconds::zero())) return;
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
  auto connection =
      std::make_shared<Connection>(limits_, observer_, clock_, accepted, listener.tls, std::move(client));
  poll_set_.add(connection->socket(), Poco::Net::PollSet::POLL_READ);
  connection->notes.polled = Poco::Net::PollSet::POLL_READ;
  connections_.add(std::move(connection));
  connection_count_ = connections_.size();
}

bool EventLoop::evict(const std::string* group) {
  const ConnectionPtr victim = connections_.quietest(group);
  if (!victim) return false;
  victim->give_way();
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
    const std::optional<Wants> next = dispatch(connection);
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
  {
    MutexLock lock(connection->owner.mutex);
    connection->owner.worker = true;
  }
  give_back(connection, Wants::handler, false);
}

std::optional<Connection::Wants> EventLoop::dispatch(const ConnectionPtr& connection) {
  const Urgency urgency = urgency_of(*connection);
  if (urgency == Urgency::immediate) return connection->answer(respond(*connection), stopping_);
  Pool& pool = pool_for(urgency);
  if (admit_request(pool)) {
    poll(connection, Poco::Net::PollSet::POLL_READ);
    {
      MutexLock lock(connection->owner.mutex);
      connection->owner.worker = true;
    }
    auto job = [self = shared_from_this(), connection, &pool] { self->answer(connection, pool); };
    if (pool.workers->submit(std::move(job))) return std::nullopt;
    --pool.in_flight;
    MutexLock lock(connection->owner.mutex);
    connection->owner.worker = false;
  }
  reject(Rejection::busy);
  Response busy = text_response(503, "the server is busy: " + std::to_string(max_in_flight_) +
                                         " requests are being answered, which is the limit; try again\n");
  busy.headers.push_back({"Retry-After", "1"});
  return connection->answer(busy, stopping_);
}

Urgency EventLoop::urgency_of(const Connection& connection) const {
  return triage_ ? triage_(connection.request().path) : Urgency::ordinary;
}

Response EventLoop::respond(const Connection& connection) const {
  try {
    return handler_(connection.request());
  } catch (...) {
    return text_response(500, "internal error; the gateway's log may say more\n");
  }
}

bool EventLoop::admit_request(Pool& pool) {
  if (++pool.in_flight <= max_in_flight_ || &pool == &urgent_) return true;
  --pool.in_flight;
  return false;
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
  std::vector<std::pair<ConnectionPtr, Wants>> returned;
  {
    MutexLock lock(mutex_);
    returned.swap(returned_);
  }
  for (const auto& [connection, wants] : returned) {
    {
      MutexLock lock(connection->owner.mutex);
      connection->owner.worker = false;
      connection->owner.unpolled = false;
    }
    connections_.touch(connection);
    follow(connection, wants);
  }
}

void EventLoop::take_tasks() {
  std::vector<const std::function<void()>*> tasks;
  {
    MutexLock lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const auto* const task : tasks) (*task)();
}

// --- The workers ---

void EventLoop::answer(const ConnectionPtr& connection, Pool& pool) {
  for (bool first = true;; first = false) {
    ++pool.running;
    Response response;
    if (!cut_) response = respond(*connection);
    const bool abandoned = cut_;  // nobody waits any more, and what the observer tells may be gone
    Wants wants = Wants::closing;
    if (!abandoned) {
      --pool.in_flight;
      wants = connection->answer(response, stopping_);
    }
    --pool.running;
    if (abandoned) return;
    if (wants == Wants::readable && &pool == &ordinary_ && linger(*connection)) wants = connection->advance();
    const bool ours = wants == Wants::handler && urgency_of(*connection) == pool.serves;
    if (!ours || !admit_request(pool)) {
      give_back(connection, wants, first);
      return;
    }
  }
}

bool EventLoop::linger(const Connection& connection) {
  if (!connection.idle() || stopping_) return false;
  if (++lingering_ > kLingeringThreads) {
    --lingering_;
    return false;
  }
  const bool more = readable(connection.socket(), kLinger);
  --lingering_;
  return more;
}

void EventLoop::give_back(const ConnectionPtr& connection, Wants wants, bool touched) {
  {
    MutexLock lock(connection->owner.mutex);
    if (wants == Wants::readable && touched && !connection->owner.unpolled && !stopping_) {
      connection->owner.worker = false;
      return;
    }
  }
  {
    MutexLock lock(mutex_);
    returned_.emplace_back(connection, wants);
  }
  wake();
}

// --- Any thread ---

void EventLoop::wake() {
  if (woken_.exchange(true)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto bytes = ::write(wake_.impl()->sockfd(), &one, sizeof one);
}

void EventLoop::run_on_event_thread(const std::function<void()>& task) {
  bool done = false;
  const std::function<void()> wrapped = [&] {
    task();
    MutexLock lock(mutex_);
    done = true;
    done_.notify_all();
  };
  {
    MutexLock lock(mutex_);
    if (ended_) return;
    tasks_.push_back(&wrapped);
  }
  wake();
  MutexLock lock(mutex_);
  while (!done && !ended_) done_.wait(mutex_);
}

Result<void> EventLoop::adopt(std::vector<PreparedListener> listeners, const std::function<void()>& ready) {
  Result<void> outcome = Error{"the server has stopped"};
  run_on_event_thread([&] {
    if (stopping_) return;
    outcome = listening_.adopt(std::move(listeners), ready);
    std::vector<std::uint16_t> ports;
    std::optional<SystemTime> expiry;
    for (const ListeningSockets::Bound& bound : listening_.all()) {
      ports.push_back(bound.socket.address().port());
      if (!bound.listener.tls) continue;
      expiry = std::min(expiry.value_or(SystemTime::max()), bound.listener.certificate.not_after);
    }
    MutexLock lock(mutex_);
    ports_ = std::move(ports);
    certificate_expiry_ = expiry;
  });
  return outcome;
}

void EventLoop::set_max_requests_in_flight(std::size_t requests) {
  max_in_flight_ = requests;
  ordinary_.workers->set_max_threads(requests + kLingeringThreads);
}

std::vector<std::uint16_t> EventLoop::ports() const {
  MutexLock lock(mutex_);
  return ports_;
}

std::optional<SystemTime> EventLoop::certificate_expiry() const {
  MutexLock lock(mutex_);
  return certificate_expiry_;
}

Server::Load EventLoop::load() const {
  return {connection_count_, ordinary_.in_flight, ordinary_.workers->threads() + urgent_.workers->threads()};
}

bool EventLoop::turned_since_last_asked() {
  const bool turned = turned_.exchange(false);
  wake();
  return turned;
}

Server::Stopped EventLoop::stop(Deadline deadline) {
  if (!thread_.joinable()) return {cut_connections_, ordinary_.running + urgent_.running};
  run_on_event_thread([&] {
    stopping_ = true;
    stop_deadline_ = deadline;
    listening_.close();
    tick();
  });
  thread_.join();
  cut_ = true;
  const std::size_t ordinary_left = ordinary_.running;
  const std::size_t urgent_left = urgent_.running;
  ordinary_.workers->stop(ordinary_left);
  urgent_.workers->stop(urgent_left);
  return {cut_connections_, ordinary_left + urgent_left};
}

void EventLoop::reject(Rejection reason) const {
  if (observer_.rejected) observer_.rejected(reason);
}

}  // namespace sqlbak_gateway::http
