#pragma once

#include <array>
#include <cstdint>

namespace troupe {

/// A stream of random numbers that its seed decides, the same on every machine.
///
/// xoshiro256** by Blackman and Vigna, seeded by SplitMix64. Not for secrets. Not thread-safe: each
/// owner has its own.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();

  /// Evenly from 0 to `bound` - 1. Requires bound > 0.
  std::uint64_t below(std::uint64_t bound);

  /// Evenly from 0 up to, not including, 1.
  double fraction();

  bool chance(double probability) { return fraction() < probability; }

 private:
  std::array<std::uint64_t, 4> state_{};
};

/// A seed that nobody can guess, from the operating system.
std::uint64_t random_seed();

}  // namespace troupe
