// TLS for real: certificates by the openssl command, and what the transport says of those it refuses.
#include "upstream/asking.h"
#include "upstream/certificates.h"
#include "upstream/scripted_server.h"

#include <latch>

namespace sqlbak_gateway::upstream::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kHere = "IP:127.0.0.1";

class TlsTest : public AskingTest {
 protected:
  // What becomes of a call to a server with this certificate, when the test's authority is the one to trust.
  std::string asking(const ServerCertificate& certificate) {
    ScriptedServer server(answers_with(ok("{}")), certificate);
    const Completion completion = ask(peer(server.url(), certificates_.authority_file()));
    EXPECT_TRUE(server.requests().empty() || completion.status == 200) << "the token was sent all the same";
    EXPECT_EQ(completion.failure.has_value(), completion.failure && completion.failure->lasting)
        << "asking again would not help";
    return failure(completion);
  }

  Certificates certificates_;
};

TEST_F(TlsTest, ACertificateOfTheConfiguredAuthorityIsTrusted) {
  EXPECT_EQ(asking(certificates_.signed_for(kHere)), "answered 200");
}

TEST_F(TlsTest, ACertificateForAnotherHostIsRefused) {
  EXPECT_THAT(
      asking(certificates_.signed_for("DNS:api.example,IP:127.0.0.2")),
      AllOf(StartsWith("connection: the certificate of 127.0.0.1:"), HasSubstr("is for another host name")));
}

TEST_F(TlsTest, AnExpiredCertificateIsRefused) {
  EXPECT_THAT(asking(certificates_.signed_for(kHere, -10, -1)), HasSubstr("has expired"));
}

TEST_F(TlsTest, ACertificateOfTheFutureIsRefused) {
  EXPECT_THAT(asking(certificates_.signed_for(kHere, 2, 10)), HasSubstr("is not valid yet"));
}

TEST_F(TlsTest, ASelfSignedCertificateIsRefused) {
  EXPECT_THAT(asking(certificates_.self_signed_for(kHere)), HasSubstr("is self-signed"));
}

TEST_F(TlsTest, ACertificateOfAnUntrustedAuthorityIsRefused) {
  Certificates others;
  EXPECT_THAT(asking(others.signed_for(kHere)), HasSubstr("issued by an authority that is not trusted here"));
}

TEST_F(TlsTest, PeersWithOtherAuthoritiesShareNoConnection) {
  ScriptedServer server(answers_with(ok("{}")), certificates_.signed_for(kHere));
  EXPECT_EQ(failure(ask(peer(server.url(), certificates_.authority_file()))), "answered 200");
  EXPECT_THAT(failure(ask(peer(server.url()))), HasSubstr("issued by an authority that is not trusted here"));
  EXPECT_EQ(failure(ask(peer(server.url(), certificates_.authority_file()))), "answered 200");
}

TEST_F(TlsTest, AnAuthorityFileThatCannotBeReadIsNamed) {
  ScriptedServer server(answers_with(ok("{}")), certificates_.signed_for(kHere));
  EXPECT_THAT(failure(ask(peer(server.url(), "/no/such/ca.pem"))),
              StartsWith("config: the certificates to trust cannot be read from /no/such/ca.pem"));
}

TEST_F(TlsTest, AServerThatSpeaksNoTlsIsNoConnection) {
  ScriptedServer server(
      [](ServerConnection& connection) { connection.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
  EXPECT_THAT(failure(ask(peer(url))), StartsWith("connection: no TLS connection to 127.0.0.1:"));
}

TEST_F(TlsTest, AConnectionIsUsedAgain) {
  ScriptedServer server(answers_with(ok("{}")), certificates_.signed_for(kHere));
  for (int i = 0; i < 5; ++i) ask(peer(server.url(), certificates_.authority_file()));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(TlsTest, AConnectionCutInTheMiddleIsNoAnswer) {
  ScriptedServer server(
      [](ServerConnection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\n\r\n{\"data\":");  // a body that ends with the connection
        connection.reset();
      },
      certificates_.signed_for(kHere));
  EXPECT_THAT(failure(ask(peer(server.url(), certificates_.authority_file()))), StartsWith("connection:"));
}

// Else an API that sends nothing else keeps the calls to all others waiting for as long as its bytes come.
TEST_F(TlsTest, OneTurnTakesAFewRenewalsOfAnApisKey) {
  constexpr int kRenewals = 300;
  std::latch turning_rests{1};
  std::latch all_sent{1};
  bool sent = false;
  ScriptedServer server(
      [&](ServerConnection& connection) {
        connection.read_request();
        transport_->wake();
        turning_rests.wait();
        sent = connection.renew_key(kRenewals) && connection.send(ok("{}"));
        all_sent.count_down();
      },
      certificates_.signed_for(kHere));
  const Deadline guard = Deadline::after(clock_.steady_now(), kGuard);
  transport_->start(call(peer(server.url(), certificates_.authority_file())));
  std::vector<Completion> ended = transport_->poll(guard);
  turning_rests.count_down();
  all_sent.wait();
  ASSERT_TRUE(sent);

  int turns = 0;
  while (ended.empty() && !guard.passed(clock_.steady_now())) {
    ended = transport_->poll(Deadline::at(clock_.steady_now()));
    ++turns;
  }
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(failure(ended[0]), "answered 200");
  EXPECT_EQ(ended[0].body, "{}");
  EXPECT_GE(turns, kRenewals / 10);
}

}  // namespace
}  // namespace sqlbak_gateway::upstream::testing
