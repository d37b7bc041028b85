#include "http/request_reader.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <charconv>

namespace sqlbak_gateway::http {
namespace {

constexpr std::size_t kMaxMethodBytes = 32;
// What RFC 9110, 5.6.3 allows around a value. Other blanks are part of it, as they are for a proxy in front.
constexpr std::string_view kBlanksAroundValues = " \t";
constexpr std::size_t kMaxEmptyLines = 4;  // that a client may send before a request line (RFC 9112, 2.2)

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}
bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// RFC 9110, 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alphanumeric(c) || kMarks.find(c) != std::string_view::npos;
  });
}

// Roughly a host with an optional port: no character in it can end a line, a URL's authority or a piece of
// HTML.
bool is_authority(std::string_view text) {
  constexpr std::string_view kMarks = ".-_~:[]";
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_alphanumeric(c) || kMarks.find(c) != std::string_view::npos; });
}

Refused malformed(std::string what) {
  return {400, Rejection::malformed, "bad request: " + std::move(what) + "\n"};
}

// Percent-decoded text that is safe to compare, log and show (UTF-8 without control characters), or empty.
std::optional<std::string> decoded_safely(std::string_view text) {
  Result<std::string> decoded = percent_decoded(text);
  if (!decoded || !is_valid_utf8(*decoded) || std::any_of(decoded->begin(), decoded->end(), is_control)) {
    return std::nullopt;
  }
  return std::move(decoded).value();
}

std::optional<std::string> decoded_path(std::string_view path) {
  // With an encoded slash this would be another path than the one that a proxy in front has judged.
  const std::string lower = lower_case(path);
  if (lower.find("%2f") != std::string::npos) return std::nullopt;
  if (path.find('+') == std::string_view::npos) return decoded_safely(path);
  std::string literal;  // '+' means a blank in queries only
  for (const char c : path) c == '+' ? literal.append("%2B") : literal.append(1, c);
  return decoded_safely(literal);
}

std::optional<std::vector<NamedValue>> decoded_query(std::string_view query) {
  std::vector<NamedValue> parameters;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::optional<std::string> name = decoded_safely(pair.substr(0, equals));
    std::optional<std::string> value = decoded_safely(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return std::nullopt;
    parameters.push_back({std::move(*name), std::move(*value)});
  }
  return parameters;
}

// Whether a comma-separated header value has this element, whatever its case.
bool has_element(std::string_view list, std::string_view element) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (equal_ignoring_case(trimmed(list.substr(0, comma)), element)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

Reading RequestReader::next() {
  while (!in_body_) {
    // A line that cannot become a request line is refused at once: its end may never come.
    if (!in_headers_ && line_ < buffer_.size() && buffer_[line_] != '\r' && !is_token({&buffer_[line_], 1})) {
      return malformed("this is not HTTP");
    }
    const std::size_t feed = buffer_.find('\n', std::max(scanned_, line_));
    scanned_ = std::min(feed, buffer_.size());
    if (auto refused = too_long(scanned_ - line_)) return std::move(*refused);
    if (feed == std::string::npos) return Incomplete{};
    if (feed == line_ || buffer_[feed - 1] != '\r') return malformed("a line must end with CR LF");
    const std::string_view line(buffer_.data() + line_, feed - 1 - line_);
    if (auto refused = read_line(line)) return std::move(*refused);
    line_ = feed + 1;
  }
  if (buffer_.size() - line_ < body_bytes_) {
    expectation_ = expects_continue_ && buffer_.size() == line_;
    expects_continue_ = false;
    return Incomplete{};
  }
  pending_.request.body = buffer_.substr(line_, body_bytes_);
  buffer_.erase(0, line_ + body_bytes_);
  Complete complete = std::move(pending_);
  pending_ = Complete{};
  line_ = scanned_ = header_bytes_ = empty_lines_ = 0;
  body_bytes_ = 0;
  in_headers_ = in_body_ = expectation_ = expects_continue_ = false;
  return complete;
}

std::optional<Refused> RequestReader::too_long(std::size_t line_bytes) const {
  if (!in_headers_ && line_bytes > limits_.max_request_line_bytes) {
    return Refused{
        414, Rejection::uri_too_long,
        "the request line is longer than " + std::to_string(limits_.max_request_line_bytes) + " bytes\n"};
  }
  if (in_headers_ && header_bytes_ + line_bytes > limits_.max_header_bytes) {
    return Refused{431, Rejection::headers_too_large,
                   "the headers are longer than " + std::to_string(limits_.max_header_bytes) + " bytes\n"};
  }
  return std::nullopt;
}

std::optional<Refused> RequestReader::read_line(std::string_view line) {
  if (!in_headers_) {
    if (line.empty()) {
      return ++empty_lines_ > kMaxEmptyLines ? std::optional(malformed("empty lines instead of a request"))
                                             : std::nullopt;
    }
    in_headers_ = true;
    return read_request_line(line);
  }
  header_bytes_ += line.size() + 2;
  if (line.empty()) return end_of_head();
  if (pending_.request.headers.size() >= limits_.max_headers) {
    return Refused{431, Rejection::headers_too_large,
                   "there are more than " + std::to_string(limits_.max_headers) + " headers\n"};
  }
  return read_header(line);
}

std::optional<Refused> RequestReader::read_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return malformed("not a request line");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method) || method.size() > kMaxMethodBytes) return malformed("not a method");
  pending_.request.method = method;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    if (version.substr(0, 5) != "HTTP/") return malformed("not an HTTP version");
    return Refused{505, Rejection::malformed, "HTTP/1.1 and HTTP/1.0 are spoken here\n"};
  }
  pending_.http_1_0 = version == "HTTP/1.0";
  pending_.keep_alive = !pending_.http_1_0;
  return read_target(target);
}

std::optional<Refused> RequestReader::read_target(std::string_view target) {
  Request& request = pending_.request;
  const auto unsafe = [](char c) { return is_control(c) || c == ' ' || c == '#'; };
  if (target.empty() || std::any_of(target.begin(), target.end(), unsafe))
    return malformed("not a request target");
  if (target == "*" && request.method == "OPTIONS") {
    request.path = "*";
    return std::nullopt;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    request.authority = target.substr(0, end);
    if (request.authority.empty() || !is_authority(request.authority))
      return malformed("not a request target");
    target.remove_prefix(end);
    break;
  }
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, mark);
  if (!path.empty() ? path[0] != '/' : request.authority.empty()) return malformed("not a request target");
  std::optional<std::string> safe_path = decoded_path(path.empty() ? "/" : path);
  if (!safe_path)
    return malformed("the path is not percent-encoded UTF-8, or holds an encoded slash or control character");
  request.path = std::move(*safe_path);
  request.raw_query = target.substr(std::min(mark + 1, target.size()));
  std::optional<std::vector<NamedValue>> query = decoded_query(request.raw_query);
  if (!query) return malformed("the query is not percent-encoded UTF-8, or holds a control character");
  request.query = std::move(*query);
  return std::nullopt;
}

std::optional<Refused> RequestReader::read_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return malformed("not a header");
  const std::string_view value = trimmed(line.substr(colon + 1), kBlanksAroundValues);
  if (std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; })) {
    return malformed("a control character in a header");
  }
  pending_.request.headers.push_back({std::string(line.substr(0, colon)), std::string(value)});
  return std::nullopt;
}

std::optional<Refused> RequestReader::end_of_head() {
  Request& request = pending_.request;
  in_body_ = true;
  int hosts = 0;
  int lengths = 0;
  int authorizations = 0;
  bool close = false;
  bool keep = false;
  for (const NamedValue& header : request.headers) {
    const auto is = [&](std::string_view name) { return equal_ignoring_case(header.name, name); };
    if (is("Host")) {
      ++hosts;
      if (!is_authority(header.value)) return malformed("not a Host");
      if (request.authority.empty()) request.authority = header.value;
    } else if (is("Authorization")) {
      ++authorizations;
    } else if (is("Connection")) {
      close = close || has_element(header.value, "close");
      keep = keep || has_element(header.value, "keep-alive");
    } else if (is("Transfer-Encoding")) {
      return Refused{411, Rejection::malformed, "send a Content-Length instead of a Transfer-Encoding\n"};
    } else if (is("Expect")) {
      if (!equal_ignoring_case(header.value, "100-continue")) {
        return Refused{417, Rejection::malformed, "only 100-continue can be expected here\n"};
      }
      expects_continue_ = !pending_.http_1_0;
    } else if (is("Content-Length")) {
      ++lengths;
      const char* const end = header.value.data() + header.value.size();
      const bool digit_first = !header.value.empty() && header.value[0] != '-';
      const auto [parsed, error] = std::from_chars(header.value.data(), end, body_bytes_);
      if (error == std::errc::result_out_of_range && parsed == end) {
        body_bytes_ = std::numeric_limits<std::uint64_t>::max();
      } else if (!digit_first || error != std::errc{} || parsed != end) {
        return malformed("not a Content-Length");
      }
    }
  }
  if (hosts > 1 || lengths > 1 || authorizations > 1) {
    return malformed("Host, Content-Length and Authorization may be given once");
  }
  if (hosts == 0 && !pending_.http_1_0) return malformed("no Host");
  if (body_bytes_ > limits_.max_body_bytes) {
    return Refused{413, Rejection::body_too_large,
                   "the body is larger than " + std::to_string(limits_.max_body_bytes) + " bytes\n"};
  }
  pending_.keep_alive = !close && (!pending_.http_1_0 || keep);
  return std::nullopt;
}

}  // namespace sqlbak_gateway::http
