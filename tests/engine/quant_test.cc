#include "engine/quant.h"

#include <cmath>
#include <limits>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"

namespace micius {
namespace {

void put_half(std::vector<std::byte>& bytes, std::size_t at, float value) {
  const std::uint16_t half = f32_to_f16(value);
  bytes[at] = static_cast<std::byte>(half & 255);
  bytes[at + 1] = static_cast<std::byte>(half >> 8);
}

std::vector<float> widen(DType dtype, const std::vector<std::byte>& bytes) {
  const BlockShape shape = block_shape(dtype);
  std::vector<float> values(bytes.size() / shape.bytes * shape.values);
  dequantize(dtype, bytes.data(), values);
  return values;
}

std::vector<std::byte> block_of(DType dtype) { return std::vector<std::byte>(block_shape(dtype).bytes); }

TEST_CASE("half precision converts exactly there and back for every number") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = f16_to_f32(half);
    if ((bits & 0x7fff) > 0x7c00) {
      CHECK(std::isnan(value));
    } else {
      if (f32_to_f16(value) != half) FAIL("half " << bits);
    }
  }
  CHECK(f16_to_f32(0x3c00) == 1.0F);
  CHECK(f16_to_f32(0x0001) == 0x1p-24F);
  CHECK(f16_to_f32(0x7bff) == 65504.0F);
  CHECK(f16_to_f32(0xfc00) == -std::numeric_limits<float>::infinity());
}

TEST_CASE("half precision rounds to nearest even") {
  CHECK(f32_to_f16(1.0F + 0x1p-11F) == 0x3c00);             // a tie: down to even
  CHECK(f32_to_f16(1.0F + 3 * 0x1p-11F) == 0x3c02);         // a tie: up to even
  CHECK(f32_to_f16(1.0F + 0x1p-11F + 0x1p-20F) == 0x3c01);  // above the tie
  CHECK(f32_to_f16(0x1p-25F) == 0x0000);                    // half the least number: a tie
  CHECK(f32_to_f16(0x1.8p-25F) == 0x0001);
  CHECK(f32_to_f16(65519.0F) == 0x7bff);
  CHECK(f32_to_f16(65520.0F) == 0x7c00);
  CHECK(f32_to_f16(-1e30F) == 0xfc00);
  CHECK((f32_to_f16(std::numeric_limits<float>::quiet_NaN()) & 0x7fff) > 0x7c00);
}

TEST_CASE("blocks of 32: codes, scale and minimum stand where ggml puts them") {
  std::vector<std::byte> q8 = block_of(DType::kQ8_0);
  put_half(q8, 0, 0.5F);
  q8[2] = std::byte{0x80};  // -128
  q8[33] = std::byte{127};
  CHECK(widen(DType::kQ8_0, q8)[0] == -64.0F);
  CHECK(widen(DType::kQ8_0, q8)[1] == 0.0F);
  CHECK(widen(DType::kQ8_0, q8)[31] == 63.5F);

  std::vector<std::byte> q4 = block_of(DType::kQ4_0);
  put_half(q4, 0, 2.0F);
  q4[2] = std::byte{0xf1};  // value 0 has code 1, value 16 code 15
  CHECK(widen(DType::kQ4_0, q4)[0] == -14.0F);
  CHECK(widen(DType::kQ4_0, q4)[16] == 14.0F);
  CHECK(widen(DType::kQ4_0, q4)[1] == -16.0F);

  std::vector<std::byte> q41 = block_of(DType::kQ4_1);
  put_half(q41, 0, 0.25F);
  put_half(q41, 2, -3.0F);
  q41[19] = std::byte{0x4f};  // value 15 has code 15, value 31 code 4
  CHECK(widen(DType::kQ4_1, q41)[15] == 0.75F);
  CHECK(widen(DType::kQ4_1, q41)[31] == -2.0F);
  CHECK(widen(DType::kQ4_1, q41)[0] == -3.0F);

  std::vector<std::byte> q5 = block_of(DType::kQ5_0);
  put_half(q5, 0, 1.0F);
  q5[2] = std::byte{1};     // the fifth bit of value 0
  q5[5] = std::byte{0x80};  // of value 31
  q5[6] = std::byte{3};
  CHECK(widen(DType::kQ5_0, q5)[0] == 3.0F);   // 16 + 3 - 16
  CHECK(widen(DType::kQ5_0, q5)[31] == 0.0F);  // 16 + 0 - 16
  CHECK(widen(DType::kQ5_0, q5)[16] == -16.0F);

  std::vector<std::byte> q51 = block_of(DType::kQ5_1);
  put_half(q51, 0, 1.0F);
  put_half(q51, 2, 100.0F);
  q51[6] = std::byte{1};  // bit 16
  q51[8] = std::byte{0x20};
  CHECK(widen(DType::kQ5_1, q51)[16] == 118.0F);
  CHECK(widen(DType::kQ5_1, q51)[0] == 100.0F);
}

TEST_CASE("super-blocks of 256: sub-block scales of 6 bits") {
  std::vector<std::byte> q4 = block_of(DType::kQ4_K);
  put_half(q4, 0, 1.0F);
  put_half(q4, 2, 1.0F);
  q4[4] = std::byte{0xc5};        // scale 0 is 5; its top bits are the high bits of scale 4
  q4[8] = std::byte{0x42};        // minimum 0 is 2; its top bits belong to minimum 4
  q4[12] = std::byte{0x37};       // scale 4 is 7 + 48, minimum 4 is 3 + 16
  q4[16] = std::byte{0x09};       // sub-block 0, value 0
  q4[16 + 64] = std::byte{0x01};  // sub-block 4, value 0
  const std::vector<float> v4 = widen(DType::kQ4_K, q4);
  CHECK(v4[0] == 5.0F * 9 - 2);
  CHECK(v4[1] == -2.0F);
  CHECK(v4[128] == 55.0F - 19);
  CHECK(v4[32] == 0.0F);  // scale 1 and minimum 1 are 0

  std::vector<std::byte> q5 = block_of(DType::kQ5_K);
  put_half(q5, 0, 0.5F);
  q5[5] = std::byte{4};      // scale 1
  q5[16] = std::byte{2};     // the fifth bit of value 0 of sub-block 1
  q5[48] = std::byte{0x30};  // code 3
  CHECK(widen(DType::kQ5_K, q5)[32] == 2.0F * 19);
  CHECK(widen(DType::kQ5_K, q5)[33] == 0.0F);

  std::vector<std::byte> q6 = block_of(DType::kQ6_K);
  put_half(q6, 208, 2.0F);
  q6[192] = std::byte{0xff};    // scale of values 0-15: -1
  q6[193] = std::byte{3};       // of values 16-31
  q6[192 + 15] = std::byte{1};  // of values 240-255
  q6[0] = std::byte{0x05};
  q6[128] = std::byte{0x03};  // high bits of value 0
  q6[127] = std::byte{0xa0};  // value 255: low bits 10
  q6[191] = std::byte{0x40};  // high bits 1
  const std::vector<float> v6 = widen(DType::kQ6_K, q6);
  CHECK(v6[0] == -2.0F * (48 + 5 - 32));
  CHECK(v6[1] == 64.0F);
  CHECK(v6[16] == -192.0F);
  CHECK(v6[255] == 2.0F * (16 + 10 - 32));
}

TEST_CASE("float formats widen exactly") {
  const std::vector<std::byte> bytes = {std::byte{0x80}, std::byte{0x3f}, std::byte{0x00}, std::byte{0xc0}};
  CHECK(widen(DType::kBF16, bytes) == std::vector<float>{1.0F, -2.0F});
  CHECK(widen(DType::kF32, bytes) == std::vector<float>{-0x1.007fp+1F});
  CHECK(widen(DType::kF16, bytes)[1] == -2.0F);
}

TEST_CASE("a row must be whole blocks") {
  CHECK(row_bytes(DType::kQ4_1, 576) == 360);
  CHECK(row_bytes(DType::kQ6_K, 512) == 420);
  CHECK(row_bytes(DType::kF32, 7) == 28);
  CHECK_THROWS_AS(row_bytes(DType::kQ4_K, 288), Error);
}

}  // namespace
}  // namespace micius
