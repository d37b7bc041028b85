#include "gateway/access.h"

#include "gateway/basic_authorization.h"
#include "support/manual_clock.h"

#include <map>
#include <utility>

#include <crypt.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway {
namespace {

using std::chrono::seconds;

// bcrypt at its lowest cost, so that the tests are quick.
Secret bcrypt(const std::string& password, const std::string& cost = "04") {
  crypt_data data{};
  return Secret(crypt_r(password.c_str(), ("$2b$" + cost + "$abcdefghijklmnopqrstuu").c_str(), &data));
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
    if (!access_) access_ = std::make_unique<Access>(entries, bounded_tokens, clock, counted);
    return *access_;
  }
  void reload() { access_ = std::make_unique<Access>(entries, access()); }
  Access::Verdict with(std::optional<std::string> authorization, const std::string& address = "192.0.2.1") {
    http::Request request;
    request.peer_address = address;
    if (authorization) request.headers.push_back({"Authorization", *authorization});
    return access().check(request);
  }
  Access::Verdict password(const std::string& name, const std::string& word,
                           const std::string& address = "192.0.2.1") {
    return with(testing::basic_authorization(name, word), address);
  }
  Access::Verdict bearer(const std::string& token) { return with("Bearer " + token); }
  // How many rounds of bcrypt a password costs.
  std::uint64_t rounds_of(const std::string& name, const std::string& word) {
    const std::uint64_t before = rounds;
    password(name, word);
    return rounds - before;
  }

  sqlbak_gateway::testing::ManualClock clock;
  std::map<std::string, std::string> environment;
  config::TokenReader tokens{[this](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional<std::string>(found->second);
  }};
  config::BoundedTokens bounded_tokens{tokens, clock};
  std::vector<config::AccessEntry> entries;
  std::uint64_t rounds = 0;  // of bcrypt, by all that was tried
  TryPassword counted = [this](const Secret& word, const Secret& hash) {
    rounds += std::uint64_t{1} << bcrypt_cost(hash);
    return bcrypt_matches(word, hash);
  };

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

TEST_F(AccessTest, EveryRefusalCostsAsMuchAsTheDearestEntry) {
  add("dear", {"acme"}).password_bcrypt = bcrypt("tr0ub4dor", "07");
  add("between", {"acme"}).password_bcrypt = bcrypt("&3", "05");
  constexpr std::uint64_t kDearest = 1u << 7;
  for (const char* name : {"nobody", "", "acme", "operator", "dear", "between", "initech"}) {
    EXPECT_EQ(rounds_of(name, "wrong"), kDearest) << name;
  }
}

TEST_F(AccessTest, WithoutAnyPasswordNothingIsWorkedAt) {
  std::erase_if(entries, [](const config::AccessEntry& entry) { return !entry.password_bcrypt.empty(); });
  EXPECT_EQ(rounds_of("initech", "x"), 0u);
  EXPECT_EQ(rounds_of("nobody", "x"), 0u);
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

TEST_F(AccessTest, GuessingIsSlowedDownPerAddressWhateverTheNames) {
  for (int i = 0; i < 20; ++i) password("guess-" + std::to_string(i), "guess");
  const std::uint64_t before = rounds;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(password("another-" + std::to_string(i), "guess").denial, Access::Denial::throttled);
  }
  EXPECT_EQ(rounds, before);
  EXPECT_TRUE(password("acme", "battery staple", "192.0.2.99").caller);
}

TEST_F(AccessTest, AnIPv6NetworkGuessesAsOneAddress) {
  for (int i = 0; i < 20; ++i) {
    const std::string number = std::to_string(i);
    password("guess-" + number, "guess", "2001:db8::" + number);
  }
  EXPECT_EQ(password("acme", "guess", "2001:db8::abcd").denial, Access::Denial::throttled);
  EXPECT_EQ(password("acme", "guess", "2001:db8:0:1::abcd").denial, Access::Denial::unknown);
}

TEST_F(AccessTest, GuessingNeverLocksOutAVerifiedCredential) {
  ASSERT_TRUE(password("acme", "battery staple").caller);
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(password("acme", "guess").caller);
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(password("guess-" + std::to_string(i), "guess").caller);
  EXPECT_TRUE(password("acme", "battery staple").caller);
  EXPECT_TRUE(bearer("bearer-of-initech").caller);
}

TEST_F(AccessTest, AVerifiedPasswordIsNotTakenForAnother) {
  ASSERT_TRUE(password("acme", "battery staple").caller);
  EXPECT_FALSE(password("acme", "battery stapl").caller);
  EXPECT_FALSE(password("operator", "battery staple").caller);
}

TEST_F(AccessTest, AReloadKeepsVerifiedCredentialsOfUnchangedEntries) {
  ASSERT_TRUE(password("acme", "battery staple").caller);
  ASSERT_TRUE(password("operator", "correct horse").caller);
  entries[0].password_bcrypt = bcrypt("correct horse", "05");
  entries[1].accounts = {"elsewhere"};  // what it may see is not what opens it
  reload();
  EXPECT_EQ(rounds_of("acme", "battery staple"), 0u);
  EXPECT_TRUE(password("acme", "battery staple").caller->may_see("elsewhere"));
  EXPECT_EQ(rounds_of("operator", "correct horse"), 1u << 5);
}

TEST_F(AccessTest, AReloadTakesAnOldPasswordAway) {
  ASSERT_TRUE(password("acme", "battery staple").caller);
  entries[1].password_bcrypt = bcrypt("changed");
  reload();
  EXPECT_FALSE(password("acme", "battery staple").caller);
  EXPECT_TRUE(password("acme", "changed").caller);
}

TEST_F(AccessTest, AReloadForgivesNoGuesses) {
  for (int i = 0; i < 20; ++i) password("guess-" + std::to_string(i), "guess");
  reload();
  EXPECT_EQ(password("acme", "battery staple").denial, Access::Denial::throttled);
}

TEST_F(AccessTest, AReloadReadsATokenAfreshOnlyWhereItsSourceChanged) {
  ASSERT_TRUE(bearer("bearer-of-initech").caller);
  environment["SCRAPE_TOKEN"] = "a variable is read once";
  environment["OTHER_TOKEN"] = "bearer-of-hooli";
  reload();
  EXPECT_TRUE(bearer("bearer-of-initech").caller);
  entries[2].bearer_token->name = "OTHER_TOKEN";
  reload();
  EXPECT_FALSE(bearer("bearer-of-initech").caller);
  EXPECT_TRUE(bearer("bearer-of-hooli").caller);
}

TEST_F(AccessTest, AReloadMayTurnAccessControlOn) {
  const std::vector<config::AccessEntry> later = std::exchange(entries, {});
  ASSERT_TRUE(with(std::nullopt).caller);
  entries = later;
  reload();
  EXPECT_FALSE(with(std::nullopt).caller);
  EXPECT_TRUE(password("acme", "battery staple").caller);
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
