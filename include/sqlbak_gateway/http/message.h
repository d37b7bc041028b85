// Request and Response: what a handler gets and gives. Value types; they know nothing of sockets.
//
// A Request that reaches a handler is whole, bounded (see Limits) and well-formed: the server itself answers
// what is malformed or too large.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::http {

struct NamedValue {
  std::string name;
  std::string value;

  friend bool operator==(const NamedValue&, const NamedValue&) = default;
};

struct Request {
  std::string method;  // as sent: "GET"
  std::string path;    // percent-decoded UTF-8 without control characters; starts with '/'; "*" for OPTIONS *
  std::string raw_query;          // what followed the '?', as sent
  std::vector<NamedValue> query;  // decoded, in order, repeats kept; "a" and "a=" both have an empty value
  // Names as sent, values without surrounding blanks, in order, repeats kept.
  std::vector<NamedValue> headers;
  std::string body;
  std::string peer_address;  // the client's numeric address without a port; a mapped IPv4 address as IPv4
  bool peer_is_loopback = false;
  bool tls = false;  // it came over a TLS listener

  // The value of the first header of that name, whatever its case.
  std::optional<std::string_view> header(std::string_view name) const;
  // All values of a query parameter, in order.
  std::vector<std::string_view> parameters(std::string_view name) const;
  // The Host header (or the authority of an absolute request target) as sent; empty where HTTP/1.0 had none.
  std::string_view host() const { return authority; }
  std::string_view scheme() const { return tls ? "https" : "http"; }

  std::string authority;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  // Further ones; Content-Length, Content-Type, Content-Encoding, Date and Connection are the server's.
  // Control characters in values become blanks.
  std::vector<NamedValue> headers;
  // Null: an empty body. Shared, so that many answers can send one body without copying it. For HEAD the
  // server sends its length only.
  std::shared_ptr<const std::string> body;
  std::string content_encoding;  // "gzip" when the body is already compressed; empty: identity
};

// Called on the server's threads, several at once. It may block: ordinary requests for as long as it takes,
// urgent ones for milliseconds (some of them, fewer than Limits::urgent_threads, for a few seconds),
// immediate ones not at all. An exception that leaves it is answered 500.
using Handler = std::function<Response(const Request&)>;

Response text_response(int status, std::string text);
// 405 with `allow` ("GET, HEAD") in the Allow header.
Response method_not_allowed(std::string_view allow);

}  // namespace sqlbak_gateway::http
