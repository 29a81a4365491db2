// Named random streams. A stream is a pure function of its name: no use of one moves another, and nothing
// depends on order, threads or machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace micius {

// xoshiro256** (Blackman and Vigna, 2018), seeded with the SHA-256 of the stream's name.
class Rng {
 public:
  using result_type = std::uint64_t;

  // Example: Rng(fmt::format("{}/sampling/{}/{}", seed, sample_id, repeat)).
  explicit Rng(std::string_view name);

  std::uint64_t operator()();
  static constexpr std::uint64_t min() { return 0; }
  static constexpr std::uint64_t max() { return ~std::uint64_t{0}; }

  double uniform();                  // [0, 1), 53 bits
  std::size_t below(std::size_t n);  // [0, n), without bias; n > 0
  template <typename Range>
  void shuffle(Range& range) {  // Fisher and Yates, the same on every standard library
    for (std::size_t i = range.size(); i > 1; --i) {
      using std::swap;
      swap(range[i - 1], range[below(i)]);
    }
  }

 private:
  std::uint64_t state_[4];
};

}  // namespace micius
