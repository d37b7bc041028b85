#include "config/url.h"

#include "sqlbak_gateway/base/loopback.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/config/config.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace sqlbak_gateway::config {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_ipv6(std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET6, std::string(text).c_str(), bytes.data()) == 1;
}

std::optional<std::string> canonical_ipv6(const std::string& text) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return std::nullopt;
  return ::inet_ntop(AF_INET6, &address, canonical.data(), canonical.size());
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_';
  });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

struct HostAndPort {
  std::string host;
  std::optional<std::string_view> port;  // empty if there is no colon
};

// "host", "host:port", "[v6]", "[v6]:port"; empty if the brackets or the host are wrong.
std::optional<HostAndPort> split_host(std::string_view text) {
  HostAndPort parts;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) return std::nullopt;
    parts.host = std::string(text.substr(1, close - 1));
    text.remove_prefix(close + 1);
    if (!text.empty() && text.front() != ':') return std::nullopt;
    if (!text.empty()) parts.port = text.substr(1);
    return parts;
  }
  const std::size_t colon = text.find(':');
  parts.host = std::string(text.substr(0, colon));
  if (colon != std::string_view::npos) parts.port = text.substr(colon + 1);
  return parts;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const auto allowed = [](char c) {
    return c > 0x20 && c < 0x7f && c != '\\' && c != '"' && c != '<' && c != '>';
  };
  if (!std::all_of(text.begin(), text.end(), allowed)) {
    return Error{
        "holds a character that a URL cannot hold (a blank, a quote, a backslash or one that is not ASCII)"};
  }
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) {
    return Error{"is not a URL: it must begin with a scheme, such as https://"};
  }
  Url url;
  url.scheme = lower_case(text.substr(0, colon));
  text.remove_prefix(colon + 3);
  const std::size_t authority_end = std::min(text.find_first_of("/?#"), text.size());
  std::string_view authority = text.substr(0, authority_end);
  url.path = std::string(text.substr(authority_end));
  url.has_query = url.path.find_first_of("?#") != std::string::npos;
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    url.userinfo = std::string(authority.substr(0, at));
    authority.remove_prefix(at + 1);
    if (url.userinfo.empty()) return Error{"has an '@' without credentials before it"};
  }
  const auto parts = split_host(authority);
  if (!parts || (!is_ipv6(parts->host) && !is_host_name(parts->host))) {
    return Error{"names no valid host (a name, an IPv4 address, or an IPv6 address in brackets)"};
  }
  url.host = parts->host;
  if (parts->port) {
    const auto port = parse_port(*parts->port);
    if (!port || *port == 0) return Error{"has no valid port (1 to 65535)"};
    url.port = std::to_string(*port);
  }
  return url;
}

Result<std::string> parse_api_url(std::string_view text) {
  const auto url = parse_url(text);
  if (!url) return url.error();
  if (!url->userinfo.empty()) {
    return Error{"holds credentials: take them out, the token alone authenticates the gateway"};
  }
  if (url->scheme != "https" && url->scheme != "http") return Error{"must begin with https://"};
  if (url->scheme == "http" && !is_loopback(url->host)) {
    return Error{
        "must begin with https://: the token would cross the network in the clear (http is for loopback "
        "addresses)"};
  }
  if (url->has_query) return Error{"must end with its path: take out what follows '?' or '#'"};
  std::string base = origin(*url) + url->path;
  while (base.back() == '/') base.pop_back();
  return base;
}

std::string origin(const Url& url) {
  const bool bracketed = url.host.find(':') != std::string::npos;
  return url.scheme + "://" + (bracketed ? '[' + url.host + ']' : url.host) +
         (url.port.empty() ? "" : ':' + url.port);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const Error wrong{
      '"' + json_escaped(text.substr(0, 100)) +
      "\" is not an address to listen on: write HOST:PORT, as in \"127.0.0.1:8000\" or \"[::]:8000\""};
  auto parts = split_host(text);
  if (!parts || !parts->port) return wrong;
  const auto port = parse_port(*parts->port);
  if (!port) return wrong;
  if (parts->host.empty()) parts->host = "0.0.0.0";
  if (const auto v6 = canonical_ipv6(parts->host)) return ListenAddress{*v6, *port};
  if (!is_host_name(parts->host)) return wrong;
  return ListenAddress{lower_case(parts->host), *port};
}

}  // namespace sqlbak_gateway::config
