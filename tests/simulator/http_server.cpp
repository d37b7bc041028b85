#include "simulator/http_server.h"

#include "simulator/connection.h"
#include "simulator/control.h"
#include "sqlbak_gateway/base/text.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <netinet/tcp.h>
#include <set>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <utility>

#include <openssl/err.h>

namespace sqlbak_gateway::simulator {
namespace {

Error system_error(const std::string& what) {
  return Error{what + ": " + std::strerror(errno)};
}

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTls>;

Result<TlsContext> load_tls(const ListenOptions& options) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_use_certificate_chain_file(context.get(), options.cert_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    std::array<char, 256> reason{};
    ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
    return Error{"the certificate or its key cannot be read (" + options.cert_file + ", " + options.key_file +
                 "): " + reason.data()};
  }
  return context;
}

Result<Socket> bound_socket(const ListenOptions& options) {
  const bool ipv6 = options.host.find(':') != std::string::npos;
  sockaddr_storage address{};
  socklen_t length = 0;
  bool parsed = false;
  if (ipv6) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&address);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(options.port);
    parsed = inet_pton(AF_INET6, options.host.c_str(), &in6->sin6_addr) == 1;
    length = sizeof(sockaddr_in6);
  } else {
    auto* in = reinterpret_cast<sockaddr_in*>(&address);
    in->sin_family = AF_INET;
    in->sin_port = htons(options.port);
    parsed = inet_pton(AF_INET, options.host.c_str(), &in->sin_addr) == 1;
    length = sizeof(sockaddr_in);
  }
  if (!parsed) return Error{"\"" + options.host + "\" is no numeric address, like 127.0.0.1"};
  Socket socket(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const std::string where = options.host + " port " + std::to_string(options.port);
  if (bind(socket.fd(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(socket.fd(), 4096) != 0) {
    return system_error("cannot listen on " + where);
  }
  return socket;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

class EpollServer final : public HttpServer {
 public:
  EpollServer(Simulator& simulator, const Clock& clock, const ListenOptions& options, Socket socket,
              TlsContext tls)
      : simulator_(simulator),
        clock_(clock),
        host_(options.host),
        listening_(std::move(socket)),
        tls_(std::move(tls)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        stop_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        port_(port_of(listening_.fd())) {
    watch(listening_.fd(), EPOLLIN, EPOLL_CTL_ADD);
    watch(stop_event_.fd(), EPOLLIN, EPOLL_CTL_ADD);
  }

  std::uint16_t port() const override { return port_; }

  std::string url() const override {
    const std::string host = host_.find(':') == std::string::npos ? host_ : "[" + host_ + "]";
    return (tls_ ? "https://" : "http://") + host + ":" + std::to_string(port_);
  }

  void stop() override {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop_event_.fd(), &one, sizeof(one));
  }

  void run() override {
    // A peer that has gone is an error of the write, not a signal.
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);

    std::array<epoll_event, 256> events{};
    while (true) {
      const int ready = epoll_wait(epoll_.fd(), events.data(), static_cast<int>(events.size()), wait_ms());
      for (int i = 0; i < ready; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == stop_event_.fd()) return connections_.clear();
        if (event.data.fd == listening_.fd())
          accept_all();
        else if (const auto found = connections_.find(event.data.fd); found != connections_.end()) {
          settle(event.data.fd, found->second->on_ready());
        }
      }
      fire_timers();
    }
  }

 private:
  void watch(int fd, std::uint32_t interest, int operation) {
    epoll_event event{};
    event.events = interest;
    event.data.fd = fd;
    epoll_ctl(epoll_.fd(), operation, fd, &event);
  }

  void accept_all() {
    while (true) {
      const int fd = accept4(listening_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      connections_[fd] = std::make_unique<Connection>(
          Socket(fd), tls_.get(), clock_, [this](const Request& request) { return answer(request); });
      watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  Reply answer(const Request& request) {
    if (request.target.starts_with(kControlPrefix)) return answer_control(simulator_, request);
    return simulator_.answer(request);
  }

  // Does what the connection asks for after it has made progress.
  void settle(int fd, const Connection::Wish& wish) {
    const auto found = connections_.find(fd);
    if (const auto timer = timer_of_.find(fd); timer != timer_of_.end()) {
      timers_.erase({timer->second, fd});
      timer_of_.erase(timer);
    }
    if (wish.done) {
      connections_.erase(found);
      return;
    }
    const std::uint32_t interest = (wish.read ? EPOLLIN : 0u) | (wish.write ? EPOLLOUT : 0u);
    if (interest != found->second->interest) {
      watch(fd, interest, EPOLL_CTL_MOD);
      found->second->interest = interest;
    }
    if (wish.wake_at) {
      timers_.emplace(*wish.wake_at, fd);
      timer_of_.emplace(fd, *wish.wake_at);
    }
  }

  int wait_ms() const {
    if (timers_.empty()) return -1;
    const Duration left = timers_.begin()->first - clock_.steady_now();
    if (left <= Duration::zero()) return 0;
    return static_cast<int>(
        std::chrono::ceil<std::chrono::milliseconds>(std::min<Duration>(left, std::chrono::hours(1)))
            .count());
  }

  void fire_timers() {
    if (timers_.empty()) return;
    const SteadyTime now = clock_.steady_now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
      const int fd = timers_.begin()->second;
      settle(fd, connections_.at(fd)->on_wake());
    }
  }

  Simulator& simulator_;
  const Clock& clock_;
  std::string host_;
  Socket listening_;
  TlsContext tls_;
  Socket epoll_;
  Socket stop_event_;
  std::uint16_t port_;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
  std::set<std::pair<SteadyTime, int>> timers_;
  std::unordered_map<int, SteadyTime> timer_of_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(Simulator& simulator, const Clock& clock,
                                                       const ListenOptions& options) {
  TlsContext tls;
  if (!options.cert_file.empty()) {
    Result<TlsContext> loaded = load_tls(options);
    if (!loaded) return loaded.error();
    tls = std::move(*loaded);
  }
  Result<Socket> socket = bound_socket(options);
  if (!socket) return socket.error();
  return std::unique_ptr<HttpServer>(
      std::make_unique<EpollServer>(simulator, clock, options, std::move(*socket), std::move(tls)));
}

}  // namespace sqlbak_gateway::simulator
