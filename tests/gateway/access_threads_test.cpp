// Passwords that come at the same time, through the gateway: what a flood or a start of many scrapers does.
#include "gateway/basic_authorization.h"
#include "gateway/gateway_world.h"

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace sqlbak_gateway::gateway {
namespace {

class AccessThreadsTest : public testing::GatewayWorld {
 protected:
  AccessThreadsTest() {
    configured("acme");
    configuration.access.resize(1);
    configuration.access[0].name = "operator";
    configuration.access[0].password_bcrypt = bcrypt_of_nobody(4);  // it is `tried` that says what is right
    configuration.access[0].accounts = {"*"};
    try_password = [this](const Secret& password, const Secret&) {
      ++tried;
      // While it works, the others come.
      while (asked < expected) std::this_thread::yield();
      for (int i = 0; expected > 0 && i < 10'000; ++i) std::this_thread::yield();
      if (hold) {
        begun.count_down();
        released.wait();
      }
      return password.reveal() == "right";
    };
    gateway();
  }
  http::Response ask(const std::string& name, const std::string& password,
                     const std::string& address = "192.0.2.1", std::string path = "/metrics") {
    http::Request request;
    request.method = "GET";
    request.path = std::move(path);
    request.peer_address = address;
    request.authority = "gateway.example.com:8000";
    request.headers.push_back({"Authorization", testing::basic_authorization(name, password)});
    return routes().answer(request);
  }
  static std::string header(const http::Response& response, std::string_view name) {
    for (const http::NamedValue& header : response.headers) {
      if (header.name == name) return header.value;
    }
    return "";
  }

  std::atomic<bool> hold{false};
  std::atomic<int> asked{0};
  std::atomic<int> expected{0};
  std::atomic<int> tried{0};
  std::latch begun{1};
  std::latch released{1};
};

TEST_F(AccessThreadsTest, TenScrapersWithOnePasswordCostOneCheck) {
  for (const char* path : {"/metrics", "/sd"}) {
    tried = 0;
    configuration.access[0].name = "former";  // nothing is known of it
    ASSERT_TRUE(reload_configuration().ok());
    configuration.access[0].name = "operator";
    ASSERT_TRUE(reload_configuration().ok());
    asked = 0;
    expected = 10;
    std::atomic<int> in{0};
    std::vector<std::thread> scrapers;
    for (int i = 0; i < 10; ++i) {
      scrapers.emplace_back([&] {
        ++asked;
        if (ask("operator", "right", "192.0.2.1", path).status == 200) ++in;
      });
    }
    for (std::thread& scraper : scrapers) scraper.join();
    EXPECT_EQ(in, 10) << path;
    EXPECT_EQ(tried, 1) << path;
  }
}

TEST_F(AccessThreadsTest, ABusyGatewayDoesNotSpeakOfFailures) {
  ASSERT_EQ(ask("nobody", "wrong", "192.0.2.66").status, 401);  // from now on it does not get to wait
  hold = true;
  std::thread other([this] { EXPECT_EQ(ask("operator", "wrong").status, 401); });
  begun.wait();
  const http::Response busy = ask("operator", "right", "192.0.2.66");
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(header(busy, "Retry-After"), "1");
  EXPECT_EQ(busy.body->find("failed attempts"), std::string::npos) << *busy.body;
  hold = false;
  released.count_down();
  other.join();
  EXPECT_EQ(ask("operator", "right", "192.0.2.66").status, 200);
}

TEST_F(AccessThreadsTest, AFloodOfNamesFromOneAddressKeepsNobodyElseOut) {
  std::atomic<bool> stop{false};
  std::atomic<int> held_up{0};
  std::vector<std::thread> flood;
  for (int i = 0; i < 8; ++i) {
    flood.emplace_back([&, i] {
      for (int k = 0; !stop; ++k) {
        const std::string name = "guess-" + std::to_string(i) + "-" + std::to_string(k);
        if (ask(name, "guess", "192.0.2.66").status == 429) ++held_up;
      }
    });
  }
  while (held_up < 100) std::this_thread::yield();
  EXPECT_EQ(ask("operator", "right").status, 200);
  ASSERT_TRUE(reload_configuration().ok());
  EXPECT_EQ(ask("operator", "right", "192.0.2.66").status, 200)
      << "who is known gets in from anywhere, after a reload too";
  stop = true;
  for (std::thread& thread : flood) thread.join();
  const http::Response slowed = ask("operator", "wrong", "192.0.2.66");
  EXPECT_EQ(slowed.status, 429);
  EXPECT_NE(slowed.body->find("too many failed attempts"), std::string::npos);
  EXPECT_NE(header(slowed, "Retry-After"), "");
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
