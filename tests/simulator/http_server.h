// HttpServer: puts a Simulator on a TCP socket, HTTP/1.1, plain or TLS. One thread, epoll; keep-alive and
// pipelined requests (answered one after the other); raw control of every byte, which is what faults need.
// For tests, demo and load on loopback. It bounds request sizes, but must not be exposed.
#pragma once

#include "simulator/simulator.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/result.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace sqlbak_gateway::simulator {

struct ListenOptions {
  std::string host = "127.0.0.1";  // a numeric address
  std::uint16_t port = 0;          // 0 for any free one
  std::string cert_file;           // PEM, chain included; empty for plain HTTP
  std::string key_file;
};

class HttpServer {
 public:
  // Returns a server that is bound and listening. Simulator and clock must outlive it. The clock paces delays
  // and drips, so it must not be a manual one.
  static Result<std::unique_ptr<HttpServer>> listen(Simulator& simulator, const Clock& clock,
                                                    const ListenOptions& options);
  virtual ~HttpServer() = default;
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  virtual std::uint16_t port() const = 0;
  // "http://127.0.0.1:8080"
  virtual std::string url() const = 0;
  // Serves until stop(), then closes every connection.
  virtual void run() = 0;
  // From any thread or a signal handler.
  virtual void stop() = 0;

 protected:
  HttpServer() = default;
};

// A server on a thread of its own, for tests: stopped and joined when it goes out of scope.
class RunningServer {
 public:
  explicit RunningServer(std::unique_ptr<HttpServer> server)
      : server_(std::move(server)), thread_([this] { server_->run(); }) {}
  ~RunningServer() {
    server_->stop();
    thread_.join();
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  std::uint16_t port() const { return server_->port(); }
  // What an account's api_url has to be.
  std::string api_url() const { return server_->url() + std::string(kApiPrefix); }
  std::string url() const { return server_->url(); }

 private:
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

}  // namespace sqlbak_gateway::simulator
