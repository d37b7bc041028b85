#include "simulator/wire.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <limits>
#include <stdexcept>

#include <zlib.h>

namespace sqlbak_gateway::simulator {
namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 102:
      return "Processing";
    case 103:
      return "Early Hints";
    case 200:
      return "OK";
    case 302:
      return "Found";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string chunk(std::string_view bytes) {
  std::array<char, 24> size{};
  const int length = std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
  return std::string(size.data(), static_cast<std::size_t>(length)).append(bytes).append("\r\n");
}

std::string head_of(const Reply& reply, std::size_t body_bytes, bool keep_alive) {
  std::string head;
  head.reserve(256);
  head.append("HTTP/1.1 ")
      .append(std::to_string(reply.status))
      .append(" ")
      .append(reason_phrase(reply.status));
  head.append("\r\n");
  for (const auto& [name, value] : reply.headers) head.append(name).append(": ").append(value).append("\r\n");
  if (reply.wire.gzip) head.append("Content-Encoding: gzip\r\n");
  if (reply.wire.chunked)
    head.append("Transfer-Encoding: chunked\r\n");
  else if (may_have_body(reply.status))
    head.append("Content-Length: ").append(std::to_string(body_bytes)).append("\r\n");
  if (!keep_alive) head.append("Connection: close\r\n");
  return head.append("\r\n");
}

Script::End end_of(Wire::Ending ending) {
  switch (ending) {
    case Wire::Ending::close:
      return Script::End::close;
    case Wire::Ending::reset:
      return Script::End::reset;
    case Wire::Ending::silence:
      return Script::End::silence;
  }
  return Script::End::close;
}

}  // namespace

Script script_of(const Reply& reply, bool keep_alive, bool head_request) {
  const Wire& wire = reply.wire;
  Script script;
  if (!keep_alive || wire.extra_bytes > 0) script.end = Script::End::close;
  if (wire.stop != Wire::Stop::nowhere) script.end = end_of(wire.ending);
  if (wire.stop == Wire::Stop::before_answer) {
    script.parts.push_back({"", wire.delay, {}});
    return script;
  }
  std::string body = wire.gzip ? gzipped(reply.body) : reply.body;
  std::string head;
  for (const int interim : wire.interim) {
    head.append("HTTP/1.1 ").append(std::to_string(interim)).append(" ").append(reason_phrase(interim));
    head.append("\r\nX-Interim: yes\r\n\r\n");
  }
  head += head_of(reply, body.size(), keep_alive);
  if (wire.stop == Wire::Stop::in_head) {
    head.resize(head.size() / 2);
    script.parts.push_back({std::move(head), wire.delay + wire.header_byte_gap, wire.header_byte_gap});
    return script;
  }
  if (head_request || !may_have_body(reply.status)) body.clear();
  const bool cut = wire.stop == Wire::Stop::in_body;
  if (wire.chunked && !head_request) {
    body = cut ? chunk(std::string_view(body).substr(0, body.size() / 2)) : chunk(body) + "0\r\n\r\n";
  } else if (cut) {
    body.resize(body.size() / 2);
  }
  body.append(wire.extra_bytes, ' ');
  if (wire.header_byte_gap == Duration::zero() && wire.body_byte_gap == Duration::zero()) {
    script.parts.push_back({head.append(body), wire.delay, {}});
  } else {
    script.parts.push_back({std::move(head), wire.delay + wire.header_byte_gap, wire.header_byte_gap});
    if (!body.empty()) script.parts.push_back({std::move(body), wire.body_byte_gap, wire.body_byte_gap});
  }
  return script;
}

Duration Script::length() const {
  Duration total{};
  for (const Part& part : parts) {
    total += part.wait;
    if (!part.bytes.empty()) total += part.byte_gap * static_cast<std::int64_t>(part.bytes.size() - 1);
  }
  return total;
}

std::string http_date(SystemTime time) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  std::array<char, 40> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                    kDays.at(std::chrono::weekday(day).c_encoding()), static_cast<unsigned>(date.day()),
                    kMonths.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string gzipped(std::string_view text) {
  constexpr int kGzipFraming = 16 + MAX_WBITS;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipFraming, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib cannot start to compress");
  }
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in =
      reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // NOLINT(*-const-cast): zlib only reads it
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace sqlbak_gateway::simulator
