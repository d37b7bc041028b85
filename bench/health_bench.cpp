// How long a health check takes while 300 clients read large answers, each asking again as soon as it has
// one.
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/http/encoding.h"
#include "sqlbak_gateway/http/server.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <benchmark/benchmark.h>

namespace sqlbak_gateway::http {
namespace {

constexpr std::size_t kReaders = 300;

int connected(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::abort();
  return socket;
}

void ask(int socket, const std::string& path) {
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: bench\r\n\r\n";
  if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0) std::abort();
}

// Clients on one thread. Each asks anew when `answer_bytes` have come.
class Readers {
 public:
  Readers(std::uint16_t port, std::size_t answer_bytes) {
    for (std::size_t i = 0; i < kReaders; ++i) sockets_.push_back({connected(port), POLLIN, 0});
    thread_ = std::thread([this, answer_bytes] { read(answer_bytes); });
  }
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;
  ~Readers() {
    stopping_ = true;
    thread_.join();
    for (const pollfd& socket : sockets_) ::close(socket.fd);
  }
  std::uint64_t answers() const { return answers_; }

 private:
  void read(std::size_t answer_bytes) {
    std::vector<std::size_t> left(sockets_.size(), answer_bytes);
    std::vector<char> bytes(std::size_t{256} << 10);
    for (const pollfd& socket : sockets_) ask(socket.fd, "/large");
    while (!stopping_) {
      ::poll(sockets_.data(), sockets_.size(), 100);
      for (std::size_t i = 0; i < sockets_.size(); ++i) {
        if (sockets_[i].revents == 0) continue;
        const ssize_t count = ::recv(sockets_[i].fd, bytes.data(), std::min(bytes.size(), left[i]), 0);
        if (count <= 0) continue;
        left[i] -= static_cast<std::size_t>(count);
        if (left[i] > 0) continue;
        ++answers_;
        left[i] = answer_bytes;
        ask(sockets_[i].fd, "/large");
      }
    }
  }

  std::vector<pollfd> sockets_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> answers_{0};
  std::thread thread_;
};

// Reads until the other side closes or an answer of that size is there.
std::size_t answer_size(std::uint16_t port) {
  const int socket = connected(port);
  ask(socket, "/large");
  std::string head;
  std::array<char, 4096> bytes{};
  while (head.find("\r\n\r\n") == std::string::npos) {
    const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (count <= 0) std::abort();
    head.append(bytes.data(), static_cast<std::size_t>(count));
  }
  ::close(socket);
  const std::size_t end = head.find("\r\n\r\n") + 4;
  return end + std::stoul(head.substr(head.find("Content-Length: ") + 16));
}

double health_check_seconds(std::uint16_t port) {
  const auto began = std::chrono::steady_clock::now();
  const int socket = connected(port);
  ask(socket, "/-/healthy");
  std::array<char, 1024> bytes{};
  if (::recv(socket, bytes.data(), bytes.size(), 0) <= 0) std::abort();
  ::close(socket);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

void HealthCheckUnderLargeAnswers(benchmark::State& state) {
  const bool compresses = state.range(1) != 0;
  std::string text;
  while (text.size() < static_cast<std::size_t>(state.range(0))) {
    text += "sqlbak_job_last_success{job=\"" + std::to_string(text.size()) + "\"} 1.7e9\n";
  }
  const auto body = std::make_shared<const std::string>(text);
  RealClock clock;
  const auto server = std::move(Server::bind({{{"127.0.0.1", 0}, std::nullopt}}, Limits(), clock)).value();
  Service service;
  service.handler = [&](const Request& request) {
    Response response = text_response(200, "ok\n");
    if (request.path != "/large") return response;
    response.body = compresses ? std::make_shared<const std::string>(gzip(*body)) : body;
    return response;
  };
  service.triage = [](std::string_view path) {
    return path == "/-/healthy" ? Urgency::immediate : Urgency::ordinary;
  };
  if (!server->serve(std::move(service))) std::abort();
  const std::uint16_t port = server->ports()[0];
  const std::size_t bytes = answer_size(port);
  std::vector<double> latencies;
  const Readers readers(port, bytes);
  for (auto _ : state) {
    latencies.push_back(health_check_seconds(port));
    state.SetIterationTime(latencies.back());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::sort(latencies.begin(), latencies.end());
  const auto milliseconds = [&](double share) {
    return latencies[static_cast<std::size_t>(share * static_cast<double>(latencies.size() - 1))] * 1000;
  };
  state.counters["median_ms"] = milliseconds(0.5);
  state.counters["p99_ms"] = milliseconds(0.99);
  state.counters["max_ms"] = milliseconds(1);
  state.counters["answers"] = static_cast<double>(readers.answers());
}
BENCHMARK(HealthCheckUnderLargeAnswers)
    ->ArgNames({"bytes", "gzip"})
    ->Args({220'000, 0})
    ->Args({10'000'000, 0})
    ->Args({220'000, 1})
    ->Args({10'000'000, 1})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(300);

}  // namespace
}  // namespace sqlbak_gateway::http
