// The vocabulary of the transport's tests: one call, and what became of it.
#pragma once

#include "sqlbak_gateway/upstream/curl_transport.h"

#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::upstream::testing {

using namespace std::chrono_literals;

class AskingTest : public ::testing::Test {
 protected:
  static constexpr std::string_view kToken = "a-token-that-stays-secret";
  static constexpr std::string_view kProxyPassword = "p@ss:w%rd";
  // No test is to wait so long: it turns a hanging transport into a failure.
  static constexpr Duration kGuard = 30s;

  AskingTest() { std::signal(SIGPIPE, SIG_IGN); }

  static Peer peer(std::string api_url, std::string ca_file = "") {
    Peer peer;
    peer.api_url = std::move(api_url);
    peer.ca_file = std::move(ca_file);
    return peer;
  }

  Call call(const Peer& to, std::string target = "/me", Duration budget = kGuard) {
    Call call;
    call.id = ++last_id_;
    call.peer = std::make_shared<const Peer>(to);
    call.token = token_;
    call.target = std::move(target);
    call.deadline = Deadline::after(clock_.steady_now(), budget);
    return call;
  }

  // Starts the calls and waits for the end of each; in the order of the calls.
  std::vector<Completion> ask_all(std::vector<Call> calls) {
    std::map<std::uint64_t, Completion> ended;
    std::vector<std::uint64_t> ids;
    for (Call& asked : calls) {
      ids.push_back(asked.id);
      transport_->start(std::move(asked));
    }
    const Deadline guard = Deadline::after(clock_.steady_now(), kGuard);
    while (ended.size() < ids.size() && !guard.passed(clock_.steady_now())) {
      for (Completion& completion : transport_->poll(guard)) {
        const std::uint64_t id = completion.id;
        EXPECT_TRUE(ended.emplace(id, std::move(completion)).second) << "a call ended twice";
      }
    }
    std::vector<Completion> in_order;
    for (const std::uint64_t id : ids) {
      EXPECT_EQ(ended.count(id), 1u) << "a call did not end";
      in_order.push_back(std::move(ended[id]));
      tells_no_secret(in_order.back());
    }
    return in_order;
  }
  Completion ask(Call asked) {
    std::vector<Call> calls;
    calls.push_back(std::move(asked));
    return std::move(ask_all(std::move(calls))[0]);
  }
  Completion ask(const Peer& to, std::string target = "/me", Duration budget = kGuard) {
    return ask(call(to, std::move(target), budget));
  }

  static void tells_no_secret(const Completion& completion) {
    if (!completion.failure) return;
    EXPECT_THAT(completion.failure->message, ::testing::Not(::testing::HasSubstr(std::string(kToken))));
    EXPECT_THAT(completion.failure->message,
                ::testing::Not(::testing::HasSubstr(std::string(kProxyPassword))));
    EXPECT_EQ(completion.status, 0);
    EXPECT_EQ(completion.body, "");
  }

  static std::string failure(const Completion& completion) {
    return completion.failure
               ? std::string(name(completion.failure->reason)) + ": " + completion.failure->message
               : "answered " + std::to_string(completion.status);
  }

  std::uint64_t last_id_ = 0;
  RealClock clock_;
  std::shared_ptr<const Secret> token_ = std::make_shared<const Secret>(std::string(kToken));
  std::unique_ptr<CurlTransport> transport_ =
      std::make_unique<CurlTransport>(clock_, CurlOptions{.user_agent = "sqlbak-gateway/1.2.3"});
};

}  // namespace sqlbak_gateway::upstream::testing
