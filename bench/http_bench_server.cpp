// Serves one fixed body at /metrics until it is killed or ten minutes have passed, for scripts/bench-http to measure
// with wrk. Prints the port it got.
//
//   http_bench_server FILE      the body; sent gzipped to clients that accept it
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <iostream>
#include <iterator>
#include <mutex>

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/http/encoding.h"
#include "sqlbak_gateway/http/server.h"

int main(int argc, char** argv) {
  using namespace sqlbak_gateway;
  if (argc != 2) {
    std::cerr << "usage: http_bench_server FILE\n";
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  const auto identity = std::make_shared<const std::string>(std::istreambuf_iterator<char>(file),
                                                            std::istreambuf_iterator<char>());
  const auto compressed = std::make_shared<const std::string>(http::gzip(*identity));
  RealClock clock;
  http::Server::Options options;
  options.listeners = {{"127.0.0.1:0", std::nullopt}};
  options.handler = [&](const http::Request& request) {
    const bool gzip = http::accepts_gzip(request);
    http::Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = gzip ? compressed : identity;
    response.content_encoding = gzip ? "gzip" : "";
    return response;
  };
  const Result<std::unique_ptr<http::Server>> server = http::Server::start(std::move(options), clock);
  if (!server) {
    std::cerr << server.error().message << "\n";
    return 1;
  }
  std::cout << (*server)->ports()[0] << std::endl;
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable never;
  never.wait_for(lock, std::chrono::minutes(10), [] { return false; });
}
