// CPython's random.Random, number for number: MT19937 (Matsumoto and Nishimura, 1998) seeded by
// init_by_array. For agreement with harnesses that draw with it; everything else uses Rng.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace micius {

class PythonRandom {
 public:
  explicit PythonRandom(std::uint64_t seed);  // random.Random(seed)

  std::uint32_t bits(int count);     // getrandbits(count), 1 <= count <= 32
  double uniform();                  // random(): [0, 1), 53 bits
  std::size_t below(std::size_t n);  // randrange(n), 0 < n <= 2^32 - 1
  // sample(range(population), count): `count` distinct indices in the order drawn; count <= population.
  std::vector<std::size_t> sample(std::size_t population, std::size_t count);

 private:
  std::uint32_t next();

  std::array<std::uint32_t, 624> state_;
  std::size_t position_ = 624;
};

}  // namespace micius
