#include "upstream/scripted_server.h"

#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

namespace sqlbak_gateway::upstream::testing {
namespace {

int listen_anywhere(int& port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (listener < 0 || ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 128) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no listening socket on 127.0.0.1");
  }
  port = ntohs(address.sin_port);
  return listener;
}

std::shared_ptr<void> tls_of(const ServerCertificate& certificate) {
  if (certificate.certificate_file.empty()) return nullptr;
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, certificate.certificate_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, certificate.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error("the test's certificate cannot be used");
  }
  return {context, [](void* used) { SSL_CTX_free(static_cast<SSL_CTX*>(used)); }};
}

}  // namespace

class ScriptedServer::Connection final : public ServerConnection {
 public:
  Connection(ScriptedServer& server, int socket) : server_(server), socket_(socket) {
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!server_.tls_) return;
    ssl_ = SSL_new(static_cast<SSL_CTX*>(server_.tls_.get()));
    SSL_set_fd(ssl_, socket_);
    accepted_ = SSL_accept(ssl_) == 1;
  }
  ~Connection() override {
    if (ssl_ != nullptr) {
      if (accepted_) SSL_shutdown(ssl_);
      SSL_free(ssl_);
    }
  }

  std::string read_request() override {
    for (;;) {
      if (const auto end = buffer_.find("\r\n\r\n"); end != std::string::npos) {
        std::string request = buffer_.substr(0, end + 4);
        buffer_.erase(0, end + 4);
        MutexLock lock(server_.mutex_);
        server_.requests_.push_back(request);
        return request;
      }
      if (!read_more()) return "";
    }
  }

  bool send(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto sent = ssl_ != nullptr
                            ? (accepted_ ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) : -1)
                            : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  bool renew_key(int times) override {
    if (!accepted_) return false;
    for (int i = 0; i < times; ++i) {
      if (SSL_key_update(ssl_, SSL_KEY_UPDATE_NOT_REQUESTED) != 1) return false;
      if (SSL_do_handshake(ssl_) != 1) return false;
    }
    return true;
  }

  void hang() override {
    while (read_more()) {
    }
  }

  void reset() override {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    accepted_ = false;
  }

 private:
  bool read_more() {
    std::array<char, 4096> chunk{};
    const auto size = ssl_ != nullptr
                          ? (accepted_ ? SSL_read(ssl_, chunk.data(), static_cast<int>(chunk.size())) : -1)
                          : ::recv(socket_, chunk.data(), chunk.size(), 0);
    if (size <= 0) return false;
    buffer_.append(chunk.data(), static_cast<std::size_t>(size));
    return true;
  }

  ScriptedServer& server_;
  const int socket_;
  SSL* ssl_ = nullptr;
  bool accepted_ = false;
  std::string buffer_;
};

ScriptedServer::ScriptedServer(Script script, const ServerCertificate& certificate)
    : script_(std::move(script)), tls_(tls_of(certificate)), listener_(listen_anywhere(port_)) {
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  std::vector<std::thread> players;
  {
    MutexLock lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    players.swap(players_);
  }
  for (std::thread& player : players) player.join();
  ::close(listener_);
}

void ScriptedServer::accept_all() {
  while (!stopping_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    ++connections_;
    MutexLock lock(mutex_);
    sockets_.push_back(socket);
    players_.emplace_back([this, socket] {
      {
        Connection connection(*this, socket);
        script_(connection);
      }
      MutexLock closing(mutex_);
      std::erase(sockets_, socket);
      ::close(socket);
    });
  }
}

std::string ScriptedServer::url() const {
  return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_);
}

std::vector<std::string> ScriptedServer::requests() const {
  MutexLock lock(mutex_);
  return requests_;
}

ScriptedServer::Script answers_with(std::string answer) {
  return [answer = std::move(answer)](ServerConnection& connection) {
    while (!connection.read_request().empty() && connection.send(answer)) {
    }
  };
}

std::string ok(std::string_view body, std::string_view more_headers) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more_headers) + "\r\n" + std::string(body);
}

int closed_port() {
  int port = 0;
  ::close(listen_anywhere(port));
  return port;
}

}  // namespace sqlbak_gateway::upstream::testing
