// TLS: what is spoken, who may connect, and how certificates are renewed.
#include "http/certificates.h"
#include "http/channel.h"
#include "http/serving.h"
#include "http/tls_context.h"

#include <array>
#include <thread>

#include <Poco/Net/ServerSocket.h>
#include <gmock/gmock.h>

namespace sqlbak_gateway::http::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr SystemTime kLater{std::chrono::seconds{2'000'000'000}};
constexpr SystemTime kMuchLater{std::chrono::seconds{2'500'000'000}};

class TlsTest : public Serving {
 protected:
  Certificates certificates;
};

TEST_F(TlsTest, ServesOverTls) {
  body.assign(1'000'000, 'x');
  tls = certificates.signed_for("first", kLater);
  serve();
  Client client = this->client();
  for (int i = 0; i < 3; ++i) {
    client.get("/");
    EXPECT_TRUE(client.answer().body == body);
  }
  EXPECT_TRUE(seen.at(0).tls);
  EXPECT_EQ(seen.at(0).scheme(), "https");
  client.get("/", "Connection: close\r\n");
  EXPECT_EQ(client.answer().status, 200);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(server->certificate_expiry(), kLater);
}

TEST_F(TlsTest, AnswersPipelinedRequestsOfOneRecord) {
  tls = certificates.signed_for("first", kLater);
  serve();
  Client client = this->client();
  client.send(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /-/healthy HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: "
      "h\r\n\r\n");
  EXPECT_EQ(client.answer().body, "hello\n");
  EXPECT_EQ(client.answer().body, "ok\n");
  EXPECT_EQ(client.answer().body, "hello\n");
}

TEST_F(TlsTest, RefusesOldVersions) {
  tls = certificates.signed_for("first", kLater);
  serve();
  Client old(server->ports()[0]);
  EXPECT_FALSE(old.handshake({.certificate_file = "", .key_file = "", .at_most_1_1 = true}));
  EXPECT_TRUE(eventually([&] { return rejections(Rejection::handshake) == 1; }));
  EXPECT_EQ(get("/").status, 200);  // one client's failure is not another's
}

TEST_F(TlsTest, CutsSilentClients) {
  limits.handshake_time = 10s;
  tls = certificates.signed_for("first", kLater);
  serve();
  Client silent(server->ports()[0]);
  ASSERT_TRUE(eventually([&] { return server->load().connections == 1; }));
  clock.advance(11s);
  EXPECT_TRUE(silent.ended());
  EXPECT_EQ(rejections(Rejection::handshake), 1);
}

TEST_F(TlsTest, AsksForAClientCertificateWhereConfigured) {
  tls = certificates.signed_for("first", kLater);
  tls->client_ca_file = certificates.authority_file();
  serve();
  const TlsFiles own = certificates.signed_for("prometheus", kLater);
  Client known(server->ports()[0],
               {.certificate_file = own.cert_file, .key_file = own.key_file, .at_most_1_1 = false});
  known.get("/");
  EXPECT_EQ(known.answer().status, 200);

  Client anonymous(server->ports()[0], ClientTls{});
  anonymous.get("/");
  EXPECT_EQ(anonymous.answer().status, 0);

  Certificates others;
  const TlsFiles foreign = others.signed_for("prometheus", kLater);
  Client stranger(
      server->ports()[0],
      {.certificate_file = foreign.cert_file, .key_file = foreign.key_file, .at_most_1_1 = false});
  stranger.get("/");
  EXPECT_EQ(stranger.answer().status, 0);
  EXPECT_TRUE(eventually([&] { return rejections(Rejection::handshake) == 2; }));
}

TEST_F(TlsTest, RenewsCertificatesUnderOpenConnections) {
  tls = certificates.signed_for("first", kLater);
  serve();
  Client old = client();
  EXPECT_EQ(old.server_name(), "first");
  const TlsFiles renewed = certificates.signed_for("second", kMuchLater);
  ASSERT_TRUE(follow({{{"127.0.0.1", 0}, renewed}}));
  EXPECT_EQ(client().server_name(), "second");
  EXPECT_EQ(server->certificate_expiry(), kMuchLater);
  old.get("/");
  EXPECT_EQ(old.answer().status, 200);
  ASSERT_TRUE(follow({{{"127.0.0.1", 0}, std::nullopt}}));
  Client plain(server->ports()[0]);
  plain.get("/");
  EXPECT_EQ(plain.answer().status, 200);
  EXPECT_EQ(server->certificate_expiry(), std::nullopt);
}

TEST_F(TlsTest, KeepsTheOldCertificateWhenTheNewIsBad) {
  tls = certificates.signed_for("first", kLater);
  serve();
  TlsFiles bad = *tls;
  bad.cert_file = certificates.file("empty.pem", "");
  EXPECT_FALSE(follow({{{"127.0.0.1", 0}, bad}}));
  EXPECT_EQ(client().server_name(), "first");
}

TEST_F(TlsTest, SaysWhatIsWrongWithAFile) {
  const TlsFiles good = certificates.signed_for("first", kLater);
  const TlsFiles other = certificates.signed_for("second", kLater);
  EXPECT_EQ(check_tls_files(good)->not_after, kLater);
  const auto complaint = [](const TlsFiles& files) {
    const auto checked = check_tls_files(files);
    return checked ? "no complaint" : checked.error().message;
  };
  EXPECT_EQ(complaint({"/nowhere/cert.pem", good.key_file, ""}),
            "the certificate file \"/nowhere/cert.pem\" cannot be used: No such file or directory");
  EXPECT_EQ(complaint({good.key_file, good.key_file, ""}),
            "the certificate file \"" + good.key_file +
                "\" cannot be used: it holds no certificate in PEM form (BEGIN CERTIFICATE)");
  EXPECT_EQ(complaint({good.cert_file, good.cert_file, ""}),
            "the key file \"" + good.cert_file +
                "\" cannot be used: it holds no private key in PEM form (BEGIN PRIVATE KEY)");
  EXPECT_EQ(complaint({good.cert_file, other.key_file, ""}),
            "the key file \"" + other.key_file +
                "\" cannot be used: the key belongs to another certificate than the first one in \"" +
                good.cert_file + "\"");
  EXPECT_THAT(complaint({good.cert_file, certificates.with_passphrase(good), ""}),
              HasSubstr("it has a passphrase; remove it"));
  EXPECT_THAT(complaint({good.cert_file, good.key_file, good.key_file}), HasSubstr("the client CA file"));
  EXPECT_THAT(complaint({good.cert_file, "/", ""}),
              HasSubstr("the key file \"/\" cannot be used: Is a directory"));
}

// Else one client that sends nothing else keeps the event thread for as long as its bytes keep coming.
TEST_F(TlsTest, OneReadTakesNoMoreThanOneRenewalOfAClientsKey) {
  const Result<TlsContext> context = load_tls_context(certificates.signed_for("first", kLater));
  ASSERT_TRUE(context) << context.error().message;
  Poco::Net::ServerSocket listener(Poco::Net::SocketAddress("127.0.0.1", 0));
  Client client(listener.address().port());
  Poco::Net::StreamSocket accepted = listener.acceptConnection();
  accepted.setBlocking(false);
  Channel channel(accepted, context->context);
  constexpr int kRenewals = 100;
  bool sent = false;
  std::thread renewing(
      [&] { sent = client.handshake({}) && client.renew_key(kRenewals) && client.send("hello"); });
  EXPECT_TRUE(eventually([&] { return channel.handshake().state == Channel::State::done; }));
  renewing.join();
  ASSERT_TRUE(sent);

  std::array<char, 64> bytes{};
  for (int i = 0; i < kRenewals; ++i) {
    ASSERT_EQ(channel.read(bytes.data(), bytes.size()).state, Channel::State::wants_read) << i;
  }
  EXPECT_EQ(channel.read(bytes.data(), bytes.size()).bytes, 5u);
}

}  // namespace
}  // namespace sqlbak_gateway::http::testing
