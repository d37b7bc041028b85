// A client that does exactly what a test says, right or wrong, over plain TCP or TLS on 127.0.0.1. Blocking;
// gives up after ten seconds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::http::testing {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// How a client speaks TLS.
struct ClientTls {
  std::string certificate_file;  // empty: none
  std::string key_file;
  bool at_most_1_1 = false;
};

class Client {
 public:
  // Connects, without a handshake.
  explicit Client(std::uint16_t port);
  Client(std::uint16_t port, const ClientTls& tls) : Client(port) { handshake(tls); }
  Client(Client&&) noexcept;
  Client& operator=(Client&&) = delete;
  ~Client();

  bool handshake(const ClientTls& tls);
  // The common name of the server's certificate.
  std::string server_name() const;

  bool send(std::string_view bytes);
  // TLS 1.3: so many messages that change its key and carry nothing.
  bool renew_key(int times);
  void get(const std::string& path, const std::string& headers = "") {
    send("GET " + path + " HTTP/1.1\r\nHost: test\r\n" + headers + "\r\n");
  }
  // The next answer; status 0 when the connection ended before one was whole. `head`: it has no body.
  Answer answer(bool head = false);
  // Some bytes; empty at the end of the stream, which may be a reset.
  std::string receive();
  // Plain connections: bytes that have come and were not received yet.
  std::size_t unread() const;
  // The server has closed, after nothing but what was read already.
  bool ended() { return buffer_.empty() && receive().empty(); }
  // Closes with a reset.
  void reset();
  // The kernel takes no more than about so many unread bytes from the server. Only before much was received.
  void read_little(int bytes);
  std::uint16_t own_port() const;

 private:
  struct Tls;
  int socket_;
  std::unique_ptr<Tls> tls_;
  std::string buffer_;
};

}  // namespace sqlbak_gateway::http::testing
