// An account whose token file is on a file system that hangs.
#include "gateway/gateway_world.h"

#include <latch>
#include <memory>
#include <thread>

namespace sqlbak_gateway::gateway {
namespace {

using simulator::Series;

class AHangingTokenFile : public testing::GatewayWorld {
 protected:
  // Outlives the test in the threads that it holds up.
  struct Disk {
    std::latch is_back{1};
    std::string token;
  };

  AHangingTokenFile() {
    configured("acme").token = {config::TokenSource::Kind::file, "/mnt/nfs/acme", ""};
    configured("globex");
    disk->token = environment[variable("acme")];
    look_at_token_file = [disk = disk](const config::TokenSource&) {
      disk->is_back.wait();
      return config::TokenLook{config::TokenStamp{.size = 7}, Secret(disk->token)};
    };
    token_patience = std::chrono::milliseconds(1);
  }
  ~AHangingTokenFile() override {
    if (!disk->is_back.try_wait()) disk->is_back.count_down();
  }
  static std::optional<double> is_in_order(const Series& series) {
    return value(series, "sqlbak_collection_failure{reason=\"config\"}") == 0 ? value(series, "probe_success")
                                                                              : std::nullopt;
  }

  const std::shared_ptr<Disk> disk = std::make_shared<Disk>();
};

TEST_F(AHangingTokenFile, FailsItsAccountAndNoOther) {
  for (int i = 0; i < 3; ++i) {
    const Series answer = collected("acme");
    EXPECT_EQ(value(answer, "probe_success"), 0);
    EXPECT_EQ(value(answer, "sqlbak_collection_failure{reason=\"config\"}"), 1);
    clock.advance(std::chrono::minutes(11));
  }
  EXPECT_NE(lines.text.find("token file /mnt/nfs/acme could not be read in time"), std::string::npos);
  EXPECT_EQ(is_in_order(collected("globex")), 1);
}

TEST_F(AHangingTokenFile, IsTriedAtOnceWhenItsFileSystemAnswersAgain) {
  ASSERT_EQ(value(probed("acme"), "sqlbak_collection_failure{reason=\"config\"}"), 1);
  disk->is_back.count_down();
  // Probes do not wait for the backoff: it is their thread that may need a moment, and the clock stands
  // still.
  const RealClock real;
  const Deadline patience = Deadline::after(real.steady_now(), std::chrono::seconds(60));
  while (value(probed("acme"), "sqlbak_collection_in_progress") != 1 && !patience.passed(real.steady_now()))
    std::this_thread::yield();
  let_collections_end();
  EXPECT_EQ(is_in_order(probed("acme")), 1);
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
