// What is a request, what is not yet one, and what is refused.
#include "http/request_reader.h"

#include <ostream>

#include <gmock/gmock.h>

namespace sqlbak_gateway::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Limits kLimits = {
    .max_request_line_bytes = 64, .max_header_bytes = 128, .max_headers = 4, .max_body_bytes = 10};

Reading read(std::string_view bytes) {
  RequestReader reader(kLimits);
  reader.append(bytes);
  return reader.next();
}

Complete complete(std::string_view bytes) {
  Reading reading = read(bytes);
  EXPECT_TRUE(std::holds_alternative<Complete>(reading)) << bytes;
  return std::holds_alternative<Complete>(reading) ? std::get<Complete>(std::move(reading)) : Complete{};
}

// 0 when it was not refused.
int refusal(std::string_view bytes) {
  const Reading reading = read(bytes);
  const auto* const refused = std::get_if<Refused>(&reading);
  return refused == nullptr ? 0 : refused->status;
}

TEST(RequestReader, TakesARequestApart) {
  const Request request =
      complete("GET /probe?account=acme&debug=true HTTP/1.1\r\nHost: gw:8000\r\nX-One:  a b \t\r\n\r\n")
          .request;
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/probe");
  EXPECT_EQ(request.raw_query, "account=acme&debug=true");
  EXPECT_THAT(request.query, ElementsAre(NamedValue{"account", "acme"}, NamedValue{"debug", "true"}));
  EXPECT_EQ(request.header("x-ONE"), "a b");
  EXPECT_EQ(request.header("X-Two"), std::nullopt);
  EXPECT_EQ(request.host(), "gw:8000");
  EXPECT_EQ(request.body, "");
}

TEST(RequestReader, DecodesQueriesAndKeepsRepeats) {
  const Request request = complete("GET /?a=1&b=x%20y+z&a=%C3%A4&&empty&also= HTTP/1.0\r\n\r\n").request;
  EXPECT_THAT(request.parameters("a"), ElementsAre("1", "\xC3\xA4"));
  EXPECT_THAT(request.parameters("b"), ElementsAre("x y z"));
  EXPECT_THAT(request.parameters("empty"), ElementsAre(""));
  EXPECT_THAT(request.parameters("also"), ElementsAre(""));
  EXPECT_THAT(request.parameters("missing"), IsEmpty());
}

TEST(RequestReader, DecodesPathsWithoutTheRulesOfQueries) {
  EXPECT_EQ(complete("GET /a+b%20c HTTP/1.0\r\n\r\n").request.path, "/a+b c");
  EXPECT_EQ(complete("GET http://other:1/x?y HTTP/1.1\r\nHost: h\r\n\r\n").request.path, "/x");
  EXPECT_EQ(complete("GET http://other:1/x?y HTTP/1.1\r\nHost: h\r\n\r\n").request.host(), "other:1");
  EXPECT_EQ(complete("GET http://other HTTP/1.1\r\nHost: h\r\n\r\n").request.path, "/");
  EXPECT_EQ(complete("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").request.path, "*");
}

TEST(RequestReader, IsTheSameHoweverTheBytesArrive) {
  const std::string bytes = "\r\nPOST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  RequestReader reader(kLimits);
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    reader.append(bytes.substr(i, 1));
    ASSERT_TRUE(std::holds_alternative<Incomplete>(reader.next())) << i;
  }
  reader.append(bytes.substr(bytes.size() - 1));
  const Reading reading = reader.next();
  ASSERT_TRUE(std::holds_alternative<Complete>(reading));
  EXPECT_EQ(std::get<Complete>(reading).request.body, "abc");
  EXPECT_TRUE(reader.empty());
}

TEST(RequestReader, ReadsPipelinedRequestsInOrder) {
  RequestReader reader(kLimits);
  reader.append(
      "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxyGET /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /3");
  EXPECT_EQ(std::get<Complete>(reader.next()).request.path, "/1");
  EXPECT_EQ(std::get<Complete>(reader.next()).request.path, "/2");
  EXPECT_TRUE(std::holds_alternative<Incomplete>(reader.next()));
  EXPECT_FALSE(reader.empty());
}

TEST(RequestReader, TellsOnceThatTheClientWaitsForAContinue) {
  RequestReader reader(kLimits);
  reader.append("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(std::holds_alternative<Incomplete>(reader.next()));
  EXPECT_TRUE(reader.take_expectation());
  EXPECT_TRUE(std::holds_alternative<Incomplete>(reader.next()));
  EXPECT_FALSE(reader.take_expectation());
  reader.append("ok");
  EXPECT_EQ(std::get<Complete>(reader.next()).request.body, "ok");
}

TEST(RequestReader, KeepsConnectionsAsTheVersionAndTheClientSay) {
  EXPECT_TRUE(complete("GET / HTTP/1.1\r\nHost: h\r\n\r\n").keep_alive);
  EXPECT_FALSE(complete("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n").keep_alive);
  EXPECT_FALSE(complete("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(complete("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

struct RefusedCase {
  const char* what;
  std::string bytes;
  int status;
};
void PrintTo(const RefusedCase& test, std::ostream* out) {
  *out << test.what;
}

class Refusals : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(Refusals, HaveTheirStatus) {
  EXPECT_EQ(refusal(GetParam().bytes), GetParam().status) << GetParam().what;
}

std::string with_header(const std::string& header) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + header + "\r\n\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    All, Refusals,
    ::testing::Values(
        RefusedCase{"a TLS hello", "\x16\x03\x01\x02", 400}, RefusedCase{"no version", "GET /\r\n", 400},
        RefusedCase{"HTTP/2", "PRI * HTTP/2.0\r\n", 505},
        RefusedCase{"another protocol", "GET / RTSP/1.0\r\n", 400},
        RefusedCase{"a bare line feed", "GET / HTTP/1.1\nHost: h\n\n", 400},
        RefusedCase{"empty lines for ever", "\r\n\r\n\r\n\r\n\r\n", 400},
        RefusedCase{"a blank in the target", "GET /a b HTTP/1.1\r\n", 400},
        RefusedCase{"a fragment", "GET /a#b HTTP/1.1\r\n", 400},
        RefusedCase{"a relative target", "GET metrics HTTP/1.1\r\n", 400},
        RefusedCase{"CONNECT", "CONNECT h:443 HTTP/1.1\r\n", 400},
        RefusedCase{"a broken escape", "GET /%zz HTTP/1.1\r\n", 400},
        RefusedCase{"an encoded NUL", "GET /%00 HTTP/1.1\r\n", 400},
        RefusedCase{"an encoded slash", "GET /-%2Freload HTTP/1.1\r\n", 400},
        RefusedCase{"invalid UTF-8 in the path", "GET /%ff HTTP/1.1\r\n", 400},
        RefusedCase{"invalid UTF-8 in the query", "GET /?a=%ff HTTP/1.1\r\n", 400},
        RefusedCase{"a line break in the query", "GET /?a=%0a HTTP/1.1\r\n", 400},
        RefusedCase{"a long line", "GET /" + std::string(64, 'a'), 414},
        RefusedCase{"much that is no HTTP", std::string(100, '\0'), 400},
        RefusedCase{"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
        RefusedCase{"two Hosts", with_header("Host: i"), 400},
        RefusedCase{"a Host that is a path", "GET / HTTP/1.1\r\nHost: h/<b>\r\n\r\n", 400},
        RefusedCase{"a blank before the colon", with_header("X : 1"), 400},
        RefusedCase{"a folded line", with_header("X: 1\r\n 2"), 400},
        RefusedCase{"a control character", with_header(std::string("X: a\0b", 6)), 400},
        RefusedCase{"many headers", with_header("A: 1\r\nB: 2\r\nC: 3\r\nD: 4"), 431},
        RefusedCase{"a large header", "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(128, 'x'), 431},
        RefusedCase{"large headers together",
                    with_header("A: " + std::string(60, 'x') + "\r\nB: " + std::string(60, 'x')), 431},
        RefusedCase{"two lengths", with_header("Content-Length: 1\r\nContent-Length: 1"), 400},
        RefusedCase{"a negative length", with_header("Content-Length: -1"), 400},
        RefusedCase{"a length with a sign", with_header("Content-Length: +1"), 400},
        RefusedCase{"an empty length", with_header("Content-Length:"), 400},
        RefusedCase{"a vertical tab before a length", with_header("Content-Length: \v5"), 400},
        RefusedCase{"a carriage return after a length", with_header("Content-Length: 5\r"), 400},
        RefusedCase{"a long body", with_header("Content-Length: 11"), 413},
        RefusedCase{"a length beyond 64 bits", with_header("Content-Length: 99999999999999999999"), 413},
        RefusedCase{"chunks", with_header("Transfer-Encoding: chunked"), 411},
        RefusedCase{"another expectation", with_header("Expect: gold"), 417},
        RefusedCase{"two Authorizations", with_header("Authorization: a\r\nAuthorization: b"), 400}));

}  // namespace
}  // namespace sqlbak_gateway::http
