// The tiles of a page as floats, whatever the cache holds, and floats as it holds them; a lanes header comes
// first.
#pragma once

#include <cstddef>

#include "engine/kv_page.h"

namespace micius {
namespace {

template <typename T>
const T* elements(const std::byte* page) {
  return reinterpret_cast<const T*>(page);
}

// Elements of a head's tile as floats. Codes are multiplied by the scale of their token.
template <typename T>
struct Tile {
  const T* data;
  const float* scales = nullptr;  // [64], of kQ8_0

  Lanes keys(std::size_t d, int i) const {  // of tokens 16 i to 16 i + 15
    const Lanes k = Lanes::load(data + d * kPageTokens + 16 * i);
    if constexpr (sizeof(T) == 1) return k * Lanes::load(scales + 16 * i);
    return k;
  }
  Lanes values(std::size_t token, std::size_t v_stride, std::size_t d) const {  // dims d to d + 15
    const Lanes v = Lanes::load(data + token * v_stride + d);
    if constexpr (sizeof(T) == 1) return v * Lanes::broadcast(scales[token]);
    return v;
  }
};

template <typename T>
Tile<T> make_tile(const KvLayout& layout, const std::byte* page, std::size_t offset, std::size_t head) {
  if constexpr (sizeof(T) > 1) return {elements<T>(page) + offset};
  return {elements<T>(page) + offset, elements<float>(page + layout.scales(head))};
}
template <typename T>
Tile<T> k_tile(const KvLayout& layout, const std::byte* page, std::size_t head) {
  return make_tile<T>(layout, page, layout.k_tile(head), head);
}
template <typename T>
Tile<T> v_tile(const KvLayout& layout, const std::byte* page, std::size_t head) {
  return make_tile<T>(layout, page, layout.v_tile(head), layout.shape.n_k + head);
}

// n floats as f16.
inline void narrow_row(const float* x, std::size_t n, std::uint16_t* half) {
  for (std::size_t i = 0; i < n; i += 16) {
    if (n - i >= 16) {
      Lanes::load(x + i).store_half(half + i);
      continue;
    }
    std::uint16_t rest[16];
    Lanes::load(x + i, n - i).store_half(rest);
    for (std::size_t j = 0; i + j < n; ++j) half[i + j] = rest[j];
  }
}

}  // namespace
}  // namespace micius
