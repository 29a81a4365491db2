// Quantising, beside what llama.cpp's quantiser makes of the same values. Its Q4_K search compares sums that
// its compiler fuses, so there the bytes may differ and the error counts.
#include "engine/quantize.h"

#include <cmath>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "engine/convert.h"
#include "engine/quant.h"
#include "source_tree.h"

namespace micius {
namespace {

// Of several sizes, one block of zeros.
std::vector<float> values() {
  std::vector<float> values(2048);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double base = (static_cast<double>((i * 7919 + 13) % 2003) - 1001) / 1000.0;
    values[i] = static_cast<float>(std::ldexp(base, static_cast<int>(i / 32 % 5) - 2));
  }
  std::fill(values.begin() + 256, values.begin() + 512, 0.0F);
  return values;
}

std::string quantized(DType dtype) {
  std::string bytes(row_bytes(dtype, values().size()), '\0');
  quantize(dtype, values(), reinterpret_cast<std::byte*>(bytes.data()));
  return bytes;
}

std::vector<float> restored(DType dtype) {
  const std::string bytes = quantized(dtype);
  std::vector<float> values(2048);
  dequantize(dtype, reinterpret_cast<const std::byte*>(bytes.data()), values);
  return values;
}

double rms_error(DType dtype) {
  const std::vector<float> before = values(), after = restored(dtype);
  double sum = 0;
  for (std::size_t i = 0; i < before.size(); ++i) sum += std::pow(double{after[i]} - before[i], 2);
  return std::sqrt(sum / static_cast<double>(before.size()));
}

TEST_CASE("Quantised values are llama.cpp's", "[quantize]") {
  std::size_t rows = 0;
  const std::string text = read_file(source_tree() / "tests/engine/quantize.jsonl");
  for_each_line(text, [&](std::string_view line, std::size_t) {
    const Json row = parse_json(line, "quantize.jsonl");
    const DType dtype = dtype_from(row["type"].get<std::string>());
    INFO(dtype_name(dtype));
    if (row.contains("sha256")) {
      CHECK(sha256_hex(quantized(dtype)) == row["sha256"].get<std::string>());
    } else {
      CHECK(rms_error(dtype) == Approx(row["rms"].get<double>()).epsilon(0.01));
    }
    ++rows;
  });
  CHECK(rows == 7);
}

TEST_CASE("A value moves by half a step of its format at most", "[quantize]") {
  struct Case {
    DType dtype;
    double step;  // of the largest value of a block
  };
  for (const auto& [dtype, step] :
       {Case{DType::kF32, 0}, Case{DType::kBF16, 1.0 / 128}, Case{DType::kQ8_0, 1.0 / 127},
        Case{DType::kQ6_K, 2.0 / 31}, Case{DType::kQ4_K, 2.0 / 15}, Case{DType::kQ4_1, 2.0 / 15},
        Case{DType::kQ4_0, 1.0 / 4}}) {
    INFO(dtype_name(dtype));
    const std::vector<float> before = values(), after = restored(dtype);
    for (std::size_t block = 0; block < before.size(); block += 32) {
      double largest = 0, worst = 0;
      for (std::size_t i = block; i < block + 32; ++i) {
        largest = std::max(largest, double{std::abs(before[i])});
        worst = std::max(worst, double{std::abs(after[i] - before[i])});
      }
      CHECK(worst <= largest * step * 0.6);
    }
  }
}

}  // namespace
}  // namespace micius
