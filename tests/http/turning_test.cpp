// Server::turned_since_last_asked(), by which a watchdog learns that the event thread still goes round.
#include "http/serving.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway::http::testing {
namespace {

class Turning : public Serving {};

TEST_F(Turning, GoesOnWithoutAnyRequest) {
  serve();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(eventually([this] { return server->turned_since_last_asked(); }));
  }
}

TEST_F(Turning, EndsWhileTheEventThreadIsStuck) {
  Server::Options stuck = options();
  stuck.triage = [this](std::string_view path) {
    if (path == "/stuck") gate.pass();
    return Urgency::ordinary;
  };
  Result<std::unique_ptr<Server>> started = Server::start(std::move(stuck), clock);
  ASSERT_TRUE(started) << started.error().message;
  server = std::move(started).value();
  Client asking = client();
  asking.get("/stuck");
  ASSERT_TRUE(eventually([this] { return gate.waiting() == 1; }));

  (void)server->turned_since_last_asked();  // it may have gone round before it got stuck
  EXPECT_FALSE(server->turned_since_last_asked());
  EXPECT_FALSE(server->turned_since_last_asked());

  gate.open();
  EXPECT_EQ(asking.answer().status, 200);
  EXPECT_TRUE(eventually([this] { return server->turned_since_last_asked(); }));
}

}  // namespace
}  // namespace sqlbak_gateway::http::testing
