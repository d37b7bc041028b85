// Bearer tokens whose files change, cannot be read, or hang: with real threads.
#include "gateway/bearer_tokens.h"

#include "sqlbak_gateway/http/server.h"
#include "support/manual_clock.h"

#include <latch>
#include <map>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway {
namespace {

// Token files in memory, each with a stamp that counts its changes.
class BearerTokensTest : public ::testing::Test {
 protected:
  struct File {
    std::string content;
    std::int64_t changes = 1;
    bool readable = true;
    int looks = 0;
    int reads = 0;
    bool hangs = false;
    std::shared_ptr<std::latch> hanging;  // told that somebody does
  };
  ~BearerTokensTest() override { bring_the_mount_back(); }

  std::shared_ptr<BearerTokens::Token> with_file(const std::string& name, const std::string& content) {
    write(name, content);
    tokens.push_back(BearerTokens::make({config::TokenSource::Kind::file, name, ""}));
    return tokens.back();
  }
  void write(const std::string& name, const std::string& content) {
    MutexLock lock(mutex);
    files[name].content = content;
    ++files[name].changes;
  }
  void set_readable(const std::string& name, bool readable) {
    MutexLock lock(mutex);
    files[name].readable = readable;
  }
  // From now on it hangs whoever looks at it. One thread does, with a token that is none.
  void hang(const std::string& name) {
    const auto hanging = std::make_shared<std::latch>(1);
    {
      MutexLock lock(mutex);
      files[name].hangs = true;
      files[name].hanging = hanging;
    }
    threads.emplace_back([this, name] {
      BearerTokens::Tokens one;
      for (const auto& token : tokens) {
        if (BearerTokens::source(*token).name == name) one.push_back(token);
      }
      bearers.find(one, Secret("none of them"));
    });
    hanging->wait();
  }
  void bring_the_mount_back() {
    if (!threads.empty()) mount_is_back.count_down();
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }
  std::string found(const std::string& given) {
    const BearerTokens::Token* const token = bearers.find(tokens, Secret(given));
    return token ? BearerTokens::source(*token).name : "";
  }
  config::TokenStamp stamp(const std::string& name) {
    bool hangs = false;
    std::shared_ptr<std::latch> hanging;
    {
      MutexLock lock(mutex);
      ++files[name].looks;
      hangs = files[name].hangs;
      hanging = files[name].hanging;
    }
    if (hangs) {
      hanging->count_down();
      mount_is_back.wait();
    }
    config::TokenStamp made;
    MutexLock lock(mutex);
    made.size = files[name].changes;
    return made;
  }
  Result<Secret> read(const std::string& name) {
    MutexLock lock(mutex);
    ++files[name].reads;
    if (!files[name].readable) return Error{"no descriptor left"};
    return Secret(files[name].content);
  }
  int looks(const std::string& name) {
    MutexLock lock(mutex);
    return files[name].looks;
  }
  int reads(const std::string& name) {
    MutexLock lock(mutex);
    return files[name].reads;
  }

  testing::ManualClock clock;
  Mutex mutex;
  std::map<std::string, File> files;
  std::latch mount_is_back{1};
  BearerTokens bearers{{[this](const config::TokenSource& source) { return stamp(source.name); },
                        [this](const config::TokenSource& source) { return read(source.name); }},
                       "key",
                       clock};
  BearerTokens::Tokens tokens;
  std::vector<std::thread> threads;
};

TEST_F(BearerTokensTest, AFileIsReadOnceAndLookedAtForEachRequest) {
  with_file("acme", "secret");
  EXPECT_EQ(found("secret"), "acme");
  EXPECT_EQ(found("secret"), "acme");
  EXPECT_EQ(found("other"), "");
  EXPECT_EQ(reads("acme"), 1);
  EXPECT_EQ(looks("acme"), 3);
}

TEST_F(BearerTokensTest, AChangedFileCountsAtOnce) {
  with_file("acme", "old");
  EXPECT_EQ(found("old"), "acme");
  write("acme", "new");
  EXPECT_EQ(found("old"), "");
  EXPECT_EQ(found("new"), "acme");
}

TEST_F(BearerTokensTest, AFileThatCannotBeReadIsTriedAgain) {
  with_file("acme", "secret");
  set_readable("acme", false);
  EXPECT_EQ(found("secret"), "");
  set_readable("acme", true);
  EXPECT_EQ(found("secret"), "acme");
}

TEST_F(BearerTokensTest, OfARightTokenNoOthersFileIsLookedAt) {
  with_file("acme", "secret");
  with_file("globex", "other");
  EXPECT_EQ(found("secret"), "acme");
  const int before = looks("globex");
  EXPECT_EQ(found("secret"), "acme");
  EXPECT_EQ(looks("globex"), before);
}

TEST_F(BearerTokensTest, AFileThatHangsHoldsUpOneRequestAndNoOther) {
  with_file("acme", "secret");
  with_file("globex", "other");
  EXPECT_EQ(found("secret"), "acme");
  hang("acme");
  EXPECT_EQ(found("other"), "globex");  // needs no patience even
  clock.advance(BearerTokens::kPatience);
  EXPECT_EQ(found("secret"), "acme");  // as it was last read
  EXPECT_EQ(found("none of them"), "");
  write("globex", "rotated");
  EXPECT_EQ(found("rotated"), "globex");
}

TEST_F(BearerTokensTest, FilesThatHangHoldUpFewRequests) {
  EXPECT_LT(BearerTokens::kMostLooking, http::Limits().urgent_threads);
  for (std::size_t i = 0; i <= BearerTokens::kMostLooking; ++i) {
    with_file("hangs-" + std::to_string(i), "secret-" + std::to_string(i));
  }
  const std::string last = "hangs-" + std::to_string(BearerTokens::kMostLooking);
  for (std::size_t i = 0; i < BearerTokens::kMostLooking; ++i) hang("hangs-" + std::to_string(i));
  clock.advance(BearerTokens::kPatience);
  EXPECT_EQ(found("none of them"), "");
  EXPECT_EQ(looks(last), 0);
}

TEST_F(BearerTokensTest, WhatWasReadWhenTheMountIsBackCounts) {
  with_file("acme", "old");
  EXPECT_EQ(found("old"), "acme");
  write("acme", "new");
  hang("acme");
  clock.advance(BearerTokens::kPatience);
  EXPECT_EQ(found("old"), "acme");
  {
    MutexLock lock(mutex);
    files["acme"].hangs = false;
  }
  bring_the_mount_back();
  EXPECT_EQ(found("old"), "");
  EXPECT_EQ(found("new"), "acme");
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
