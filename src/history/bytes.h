// Writing and reading plain values as bytes: little-endian, whole numbers with as many bytes as they need.
#pragma once

#include "sqlbak_gateway/account/epoch_ms.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/hash.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sqlbak_gateway::history {

class ByteWriter {
 public:
  void flag(bool value) { out_ += value ? '\1' : '\0'; }
  // As flag(first) where the second is not set: what was added later leaves older histories readable.
  void flags(bool first, bool second) { byte(static_cast<std::uint8_t>((first ? 1 : 0) | (second ? 2 : 0))); }
  void byte(std::uint8_t value) { out_ += static_cast<char>(value); }
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
    byte(static_cast<std::uint8_t>(value));
  }
  void integer(std::int64_t value) {
    number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void real(double value) { fixed(bits(value)); }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }
  void instant(EpochMs value) { real(value.milliseconds()); }
  void instant(SystemTime value) { integer(value.time_since_epoch().count()); }
  void instant(const std::optional<SystemTime>& value) {
    flag(value.has_value());
    if (value) instant(*value);
  }
  void flag(const std::optional<bool>& value) {
    byte(!value ? std::uint8_t{2} : *value ? std::uint8_t{1} : std::uint8_t{0});
  }
  // With a checksum at the end.
  std::string sealed() && {
    fixed(stable_hash(out_));
    return std::move(out_);
  }

 private:
  static std::uint64_t bits(double value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
  }
  void fixed(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) out_ += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  }
  std::string out_;
};

// Reading past the end, or what cannot be a value, makes everything after it zero, and ok() false.
class ByteReader {
 public:
  // Of bytes with a checksum at their end.
  explicit ByteReader(std::string_view sealed) : rest_(sealed) {
    if (sealed.size() < 8) {
      ok_ = false;
      return;
    }
    rest_ = sealed.substr(sealed.size() - 8);
    const std::uint64_t expected = fixed();
    rest_ = sealed.substr(0, sealed.size() - 8);
    ok_ = stable_hash(rest_) == expected;
  }

  bool ok() const { return ok_; }
  // Everything was read, and was sound.
  bool finished() const { return ok_ && rest_.empty(); }
  // Everything was read: what a later version writes behind it is not there.
  bool at_end() const { return rest_.empty(); }
  // Says that a value cannot be.
  void fail() { ok_ = false; }

  std::uint8_t byte() {
    if (!ok_ || rest_.empty()) return fail(), std::uint8_t{0};
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  bool flag() { return at_most(1) != 0; }
  std::pair<bool, bool> flags() {
    const std::uint64_t bits = at_most(3);
    return {(bits & 1) != 0, (bits & 2) != 0};
  }
  std::optional<bool> optional_flag() {
    const std::uint8_t value = at_most(2);
    return value == 2 ? std::nullopt : std::optional(value == 1);
  }
  std::uint8_t at_most(std::uint8_t largest) {
    const std::uint8_t value = byte();
    if (value > largest) fail();
    return ok_ ? value : std::uint8_t{0};
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t next = byte();
      value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
      if ((next & 0x80) == 0) return ok_ ? value : 0;
    }
    return fail(), 0;
  }
  std::uint32_t number32() {
    const std::uint64_t value = number();
    if (value > std::numeric_limits<std::uint32_t>::max()) fail();
    return ok_ ? static_cast<std::uint32_t>(value) : 0;
  }
  // How many things follow: never more than there are bytes.
  std::size_t count() {
    const std::uint64_t value = number();
    if (value > rest_.size()) fail();
    return ok_ ? static_cast<std::size_t>(value) : 0;
  }
  std::int64_t integer() {
    const std::uint64_t value = number();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  double real() {
    const std::uint64_t bits = fixed();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  std::string text() {
    const std::size_t size = count();
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  EpochMs epoch_ms() { return EpochMs(real()); }
  // Within ±`limit`.
  std::int64_t integer_within(std::int64_t limit) {
    const std::int64_t value = integer();
    if (value < -limit || value > limit) fail();
    return ok_ ? value : 0;
  }
  SystemTime instant() { return SystemTime(std::chrono::milliseconds(integer_within(kMaxInstantMs))); }
  std::optional<SystemTime> optional_instant() { return flag() ? std::optional(instant()) : std::nullopt; }

 private:
  // A hundred thousand years: further than a clock says and than the longest window reaches back, and
  // arithmetic with it is always defined.
  static constexpr std::int64_t kMaxInstantMs = 100'000 * 366LL * 24 * 60 * 60 * 1000;

  std::uint64_t fixed() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value |= static_cast<std::uint64_t>(byte()) << (8 * i);
    return ok_ ? value : 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace sqlbak_gateway::history
