#include "sqlbak_gateway/http/message.h"

#include "sqlbak_gateway/base/text.h"

namespace sqlbak_gateway::http {

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const NamedValue& header : headers) {
    if (equal_ignoring_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Request::parameters(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const NamedValue& parameter : query) {
    if (parameter.name == name) values.push_back(parameter.value);
  }
  return values;
}

Response text_response(int status, std::string text) {
  Response response;
  response.status = status;
  response.body = std::make_shared<const std::string>(std::move(text));
  return response;
}

Response method_not_allowed(std::string_view allow) {
  Response response = text_response(405, "method not allowed; allowed here: " + std::string(allow) + "\n");
  response.headers.push_back({"Allow", std::string(allow)});
  return response;
}

}  // namespace sqlbak_gateway::http
