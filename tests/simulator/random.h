// Random numbers that are the same on every machine (SplitMix64). A draw is a pure function of its seed, so
// that a job does the same however many others come before it. Value type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace sqlbak_gateway::simulator {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // A generator of its own for one subject: the same parts give the same numbers.
  static Random of(std::initializer_list<std::uint64_t> parts) {
    Random random(0x5eed);
    for (const std::uint64_t part : parts) random.state_ = Random(random.next() ^ part).next();
    return random;
  }

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // 0 to n - 1; 0 for n = 0.
  std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(next() % n); }
  // 0 up to, not including, 1.
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  bool happens(double probability) { return unit() < probability; }

 private:
  std::uint64_t state_;
};

}  // namespace sqlbak_gateway::simulator
