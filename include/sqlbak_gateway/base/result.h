// Result<T>: a value, or an Error that tells the reader what to do.
//
// Everything that is expected to fail now and then (files, configuration, requests, API answers) returns a
// Result. Exceptions are for programming errors and exhausted memory; only main, the HTTP handler's
// outermost frame and the reading of a reloaded configuration catch them. Value types, copyable if T is; not
// thread-safe.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace sqlbak_gateway {

// What went wrong, in one sentence for an operator: what was tried, what happened and, if it helps, what to
// do. Never contains a secret: build messages from redacted text.
struct Error {
  std::string message;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit, so that a function returns a value or an Error as it is.
  // NOLINTBEGIN(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  // NOLINTEND(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // The value. To ask a failed Result for it is a programming error, and throws.
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const { return assert(!ok_), error_; }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace sqlbak_gateway
