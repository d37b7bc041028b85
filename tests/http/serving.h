// A server on a port of its own, the vocabulary of the tests of this folder.
#pragma once

#include "http/client.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/http/server.h"
#include "support/manual_clock.h"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sqlbak_gateway::http::testing {

// Holds handlers until it is opened.
class Gate {
 public:
  void pass() {
    MutexLock lock(mutex_);
    ++waiting_;
    while (!open_) opened_.wait(mutex_);
    --waiting_;
  }
  void open() {
    MutexLock lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  std::size_t waiting() const {
    MutexLock lock(mutex_);
    return waiting_;
  }

 private:
  mutable Mutex mutex_;
  Condition opened_;
  bool open_ GUARDED_BY(mutex_) = false;
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;
};

// What another thread brings about, within ten seconds.
template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 10'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

class Serving : public ::testing::Test {
 protected:
  ~Serving() override {
    gate.open();
    server.reset();
  }

  std::vector<Listener> listeners() const { return {{{"127.0.0.1", 0}, tls}}; }
  // "/wait…" waits at the gate, "/throw" throws, everything else answers `body`. "/-/…" is urgent,
  // but "/-/healthy", which is immediate. "/-/wait" waits at the gate too.
  Service service() {
    Service service;
    service.handler = [this](const Request& request) {
      if (request.path.rfind("/wait", 0) == 0 || request.path == "/-/wait") gate.pass();
      if (request.path == "/throw") throw std::runtime_error("on purpose");
      MutexLock lock(mutex);
      seen.push_back(request);
      return text_response(200, request.path == "/-/healthy" ? "ok\n" : body);
    };
    service.triage = [](std::string_view path) {
      if (path == "/-/healthy") return Urgency::immediate;
      return path.substr(0, 3) == "/-/" ? Urgency::urgent : Urgency::ordinary;
    };
    service.observer.answered = [this](std::string_view path, int status) {
      MutexLock lock(mutex);
      ++answered[{std::string(path), status}];
    };
    service.observer.rejected = [this](Rejection reason) {
      MutexLock lock(mutex);
      ++rejected[reason];
    };
    return service;
  }
  void bind(const Clock& by) {
    Result<std::unique_ptr<Server>> bound = Server::bind(listeners(), limits, by);
    ASSERT_TRUE(bound) << bound.error().message;
    server = std::move(bound).value();
  }
  void serve(const Clock& by) {
    bind(by);
    ASSERT_TRUE(server->serve(service()));
  }
  void serve() { serve(clock); }
  Result<void> follow(const std::vector<Listener>& listeners) {
    Result<void> bound = server->rebind(listeners);
    if (bound) server->resume();
    return bound;
  }

  Client client() { return tls ? Client(server->ports()[0], ClientTls{}) : Client(server->ports()[0]); }
  Answer get(const std::string& path, const std::string& headers = "") {
    Client fresh = client();
    fresh.get(path, headers);
    return fresh.answer();
  }
  int answers(const std::string& path, int status) {
    MutexLock lock(mutex);
    return answered[{path, status}];
  }
  int rejections(Rejection reason) {
    MutexLock lock(mutex);
    return rejected[reason];
  }

  sqlbak_gateway::testing::ManualClock clock;
  RealClock real_clock;
  Limits limits;
  std::optional<TlsFiles> tls;
  std::string body = "hello\n";
  Gate gate;
  Mutex mutex;
  std::vector<Request> seen;
  std::map<std::pair<std::string, int>, int> answered;
  std::map<Rejection, int> rejected;
  std::unique_ptr<Server> server;
};

}  // namespace sqlbak_gateway::http::testing
