// A TCP server on 127.0.0.1 that plays a script: what to send on each connection, byte for byte, with or
// without TLS. Everything it does is bounded: it ends with the test, whatever its peers do.
#pragma once

#include "sqlbak_gateway/base/mutex.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sqlbak_gateway::upstream::testing {

// The server's side of one connection. Blocking, but for the end of the server, which ends every call.
class ServerConnection {
 public:
  ServerConnection() = default;
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;
  virtual ~ServerConnection() = default;

  // The next request, up to the empty line after its headers; "" at the end of the connection.
  virtual std::string read_request() = 0;
  // False once the peer is gone.
  virtual bool send(std::string_view bytes) = 0;
  // Renews the key of its TLS 1.3 so many times, each in a record of its own. False once the peer is gone.
  virtual bool renew_key(int times) = 0;
  // Waits until the peer or the server goes, reading what comes.
  virtual void hang() = 0;
  // Ends the connection with a reset in place of an orderly end.
  virtual void reset() = 0;
};

// A certificate and its key in PEM files; none for a server without TLS.
struct ServerCertificate {
  std::string certificate_file;
  std::string key_file;
};

class ScriptedServer {
 public:
  using Script = std::function<void(ServerConnection&)>;

  // `script` plays on each connection, each on a thread of its own.
  explicit ScriptedServer(Script script, const ServerCertificate& certificate = {});
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer();

  int port() const { return port_; }
  std::string url() const;  // http or https, by the certificate
  int connections() const { return connections_.load(); }
  // Every request that was read, in order of arrival.
  std::vector<std::string> requests() const;

 private:
  class Connection;

  void accept_all();

  const Script script_;
  std::shared_ptr<void> tls_;  // SSL_CTX, or nothing
  int port_ = 0;
  const int listener_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  mutable Mutex mutex_;
  std::vector<std::string> requests_ GUARDED_BY(mutex_);
  std::vector<int> sockets_ GUARDED_BY(mutex_);
  std::vector<std::thread> players_ GUARDED_BY(mutex_);
  std::thread acceptor_;
};

// Reads requests and sends `answer` to each until the connection ends.
ScriptedServer::Script answers_with(std::string answer);
// A 200 with this body and its length.
std::string ok(std::string_view body, std::string_view more_headers = "");

// A port of 127.0.0.1 on which nothing listens.
int closed_port();

}  // namespace sqlbak_gateway::upstream::testing
