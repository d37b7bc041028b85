// The transport and a real server, over HTTP/1.1 and HTTP/2.
#include "upstream/nginx.h"

#include "upstream/asking.h"

#include <fstream>
#include <set>

namespace sqlbak_gateway::upstream::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

class NginxTest : public AskingTest {
 protected:
  void SetUp() override {
    if (!Nginx::installed()) GTEST_SKIP() << "nginx is not installed";
  }

  // The answers of `count` calls that run at the same time.
  std::vector<Completion> ask_many(const Nginx& nginx, int count, const std::string& target) {
    std::vector<Call> calls;
    for (int i = 0; i < count; ++i)
      calls.push_back(call(peer(nginx.url(), certificates_.authority_file()), target));
    return ask_all(std::move(calls));
  }
  // Protocol, connection number and token, as the server sees them.
  static constexpr const char* kTellsOfTheRequest =
      "default_type application/json;\n"
      "location = /who { return 200 \"$server_protocol $connection $http_x_sqlbak_token\"; }\n"
      "location = /old { return 302 /new; }\n"
      "location = /large { gzip on; gzip_types *; gzip_min_length 1; root .; try_files /large.json =404; }\n";

  Certificates certificates_;
};

TEST_F(NginxTest, AHundredCallsShareOneHttp2Connection) {
  const Nginx nginx(certificates_, "ssl http2", kTellsOfTheRequest);
  std::set<std::string> bodies;
  for (const Completion& completion : ask_many(nginx, 100, "/who")) {
    EXPECT_EQ(failure(completion), "answered 200");
    bodies.insert(completion.body);
  }
  EXPECT_THAT(bodies, SizeIs(1));
  EXPECT_THAT(*bodies.begin(), AllOf(StartsWith("HTTP/2.0 "), HasSubstr(std::string(kToken))));
}

TEST_F(NginxTest, Http11CallsReuseConnectionsOfTheirOwn) {
  const Nginx nginx(certificates_, "ssl", kTellsOfTheRequest);
  std::set<std::string> bodies;
  for (int i = 0; i < 5; ++i) {
    for (const Completion& completion : ask_many(nginx, 8, "/who")) {
      EXPECT_EQ(failure(completion), "answered 200");
      EXPECT_THAT(completion.body, StartsWith("HTTP/1.1 "));
      bodies.insert(completion.body);
    }
  }
  EXPECT_LE(bodies.size(), 8u);
}

TEST_F(NginxTest, Http2CanBeSwitchedOff) {
  const Nginx nginx(certificates_, "ssl http2", kTellsOfTheRequest);
  transport_ = std::make_unique<CurlTransport>(clock_, CurlOptions{.http2 = false});
  EXPECT_THAT(ask_many(nginx, 1, "/who")[0].body, StartsWith("HTTP/1.1 "));
}

TEST_F(NginxTest, RedirectsCompressionAndBoundsAreAsOnHttp11) {
  std::ofstream(certificates_.folder() / "large.json") << std::string(3'000'000, 'x');
  const Nginx nginx(certificates_, "ssl http2", kTellsOfTheRequest);
  EXPECT_EQ(ask_many(nginx, 1, "/old")[0].status, 302);
  EXPECT_EQ(ask_many(nginx, 1, "/large")[0].body.size(), 3'000'000u);
  Call bounded = call(peer(nginx.url(), certificates_.authority_file()), "/large");
  bounded.max_body_bytes = 2'999'999;
  EXPECT_THAT(failure(ask(std::move(bounded))), HasSubstr("larger than max_response_bytes"));
  EXPECT_EQ(ask_many(nginx, 1, "/who")[0].status, 200) << "the connection is still good";
}

TEST_F(NginxTest, CallsOfASharedConnectionAreCancelledAlone) {
  const Nginx nginx(certificates_, "ssl http2", kTellsOfTheRequest);
  const Peer there = peer(nginx.url(), certificates_.authority_file());
  ask(there, "/who");
  std::vector<Call> kept;
  std::vector<std::uint64_t> unwanted;
  for (int i = 0; i < 20; ++i) {
    transport_->start(call(there, "/who"));
    unwanted.push_back(last_id_);
    kept.push_back(call(there, "/who"));
  }
  for (const std::uint64_t id : unwanted) transport_->cancel(id);
  for (const Completion& completion : ask_all(std::move(kept)))
    EXPECT_EQ(failure(completion), "answered 200");
}

}  // namespace
}  // namespace sqlbak_gateway::upstream::testing
