// One client's connection to the HttpServer. It reads requests, gets them answered one after the other, and
// plays each answer's script. It never blocks, but returns what it waits for. Resource type, used by the
// server's thread.
#pragma once

#include "simulator/wire.h"
#include "sqlbak_gateway/base/clock.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>

#include <openssl/ssl.h>

namespace sqlbak_gateway::simulator {

// Owns a file descriptor.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

class Connection {
 public:
  using Answer = std::function<Reply(const Request&)>;
  // `tls` is null for a plain connection.
  Connection(Socket socket, SSL_CTX* tls, const Clock& clock, Answer answer);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // What the connection waits for next.
  struct Wish {
    bool done = false;  // the connection has ended: destroy it
    bool read = false;
    bool write = false;
    std::optional<SteadyTime> wake_at;
  };
  Wish on_ready();  // the socket can be read or written
  Wish on_wake();   // wake_at has come

  std::uint32_t interest = 1;  // the server's note of what epoll watches (EPOLLIN at first)

 private:
  enum class Io { progress, would_block, ended };

  Wish go_on();
  Io receive();
  Io send_some();
  bool take_request();
  bool play();
  void end(Script::End how);
  void refuse(int status);

  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  Socket socket_;
  std::unique_ptr<SSL, FreeSsl> tls_;
  const Clock& clock_;
  Answer answer_;
  std::string in_;
  std::string out_;
  std::size_t sent_ = 0;
  std::deque<Script::Part> parts_;
  Script::End end_ = Script::End::keep;
  bool busy_ = false;    // an answer is under way
  bool silent_ = false;  // the connection sends no more bytes
  bool peer_ended_ = false;
  bool closed_ = false;
  bool tls_wants_write_ = false;
  std::optional<SteadyTime> wake_at_;
};

}  // namespace sqlbak_gateway::simulator
