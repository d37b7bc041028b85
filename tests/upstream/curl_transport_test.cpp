// The transport against servers that play a script, byte for byte: what it asks, and how it takes what comes
// back.
#include "sqlbak_gateway/upstream/curl_transport.h"

#include "upstream/asking.h"
#include "upstream/scripted_server.h"

#include <stdlib.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

namespace sqlbak_gateway::upstream::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using CurlTransportTest = AskingTest;

std::string gzipped(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// Sends `bytes` for each request and then nothing more, without closing.
ScriptedServer::Script sends_and_hangs(std::string bytes) {
  return [bytes = std::move(bytes)](ServerConnection& connection) {
    connection.read_request();
    connection.send(bytes);
    connection.hang();
  };
}

// Sends `bytes` for the first request and closes the connection.
ScriptedServer::Script sends_and_closes(std::string bytes) {
  return [bytes = std::move(bytes)](ServerConnection& connection) {
    connection.read_request();
    connection.send(bytes);
  };
}

// Sends `bytes`, and then `drop` again and again until its peer has had enough.
ScriptedServer::Script drips(std::string bytes, std::string drop) {
  return [bytes = std::move(bytes), drop = std::move(drop)](ServerConnection& connection) {
    connection.read_request();
    for (bool there = connection.send(bytes); there; there = connection.send(drop)) {
      std::this_thread::sleep_for(5ms);
    }
  };
}

// --- What is asked ---

TEST_F(CurlTransportTest, SendsTheTokenAndReturnsTheAnswer) {
  ScriptedServer server(answers_with(ok(R"({"data":{}})")));
  const Completion completion = ask(peer(server.url() + "/public-api/v1"), "/jobruns?job_id=7&page=2");

  EXPECT_EQ(completion.status, 200);
  EXPECT_EQ(completion.body, R"({"data":{}})");
  EXPECT_FALSE(completion.failure.has_value());
  EXPECT_GT(completion.elapsed, Duration::zero());
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_THAT(
      server.requests()[0],
      AllOf(StartsWith("GET /public-api/v1/jobruns?job_id=7&page=2 HTTP/1.1\r\n"),
            HasSubstr("\r\nX-SqlBak-Token: a-token-that-stays-secret\r\n"),
            HasSubstr("\r\nUser-Agent: sqlbak-gateway/1.2.3\r\n"),
            HasSubstr("\r\nAccept: application/json\r\n"),
            HasSubstr("\r\nAccept-Encoding: gzip, deflate, br\r\n"), Not(HasSubstr("Authorization"))));
}

TEST_F(CurlTransportTest, SendsThePathAsItIs) {
  ScriptedServer server(answers_with(ok("{}")));
  ask(peer(server.url()), "/jobs/a%2F..%2Fb/../settings");
  EXPECT_THAT(server.requests().at(0), StartsWith("GET /jobs/a%2F..%2Fb/../settings HTTP/1.1\r\n"));
}

TEST_F(CurlTransportTest, UsesAConnectionAgain) {
  ScriptedServer server(answers_with(ok("{}")));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(peer(server.url())).status, 200);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlTransportTest, RunsManyCallsAtOnce) {
  ScriptedServer server(answers_with(ok("{}")));
  std::vector<Call> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(call(peer(server.url()), "/jobs/" + std::to_string(i)));
  for (const Completion& completion : ask_all(std::move(calls))) EXPECT_EQ(completion.status, 200);
  EXPECT_EQ(transport_->in_flight(), 0u);
}

TEST_F(CurlTransportTest, EachCallCarriesItsOwnToken) {
  ScriptedServer server(answers_with(ok("{}")));
  ask(peer(server.url()));
  token_ = std::make_shared<const Secret>("another");
  ask(peer(server.url()));
  EXPECT_THAT(server.requests().at(1),
              AllOf(HasSubstr("X-SqlBak-Token: another\r\n"), Not(HasSubstr("a-token"))));
}

TEST_F(CurlTransportTest, RefusesATokenThatWouldBreakOutOfItsHeader) {
  ScriptedServer server(answers_with(ok("{}")));
  for (const std::string& token :
       {std::string("a\r\nHost: b"), std::string("a\nb"), std::string("a\0b", 3)}) {
    token_ = std::make_shared<const Secret>(token);
    EXPECT_THAT(failure(ask(peer(server.url()))), StartsWith("config: the token has a line break or a NUL"));
  }
  EXPECT_EQ(server.connections(), 0);
}

// --- Answers ---

TEST_F(CurlTransportTest, ReturnsOtherStatusesWithTheirRetryAfter) {
  ScriptedServer server(
      answers_with("HTTP/1.1 429 Too Many\r\ndate: Wed, 14 Jan 2026 12:00:00 GMT\r\n"
                   "retry-after:  17 \r\nContent-Length: 0\r\n\r\n"));
  const Completion completion = ask(peer(server.url()));
  EXPECT_EQ(completion.status, 429);
  EXPECT_FALSE(completion.failure.has_value());
  EXPECT_EQ(completion.retry_after, "17");
  EXPECT_EQ(completion.server_date, SystemTime(1'768'392'000'000ms));
}

TEST_F(CurlTransportTest, SkipsAnInterimAnswer) {
  ScriptedServer server(answers_with(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nRetry-After: 5\r\n\r\n" + ok("second")));
  for (int i = 0; i < 2; ++i) {
    const Completion completion = ask(peer(server.url()));
    EXPECT_EQ(completion.status, 200);
    EXPECT_EQ(completion.body, "second");
    EXPECT_EQ(completion.retry_after, std::nullopt);
  }
}

TEST_F(CurlTransportTest, DoesNotFollowARedirect) {
  ScriptedServer elsewhere(answers_with(ok("{}")));
  ScriptedServer server(answers_with("HTTP/1.1 302 Found\r\nLocation: " + elsewhere.url() +
                                     "/me\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(ask(peer(server.url())).status, 302);
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_F(CurlTransportTest, InflatesWhatIsCompressed) {
  const std::string text(100'000, 'x');
  ScriptedServer server(answers_with(ok(gzipped(text), "Content-Encoding: gzip\r\n")));
  EXPECT_EQ(ask(peer(server.url())).body, text);
}

TEST_F(CurlTransportTest, PutsChunksTogether) {
  ScriptedServer server(answers_with(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"));
  EXPECT_EQ(ask(peer(server.url())).body, "abcdefg");
}

// --- Bounds ---

class BoundedTest : public CurlTransportTest {
 protected:
  Completion ask_for_at_most(std::uint64_t bytes, const ScriptedServer& server) {
    Call bounded = call(peer(server.url()));
    bounded.max_body_bytes = bytes;
    return ask(std::move(bounded));
  }
};

TEST_F(BoundedTest, ABodyOfExactlyTheBoundIsAccepted) {
  ScriptedServer server(answers_with(ok(std::string(1000, 'x'))));
  EXPECT_EQ(ask_for_at_most(1000, server).body.size(), 1000u);
  EXPECT_THAT(failure(ask_for_at_most(999, server)), StartsWith("bad_response: the answer of 127.0.0.1:"));
}

TEST_F(BoundedTest, ABodyThatAnnouncesTooMuchIsNotRead) {
  ScriptedServer server(sends_and_hangs("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"));
  const Completion completion = ask_for_at_most(1000, server);
  EXPECT_THAT(failure(completion), AllOf(StartsWith("bad_response:"), HasSubstr("max_response_bytes")));
  EXPECT_TRUE(completion.failure->lasting);
}

TEST_F(BoundedTest, ABodyOfUnknownLengthIsCutAtTheBound) {
  ScriptedServer server(drips("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                              "3e8\r\n" + std::string(1000, 'x') + "\r\n"));
  EXPECT_THAT(failure(ask_for_at_most(10'000, server)), HasSubstr("larger than max_response_bytes"));
}

TEST_F(BoundedTest, ABodyIsMeasuredAfterInflation) {
  const std::string large(20'000'000, 'x');  // NOLINT(bugprone-string-constructor): it is meant to be
  ScriptedServer server(answers_with(ok(gzipped(large), "Content-Encoding: gzip\r\n")));
  const Completion completion = ask_for_at_most(1'000'000, server);
  EXPECT_THAT(failure(completion),
              AllOf(StartsWith("bad_response:"), HasSubstr("larger than max_response_bytes")));
  EXPECT_TRUE(completion.failure->lasting);
}

TEST_F(BoundedTest, HeadersAreBounded) {
  ScriptedServer server(drips("HTTP/1.1 200 OK\r\n", "X-More: " + std::string(4000, 'x') + "\r\n"));
  EXPECT_THAT(failure(ask(peer(server.url()))), AllOf(StartsWith("bad_response:"), HasSubstr("headers")));
}

TEST_F(BoundedTest, InterimAnswersWithoutEndAreBounded) {
  ScriptedServer server(drips("", "HTTP/1.1 103 Early Hints\r\nX: " + std::string(8000, 'x') + "\r\n\r\n"));
  EXPECT_THAT(failure(ask(peer(server.url()))), AllOf(StartsWith("bad_response:"), HasSubstr("headers")));
}

// --- Broken answers ---

TEST_F(CurlTransportTest, ABodyThatIsCutOffIsNoAnswer) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}"}) {
    ScriptedServer server(sends_and_closes(answer));
    const Completion completion = ask(peer(server.url()));
    EXPECT_THAT(failure(completion), AllOf(StartsWith("bad_response:"), HasSubstr("cut off"))) << answer;
    EXPECT_FALSE(completion.failure->lasting) << "it is worth another attempt";
  }
}

TEST_F(CurlTransportTest, HeadersThatAreCutOffAreNoAnswer) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nX: y\r\n"}) {
    ScriptedServer server(sends_and_closes(answer));
    const Completion completion = ask(peer(server.url()));
    EXPECT_THAT(failure(completion), StartsWith("bad_response: the answer of 127.0.0.1:")) << answer;
  }
}

TEST_F(CurlTransportTest, AConnectionClosedWithoutAnAnswerIsBroken) {
  ScriptedServer server(sends_and_closes(""));
  EXPECT_THAT(failure(ask(peer(server.url()))),
              AllOf(StartsWith("connection:"), HasSubstr("closed the connection")));
}

TEST_F(CurlTransportTest, AResetInTheMiddleOfAnAnswerIsABrokenConnection) {
  ScriptedServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}");
    connection.reset();
  });
  const Completion completion = ask(peer(server.url()));
  EXPECT_THAT(failure(completion), ::testing::AnyOf(StartsWith("connection: the connection to 127.0.0.1:"),
                                                    StartsWith("bad_response: the answer of 127.0.0.1:")));
  EXPECT_FALSE(completion.failure->lasting);
}

TEST_F(CurlTransportTest, AConnectionClosedWhileIdleCostsNoFailure) {
  ScriptedServer server(sends_and_closes(ok("{}")));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(failure(ask(peer(server.url()))), "answered 200");
}

TEST_F(CurlTransportTest, WhatIsNotHttpIsNoAnswer) {
  ScriptedServer server(sends_and_closes("SSH-2.0-OpenSSH_9.2p1 Debian\r\n"));
  const Completion completion = ask(peer(server.url()));
  EXPECT_THAT(failure(completion), AllOf(StartsWith("bad_response:"), HasSubstr("is not HTTP")));
  EXPECT_TRUE(completion.failure->lasting);
}

TEST_F(CurlTransportTest, GarbageInsteadOfCompressedBytesIsNoAnswer) {
  ScriptedServer server(answers_with(ok("this is no gzip", "Content-Encoding: gzip\r\n")));
  EXPECT_THAT(failure(ask(peer(server.url()))),
              AllOf(StartsWith("bad_response:"), HasSubstr("decompressed")));
}

TEST_F(CurlTransportTest, ARefusedConnectionSaysSo) {
  const std::string host = "127.0.0.1:" + std::to_string(closed_port());
  EXPECT_THAT(failure(ask(peer("http://" + host))),
              StartsWith("connection: " + host + " refused the connection"));
}

TEST_F(CurlTransportTest, OnlyHttpAndHttpsAreSpoken) {
  EXPECT_THAT(failure(ask(peer("file:///etc"), "/hostname")), StartsWith("config: api_url is no URL"));
  EXPECT_THAT(failure(ask(peer("ftp://127.0.0.1:1"))), StartsWith("config: api_url is no URL"));
  EXPECT_THAT(failure(ask(peer("http://user:password@127.0.0.1:1"))), Not(HasSubstr("password")));
}

// --- Deadlines ---

constexpr Duration kSoon = 150ms;

struct Slowness {
  const char* name;
  ScriptedServer::Script script;
  const char* said;
};
void PrintTo(const Slowness& slowness, std::ostream* out) {
  *out << slowness.name;
}

class DeadlineTest : public AskingTest, public ::testing::WithParamInterface<Slowness> {};

TEST_P(DeadlineTest, Holds) {
  ScriptedServer server(GetParam().script);
  const SteadyTime before = clock_.steady_now();
  const Completion completion = ask(peer(server.url()), "/me", kSoon);
  EXPECT_THAT(failure(completion),
              AllOf(StartsWith("timeout: the time for asking 127.0.0.1:"), HasSubstr(GetParam().said)));
  EXPECT_FALSE(completion.failure->lasting);
  EXPECT_GE(clock_.steady_now() - before, kSoon);
  EXPECT_LT(clock_.steady_now() - before, 5s);
}

INSTANTIATE_TEST_SUITE_P(
    Against, DeadlineTest,
    ::testing::Values(
        Slowness{"silence", sends_and_hangs(""), "waiting for the answer"},
        Slowness{"a_dripped_header", drips("HTTP/1.1 200 OK\r\nX: ", "y"), "receiving the answer"},
        Slowness{"a_dripped_body", drips("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "x"),
                 "receiving the answer"},
        Slowness{"half_a_body", sends_and_hangs("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"),
                 "receiving the answer"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(CurlTransportTest, ATlsHandshakeThatHangsIsBounded) {
  ScriptedServer server([](ServerConnection& connection) { connection.hang(); });
  const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
  EXPECT_THAT(failure(ask(peer(url), "/me", kSoon)),
              AllOf(StartsWith("timeout:"), HasSubstr("while connecting")));
}

TEST_F(CurlTransportTest, ConnectingHasATimeoutOfItsOwn) {
  transport_ = std::make_unique<CurlTransport>(clock_, CurlOptions{.connect_timeout = kSoon});
  ScriptedServer server([](ServerConnection& connection) { connection.hang(); });
  const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
  const SteadyTime before = clock_.steady_now();
  EXPECT_THAT(failure(ask(peer(url))), AllOf(StartsWith("timeout:"), HasSubstr("while connecting")));
  EXPECT_LT(clock_.steady_now() - before, kGuard / 2);
}

TEST_F(CurlTransportTest, ACallThatHangsDoesNotDelayAnother) {
  ScriptedServer hanging(sends_and_hangs(""));
  ScriptedServer well(answers_with(ok("{}")));
  transport_->start(call(peer(hanging.url())));
  EXPECT_EQ(ask(peer(well.url())).status, 200);
  EXPECT_EQ(transport_->in_flight(), 1u);
}

// --- Polling, waking, cancelling ---

TEST_F(CurlTransportTest, PollReturnsWhenItsTimeHasCome) {
  EXPECT_TRUE(transport_->poll(Deadline::after(clock_.steady_now(), 1ms)).empty());
  EXPECT_TRUE(transport_->poll(Deadline::at(clock_.steady_now())).empty());
}

TEST_F(CurlTransportTest, WakeEndsTheRunningPollAndTheNextOne) {
  transport_->wake();
  EXPECT_TRUE(transport_->poll(Deadline::after(clock_.steady_now(), kGuard)).empty());
  std::thread waker([this] { transport_->wake(); });
  const SteadyTime before = clock_.steady_now();
  EXPECT_TRUE(transport_->poll(Deadline::after(clock_.steady_now(), kGuard)).empty());
  waker.join();
  EXPECT_LT(clock_.steady_now() - before, kGuard);
}

TEST_F(CurlTransportTest, NoCompletionComesForACancelledCall) {
  ScriptedServer server(answers_with(ok("{}")));
  ScriptedServer hanging(sends_and_hangs(""));
  const Call unwanted = call(peer(hanging.url()));
  transport_->start(unwanted);
  EXPECT_EQ(ask(peer(server.url())).status, 200);
  transport_->cancel(unwanted.id);
  transport_->cancel(unwanted.id);
  transport_->cancel(424242);
  EXPECT_EQ(transport_->in_flight(), 0u);
  EXPECT_EQ(ask(peer(server.url())).status, 200);
}

TEST_F(CurlTransportTest, ACallCanBeCancelledBeforeItBegan) {
  token_ = std::make_shared<const Secret>("a\nb");
  const Call unwanted = call(peer("http://127.0.0.1:1"));
  transport_->start(unwanted);
  transport_->cancel(unwanted.id);
  EXPECT_TRUE(transport_->poll(Deadline::at(clock_.steady_now())).empty());
}

TEST_F(CurlTransportTest, DestructionDropsCallsInFlight) {
  ScriptedServer hanging(sends_and_hangs(""));
  for (int i = 0; i < 10; ++i) transport_->start(call(peer(hanging.url())));
  transport_->poll(Deadline::after(clock_.steady_now(), 20ms));
  transport_.reset();
}

// --- Proxies ---

class ProxyTest : public CurlTransportTest {
 protected:
  static Peer through(const ScriptedServer& proxy, std::string api_url) {
    Peer proxied = peer(std::move(api_url));
    proxied.proxy = proxy.url();
    return proxied;
  }
  static std::string address(const ScriptedServer& proxy) {
    return "127.0.0.1:" + std::to_string(proxy.port());
  }
};

TEST_F(ProxyTest, AProxyThatCannotBeResolvedIsNamed) {
  Peer proxied = peer("https://api.example");
  proxied.proxy = "http://proxy.invalid:3128";
  EXPECT_THAT(
      failure(ask(proxied)),
      StartsWith(
          "connection: the name of the proxy proxy.invalid:3128 towards api.example cannot be resolved"));
}

TEST_F(ProxyTest, AConfiguredProxyGetsItsCredentials) {
  ScriptedServer proxy(answers_with(ok("through the proxy")));
  Peer proxied = through(proxy, "http://127.0.0.1:1/v1");
  proxied.proxy_credentials = Secret("us%41er:" + std::string(kProxyPassword));
  EXPECT_EQ(ask(proxied).body, "through the proxy");
  // printf 'us%%41er:p@ss:w%%rd' | base64
  EXPECT_THAT(proxy.requests().at(0),
              AllOf(StartsWith("GET http://127.0.0.1:1/v1/me HTTP/1.1\r\n"),
                    HasSubstr("Proxy-Authorization: Basic dXMlNDFlcjpwQHNzOnclcmQ=\r\n")));
}

TEST_F(ProxyTest, SendsNoCredentialsOfAnEarlierCall) {
  ScriptedServer proxy(answers_with(ok("{}")));
  Peer proxied = through(proxy, "http://127.0.0.1:1");
  proxied.proxy_credentials = Secret("user:" + std::string(kProxyPassword));
  ask(proxied);
  ask(through(proxy, "http://127.0.0.1:1"));
  EXPECT_THAT(proxy.requests().at(1), Not(HasSubstr("Proxy-Authorization")));
}

TEST_F(ProxyTest, ATunnelHidesTheTokenFromTheProxy) {
  ScriptedServer proxy(sends_and_closes("HTTP/1.1 407 Authentication Required\r\nContent-Length: 0\r\n\r\n"));
  const Completion completion = ask(through(proxy, "https://api.example:443"));
  EXPECT_THAT(failure(completion), StartsWith("connection: the proxy " + address(proxy) +
                                              " answered 407 when asked for api.example:443"));
  EXPECT_TRUE(completion.failure->lasting);
  EXPECT_THAT(proxy.requests().at(0),
              AllOf(StartsWith("CONNECT api.example:443 HTTP/1.1\r\n"), Not(HasSubstr("X-SqlBak-Token"))));
}

TEST_F(ProxyTest, ATransientProxyFailureIsTransient) {
  ScriptedServer proxy(sends_and_closes("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"));
  const Completion completion = ask(through(proxy, "https://api.example:443"));
  EXPECT_EQ(failure(completion),
            "connection: the proxy " + address(proxy) + " answered 503 when asked for api.example:443");
  EXPECT_FALSE(completion.failure->lasting);
}

TEST_F(ProxyTest, AProxyThatIsNotThereIsNamedAsSuch) {
  Peer proxied = peer("https://api.example");
  const std::string address = "127.0.0.1:" + std::to_string(closed_port());
  proxied.proxy = "http://user:" + std::string("p%40ss%3Aw%25rd") + "@" + address;
  EXPECT_THAT(failure(ask(proxied)),
              StartsWith("connection: the proxy " + address + " towards api.example refused the connection"));
}

class ProxyOfTheEnvironment : public ProxyTest {
 protected:
  void of_environment(const ScriptedServer& proxy, const char* no_proxy = "") {
    ::setenv("https_proxy", proxy.url().c_str(), 1);
    ::setenv("http_proxy", proxy.url().c_str(), 1);
    ::setenv("no_proxy", no_proxy, 1);
  }
  ~ProxyOfTheEnvironment() override {
    for (const char* variable : {"https_proxy", "http_proxy", "no_proxy"}) ::unsetenv(variable);
  }
};

TEST_F(ProxyOfTheEnvironment, IsUsedIfNoneIsConfigured) {
  ScriptedServer proxy(sends_and_closes("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"));
  of_environment(proxy);
  EXPECT_THAT(failure(ask(peer("https://api.example"))),
              HasSubstr("the proxy " + address(proxy) + " (https_proxy of the environment) answered 403"));
}

TEST_F(ProxyOfTheEnvironment, IsNamedWithoutItsCredentials) {
  const std::string address = "127.0.0.1:" + std::to_string(closed_port());
  for (const std::string& password : {std::string(kProxyPassword), std::string("p%40ss%3Aw%25rd")}) {
    ::setenv("https_proxy", ("http://user:" + password + "@" + address).c_str(), 1);
    const std::string told = failure(ask(peer("https://api.example")));
    EXPECT_THAT(told, HasSubstr(address + " (https_proxy of the environment)")) << told;
    EXPECT_THAT(told, AllOf(Not(HasSubstr("user")), Not(HasSubstr("w%")))) << told;
  }
}

TEST_F(ProxyOfTheEnvironment, IsNotUsedForLoopbackAddresses) {
  ScriptedServer proxy(answers_with(ok("through the proxy")));
  ScriptedServer server(answers_with(ok("direct")));
  of_environment(proxy);
  EXPECT_EQ(ask(peer(server.url())).body, "direct");
  EXPECT_EQ(ask(peer("http://localhost:" + std::to_string(server.port()))).body, "direct");
  EXPECT_EQ(ask(peer("http://[::1]:" + std::to_string(closed_port()))).body, "") << "nobody is there";
}

TEST_F(ProxyOfTheEnvironment, HasExceptionsThatAConfiguredProxyIgnores) {
  ScriptedServer proxy(answers_with(ok("through the proxy")));
  of_environment(proxy, "unresolvable.test");
  EXPECT_THAT(failure(ask(peer("http://unresolvable.test"))), HasSubstr("cannot be resolved"));
  EXPECT_EQ(ask(through(proxy, "http://unresolvable.test")).body, "through the proxy");
}

}  // namespace
}  // namespace sqlbak_gateway::upstream::testing
