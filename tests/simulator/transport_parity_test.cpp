// The in-process transport ends calls as the real one does: the same faults through libcurl and a socket, and
// on the manual clock. Whatever tests learn in process holds on the wire.
#include "simulator/in_process_transport.h"
#include "simulator/simulated_api.h"
#include "sqlbak_gateway/upstream/curl_transport.h"

#include <csignal>
#include <memory>
#include <string>

#include <gmock/gmock.h>

namespace sqlbak_gateway::simulator::testing {
namespace {

using upstream::Call;
using upstream::Completion;

class Parity : public SimulatedApi {
 protected:
  static void SetUpTestSuite() {
    std::signal(SIGPIPE, SIG_IGN);
  }  // as the real transport asks of its process

  Completion through(upstream::Transport& transport, const Clock& clock, const std::string& target) {
    Call call;
    call.id = 1;
    call.peer = std::make_shared<upstream::Peer>(upstream::Peer{server_.api_url(), {}, Secret(), ""});
    call.token = std::make_shared<Secret>("acme-token");
    call.target = target;
    call.deadline = Deadline::after(clock.steady_now(), patience_);
    call.max_body_bytes = 1u << 20;
    transport.start(std::move(call));
    const Deadline end = Deadline::after(clock.steady_now(), std::chrono::seconds(20));
    while (!end.passed(clock.steady_now())) {
      std::vector<Completion> ended = transport.poll(end);
      if (!ended.empty()) return std::move(ended.front());
    }
    ADD_FAILURE() << "the call never ended";
    return {};
  }
  static std::string outcome(const Completion& completion) {
    std::string text = std::to_string(completion.status);
    if (completion.failure) text += std::string(" ") + std::string(name(completion.failure->reason));
    if (completion.retry_after) text += " after " + *completion.retry_after;
    return text + "\n" + completion.body;
  }
  void expect_the_same(const std::string& rule, const std::string& target = "/servers") {
    simulator_.clear_faults();
    if (!rule.empty()) fail_with(rule);
    const Completion real = through(curl_, real_clock_, target);
    const Completion simulated = through(in_process_, clock_, target);
    EXPECT_EQ(outcome(real), outcome(simulated))
        << rule << ": " << (real.failure ? real.failure->message : "");
    if (!real.failure) {
      EXPECT_EQ(real.server_date, simulated.server_date) << rule;
    }
  }

  Duration patience_ = std::chrono::seconds(10);
  InProcessTransport in_process_{simulator_, clock_};
  upstream::CurlTransport curl_{real_clock_, {}};
};

TEST_F(Parity, OfAnswers) {
  expect_the_same("");
  expect_the_same("", "/jobruns/1");
  for (const char* rule :
       {"status=401", "status=503,retry_after=30s", "redirect=http://127.0.0.1:1/", "interim=103", "gzip=on",
        "chunked=on", "extra=50", "body=malformed", "body=empty", "pad=100KiB"}) {
    expect_the_same(rule);
  }
}

TEST_F(Parity, OfFailures) {
  for (const char* rule :
       {"close=before", "close=body", "close=body,chunked=on", "reset=before", "reset=head", "reset=body",
        "pad=2MiB", "pad=2MiB,gzip=on", "pad=2MiB,chunked=on"}) {
    expect_the_same(rule);
  }
}

TEST_F(Parity, OfTimeouts) {
  patience_ = std::chrono::milliseconds(100);
  for (const char* rule :
       {"hang=before", "hang=head", "hang=body", "latency=5s", "drip_head=50ms", "drip_body=50ms"}) {
    expect_the_same(rule);
  }
}

}  // namespace
}  // namespace sqlbak_gateway::simulator::testing
