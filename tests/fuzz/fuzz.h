// What every fuzz target needs. A target is one .cpp file that defines LLVMFuzzerTestOneInput. It gives bytes
// to code that must accept any input, and checks the promises about the result with require(). libFuzzer
// drives it in the preset `asan`; in every other preset a plain main runs the target's corpus
// (run_corpus.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace sqlbak_gateway::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Ends the program if a promise is broken, so that the fuzzer keeps the input.
inline void require(bool kept, std::string_view promise, std::string_view detail = {}) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %.*s\n%.*s\n", static_cast<int>(promise.size()), promise.data(),
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

// Splits an input at lines that are "---", so that one readable input can hold several documents.
inline std::vector<std::string_view> documents(std::string_view input) {
  constexpr std::string_view kBetween = "\n---\n";
  std::vector<std::string_view> parts;
  for (std::size_t end = input.find(kBetween); end != input.npos; end = input.find(kBetween)) {
    parts.push_back(input.substr(0, end));
    input.remove_prefix(end + kBetween.size());
  }
  parts.push_back(input);
  return parts;
}

// The input as a sequence of choices. After its end every choice is 0.
class Choices {
 public:
  explicit Choices(std::string_view input) : rest_(input) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::size_t below(std::size_t end) { return byte() % end; }
  // Up to `most` bytes. The number of bytes is the first choice.
  std::string_view text(std::size_t most) {
    const std::size_t size = below(most + 1);
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace sqlbak_gateway::fuzz
