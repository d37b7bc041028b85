// A field that the API does not document, with the names that it may have. Value type.
#pragma once

#include "sqlbak_gateway/sqlbak/notes.h"

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

namespace sqlbak_gateway::sqlbak {

// One place for each name. The first name with a usable value counts. The names are `kFirst` and the N - 1
// after it.
template <typename T, PlausibleField kFirst, std::size_t N>
class Plausible {
 public:
  // `name` counts from 0. `usable` is empty if the value cannot be used.
  void read(std::size_t name, std::optional<T> usable, Notes& notes) {
    if (usable) notes.fields.insert(static_cast<PlausibleField>(static_cast<std::size_t>(kFirst) + name));
    values_[name] = std::move(usable);
  }
  // Moves the value out; empty if no name had a usable one.
  std::optional<T> take() {
    for (auto& value : values_) {
      if (value) return std::exchange(value, std::nullopt);
    }
    return std::nullopt;
  }

 private:
  std::array<std::optional<T>, N> values_;
};

}  // namespace sqlbak_gateway::sqlbak
