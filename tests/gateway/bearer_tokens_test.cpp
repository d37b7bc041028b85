// Bearer tokens whose files change, cannot be read, or hang: with real threads.
#include "gateway/bearer_tokens.h"

#include "sqlbak_gateway/base/mutex.h"
#include "support/manual_clock.h"

#include <latch>
#include <map>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway {
namespace {

// Token files in memory. Outlives the test in the threads that it holds up.
struct Disk {
  struct File {
    std::string content;
    std::int64_t changes = 0;
    bool readable = true;
    bool hangs = false;
    int looks = 0;
  };
  config::TokenLook look_at(const std::string& name) {
    File file;
    {
      MutexLock lock(mutex);
      ++files[name].looks;
      file = files[name];
    }
    if (file.hangs) is_back.wait();
    MutexLock lock(mutex);
    const config::TokenStamp stamp{.size = files[name].changes};
    if (!file.readable) return {stamp, Error{"no descriptor left"}};
    return {stamp, Secret(files[name].content)};
  }

  Mutex mutex;
  std::map<std::string, File> files GUARDED_BY(mutex);
  std::latch is_back{1};
};

class BearerTokensTest : public ::testing::Test {
 protected:
  ~BearerTokensTest() override {
    if (!disk->is_back.try_wait()) disk->is_back.count_down();
  }

  void with_file(const std::string& name, const std::string& content) {
    write(name, content);
    tokens.push_back(BearerTokens::make({config::TokenSource::Kind::file, name, ""}));
  }
  void write(const std::string& name, const std::string& content) {
    change(name, [&](Disk::File& file) {
      file.content = content;
      ++file.changes;
    });
  }
  template <typename Change>
  void change(const std::string& name, Change change) {
    MutexLock lock(disk->mutex);
    change(disk->files[name]);
  }
  // From now on it hangs whoever looks at it. A thread has done so for longer than anybody has patience.
  void hang(const std::string& name) {
    change(name, [](Disk::File& file) { file.hangs = true; });
    files.look({config::TokenSource::Kind::file, name, ""}, Deadline::at(clock.steady_now()));
    clock.advance(config::BoundedTokens::kPatience);
  }
  void bring_the_mount_back() {
    for (const auto& token : tokens)
      change(BearerTokens::source(*token).name, [](Disk::File& file) { file.hangs = false; });
    disk->is_back.count_down();
  }
  void a_second_passes() { clock.advance(BearerTokens::kLookAgainAfter); }
  std::string found(const std::string& given) {
    const BearerTokens::Token* const token = bearers.find(tokens, Secret(given));
    return token ? BearerTokens::source(*token).name : "";
  }
  int looks(const std::string& name) {
    MutexLock lock(disk->mutex);
    return disk->files[name].looks;
  }

  const std::shared_ptr<Disk> disk = std::make_shared<Disk>();
  testing::ManualClock clock;
  config::TokenReader reader{[](const std::string&) { return std::nullopt; }};
  config::BoundedTokens files{
      reader, clock, [disk = disk](const config::TokenSource& source) { return disk->look_at(source.name); }};
  BearerTokens bearers{files, "key", clock};
  BearerTokens::Tokens tokens;
};

TEST_F(BearerTokensTest, AFileIsReadAtMostOnceASecond) {
  with_file("acme", "secret");
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(found("secret"), "acme");
    EXPECT_EQ(found("other"), "");
  }
  EXPECT_EQ(looks("acme"), 1);
  a_second_passes();
  EXPECT_EQ(found("secret"), "acme");
  EXPECT_EQ(looks("acme"), 2);
}

TEST_F(BearerTokensTest, AChangedFileCountsAfterASecond) {
  with_file("acme", "old");
  EXPECT_EQ(found("old"), "acme");
  write("acme", "new");
  a_second_passes();
  EXPECT_EQ(found("old"), "");
  EXPECT_EQ(found("new"), "acme");
}

TEST_F(BearerTokensTest, AFileThatCannotBeReadIsTriedAgain) {
  with_file("acme", "secret");
  change("acme", [](Disk::File& file) { file.readable = false; });
  EXPECT_EQ(found("secret"), "");
  change("acme", [](Disk::File& file) { file.readable = true; });
  a_second_passes();
  EXPECT_EQ(found("secret"), "acme");
}

TEST_F(BearerTokensTest, ARightTokenLooksAtNoOtherFile) {
  with_file("acme", "secret");
  with_file("globex", "other");
  EXPECT_EQ(found("secret"), "acme");
  const int before = looks("globex");
  a_second_passes();
  EXPECT_EQ(found("secret"), "acme");
  EXPECT_EQ(looks("globex"), before);
}

TEST_F(BearerTokensTest, AFileThatHangsHoldsUpNoOther) {
  with_file("acme", "secret");
  with_file("globex", "other");
  EXPECT_EQ(found("secret"), "acme");
  hang("acme");
  EXPECT_EQ(found("other"), "globex");
  EXPECT_EQ(found("secret"), "acme");  // as it was last read
  EXPECT_EQ(found("none of them"), "");
  write("globex", "rotated");
  a_second_passes();
  EXPECT_EQ(found("rotated"), "globex");
}

TEST_F(BearerTokensTest, FilesThatHangTakeOneThreadEach) {
  for (int i = 0; i < 12; ++i) {
    with_file("hangs-" + std::to_string(i), "secret-" + std::to_string(i));
    hang("hangs-" + std::to_string(i));
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(found("none of them"), "");
  // The thread may not have begun yet.
  for (int i = 0; i < 12; ++i) EXPECT_LE(looks("hangs-" + std::to_string(i)), 1);
}

TEST_F(BearerTokensTest, WhatWasWrittenWhileAFileHungCounts) {
  with_file("acme", "old");
  EXPECT_EQ(found("old"), "acme");
  write("acme", "new");
  hang("acme");
  EXPECT_EQ(found("old"), "acme");
  bring_the_mount_back();
  a_second_passes();
  // The thread that it held up may need a moment to end.
  const RealClock real;
  const Deadline limit = Deadline::after(real.steady_now(), std::chrono::seconds(60));
  while (!found("old").empty() && !limit.passed(real.steady_now())) std::this_thread::yield();
  EXPECT_EQ(found("old"), "");
  EXPECT_EQ(found("new"), "acme");
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
