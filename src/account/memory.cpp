#include "sqlbak_gateway/account/memory.h"

#include <charconv>

namespace sqlbak_gateway {

std::optional<RunId> RunId::numeric(std::string_view text) {
  if (text.empty() || text.size() > 19 || text.front() < '0' || text.front() > '9') return std::nullopt;
  if (text.front() == '0' && text.size() > 1) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number >= kNamed) return std::nullopt;
  return RunId(number);
}

std::string RunId::text(const std::vector<std::string>& names) const {
  return is_named() ? names.at(name_index()) : std::to_string(bits_);
}

}  // namespace sqlbak_gateway
