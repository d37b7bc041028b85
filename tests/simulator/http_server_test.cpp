// The socket server: connections, pipelining, limits, TLS, and the control endpoint.
#include "simulator/connection.h"
#include "simulator/simulated_api.h"
#include "simulator/truth.h"

#include <arpa/inet.h>
#include <cstdio>
#include <filesystem>
#include <string>
#include <sys/socket.h>

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace sqlbak_gateway::simulator::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

using HttpServerTest = SimulatedApi;
using Control = SimulatedApi;

// Bytes in, bytes out.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_.fd(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
      std::perror("connect");
  }
  void send(std::string_view text) { ::send(socket_.fd(), text.data(), text.size(), MSG_NOSIGNAL); }
  void end_sending() { shutdown(socket_.fd(), SHUT_WR); }
  // Everything until the server closes.
  std::string read_all() {
    std::string all;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = recv(socket_.fd(), buffer.data(), buffer.size(), 0)) > 0;) {
      all.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  Socket socket_;
};

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::string request(const std::string& path, const std::string& more = "") {
  return "GET /public-api/v1" + path + " HTTP/1.1\r\nHost: sim\r\nX-SqlBak-Token: acme-token\r\n" + more +
         "\r\n";
}

TEST_F(HttpServerTest, KeepsConnections) {
  EXPECT_EQ(get("/me").new_connections, 1);
  EXPECT_EQ(get("/me").new_connections, 0);
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
  const Seen seen = client_.perform("HEAD", server_.api_url() + "/me", "acme-token");
  EXPECT_EQ(seen.status, 200);
  EXPECT_TRUE(seen.body.empty());
  EXPECT_EQ(std::stoul(seen.header("content-length")), get("/me").body.size());
}

TEST_F(HttpServerTest, IsForReading) {
  const Seen seen = client_.perform("DELETE", server_.api_url() + "/jobs", "acme-token");
  EXPECT_EQ(seen.status, 405);
  EXPECT_EQ(seen.header("allow"), "GET, HEAD");
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  RawClient raw(server_.port());
  raw.send(request("/servers") + request("/jobs") + request("/me", "Connection: close\r\n"));
  const std::string all = raw.read_all();
  EXPECT_EQ(count(all, "HTTP/1.1 200 OK"), 3u);
  EXPECT_LT(all.find("sql-01"), all.find("Nightly"));
  EXPECT_LT(all.find("Nightly"), all.find("credit_usd"));
}

TEST_F(HttpServerTest, TakesARequestInPieces) {
  RawClient raw(server_.port());
  const std::string whole = request("/me", "Connection: close\r\n");
  for (const char c : whole) raw.send({&c, 1});
  EXPECT_THAT(raw.read_all(), HasSubstr("credit_usd"));
}

TEST_F(HttpServerTest, AnswersAClientThatHasFinishedSending) {
  fail_with("latency=30ms");
  RawClient raw(server_.port());
  raw.send(request("/me"));
  raw.end_sending();
  EXPECT_THAT(raw.read_all(), HasSubstr("credit_usd"));
}

TEST_F(HttpServerTest, RefusesWhatIsNoRequest) {
  RawClient garbage(server_.port());
  garbage.send("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_THAT(garbage.read_all(), StartsWith("HTTP/1.1 400"));
  RawClient endless(server_.port());
  endless.send("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'x'));
  EXPECT_THAT(endless.read_all(), StartsWith("HTTP/1.1 431"));
}

TEST_F(HttpServerTest, ServesOthersWhileOneIsSlow) {
  fail_with("account=other,hang=before");
  RawClient silent(server_.port());
  silent.send("GET /public-api/v1/me HTTP/1.1\r\nX-SqlBak-Token: other-token\r\n\r\n");
  EXPECT_EQ(get("/me").status, 200);
}

TEST_F(HttpServerTest, SaysWhyItCannotListen) {
  ListenOptions taken;
  taken.port = server_.port();
  EXPECT_THAT(HttpServer::listen(simulator_, real_clock_, taken).error().message,
              HasSubstr("Address already in use"));
  ListenOptions named;
  named.host = "localhost";
  EXPECT_THAT(HttpServer::listen(simulator_, real_clock_, named).error().message,
              HasSubstr("no numeric address"));
  ListenOptions no_certificate;
  no_certificate.cert_file = no_certificate.key_file = "/nowhere.pem";
  EXPECT_THAT(HttpServer::listen(simulator_, real_clock_, no_certificate).error().message,
              HasSubstr("/nowhere.pem"));
}

// A self-signed certificate for 127.0.0.1 and its key, as files that go with it.
class Certificate {
 public:
  Certificate()
      : folder_(std::filesystem::temp_directory_path() / ("simulator-tls-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(folder_);
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("simulator"),
                               -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* host = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, host, -1);
    X509_sign(certificate, key, EVP_sha256());
    write(cert_file(), [&](FILE* file) { PEM_write_X509(file, certificate); });
    write(key_file(),
          [&](FILE* file) { PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_EXTENSION_free(host);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~Certificate() { std::filesystem::remove_all(folder_); }
  std::string cert_file() const { return folder_ / "cert.pem"; }
  std::string key_file() const { return folder_ / "key.pem"; }

 private:
  template <typename Write>
  static void write(const std::string& path, Write write) {
    FILE* file = std::fopen(path.c_str(), "w");
    write(file);
    std::fclose(file);
  }
  std::filesystem::path folder_;
};

TEST_F(HttpServerTest, SpeaksTls) {
  const Certificate certificate;
  ListenOptions options;
  options.cert_file = certificate.cert_file();
  options.key_file = certificate.key_file();
  const RunningServer server(started(simulator_, real_clock_, options));
  EXPECT_THAT(server.api_url(), StartsWith("https://127.0.0.1:"));
  CurlClient client;
  client.ca_file = certificate.cert_file();
  EXPECT_EQ(client.get(server.api_url() + "/me", "acme-token").data()["name"], "acme");
  fail_with("pad=4MiB,endpoint=servers");
  EXPECT_GT(client.get(server.api_url() + "/servers", "acme-token").body.size(), 4u << 20);
  fail_with("close=body,endpoint=jobs");
  EXPECT_EQ(client.get(server.api_url() + "/jobs", "acme-token").result, CURLE_PARTIAL_FILE);
  fail_with("reset=body,endpoint=me");
  EXPECT_NE(client.get(server.api_url() + "/me", "acme-token").result, CURLE_OK);
}

TEST_F(Control, ListsWhatItCanDo) {
  EXPECT_THAT(control("GET", "/").body, HasSubstr("/_simulator/truth"));
}

TEST_F(Control, MovesTheClock) {
  EXPECT_EQ(control("GET", "/clock").json()["now"], "2026-01-14T12:00:00.000Z");
  EXPECT_EQ(control("POST", "/clock?advance=90m").json()["now"], "2026-01-14T13:30:00.000Z");
  EXPECT_EQ(control("POST", "/clock?advance=soon").status, 400);
}

TEST_F(Control, ChangesThePaceOfTheClock) {
  control("POST", "/clock?speed=60");
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(control("GET", "/clock").json()["now"], "2026-01-14T12:02:00.000Z");
  control("POST", "/clock?speed=0");
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(control("GET", "/clock").json()["now"], "2026-01-14T12:02:00.000Z");
}

TEST_F(Control, AddsAndRemovesFaults) {
  const auto number = control("POST", "/faults?rule=endpoint%3Dme,status%3D500").json()["number"].get<int>();
  EXPECT_EQ(get("/me").status, 500);
  EXPECT_EQ(control("GET", "/faults").json()[0]["struck"], 1);
  control("DELETE", "/faults?number=" + std::to_string(number));
  EXPECT_EQ(get("/me").status, 200);
  EXPECT_EQ(control("POST", "/faults?rule=nonsense").status, 400);
}

TEST_F(Control, TurnsKnobs) {
  EXPECT_EQ(control("POST", "/knobs?me=off&total=off").status, 200);
  EXPECT_EQ(get("/me").status, 404);
  EXPECT_EQ(control("POST", "/knobs?me=perhaps").status, 400);
}

TEST_F(Control, TellsWhatWasAsked) {
  get("/me");
  get("/jobs?page=1");
  EXPECT_EQ(control("GET", "/requests?limit=1").json()[0]["target"], "/jobs?page=1");
  EXPECT_EQ(control("GET", "/counts").json()["acme"]["me"], 1);
  control("DELETE", "/requests");
  EXPECT_TRUE(control("GET", "/counts").json().empty());
}

TEST_F(Control, ChangesTheWorld) {
  control("POST", "/server?account=acme&server=sql-01&status=offline");
  EXPECT_EQ(get("/servers").list()[0]["status"], "offline");
  control("POST", "/account?account=acme&suspended=on");
  EXPECT_EQ(get("/me").data()["is_suspended"], true);
  control("POST", "/job?account=acme&job=Nightly&full_days=99&rename=Weekly");
  EXPECT_EQ(get("/jobs/101/settings").data()["destinations"][0]["full_backups_keep_days"], 99);
  control("POST", "/run?account=acme&job=Weekly&status=failed&age=10m");
  EXPECT_EQ(get("/jobruns/10006").data()["backups"][0]["status"], "failed");
  control("POST", "/account?account=acme&refused=403");
  EXPECT_EQ(get("/me").status, 403);
  control("POST", "/account?account=acme&refused=off&token=fresh");
  EXPECT_EQ(get("/me", "fresh").status, 200);
}

TEST_F(Control, SaysWhatItDoesNotKnow) {
  EXPECT_EQ(control("POST", "/server?account=nobody&server=sql-01&status=offline").status, 404);
  EXPECT_EQ(control("POST", "/server?account=acme&server=sql-99&status=offline").status, 400);
  EXPECT_EQ(control("POST", "/job?account=acme&job=Hourly").status, 400);
  EXPECT_EQ(control("GET", "/nonsense").status, 404);
}

TEST_F(Control, TellsTheTruth) {
  const std::string text = control("GET", "/truth?account=acme").body;
  EXPECT_THAT(text, HasSubstr("sqlbak_offline_servers_total 1\n"));
  EXPECT_TRUE(parse_exposition(text).ok());
}

}  // namespace
}  // namespace sqlbak_gateway::simulator::testing
