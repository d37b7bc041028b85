#include "http/response_head.h"

#include <array>
#include <cstdio>

namespace sqlbak_gateway::http {
namespace {

// A value that cannot end its line.
void append_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  for (const char c : value) head.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c);
  head.append("\r\n");
}

}  // namespace

std::string http_date(SystemTime time) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                    kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                    kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(length));
}

std::string response_head(const Response& response, std::string_view connection, SystemTime now) {
  std::string head;
  head.reserve(256);
  head.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  head.append(reason_phrase(response.status)).append("\r\n");
  append_header(head, "Date", http_date(now));
  append_header(head, "Content-Type", response.content_type);
  append_header(head, "Content-Length", std::to_string(response.body ? response.body->size() : 0));
  if (!response.content_encoding.empty()) append_header(head, "Content-Encoding", response.content_encoding);
  for (const NamedValue& header : response.headers) append_header(head, header.name, header.value);
  if (!connection.empty()) append_header(head, "Connection", connection);
  return head.append("\r\n");
}

}  // namespace sqlbak_gateway::http
