// Secret: text that cannot be printed by accident. It has no stream operator and no conversion, and its only
// comparison takes constant time. The destructor wipes the text. Value type; copies share nothing.
#pragma once

#include <string>
#include <string_view>

namespace sqlbak_gateway {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  // The text. Call this only to put it on the wire or into a hash; the name is easy to search for.
  std::string_view reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

  // Takes the same time for all texts of one length.
  friend bool equal_in_constant_time(const Secret& a, const Secret& b);

  template <typename Stream>
  friend Stream& operator<<(Stream&, const Secret&) = delete;

 private:
  void wipe() noexcept;
  std::string text_;
};

bool equal_in_constant_time(std::string_view a, std::string_view b);
bool equal_in_constant_time(const Secret& a, const Secret& b);

}  // namespace sqlbak_gateway
