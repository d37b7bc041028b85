// Answers' heads, gzip and credentials: the pure parts of the layer.
#include "sqlbak_gateway/http/message.h"

#include "http/response_head.h"
#include "sqlbak_gateway/http/authorization.h"
#include "sqlbak_gateway/http/encoding.h"

#include <gmock/gmock.h>
#include <zlib.h>

namespace sqlbak_gateway::http {
namespace {

constexpr SystemTime kNow{std::chrono::milliseconds{784'111'777'123}};  // the example of RFC 9110, 5.6.7

TEST(ResponseHead, HasDateLengthAndTypeAlways) {
  Response response = text_response(404, "no\n");
  response.headers = {{"X-Why", "line\r\nbreak"}};
  EXPECT_EQ(response_head(response, "close", kNow),
            "HTTP/1.1 404 Not Found\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 3\r\n"
            "X-Why: line  break\r\n"
            "Connection: close\r\n\r\n");
}

TEST(ResponseHead, NamesTheEncoding) {
  Response response;
  response.content_encoding = "gzip";
  EXPECT_EQ(response_head(response, "", kNow),
            "HTTP/1.1 200 OK\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 0\r\n"
            "Content-Encoding: gzip\r\n\r\n");
}

TEST(MethodNotAllowed, SaysWhatIs) {
  const Response response = method_not_allowed("GET, HEAD");
  EXPECT_EQ(response.status, 405);
  EXPECT_THAT(response.headers, ::testing::ElementsAre(NamedValue{"Allow", "GET, HEAD"}));
}

std::string inflated(std::string compressed, std::size_t size) {
  std::string text(size + 1, '\0');
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

TEST(Gzip, InflatesToTheSame) {
  std::string noise;
  for (unsigned i = 0; i < 100'000; ++i) noise.push_back(static_cast<char>((i * 2654435761u) >> 13));
  const std::string repetitive(200'000, 'x');
  for (const std::string& text : {std::string(), std::string("a"), noise, repetitive}) {
    EXPECT_EQ(inflated(gzip(text), text.size()), text);
  }
  EXPECT_LT(gzip(repetitive).size(), 2'000u);
}

TEST(AcceptsGzip, WeighsWhatTheClientWrites) {
  const auto accepts = [](const std::vector<NamedValue>& headers) {
    Request request;
    request.headers = headers;
    return accepts_gzip(request);
  };
  EXPECT_FALSE(accepts({}));
  for (const char* yes : {"gzip", "GZip", "x-gzip", "deflate, gzip", "gzip;q=0.001", "gzip ; q=1.000", "*",
                          "br;q=1, *;q=0.1", "*;q=0, gzip;q=1", "identity;q=0, gzip"}) {
    EXPECT_TRUE(accepts({{"accept-encoding", yes}})) << yes;
  }
  for (const char* no : {"", "identity", "gzip;q=0", "gzip;q=0.000", "gzip;q=0, *", "*;q=0", "br", "gzip;q=2",
                         "gzip;q=x", "gzip;q=0.0001", "gzippy"}) {
    EXPECT_FALSE(accepts({{"Accept-Encoding", no}})) << no;
  }
  EXPECT_TRUE(accepts({{"Accept-Encoding", "br"}, {"Accept-Encoding", "gzip"}}));
}

TEST(Authorization, ReadsBasic) {
  const auto credentials = parse_authorization("basic  dXNlcjpwYTpzcw==");  // user:pa:ss
  ASSERT_TRUE(credentials && std::holds_alternative<BasicCredentials>(*credentials));
  EXPECT_EQ(std::get<BasicCredentials>(*credentials).name, "user");
  EXPECT_EQ(std::get<BasicCredentials>(*credentials).password.reveal(), "pa:ss");
}

TEST(Authorization, ReadsBearer) {
  const auto credentials = parse_authorization("Bearer abc.DEF-1_2~3+/==");
  ASSERT_TRUE(credentials && std::holds_alternative<BearerCredentials>(*credentials));
  EXPECT_EQ(std::get<BearerCredentials>(*credentials).token.reveal(), "abc.DEF-1_2~3+/==");
}

TEST(Authorization, IsNothingWhenMalformed) {
  for (const char* text : {"", "Basic", "Basic dXNlcg==", "Basic dXNlcjpw=", "Basic ****",
                           "Basic dTpwCg==", "Basic =", "Basic dXNlcjpwYQ==x", "Bearer", "Bearer a b",
                           "Bearer ==", "Digest abc", "dXNlcjpwYTpzcw=="}) {
    EXPECT_FALSE(parse_authorization(text)) << text;
  }
}

}  // namespace
}  // namespace sqlbak_gateway::http
