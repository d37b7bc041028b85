#include "http/response_head.h"

#include <chrono>

#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Timestamp.h>

namespace sqlbak_gateway::http {
namespace {

// A value that cannot end its line.
void append_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  for (const char c : value) head.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c);
  head.append("\r\n");
}

std::string http_date(SystemTime time) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch());
  return Poco::DateTimeFormatter::format(Poco::Timestamp(microseconds.count()),
                                         Poco::DateTimeFormat::HTTP_FORMAT);
}

}  // namespace

std::string response_head(const Response& response, std::string_view connection, SystemTime now) {
  std::string head;
  head.reserve(256);
  head.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  using Poco::Net::HTTPResponse;
  head.append(HTTPResponse::getReasonForStatus(static_cast<HTTPResponse::HTTPStatus>(response.status)));
  head.append("\r\n");
  append_header(head, "Date", http_date(now));
  append_header(head, "Content-Type", response.content_type);
  append_header(head, "Content-Length", std::to_string(response.body ? response.body->size() : 0));
  if (!response.content_encoding.empty()) append_header(head, "Content-Encoding", response.content_encoding);
  for (const NamedValue& header : response.headers) append_header(head, header.name, header.value);
  if (!connection.empty()) append_header(head, "Connection", connection);
  return head.append("\r\n");
}

}  // namespace sqlbak_gateway::http
