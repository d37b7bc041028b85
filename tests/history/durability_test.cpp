// kill -9 at random moments: the file opens again, and holds what some collection before had remembered.
#include "history/remembered_account.h"
#include "sqlbak_gateway/history/history.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

namespace sqlbak_gateway::history {
namespace {

using testing::fingerprint;
using testing::RememberedAccount;

class NoLog final : public LogSink {
 public:
  void write(std::string_view) override {}
};

TEST(Durability, AKillLosesAtMostWhatWasNotCommitted) {
  std::string name = std::filesystem::temp_directory_path() / "sqlbak-durability-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name.data());
  const std::string path = folder / "history.db";
  const char* kills = std::getenv("KILLS");
  const int rounds = kills ? std::atoi(kills) : 20;

  RememberedAccount account(1);
  std::vector<std::shared_ptr<const AccountMemory>> memories;
  std::vector<std::string> fingerprints;
  for (int i = 0; i < 12; ++i) {
    memories.push_back(account.collect());
    fingerprints.push_back(fingerprint(memories.back()));
  }
  const RealClock clock;
  NoLog sink;
  const Logger log(sink, clock, LogLevel::error, LogFormat::logfmt);
  simulator::Random random(7);
  for (int round = 0; round < rounds; ++round) {
    // The child writes one after the other, and says so, until it is killed.
    int written[2];
    ASSERT_EQ(::pipe(written), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto history = open_history(path, clock, log);
      for (unsigned char i = 0;; i = static_cast<unsigned char>((i + 1) % memories.size())) {
        history->store("acme", memories[i]);
        history->drain(Deadline::never());
        if (::write(written[1], &i, 1) != 1) ::_exit(1);
      }
    }
    ::close(written[1]);
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(60'000)));
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    int last = -1;
    for (unsigned char i = 0; ::read(written[0], &i, 1) == 1;) last = i;
    ::close(written[0]);

    const auto history = open_history(path, clock, log);
    ASSERT_TRUE(history->status().durable);
    const auto found = std::find(fingerprints.begin(), fingerprints.end(),
                                 fingerprint(history->load("acme", Deadline::never()).value()));
    if (last < 0) continue;  // killed before its first word
    ASSERT_NE(found, fingerprints.end());
    // What it said was written is there, or the one after it.
    const auto index = static_cast<std::size_t>(found - fingerprints.begin());
    EXPECT_TRUE(index == static_cast<std::size_t>(last) ||
                index == (static_cast<std::size_t>(last) + 1) % memories.size());
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sqlbak_gateway::history
