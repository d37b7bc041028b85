// A small vocabulary for API answers in tests.
#pragma once

#include "sqlbak/decode.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::sqlbak::testing {

// {"data": {…}} around members, written as JSON.
inline std::string data(const std::string& members) {
  return R"({"data":{)" + members + "}}";
}

// A page with these rows, written as JSON.
inline std::string page(const std::string& rows) {
  return data(R"("list":[)" + rows + "]");
}

// Run details with these entries, written as JSON.
inline std::string run(const std::string& entries) {
  return data(R"("started_at":1000,"backups":[)" + entries + "]");
}

// The result of a decoder for `body`, which must be readable. Its notes are added to `notes`.
template <typename T>
T decoded(Result<T> (*decode)(std::string_view, Notes&), const std::string& body, Notes* notes = nullptr) {
  Notes ignored;
  Result<T> result = decode(body, notes == nullptr ? ignored : *notes);
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message << "\n" << body;
    return T{};
  }
  return std::move(result).value();
}

// The message of a decoder that refuses `body`; "" if it does not.
template <typename T>
std::string refusal(Result<T> (*decode)(std::string_view, Notes&), const std::string& body) {
  Notes notes;
  const Result<T> result = decode(body, notes);
  return result.ok() ? "" : result.error().message;
}

}  // namespace sqlbak_gateway::sqlbak::testing
