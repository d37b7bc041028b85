// The server as its clients see it.
#include "sqlbak_gateway/http/server.h"

#include "http/serving.h"

#include <sys/resource.h>
#include <unistd.h>

#include <gmock/gmock.h>

namespace sqlbak_gateway::http::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class ServerTest : public Serving {};

TEST_F(ServerTest, AnswersWithDateLengthAndType) {
  serve();
  const Answer answer = get("/a?b=c", "X-Test: 1\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello\n");
  EXPECT_EQ(answer.headers.at("date"), "Wed, 14 Jan 2026 12:00:00 GMT");
  EXPECT_EQ(answer.headers.at("content-length"), "6");
  EXPECT_EQ(answer.headers.at("content-type"), "text/plain; charset=utf-8");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].path, "/a");
  EXPECT_EQ(seen[0].raw_query, "b=c");
  EXPECT_EQ(seen[0].header("x-test"), "1");
  EXPECT_EQ(seen[0].host(), "test");
  EXPECT_EQ(seen[0].peer_address, "127.0.0.1");
  EXPECT_TRUE(seen[0].peer_is_loopback);
  EXPECT_EQ(seen[0].scheme(), "http");
}

TEST_F(ServerTest, AnswersHeadWithTheLengthOnly) {
  serve();
  Client client = this->client();
  client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.answer(true).headers.at("content-length"), "6");
  client.get("/next");
  EXPECT_EQ(client.answer().body, "hello\n");
}

TEST_F(ServerTest, KeepsConnectionsUntilTheClientHasEnough) {
  serve();
  Client client = this->client();
  for (int i = 0; i < 3; ++i) {
    client.get("/");
    EXPECT_EQ(client.answer().status, 200);
  }
  client.get("/", "Connection: close\r\n");
  EXPECT_EQ(client.answer().headers.at("connection"), "close");
  EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, SpeaksHttp10) {
  serve();
  Client once = client();
  once.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(once.answer().body, "hello\n");
  EXPECT_TRUE(once.ended());
  Client twice = client();
  for (int i = 0; i < 2; ++i) {
    twice.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(twice.answer().headers.at("connection"), "keep-alive");
  }
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  serve();
  Client client = this->client();
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  client.send(requests);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(client.answer().status, 200) << i;
  ASSERT_EQ(seen.size(), 50u);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(seen[i].path, "/" + std::to_string(i));
}

TEST_F(ServerTest, AnswersPipelinedRequestsOfEveryUrgencyInOrder) {
  serve();
  Client client = this->client();
  const std::vector<std::string> paths = {"/-/healthy", "/-/healthy", "/a",        "/-/ready",
                                          "/-/healthy", "/b",         "/-/healthy"};
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    for (const std::string& path : paths) requests += "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
  }
  client.send(requests);
  for (int i = 0; i < 20; ++i) {
    for (const std::string& path : paths) {
      ASSERT_EQ(client.answer().body, path == "/-/healthy" ? "ok\n" : "hello\n") << i << path;
    }
  }
}

TEST_F(ServerTest, TakesBodiesAndAsksForThem) {
  serve();
  Client client = this->client();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.answer(true).status, 100);
  client.send("body");
  EXPECT_EQ(client.answer().status, 200);
  EXPECT_EQ(seen.at(0).body, "body");
}

TEST_F(ServerTest, AnswersWhatItRefusesAndCounts) {
  limits.max_body_bytes = 10;
  serve();
  Client malformed = client();
  malformed.send("nonsense\r\n\r\n");
  EXPECT_EQ(malformed.answer().status, 400);
  EXPECT_TRUE(malformed.ended());
  Client large = client();
  large.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + std::string(100'000, 'x'));
  EXPECT_EQ(large.answer().status, 413);
  EXPECT_TRUE(large.send("the rest"));  // no reset, which could have overtaken the answer
  EXPECT_EQ(rejections(Rejection::malformed), 1);
  EXPECT_EQ(rejections(Rejection::body_too_large), 1);
  EXPECT_EQ(answers("", 400), 1);
}

TEST_F(ServerTest, AnswersForAHandlerThatThrows) {
  serve();
  EXPECT_EQ(get("/throw").status, 500);
  EXPECT_EQ(get("/").status, 200);
}

TEST_F(ServerTest, TellsItsObserverOfEveryAnswer) {
  serve();
  get("/");
  get("/");
  get("/throw");
  EXPECT_EQ(answers("/", 200), 2);
  EXPECT_EQ(answers("/throw", 500), 1);
}

TEST_F(ServerTest, RefusesWithAReasonWhenAllAreBusyButNotWhatIsUrgent) {
  limits.max_requests_in_flight = 2;
  serve();
  Client first = client();
  Client second = client();
  first.get("/wait/1");
  second.get("/wait/2");
  ASSERT_TRUE(eventually([&] { return gate.waiting() == 2; }));
  Client third = client();
  third.get("/");
  const Answer busy = third.answer();
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.headers.at("retry-after"), "1");
  EXPECT_THAT(busy.body, HasSubstr("2 requests are being answered"));
  EXPECT_EQ(rejections(Rejection::busy), 1);
  EXPECT_EQ(get("/-/healthy").body, "ok\n");
  server->set_max_requests_in_flight(3);
  third.get("/");  // its connection was kept
  EXPECT_EQ(third.answer().status, 200);
  gate.open();
  EXPECT_EQ(first.answer().status, 200);
  EXPECT_EQ(second.answer().status, 200);
}

TEST_F(ServerTest, SendsLargeBodiesToSlowReadersWhole) {
  for (std::size_t i = 0; i < 10'000'000; ++i) body.push_back(static_cast<char>('a' + i % 26));
  serve();
  Client client = this->client();
  client.get("/");
  ASSERT_TRUE(eventually([&] { return answers("/", 200) == 1; }));  // begun, and more than any buffer takes
  const Answer answer = client.answer();
  EXPECT_TRUE(answer.body == body);
  client.get("/");
  EXPECT_EQ(client.answer().status, 200);
}

TEST_F(ServerTest, AnswersSlowRequestsWith408) {
  limits.request_time = 10s;
  serve();
  Client head = client();
  head.send("GET / HTTP/1.1\r\nX-Slow: ");
  Client rest = client();
  rest.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabc");
  ASSERT_TRUE(eventually([&] { return server->load().connections == 2; }));
  EXPECT_EQ(get("/").status, 200);  // what was sent before this has been read
  clock.advance(11s);
  EXPECT_EQ(head.answer().status, 408);
  EXPECT_EQ(rest.answer().status, 408);
  EXPECT_EQ(rejections(Rejection::slow_request), 2);
}

TEST_F(ServerTest, ClosesIdleConnectionsAfterTheirTime) {
  limits.idle_time = 300s;
  limits.request_time = 10s;
  serve();
  Client idle = client();
  idle.get("/");
  idle.answer();
  clock.advance(299s);
  idle.get("/");
  EXPECT_EQ(idle.answer().status, 200);
  clock.advance(301s);
  EXPECT_TRUE(idle.ended());
}

TEST_F(ServerTest, CutsReadersThatNeverRead) {
  limits.write_time = 60s;
  body.assign(20'000'000, 'x');
  serve();
  Client reader = client();
  reader.read_little(4096);
  reader.get("/");
  ASSERT_TRUE(eventually([&] { return answers("/", 200) == 1; }));
  EXPECT_EQ(server->load().requests_in_flight, 0u);  // it holds no thread
  // Its time begins when the event thread takes the rest of the answer over, which may be a moment from now.
  EXPECT_TRUE(eventually([&] {
    clock.advance(61s);
    return rejections(Rejection::slow_reader) == 1 && server->load().connections == 0;
  }));
}

TEST_F(ServerTest, LetsTheQuietestGiveWayWhenFull) {
  limits.max_connections = 3;
  serve();
  Client lively = client();
  Client quiet = client();
  ASSERT_TRUE(eventually([&] { return server->load().connections == 2; }));
  lively.send("GET / HTTP/1.1\r\n");
  Client third = client();
  third.get("/");
  EXPECT_EQ(third.answer().status, 200);  // so what was sent before has been read
  EXPECT_EQ(get("/").status, 200);
  EXPECT_TRUE(quiet.ended());
  EXPECT_EQ(rejections(Rejection::evicted), 1);
  lively.send("Host: h\r\n\r\n");
  EXPECT_EQ(lively.answer().status, 200);
}

TEST_F(ServerTest, TellsAnUnfinishedRequestThatItGaveWay) {
  limits.max_connections_per_address = 1;
  serve();
  Client unfinished = client();
  unfinished.send("GET / HTTP/1.1\r\n");
  ASSERT_TRUE(eventually([&] { return server->load().connections == 1; }));
  // The event thread reads what is there before it accepts, or finds nothing and closes without a word.
  EXPECT_EQ(get("/").status, 200);
  const int status = unfinished.answer().status;
  EXPECT_TRUE(status == 503 || status == 0) << status;
}

TEST_F(ServerTest, LetsThreadsGoThatAreNotNeeded) {
  limits.thread_idle_time = 30s;
  limits.idle_time = 1000h;
  serve();
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(client());
    clients.back().get("/wait");
  }
  ASSERT_TRUE(eventually([&] { return gate.waiting() == 20; }));
  EXPECT_GE(server->load().threads, 20u);
  gate.open();
  for (Client& client : clients) EXPECT_EQ(client.answer().status, 200);
  EXPECT_TRUE(eventually([&] {
    clock.advance(31s);
    return server->load().threads == 0;
  }));
  EXPECT_EQ(get("/").status, 200);
}

TEST_F(ServerTest, SurvivesRunningOutOfDescriptors) {
  serve(real_clock);
  Client before = client();
  before.get("/");
  before.answer();
  rlimit normal{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &normal), 0);
  // One more for the client, none for the server.
  const int next = ::dup(0);
  ::close(next);
  rlimit tight = normal;
  tight.rlim_cur = static_cast<rlim_t>(next) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  Client after = client();
  after.get("/");
  const Answer answer = after.answer();
  ::setrlimit(RLIMIT_NOFILE, &normal);
  EXPECT_EQ(answer.status, 200);  // the idle connection gave way
  EXPECT_TRUE(before.ended());
  EXPECT_GE(rejections(Rejection::descriptors), 1);
}

TEST_F(ServerTest, WaitsWithoutSpinningForADescriptor) {
  serve(real_clock);
  rlimit normal{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &normal), 0);
  const int next = ::dup(0);
  ::close(next);
  rlimit tight = normal;
  tight.rlim_cur = static_cast<rlim_t>(next) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  Client client = this->client();
  client.get("/");
  const bool tried_again = eventually([&] { return rejections(Rejection::descriptors) >= 3; });
  const int tries = rejections(Rejection::descriptors);
  ::setrlimit(RLIMIT_NOFILE, &normal);
  EXPECT_TRUE(tried_again);
  EXPECT_LT(tries, 100);
  EXPECT_EQ(client.answer().status, 200);
}

class Stopping : public ServerTest {};

TEST_F(Stopping, AnswersWhatRunsAndClosesWhatIsIdle) {
  serve(real_clock);
  const std::uint16_t port = server->ports()[0];
  Client idle = client();
  idle.get("/");
  idle.answer();
  Client running = client();
  running.get("/wait");
  ASSERT_TRUE(eventually([&] { return gate.waiting() == 1; }));
  Server::Stopped stopped;
  std::thread stopper([&] { stopped = server->stop(Deadline::after(real_clock.steady_now(), 5s)); });
  EXPECT_TRUE(idle.ended());
  EXPECT_FALSE(Client(port).send("GET"));
  gate.open();
  EXPECT_EQ(running.answer().headers["connection"], "close");
  stopper.join();
  EXPECT_EQ(stopped.connections_cut, 0u);
  EXPECT_EQ(stopped.handlers_running, 0u);
}

TEST_F(Stopping, CutsAtTheDeadlineWhateverHangs) {
  body.assign(20'000'000, 'x');
  serve(real_clock);
  Client hanging = client();
  hanging.get("/wait");
  Client deaf = client();
  deaf.read_little(4096);
  deaf.get("/");
  ASSERT_TRUE(eventually([&] { return gate.waiting() == 1 && answers("/", 200) == 1; }));
  const Server::Stopped stopped = server->stop(Deadline::after(real_clock.steady_now(), 200ms));
  EXPECT_EQ(stopped.handlers_running, 1u);
  EXPECT_EQ(stopped.connections_cut, 2u);
  EXPECT_EQ(hanging.answer().status, 0);
  gate.open();
  EXPECT_TRUE(eventually([&] { return server->load().threads == 0; }));
}

class Listening : public ServerTest {
 protected:
  Result<void> listen(const std::vector<ListenAddress>& addresses) {
    std::vector<Listener> listeners;
    for (const ListenAddress& address : addresses) listeners.push_back({address, std::nullopt});
    return follow(listeners);
  }
  ListenAddress own(const std::string& host) { return {host, server->ports()[0]}; }
};

TEST_F(Listening, FollowsAReloadWithoutDroppingConnections) {
  serve();
  Client kept = client();
  kept.get("/");
  kept.answer();
  const std::uint16_t first = server->ports()[0];
  ASSERT_TRUE(listen({{"127.0.0.1", 0}, {"localhost", 0}}));
  ASSERT_EQ(server->ports().size(), 2u);
  EXPECT_EQ(server->ports()[0], first);
  Client second(server->ports()[1]);
  second.get("/");
  EXPECT_EQ(second.answer().status, 200);
  ASSERT_TRUE(listen({ListenAddress{"127.0.0.1", 0}}));
  kept.get("/");
  EXPECT_EQ(kept.answer().status, 200);
  second.get("/");
  EXPECT_EQ(second.answer().status, 200);
}

TEST_F(Listening, AcceptsNothingBeforeItServes) {
  bind(clock);
  Client early = client();
  early.get("/");
  EXPECT_EQ(server->load().connections, 0u);
  ASSERT_TRUE(server->serve(service()));
  EXPECT_EQ(early.answer().status, 200);
}

TEST_F(Listening, AcceptsNothingBetweenRebindAndResume) {
  serve();
  ASSERT_TRUE(server->rebind({{{"127.0.0.1", 0}, std::nullopt}, {{"localhost", 0}, std::nullopt}}));
  Client kept(server->ports()[0]);
  Client fresh(server->ports()[1]);
  for (Client* client : {&kept, &fresh}) client->get("/");
  for (int turn = 0; turn < 3; ++turn) {
    clock.advance(1s);  // a tick would retry sockets that were paused
    ASSERT_TRUE(eventually([&] { return server->turned_since_last_asked(); }));
  }
  EXPECT_EQ(server->load().connections, 0u);
  server->resume();
  EXPECT_EQ(kept.answer().status, 200);
  EXPECT_EQ(fresh.answer().status, 200);
}

TEST_F(Listening, ClosesWhatGoesBeforeItResumes) {
  serve();
  const std::uint16_t former = server->ports()[0];
  ASSERT_TRUE(server->rebind({{{"localhost", 0}, std::nullopt}}));
  EXPECT_FALSE(Client(former).send("GET"));
}

TEST_F(Listening, GoesOnAtOnceAfterARebindThatFails) {
  serve();
  EXPECT_FALSE(server->rebind({{{"192.0.2.1", 0}, std::nullopt}})) << "nobody's address here";
  EXPECT_EQ(get("/").status, 200);
}

TEST_F(Listening, MovesBetweenAddressesOfOnePort) {
  serve();
  const ListenAddress wide = own("0.0.0.0");
  const ListenAddress narrow = own("127.0.0.1");
  for (const ListenAddress& address : {wide, narrow, wide}) {
    const Result<void> moved = listen({address});
    ASSERT_TRUE(moved) << moved.error().message;
    EXPECT_EQ(get("/").status, 200) << to_text(address);
  }
}

TEST_F(Listening, StaysAsItWasWhenAReloadFails) {
  serve();
  const Result<std::unique_ptr<Server>> other = Server::bind(listeners(), limits, clock);
  ASSERT_TRUE(other);
  const ListenAddress taken{"127.0.0.1", (*other)->ports()[0]};
  const Result<void> refused = listen({own("0.0.0.0"), taken});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "cannot listen on " + to_text(taken) +
                ": the port is in use by another program (or another gateway); stop it or "
                "choose another port");
  EXPECT_EQ(get("/").status, 200);
  ASSERT_FALSE(listen({}));
  EXPECT_EQ(get("/").status, 200);
}

TEST_F(Listening, SaysWhatIsWrongWithAnAddress) {
  const auto complaint = [&](const ListenAddress& address) {
    const auto bound = Server::bind({{address, std::nullopt}}, limits, clock);
    return bound ? "no complaint" : bound.error().message;
  };
  EXPECT_EQ(complaint({"192.0.2.1", 0}), "cannot listen on 192.0.2.1:0: this machine has no such address");
  EXPECT_EQ(complaint({"no-such-host.invalid", 0}),
            "cannot listen on no-such-host.invalid:0: the name cannot be resolved; write a numeric address");
}

TEST_F(Listening, TakesBothFamiliesOnAllAddresses) {
  serve();
  const Result<void> listening = listen({ListenAddress{"::", 0}});
  if (!listening && listening.error().message.find("no IPv6") != std::string::npos) {
    GTEST_SKIP() << listening.error().message;
  }
  ASSERT_TRUE(listening) << listening.error().message;
  EXPECT_EQ(get("/").status, 200);
  EXPECT_EQ(seen.back().peer_address, "127.0.0.1");
  EXPECT_TRUE(seen.back().peer_is_loopback);
}

}  // namespace
}  // namespace sqlbak_gateway::http::testing
