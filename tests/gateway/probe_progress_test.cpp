// What `--probe` says while it waits.
#include "sqlbak_gateway/gateway/probe_progress.h"

#include "gateway/gateway_world.h"

#include <gmock/gmock.h>

namespace sqlbak_gateway::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class ProbeProgressTest : public testing::GatewayWorld {
 protected:
  ProbeProgressTest() { configured("acme"); }
  std::optional<ConfiguredAccount> acme() { return gateway().account("acme"); }
};

TEST_F(ProbeProgressTest, BeginsWithWhatIsCollectedFromWhere) {
  for (const bool terminal : {false, true}) {
    const std::string line = ProbeProgress(acme()->config(), terminal).begun();
    EXPECT_THAT(line, HasSubstr("collecting acme from http://127.0.0.1:1/public-api/v1: "));
    EXPECT_EQ(line.find('\n'), line.size() - 1);
  }
}

TEST_F(ProbeProgressTest, IsALineNowAndThenWhereThereIsNoTerminal) {
  ProbeProgress progress(acme()->config(), /*terminal=*/false);
  const AccountView view = acme()->view();
  EXPECT_THAT(progress.going_on(seconds(1), view), IsEmpty());
  EXPECT_THAT(progress.going_on(milliseconds(9999), view), IsEmpty());
  EXPECT_EQ(progress.going_on(milliseconds(10'500), view), "collecting acme: 0 API requests\n");
  EXPECT_THAT(progress.going_on(milliseconds(20'499), view), IsEmpty());
  EXPECT_EQ(progress.going_on(milliseconds(20'500), view), "collecting acme: 0 API requests\n");
  EXPECT_THAT(progress.ended(), IsEmpty());
}

TEST_F(ProbeProgressTest, IsOneLineWrittenOverOnATerminal) {
  ProbeProgress progress(acme()->config(), /*terminal=*/true);
  const AccountView view = acme()->view();
  for (const int second : {1, 2, 3})
    EXPECT_EQ(progress.going_on(seconds(second), view), "\rcollecting acme: 0 API requests\x1b[K");
  EXPECT_EQ(progress.ended(), "\r\x1b[K");
}

TEST_F(ProbeProgressTest, SaysHowFarItIs) {
  ProbeProgress progress(acme()->config(), /*terminal=*/false);
  probe("acme");
  std::string line;
  for (Duration waited = seconds(10); line.find("to go") == std::string::npos && waited < seconds(1000);
       waited += kProgressEvery) {
    let_pass(milliseconds(50));
    line = progress.going_on(waited, acme()->view());
  }
  EXPECT_THAT(line, MatchesRegex("collecting acme: [0-9]+ API requests, [0-9]+ jobs read, [0-9]+ to go\n"));
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
