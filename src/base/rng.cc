#include "base/rng.h"

#include <bit>

#include "base/hash.h"

namespace micius {

Rng::Rng(std::string_view name) : state_{} {
  const auto digest = Sha256().update(name).digest();
  for (std::size_t i = 0; i < digest.size(); ++i) {
    state_[i / 8] |= static_cast<std::uint64_t>(digest[i]) << (8 * (i % 8));
  }
}

std::uint64_t Rng::operator()() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Rng::uniform() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }

std::size_t Rng::below(std::size_t n) {
  const std::uint64_t limit = max() - max() % n;
  std::uint64_t value = (*this)();
  while (value >= limit) value = (*this)();
  return static_cast<std::size_t>(value % n);
}

}  // namespace micius
