// The query of a request target. Value type.
#pragma once

#include "sqlbak_gateway/base/text.h"

#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::simulator {

class Query {
 public:
  // Of "/path?name=value&…"; what cannot be decoded is left out.
  explicit Query(std::string_view target) {
    std::string_view rest = target.substr(std::min(target.find('?'), target.size()));
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const std::string_view pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(pair.size());
      const std::size_t equals = pair.find('=');
      const auto name = percent_decoded(pair.substr(0, equals));
      const auto value = percent_decoded(equals == pair.npos ? "" : pair.substr(equals + 1));
      if (name && value && !name->empty()) values_[*name] = *value;
    }
  }

  const std::map<std::string, std::string, std::less<>>& all() const { return values_; }
  std::optional<std::string> get(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }
  std::string get_or(std::string_view name, std::string_view otherwise) const {
    return get(name).value_or(std::string(otherwise));
  }
  // Empty if the parameter is missing or is not a whole number.
  std::optional<std::int64_t> number(std::string_view name) const {
    const std::optional<std::string> text = get(name);
    std::int64_t value = 0;
    if (!text || text->empty()) return std::nullopt;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
    return value;
  }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace sqlbak_gateway::simulator
