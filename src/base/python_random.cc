#include "base/python_random.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <numeric>
#include <unordered_set>

namespace micius {
namespace {

// Up to which population CPython's sample() copies the pool instead of remembering what it drew.
std::size_t copy_limit(std::size_t count) {
  if (count <= 5) return 21;
  const double power = std::ceil(std::log(static_cast<double>(count) * 3) / std::log(4.0));
  return 21 + (std::size_t{1} << (2 * static_cast<unsigned>(power)));
}

}  // namespace

PythonRandom::PythonRandom(std::uint64_t seed) {
  constexpr std::uint32_t n = 624;
  state_[0] = 19650218;
  for (std::uint32_t i = 1; i < n; ++i) state_[i] = 1812433253u * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(seed),
                                            static_cast<std::uint32_t>(seed >> 32)};
  const std::uint32_t length = key[1] == 0 ? 1 : 2;
  std::uint32_t i = 1, j = 0;
  const auto step = [&] {
    if (++i >= n) {
      state_[0] = state_[n - 1];
      i = 1;
    }
  };
  for (std::uint32_t k = 0; k < n; ++k) {
    state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1664525u)) + key[j] + j;
    step();
    j = (j + 1) % length;
  }
  for (std::uint32_t k = 0; k < n - 1; ++k) {
    state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1566083941u)) - i;
    step();
  }
  state_[0] = 0x80000000u;
}

std::uint32_t PythonRandom::next() {
  constexpr std::size_t n = 624, m = 397;
  if (position_ == n) {
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint32_t y = (state_[i] & 0x80000000u) | (state_[(i + 1) % n] & 0x7fffffffu);
      state_[i] = state_[(i + m) % n] ^ (y >> 1) ^ ((y & 1) != 0 ? 0x9908b0dfu : 0u);
    }
    position_ = 0;
  }
  std::uint32_t y = state_[position_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

std::uint32_t PythonRandom::bits(int count) {
  assert(count >= 1 && count <= 32);
  return next() >> (32 - count);
}

double PythonRandom::uniform() {
  const std::uint32_t high = next() >> 5, low = next() >> 6;
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

std::size_t PythonRandom::below(std::size_t n) {
  assert(n > 0 && n <= 0xffffffffu);
  const int count = static_cast<int>(std::bit_width(n));
  for (;;) {
    if (const std::size_t r = bits(count); r < n) return r;
  }
}

std::vector<std::size_t> PythonRandom::sample(std::size_t population, std::size_t count) {
  assert(count <= population);
  std::vector<std::size_t> drawn(count);
  if (population <= copy_limit(count)) {
    std::vector<std::size_t> pool(population);
    std::iota(pool.begin(), pool.end(), std::size_t{0});
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t j = below(population - i);
      drawn[i] = pool[j];
      pool[j] = pool[population - i - 1];
    }
    return drawn;
  }
  std::unordered_set<std::size_t> seen;
  for (std::size_t& index : drawn) {
    do {
      index = below(population);
    } while (!seen.insert(index).second);
  }
  return drawn;
}

}  // namespace micius
