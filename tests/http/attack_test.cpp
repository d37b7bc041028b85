// What hostile or broken clients do, plain and over TLS. During each attack the health endpoint answers
// within a second, and afterwards connections, threads, descriptors and memory are back.
#include "http/certificates.h"
#include "http/serving.h"

#include <filesystem>
#include <iostream>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace sqlbak_gateway::http::testing {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// What has been allocated and not freed. (The resident size also tells how the freed memory lies.)
std::size_t memory_in_use() {
  const auto heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

enum class Transport { plain, tls };

class Attack : public Serving, public ::testing::WithParamInterface<Transport> {
 protected:
  Attack() {
    raise_descriptor_limit();
    if (GetParam() == Transport::tls) {
      certificates = std::make_unique<Certificates>();
      tls = certificates->signed_for("gateway", SystemTime(std::chrono::seconds{2'000'000'000}));
    }
    limits.max_requests_in_flight = 8;
    body.assign(150'000, 'x');
  }

  void start() {
    serve();
    EXPECT_EQ(get("/-/healthy").status, 200);
    EXPECT_TRUE(eventually([&] { return server->load().connections == 0; }));
    descriptors_before = open_descriptors();
    memory_before = memory_in_use();
  }
  void expect_healthy() {
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(get("/-/healthy").body, "ok\n");
    EXPECT_LT(std::chrono::steady_clock::now() - before, kSanitized ? 5s : 1s);
  }
  template <typename Condition>
  bool as_time_passes(Condition condition) {
    return eventually([&] {
      clock.advance(1s);
      return condition();
    });
  }
  // The attackers have gone, or have been sent away.
  void expect_as_before() {
    EXPECT_TRUE(as_time_passes([&] { return server->load().connections == 0; }))
        << server->load().connections;
    EXPECT_TRUE(as_time_passes([&] {
      Client waking(
          server->ports()[0]);  // without any connection the server sleeps, and this clock does not wake it
      return server->load().threads == 0;
    }));
    // The last of these clients may not even have been accepted.
    EXPECT_TRUE(eventually([&] { return open_descriptors() <= descriptors_before; })) << open_descriptors();
    if (!kSanitized) {
      EXPECT_LT(memory_in_use(), memory_before + (4u << 20));
    }
    expect_healthy();
  }

  // So many connections of which both ends are here, or fewer where descriptors are too few, and then it says
  // so.
  std::size_t affordable(std::size_t wanted) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const std::size_t room = limit.rlim_cur > 200 ? (limit.rlim_cur - 200) / 2 : 10;
    if (room < wanted)
      std::cout << "only " << room << " connections instead of " << wanted << ": raise ulimit -n\n";
    return std::min(room, wanted);
  }
  // TCP only, so that thousands are quick; over TLS these are the silent ones.
  std::vector<Client> connect(std::size_t count) {
    std::vector<Client> clients;
    for (std::size_t i = 0; i < count; ++i) clients.emplace_back(server->ports()[0]);
    return clients;
  }
  std::vector<Client> clients(std::size_t count) {
    std::vector<Client> clients;
    for (std::size_t i = 0; i < count; ++i) clients.push_back(client());
    return clients;
  }

  std::unique_ptr<Certificates> certificates;
  std::size_t descriptors_before = 0;
  std::size_t memory_before = 0;
};

TEST_P(Attack, SlowHeaders) {
  start();
  std::vector<Client> slow = clients(100);
  for (int byte = 0; byte < 10; ++byte) {
    for (Client& client : slow) client.send(byte == 0 ? "GET / HTTP/1.1\r\nX-" : "a");
    expect_healthy();
  }
  clock.advance(limits.request_time + 1s);
  for (Client& client : slow) EXPECT_EQ(client.answer().status, 408);
  slow.clear();
  expect_as_before();
}

TEST_P(Attack, SlowBodies) {
  start();
  std::vector<Client> slow = clients(100);
  for (Client& client : slow) client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx");
  for (int byte = 0; byte < 10; ++byte) {
    for (Client& client : slow) client.send("x");
    expect_healthy();
  }
  clock.advance(limits.request_time + 1s);
  for (Client& client : slow) EXPECT_EQ(client.answer().status, 408);
  slow.clear();
  expect_as_before();
}

TEST_P(Attack, ReadersThatNeverRead) {
  body.assign(8'000'000, 'x');
  start();
  std::vector<Client> deaf = clients(50);
  for (Client& client : deaf) {
    client.read_little(4096);
    client.get("/");
  }
  // They hold no request slot: an ordinary request is answered too, once the burst of theirs is through.
  EXPECT_TRUE(
      eventually([&] { return get("/-/ready").status == 200 && server->load().requests_in_flight == 0; }));
  expect_healthy();
  EXPECT_TRUE(
      as_time_passes([&] { return rejections(Rejection::slow_reader) + rejections(Rejection::busy) >= 50; }));
  EXPECT_GT(rejections(Rejection::slow_reader), 0);
  deaf.clear();
  expect_as_before();
}

TEST_P(Attack, TwoThousandIdleConnections) {
  start();
  std::vector<Client> idle = connect(affordable(2'000));
  EXPECT_TRUE(eventually([&] { return server->load().connections == idle.size(); }));
  expect_healthy();
  EXPECT_LE(server->load().threads, 2u);
  idle.clear();
  expect_as_before();
}

TEST_P(Attack, TenThousandConnectionsInABurst) {
  start();
  const std::size_t count = affordable(10'000);
  std::vector<Client> burst;
  burst.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    burst.emplace_back(server->ports()[0]);
    if (i % 2'000 == 1'999) expect_healthy();
  }
  burst.clear();
  expect_as_before();
}

TEST_P(Attack, HeaderAndLineBombs) {
  start();
  const std::string megabyte(1 << 20, 'x');
  for (int i = 0; i < 5; ++i) {
    Client line = client();
    line.send("GET /" + megabyte);
    EXPECT_EQ(line.answer().status, 414);
    Client header = client();
    header.send("GET / HTTP/1.1\r\nHost: h\r\nX: " + megabyte);
    EXPECT_EQ(header.answer().status, 431);
    Client many = client();
    std::string headers;
    for (int n = 0; n < 10'000; ++n) headers += "A: b\r\n";
    many.send("GET / HTTP/1.1\r\n" + headers);
    EXPECT_EQ(many.answer().status, 431);
    expect_healthy();
  }
  expect_as_before();
}

TEST_P(Attack, PipeliningWithoutReading) {
  start();
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  std::vector<Client> greedy = clients(10);
  for (Client& client : greedy) {
    client.read_little(4096);
    client.send(requests);
  }
  expect_healthy();
  EXPECT_TRUE(as_time_passes([&] { return rejections(Rejection::slow_reader) == 10; }));
  greedy.clear();
  expect_as_before();
}

TEST_P(Attack, Garbage) {
  start();
  unsigned state = 1;
  for (int round = 0; round < 100; ++round) {
    std::string noise;
    for (int i = 0; i < 1'000; ++i)
      noise.push_back(static_cast<char>((state = state * 1103515245u + 12345u) >> 16));
    Client raw(server->ports()[0]);
    raw.send(noise);
    Client inside = client();
    inside.send(noise);
    if (round % 20 == 0) expect_healthy();
  }
  expect_as_before();
}

TEST_P(Attack, AbruptResets) {
  start();
  for (int round = 0; round < 100; ++round) {
    Client before = client();
    before.reset();
    Client within = client();
    within.send("GET / HTTP/1.1\r\nHo");
    within.reset();
    Client after = client();
    after.get("/");
    after.reset();
    if (round % 20 == 0) expect_healthy();
  }
  expect_as_before();
}

TEST_P(Attack, EverySlotWaitingOnADeadUpstream) {
  start();
  std::vector<Client> waiting = clients(8);
  for (Client& client : waiting) client.get("/wait");
  ASSERT_TRUE(eventually([&] { return gate.waiting() == 8; }));
  for (int i = 0; i < 20; ++i) expect_healthy();
  EXPECT_EQ(get("/").status, 503);
  gate.open();
  for (Client& client : waiting) EXPECT_EQ(client.answer().status, 200);
  waiting.clear();
  expect_as_before();
}

TEST_P(Attack, EveryUrgentThreadBusyAndMoreWaiting) {
  start();
  std::vector<Client> waiting = clients(100);
  for (Client& client : waiting) client.get("/-/wait");
  ASSERT_TRUE(eventually([&] { return gate.waiting() == limits.urgent_threads; }));
  for (int i = 0; i < 20; ++i) expect_healthy();
  gate.open();
  for (Client& client : waiting) EXPECT_EQ(client.answer().status, 200);
  waiting.clear();
  expect_as_before();
}

// Health checks are answered on the thread that serves all connections: one client's pipeline must not keep
// it.
TEST_P(Attack, EndlessHealthChecks) {
  start();
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += "GET /-/healthy HTTP/1.1\r\nHost: h\r\n\r\n";
  std::vector<Client> greedy = clients(4);
  for (int round = 0; round < 10; ++round) {
    for (Client& client : greedy) client.send(requests);
    EXPECT_EQ(get("/").status, 200);
    expect_healthy();
    for (Client& client : greedy) {
      for (int i = 0; i < 200; ++i) ASSERT_EQ(client.answer().body, "ok\n") << i;
    }
  }
  greedy.clear();
  expect_as_before();
}

INSTANTIATE_TEST_SUITE_P(Over, Attack, ::testing::Values(Transport::plain, Transport::tls),
                         [](const auto& test) { return test.param == Transport::plain ? "plain" : "tls"; });

}  // namespace
}  // namespace sqlbak_gateway::http::testing
