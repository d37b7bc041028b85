// Html: HTML in the making, where text cannot become markup by mistake. A string literal is markup; every
// std::string and std::string_view is text, and is escaped (inside double quotes of an attribute too);
// anything else does not compile.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sqlbak_gateway::gateway {

// Appends `text` with &, <, > and quotes as entities. What is no valid UTF-8, and control characters that
// HTML does not allow, become U+FFFD.
void append_escaped(std::string& html, std::string_view text);

class Html {
 public:
  // Only what stands in the source as a literal.
  struct Markup {
    consteval Markup(const char* literal) : text(literal) {}  // NOLINT(google-explicit-constructor)
    std::string_view text;
  };

  Html& operator<<(Markup markup) {
    html_ += markup.text;
    return *this;
  }
  template <typename Text>
  requires std::same_as<std::remove_cvref_t<Text>, std::string> ||
      std::same_as<std::remove_cvref_t<Text>, std::string_view>
          Html& operator<<(const Text& text) {
    append_escaped(html_, text);
    return *this;
  }
  template <std::unsigned_integral Number>
  Html& operator<<(Number number) {
    html_ += std::to_string(number);
    return *this;
  }
  Html& operator<<(const Html& other) {
    html_ += other.html_;
    return *this;
  }

  std::string take() { return std::move(html_); }

 private:
  std::string html_;
};

}  // namespace sqlbak_gateway::gateway
