// NameTable: texts and their numbers, counted from 0 in the order of their first appearance. Value type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sqlbak_gateway::sqlbak {

class NameTable {
 public:
  NameTable() = default;
  explicit NameTable(std::vector<std::string> names) : names_(std::move(names)) {}

  // The number of `name`, which is added if it is new.
  std::uint32_t number_of(std::string_view name) {
    // The index is made when it is first needed: most collections meet no name.
    if (index_.size() != names_.size()) {
      for (std::uint32_t i = 0; i < names_.size(); ++i) index_.emplace(names_[i], i);
    }
    const auto [found, added] =
        index_.try_emplace(std::string(name), static_cast<std::uint32_t>(names_.size()));
    if (added) names_.emplace_back(name);
    return found->second;
  }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint32_t> index_;
};

}  // namespace sqlbak_gateway::sqlbak
