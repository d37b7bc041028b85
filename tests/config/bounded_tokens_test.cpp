// Token files on a file system that hangs: with real threads.
#include "sqlbak_gateway/config/bounded_tokens.h"

#include "config/config_directory.h"
#include "sqlbak_gateway/base/mutex.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::config {
namespace {

using sqlbak_gateway::testing::ManualClock;
using ::testing::EndsWith;

// Outlives the test in the threads that it holds up.
struct Disk {
  Mutex mutex;
  std::map<std::string, int> looks;
  std::map<std::string, bool> hangs;
  std::once_flag once;
  std::latch somebody_hangs{1};
  std::latch is_back{1};
};

class BoundedTokensTest : public ::testing::Test {
 protected:
  ~BoundedTokensTest() override {
    if (!disk->is_back.try_wait()) bring_it_back();
  }
  static TokenSource file(const std::string& name) { return {TokenSource::Kind::file, name, ""}; }
  void hang(const std::string& name) {
    MutexLock lock(disk->mutex);
    disk->hangs[name] = true;
  }
  // Somebody else looks at that file, and hangs; longer ago than anybody has patience for.
  void somebody_has_hung_on(const std::string& name) {
    hang(name);
    other =
        std::async(std::launch::async, [this, name] { return tokens.look(file(name), Deadline::never()); });
    disk->somebody_hangs.wait();
    clock.advance(BoundedTokens::kPatience);
  }
  void bring_it_back() {
    {
      MutexLock lock(disk->mutex);
      disk->hangs.clear();
    }
    disk->is_back.count_down();
    if (other.valid()) other.get();
  }
  int looks(const std::string& name) {
    MutexLock lock(disk->mutex);
    return disk->looks[name];
  }
  static std::string said(const TokenLook& look) {
    return look.token ? std::string(look.token->reveal()) : look.token.error().message;
  }

  const std::shared_ptr<Disk> disk = std::make_shared<Disk>();
  const BoundedTokens::LookAtFile look_at_file = [disk = disk](const TokenSource& source) {
    bool hangs = false;
    {
      MutexLock lock(disk->mutex);
      ++disk->looks[source.name];
      hangs = disk->hangs[source.name];
    }
    if (hangs) {
      std::call_once(disk->once, [&] { disk->somebody_hangs.count_down(); });
      disk->is_back.wait();
    }
    return TokenLook{TokenStamp{.size = 7}, Secret("token-of-" + source.name)};
  };
  ManualClock clock;
  TokenReader reader{testing::environment_of({{"VARIABLE", "token-of-variable"}})};
  BoundedTokens tokens{reader, clock, look_at_file};
  std::future<TokenLook> other;

  static constexpr const char* kHangs =
      "token file nfs could not be read in time: its file system does not answer";
};

TEST_F(BoundedTokensTest, AFileIsReadAsItIs) {
  const testing::ConfigDirectory dir;
  const TokenSource source = file(dir.write("token", "secret\n"));
  const TokenLook look = BoundedTokens(reader, clock).look(source, Deadline::never());
  EXPECT_EQ(said(look), "secret");
  EXPECT_EQ(look.stamp, look_at_token_file(source).stamp);
}

TEST_F(BoundedTokensTest, AFileThatHangsIsGivenUp) {
  hang("nfs");
  const BoundedTokens impatient(reader, clock, look_at_file, Duration::zero());
  const TokenLook look = impatient.look(file("nfs"), Deadline::never());
  EXPECT_EQ(said(look), kHangs);
  EXPECT_EQ(look.stamp, std::nullopt);
}

TEST_F(BoundedTokensTest, AFileThatHangsIsGivenUpAtTheDeadline) {
  hang("nfs");
  EXPECT_EQ(said(tokens.look(file("nfs"), Deadline::at(clock.steady_now()))), kHangs);
}

TEST_F(BoundedTokensTest, AFileThatHangsHoldsUpOneThreadAndNoOtherFile) {
  somebody_has_hung_on("nfs");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(said(tokens.look(file("nfs"), Deadline::never())), kHangs);
  EXPECT_EQ(looks("nfs"), 1);
  EXPECT_EQ(said(tokens.look(file("local"), Deadline::never())), "token-of-local");
}

TEST_F(BoundedTokensTest, AFileIsReadAgainWhenItsFileSystemAnswersAgain) {
  somebody_has_hung_on("nfs");
  bring_it_back();
  // The thread that it held up may need a moment to end.
  const RealClock real;
  const Deadline limit = Deadline::after(real.steady_now(), std::chrono::seconds(60));
  TokenLook look = tokens.look(file("nfs"), Deadline::never());
  while (!look.token && !limit.passed(real.steady_now())) {
    std::this_thread::yield();
    look = tokens.look(file("nfs"), Deadline::never());
  }
  EXPECT_EQ(said(look), "token-of-nfs");
  EXPECT_EQ(looks("nfs"), 2);
}

TEST_F(BoundedTokensTest, VariablesNeedNoPatience) {
  const BoundedTokens impatient(reader, clock, look_at_file, Duration::zero());
  const TokenLook look =
      impatient.look({TokenSource::Kind::environment, "VARIABLE", ""}, Deadline::at(clock.steady_now()));
  EXPECT_EQ(said(look), "token-of-variable");
  EXPECT_EQ(look.stamp, TokenStamp());
}

TEST_F(BoundedTokensTest, OfManyOnlyThoseThatHangAreMissing) {
  somebody_has_hung_on("nfs");
  std::vector<TokenSource> sources = {file("nfs"), {TokenSource::Kind::environment, "VARIABLE", ""}};
  for (std::size_t i = 0; i < 3 * BoundedTokens::kTogether; ++i)
    sources.push_back(file("local-" + std::to_string(i)));
  const std::vector<TokenLook> found = tokens.look(sources);
  ASSERT_EQ(found.size(), sources.size());
  EXPECT_EQ(said(found[0]), kHangs);
  EXPECT_EQ(said(found[1]), "token-of-variable");
  for (std::size_t i = 2; i < found.size(); ++i) EXPECT_EQ(said(found[i]), "token-of-" + sources[i].name);
}

TEST_F(BoundedTokensTest, ManyThatHangTakeFewThreads) {
  std::vector<TokenSource> sources;
  for (std::size_t i = 0; i <= BoundedTokens::kTogether; ++i) {
    sources.push_back(file("nfs-" + std::to_string(i)));
    hang(sources.back().name);
  }
  const BoundedTokens impatient(reader, clock, look_at_file, Duration::zero());
  const std::vector<TokenLook> found = impatient.look(sources);
  EXPECT_THAT(said(found.front()), EndsWith("its file system does not answer"));
  EXPECT_THAT(said(found.back()), EndsWith("was not looked at: too many others do not answer"));
}

// Goes on by a millisecond whenever it is asked, and says when it has come to an instant.
class TickingClock final : public Clock {
 public:
  SystemTime system_now() const override { return {}; }
  SteadyTime steady_now() const override {
    const SteadyTime now{std::chrono::milliseconds(++milliseconds_)};
    if (now >= comes_to.load()) come.test_and_set();
    come.notify_all();
    return now;
  }
  void advance(Duration by) { milliseconds_ += by / std::chrono::milliseconds(1); }

  std::atomic<SteadyTime> comes_to{SteadyTime::max()};
  mutable std::atomic_flag come;

 private:
  mutable std::atomic<std::int64_t> milliseconds_{0};
};

TEST_F(BoundedTokensTest, AFileThatHangsForLongCostsOthersNoPatience) {
  const auto ticking = std::make_shared<TickingClock>();
  const BoundedTokens with_others(reader, *ticking,
                                  [look = look_at_file, ticking](const TokenSource& source) {
                                    if (source.name == "slow") ticking->come.wait(false);
                                    return look(source);
                                  });
  hang("nfs");
  other = std::async(std::launch::async, [&] { return with_others.look(file("nfs"), Deadline::never()); });
  disk->somebody_hangs.wait();
  // That look has all but run out of patience, and the other file answers when it has waited for that.
  const SteadyTime patient_until = ticking->steady_now() + BoundedTokens::kPatience;
  ticking->comes_to = patient_until - std::chrono::milliseconds(6);
  ticking->advance(BoundedTokens::kPatience - std::chrono::milliseconds(14));
  const std::vector<TokenLook> found = with_others.look({file("nfs"), file("slow")});
  EXPECT_EQ(said(found[0]), kHangs);
  EXPECT_EQ(said(found[1]), "token-of-slow");
  ticking->come.test_and_set();
  ticking->come.notify_all();
  bring_it_back();
}

}  // namespace
}  // namespace sqlbak_gateway::config
