// Code formats with vpmaddwd: activations stay 16-bit integers, and a task widens the codes of its tiles into
// a panel of 16-bit pairs once and runs its rows over it.

// The lanes come first.
// clang-format off
#include "engine/ops/lanes_avx2_internal.h"
#include "engine/ops/linear_codes_internal.h"
#include "engine/ops/linear_floats_internal.h"
// clang-format on

namespace micius {
namespace {

constexpr int kRows = 4;  // of the integer micro-kernel: 2 x 4 sums of 8 int32
constexpr ActivationBlock kActivation{kRows};

__m256i load(const std::byte* bytes) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)); }

// ---- activations

float largest_of(const float* x) {
  const __m256 sign = _mm256_set1_ps(-0.0F);
  __m256 largest = _mm256_setzero_ps();
  for (std::size_t k = 0; k < kBlockCols; k += 8) {
    largest = _mm256_max_ps(largest, _mm256_andnot_ps(sign, _mm256_loadu_ps(x + k)));
  }
  return Lanes{largest, largest}.max();
}

std::int32_t sum_of(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

// 16 values to int16; returns their sum.
std::int32_t quantize_half(const float* x, __m256 inverse, std::byte* codes) {
  const __m256i a = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), inverse));
  const __m256i b = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8), inverse));
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes), packed);
  return sum_of(_mm256_add_epi32(a, b));
}

template <float (&kScale)(float)>
void quantize(const float* x, std::size_t rows, std::size_t cols, std::byte* tile) {
  for (std::size_t b = 0; b < cols / kBlockCols; ++b, tile += kActivation.bytes()) {
    for (std::size_t r = 0; r < rows; ++r) {
      const float* values = x + r * cols + b * kBlockCols;
      const float scale = kScale(largest_of(values));
      const __m256 inverse = _mm256_set1_ps(1.0F / scale);
      const std::int32_t low = quantize_half(values, inverse, tile + kActivation.codes(r));
      const std::int32_t high = quantize_half(values + 16, inverse, tile + kActivation.codes(r) + 32);
      store_scale(kActivation, r, scale, low, high, tile);
    }
  }
}

// ---- panel of one tile: for each block [16 pairs of k][16 rows][2] int16, then [2][16] float scales

constexpr std::size_t kPanelCodes = 1024, kPanelBlock = kPanelCodes + 128;

// Words of 4 codes of 8 bits to pairs of 16 bits: the first two k, then the last two.
void store_pairs(__m256i words, std::byte* first, std::byte* last) {
  const __m256i front = _mm256_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1, 0, -1, 1,
                                         -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1);
  const __m256i back = _mm256_setr_epi8(2, -1, 3, -1, 6, -1, 7, -1, 10, -1, 11, -1, 14, -1, 15, -1, 2, -1, 3,
                                        -1, 6, -1, 7, -1, 10, -1, 11, -1, 14, -1, 15, -1);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(first), _mm256_shuffle_epi8(words, front));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(last), _mm256_shuffle_epi8(words, back));
}

void unpack_codes(const std::byte* block, WeightFormat format, std::byte* panel) {
  const bool sixes = format == WeightFormat::kSixHalves, nibbles = has_nibbles(format) || sixes;
  const __m256i nibble = _mm256_set1_epi8(15), pair = _mm256_set1_epi8(3);
  for (std::size_t g = 0; g < 8; ++g) {
    for (std::size_t side = 0; side < 2; ++side) {  // rows 0-7, rows 8-15
      __m256i words = load(block + 64 * (nibbles ? g % 4 : g) + 32 * side);
      if (nibbles) words = _mm256_and_si256(g < 4 ? words : _mm256_srli_epi16(words, 4), nibble);
      if (sixes) {
        const __m256i pairs = load(block + 256 + 64 * (g / 4) + 32 * side);
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(pairs, static_cast<int>(g % 4 * 2)), pair);
        words = _mm256_or_si256(words, _mm256_slli_epi16(high, 4));
      }
      std::byte* out = panel + g * 128 + 32 * side;
      store_pairs(words, out, out + 64);
    }
  }
}

void unpack_panel(const PackedPart& part, std::size_t tile, std::byte* panel) {
  for (std::size_t b = 0; b < part.blocks(); ++b, panel += kPanelBlock) {
    const std::byte* block = part.block(tile, b);
    unpack_codes(block, part.format, panel);
    for (std::size_t i = 0; i < (part.zero != 0 && has_half_scales(part.format) ? 1 : 2); ++i) {
      load_scale(part.format, block, i).store(reinterpret_cast<float*>(panel + kPanelCodes + 64 * i));
    }
  }
}

// ---- one block

struct Sums {
  __m256i a, b;  // rows 0-7, rows 8-15
};

template <int kCount>
void add_products(const std::byte* panel, const std::byte* activation, int begin, int end,
                  Sums (&sums)[kCount]) {
  for (int pair = begin; pair < end; ++pair) {
    const __m256i a = load(panel + pair * 64), b = load(panel + pair * 64 + 32);
#pragma GCC unroll 4
    for (int r = 0; r < kCount; ++r) {
      const __m256i q = _mm256_set1_epi32(at<std::int32_t>(activation, kActivation.codes(r))[pair]);
      sums[r].a = _mm256_add_epi32(sums[r].a, _mm256_madd_epi16(a, q));
      sums[r].b = _mm256_add_epi32(sums[r].b, _mm256_madd_epi16(b, q));
    }
  }
}

template <int kCount>
void multiply_block(const PackedPart& part, const std::byte* panel, const std::byte* activation,
                    Lanes (&total)[kCount]) {
  const bool halves = part.format == WeightFormat::kSixHalves;
  const auto* scales = at<float>(panel, kPanelCodes);
  const auto* negative = at<std::int32_t>(activation, kActivation.negative_sums());
  for (int half = 0; half < (halves ? 2 : 1); ++half) {
    Sums sums[kCount];
    for (int r = 0; r < kCount; ++r) {
      const std::int32_t sum = halves ? negative[half * kRows + r] : negative[r] + negative[kRows + r];
      sums[r].a = sums[r].b = _mm256_set1_epi32(sum * part.zero);
    }
    add_products<kCount>(panel, activation, half * 8, halves ? half * 8 + 8 : 16, sums);
    const Lanes d = Lanes::load(scales + 16 * half);
    for (int r = 0; r < kCount; ++r) {
      const Lanes sum = {_mm256_cvtepi32_ps(sums[r].a), _mm256_cvtepi32_ps(sums[r].b)};
      const Lanes unit = Lanes::broadcast(at<float>(activation, kActivation.scale())[r]);
      total[r] = Lanes::fma(sum, d * unit, total[r]);
    }
  }
  if (part.zero != 0) return;
  const Lanes m = Lanes::load(scales + 16);
  const auto* scaled = at<float>(activation, kActivation.scaled_sum());
  for (int r = 0; r < kCount; ++r) total[r] = Lanes::fma(m, Lanes::broadcast(scaled[r]), total[r]);
}

template <int kCount>
void multiply_rows(const LinearTask& task, std::size_t tile, std::size_t row) {
  const PackedPart& part = task.part;
  const std::byte *panel = task.panel,
                  *activation = task.activations + row / kRows * part.blocks() * kActivation.bytes();
  Lanes total[kCount];
  for (Lanes& lanes : total) lanes = Lanes::zero();
  for (std::size_t b = 0; b < part.blocks(); ++b, panel += kPanelBlock, activation += kActivation.bytes()) {
    multiply_block<kCount>(part, panel, activation, total);
  }
  for (int r = 0; r < kCount; ++r) {
    total[r].store(task.y + (row + r) * task.y_stride + tile * kTileRows, outputs_of_tile(part, tile));
  }
}

void multiply(const LinearTask& task) {
  if (!has_codes(task.part.format)) return multiply_floats<2, 1>(task);
  for (std::size_t tile = task.tile_begin; tile < task.tile_end; ++tile) {
    unpack_panel(task.part, tile, task.panel);
    std::size_t row = task.row_begin;
    for (; row + kRows <= task.row_end; row += kRows) multiply_rows<kRows>(task, tile, row);
    if (task.row_end - row == 3) multiply_rows<3>(task, tile, row);
    if (task.row_end - row == 2) multiply_rows<2>(task, tile, row);
    if (task.row_end - row == 1) multiply_rows<1>(task, tile, row);
  }
}

std::size_t panel_bytes(std::size_t cols) { return cols / kBlockCols * kPanelBlock; }

}  // namespace

LinearKernels linear_avx2(Numerics numerics) {
  return {kRows, 4, panel_bytes, numerics == Numerics::kFast ? quantize<fast_scale> : quantize<block_scale>,
          multiply};
}

}  // namespace micius
