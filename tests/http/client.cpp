#include "http/client.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace sqlbak_gateway::http::testing {

struct Client::Tls {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* connection = nullptr;
  Tls() = default;
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;
  ~Tls() {
    SSL_free(connection);
    SSL_CTX_free(context);
  }
};

Client::Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (socket_ < 0) throw std::runtime_error("the test has no descriptors left");
  const timeval patience{10, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(std::exchange(socket_, -1));
  }
}

Client::Client(Client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      tls_(std::move(other.tls_)),
      buffer_(std::move(other.buffer_)) {}

Client::~Client() {
  if (socket_ >= 0) ::close(socket_);
}

bool Client::handshake(const ClientTls& tls) {
  if (socket_ < 0) return false;
  tls_ = std::make_unique<Tls>();
  if (tls.at_most_1_1) {
    SSL_CTX_set_max_proto_version(tls_->context, TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(tls_->context, "ALL:@SECLEVEL=0");
  }
  if (!tls.certificate_file.empty()) {
    SSL_CTX_use_certificate_chain_file(tls_->context, tls.certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(tls_->context, tls.key_file.c_str(), SSL_FILETYPE_PEM);
  }
  tls_->connection = SSL_new(tls_->context);
  SSL_set_fd(tls_->connection, socket_);
  ERR_clear_error();
  return SSL_connect(tls_->connection) == 1;
}

std::string Client::server_name() const {
  X509* const certificate = SSL_get1_peer_certificate(tls_->connection);
  std::array<char, 64> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(), name.size());
  X509_free(certificate);
  return name.data();
}

bool Client::send(std::string_view bytes) {
  if (tls_) {
    ERR_clear_error();
    return SSL_write(tls_->connection, bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Client::renew_key(int times) {
  const int at_once = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  for (int i = 0; i < times; ++i) {
    if (SSL_key_update(tls_->connection, SSL_KEY_UPDATE_NOT_REQUESTED) != 1) return false;
    if (SSL_do_handshake(tls_->connection) != 1) return false;
  }
  return true;
}

std::string Client::receive() {
  std::array<char, std::size_t{64} * 1024> bytes;
  ERR_clear_error();
  const auto count =
      tls_ ? static_cast<ssize_t>(SSL_read(tls_->connection, bytes.data(), static_cast<int>(bytes.size())))
           : ::recv(socket_, bytes.data(), bytes.size(), 0);
  return count > 0 ? std::string(bytes.data(), static_cast<std::size_t>(count)) : std::string();
}

std::size_t Client::unread() const {
  int bytes = 0;
  ::ioctl(socket_, FIONREAD, &bytes);
  return static_cast<std::size_t>(bytes);
}

Answer Client::answer(bool head) {
  std::size_t end = std::string::npos;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    const std::string more = receive();
    if (more.empty()) return {};
    buffer_ += more;
  }
  Answer answer;
  answer.status = std::stoi(buffer_.substr(9, 3));
  for (std::size_t line = buffer_.find("\r\n") + 2; line < end;) {
    const std::size_t line_end = buffer_.find("\r\n", line);
    const std::size_t colon = buffer_.find(": ", line);
    std::string name = buffer_.substr(line, colon - line);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    answer.headers[name] = buffer_.substr(colon + 2, line_end - colon - 2);
    line = line_end + 2;
  }
  buffer_.erase(0, end + 4);
  const auto length_header = answer.headers.find("content-length");
  const std::size_t length =
      head || length_header == answer.headers.end() ? 0 : std::stoul(length_header->second);
  while (buffer_.size() < length) {
    const std::string more = receive();
    if (more.empty()) return {};
    buffer_ += more;
  }
  answer.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return answer;
}

void Client::reset() {
  const linger now{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  tls_.reset();
  ::close(std::exchange(socket_, -1));
}

void Client::read_little(int bytes) {
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

std::uint16_t Client::own_port() const {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

}  // namespace sqlbak_gateway::http::testing
