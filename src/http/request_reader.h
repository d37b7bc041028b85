// RequestReader: splits the bytes of one connection into requests. It is strict (RFC 9112 without the
// leniencies that let two servers read one stream differently), bounded, and knows nothing of sockets or
// time.
//
// Poco's own parser is not used: it takes bare line feeds, folded lines, repeated Content-Length and Host
// headers and blanks before colons, bounds neither the request line as a whole nor the header block, and
// blocks on a stream.
#pragma once

#include "sqlbak_gateway/http/message.h"
#include "sqlbak_gateway/http/server.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sqlbak_gateway::http {

// The bytes so far are the beginning of a request.
struct Incomplete {};

// A whole request; peer and TLS are the connection's to fill in.
struct Complete {
  Request request;
  bool keep_alive = true;  // what the client asked for
  bool http_1_0 = false;
};

// What no handler can answer. The connection is of no use afterwards.
struct Refused {
  int status = 400;
  Rejection rejection = Rejection::malformed;
  std::string text;  // for the client
};

using Reading = std::variant<Incomplete, Complete, Refused>;

class RequestReader {
 public:
  explicit RequestReader(const Limits& limits) : limits_(limits) {}

  void append(std::string_view bytes) { buffer_.append(bytes); }
  // The next request of the stream; call again after Complete for a pipelined one. After Refused the stream
  // is lost.
  Reading next();

  // True if nothing of a next request has arrived.
  bool empty() const { return buffer_.empty(); }
  // True once when the client waits for "100 Continue" before it sends the body.
  bool take_expectation() { return std::exchange(expectation_, false); }
  // Frees the memory of an empty buffer.
  void shrink() { buffer_ = std::string(); }

 private:
  std::optional<Refused> read_line(std::string_view line);
  std::optional<Refused> read_request_line(std::string_view line);
  std::optional<Refused> read_target(std::string_view target);
  std::optional<Refused> read_header(std::string_view line);
  std::optional<Refused> end_of_head();
  std::optional<Refused> too_long(std::size_t line_bytes) const;

  const Limits& limits_;
  std::string buffer_;
  std::size_t line_ = 0;     // where the line being read begins
  std::size_t scanned_ = 0;  // no line break before this
  bool in_headers_ = false;
  bool in_body_ = false;
  bool expectation_ = false;
  bool expects_continue_ = false;
  std::size_t header_bytes_ = 0;
  std::size_t empty_lines_ = 0;
  std::uint64_t body_bytes_ = 0;
  Complete pending_;
};

}  // namespace sqlbak_gateway::http
