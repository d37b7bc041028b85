#include "sqlbak_gateway/gateway/access.h"

#include "support/manual_clock.h"

#include <map>

#include <crypt.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway {
namespace {

using std::chrono::seconds;

std::string base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      encoded += i + k > text.size() ? '=' : kDigits[bits >> (18 - 6 * k) & 0x3F];
    }
  }
  return encoded;
}

// bcrypt at its lowest cost, so that the tests are quick.
Secret bcrypt(const std::string& password) {
  crypt_data data{};
  return Secret(crypt_r(password.c_str(), "$2b$04$abcdefghijklmnopqrstuu", &data));
}

// An operator and a tenant with passwords, and a tenant with a bearer token.
class AccessTest : public ::testing::Test {
 protected:
  AccessTest() {
    environment["SCRAPE_TOKEN"] = "bearer-of-initech";
    add("operator", {"*"}).password_bcrypt = bcrypt("correct horse");
    add("acme", {"acme", "acme-*"}).password_bcrypt = bcrypt("battery staple");
    add("initech", {"initech"}).bearer_token =
        config::TokenSource{config::TokenSource::Kind::environment, "SCRAPE_TOKEN", ""};
  }
  config::AccessEntry& add(std::string name, std::vector<std::string> accounts) {
    config::AccessEntry entry;
    entry.name = std::move(name);
    entry.accounts = std::move(accounts);
    entries.push_back(std::move(entry));
    return entries.back();
  }
  Access& access() {
    if (!access_) access_ = std::make_unique<Access>(entries, tokens, clock);
    return *access_;
  }
  Access::Verdict with(std::optional<std::string> authorization, const std::string& address = "192.0.2.1") {
    http::Request request;
    request.peer_address = address;
    if (authorization) request.headers.push_back({"Authorization", *authorization});
    return access().check(request);
  }
  Access::Verdict password(const std::string& name, const std::string& word,
                           const std::string& address = "192.0.2.1") {
    return with("Basic " + base64(name + ":" + word), address);
  }
  Access::Verdict bearer(const std::string& token) { return with("Bearer " + token); }

  testing::ManualClock clock;
  std::map<std::string, std::string> environment;
  config::TokenReader tokens{[this](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional<std::string>(found->second);
  }};
  std::vector<config::AccessEntry> entries;

 private:
  std::unique_ptr<Access> access_;
};

TEST_F(AccessTest, WithoutEntriesEverybodyIsAnOperator) {
  entries.clear();
  EXPECT_FALSE(access().enabled());
  const Access::Verdict verdict = with(std::nullopt);
  ASSERT_TRUE(verdict.caller);
  EXPECT_TRUE(verdict.caller->operator_rights);
  EXPECT_TRUE(verdict.caller->may_see("anything"));
}

TEST_F(AccessTest, WithEntriesNobodyGetsInWithoutCredentials) {
  EXPECT_TRUE(access().enabled());
  EXPECT_FALSE(with(std::nullopt).caller);
  EXPECT_FALSE(with("Digest username=\"operator\"").caller);
  EXPECT_FALSE(with("Basic !!!").caller);
}

TEST_F(AccessTest, APasswordOpensWhatItsEntrySays) {
  const Access::Verdict tenant = password("acme", "battery staple");
  ASSERT_TRUE(tenant.caller);
  EXPECT_EQ(tenant.caller->name, "acme");
  EXPECT_FALSE(tenant.caller->operator_rights);
  EXPECT_TRUE(tenant.caller->may_see("acme"));
  EXPECT_TRUE(tenant.caller->may_see("acme-eu"));
  EXPECT_FALSE(tenant.caller->may_see("acmeish"));
  EXPECT_FALSE(tenant.caller->may_see("globex"));

  const Access::Verdict operator_ = password("operator", "correct horse");
  ASSERT_TRUE(operator_.caller);
  EXPECT_TRUE(operator_.caller->operator_rights);
}

TEST_F(AccessTest, AnotherEntrysPasswordOpensNothing) {
  EXPECT_FALSE(password("acme", "correct horse").caller);
  EXPECT_FALSE(password("operator", "battery staple").caller);
  EXPECT_FALSE(password("initech", "").caller);
  EXPECT_FALSE(password("initech", "bearer-of-initech").caller);
}

TEST_F(AccessTest, AnUnknownNameAndAWrongPasswordGetTheSameAnswer) {
  const Access::Verdict unknown = password("nobody", "x");
  const Access::Verdict wrong = password("acme", "x");
  EXPECT_FALSE(unknown.caller);
  EXPECT_FALSE(wrong.caller);
  EXPECT_EQ(unknown.denial, wrong.denial);
}

TEST_F(AccessTest, ABearerTokenOpensWhatItsEntrySays) {
  const Access::Verdict verdict = bearer("bearer-of-initech");
  ASSERT_TRUE(verdict.caller);
  EXPECT_EQ(verdict.caller->name, "initech");
  EXPECT_FALSE(bearer("bearer-of-initech2").caller);
  EXPECT_FALSE(bearer("bearer-of-initec").caller);
}

TEST_F(AccessTest, ABearerTokenThatCannotBeReadOpensNothing) {
  environment.clear();
  EXPECT_FALSE(bearer("bearer-of-initech").caller);
}

TEST_F(AccessTest, GuessingIsSlowedDownPerAddressAndName) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(password("acme", "guess").denial, Access::Denial::unknown) << i;
  const Access::Verdict slowed = password("acme", "guess");
  EXPECT_EQ(slowed.denial, Access::Denial::throttled);
  EXPECT_GT(slowed.retry_after, Duration::zero());
  EXPECT_LE(slowed.retry_after, seconds(10));
  EXPECT_EQ(password("acme", "guess", "192.0.2.99").denial, Access::Denial::unknown);  // another address
  EXPECT_EQ(password("operator", "guess").denial, Access::Denial::unknown);            // another name
  clock.advance(seconds(10));
  EXPECT_EQ(password("acme", "guess").denial, Access::Denial::unknown);
  EXPECT_EQ(password("acme", "guess").denial, Access::Denial::throttled);
}

TEST_F(AccessTest, GuessingNeverLocksOutAVerifiedCredential) {
  ASSERT_TRUE(password("acme", "battery staple").caller);
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(password("acme", "guess").caller);
  EXPECT_TRUE(password("acme", "battery staple").caller);
  EXPECT_TRUE(bearer("bearer-of-initech").caller);
}

TEST_F(AccessTest, AVerifiedPasswordIsNotTakenForAnother) {
  ASSERT_TRUE(password("acme", "battery staple").caller);
  EXPECT_FALSE(password("acme", "battery stapl").caller);
  EXPECT_FALSE(password("operator", "battery staple").caller);
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
