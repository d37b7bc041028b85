// A reply and how it goes over the wire: what a socket sends and when, or how a call ends in process. Value
// types, pure.
#pragma once

#include "sqlbak_gateway/base/clock.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sqlbak_gateway::simulator {

struct Request {
  std::string_view method = "GET";
  std::string_view target;  // path and query, as sent
  std::optional<std::string_view> token;
  std::string_view body;
  bool accepts_gzip = false;
};

// What goes wrong or slowly between the reply and its reader.
struct Wire {
  Duration delay{};            // before the first byte
  Duration header_byte_gap{};  // before each byte of the head
  Duration body_byte_gap{};    // before each byte of the body
  std::vector<int> interim;    // 1xx answers before the real one
  // Where the answer stops, and what happens there.
  enum class Stop { nowhere, before_answer, in_head, in_body } stop = Stop::nowhere;
  enum class Ending { close, reset, silence } ending = Ending::close;
  std::size_t extra_bytes = 0;  // after the body, beyond Content-Length
  bool chunked = false;         // Transfer-Encoding: chunked instead of Content-Length
  bool gzip = false;
};

struct Reply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  // without those that framing needs
  std::string body;
  Wire wire;
};

// The bytes of a reply, in the order and at the pace they go out. After the last part the connection stays
// open for the next request (keep) or ends.
struct Script {
  struct Part {
    std::string bytes;
    Duration wait{};      // before the part
    Duration byte_gap{};  // between its bytes; zero sends all at once
  };
  std::vector<Part> parts;
  enum class End { keep, close, reset, silence } end = End::keep;

  // From the first wait to the last byte.
  Duration length() const;
};
Script script_of(const Reply& reply, bool keep_alive, bool head_request);

// "Thu, 01 Jan 1970 00:00:00 GMT".
std::string http_date(SystemTime time);
std::string gzipped(std::string_view text);

}  // namespace sqlbak_gateway::simulator
