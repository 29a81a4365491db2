// The bench of attention: its sizes, and that it measures every setting.
#include "engine/attention_speed.h"

#include <algorithm>

#include <catch2/catch.hpp>

namespace micius {
namespace {

constexpr AttentionShape kGqa{4, 2, 2, 16, 16, 0.25F}, kDiff{4, 1, 2, 16, 32, 0.25F};

bool all_above_zero(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return value > 0; });
}

TEST_CASE("the bytes of a decode step are those of every K and V", "[attention_speed]") {
  // (16 + 16 heads) * 64 dims * 2 bytes, 2,048 tokens and the new one; Sigma: (4 + 16) heads.
  CHECK(kv_bytes({32, 16, 16, 64, 64, 0.125F}, {2048, 1}) == 2049U * 4096);
  CHECK(kv_bytes({32, 4, 16, 64, 64, 0.125F}, {2048, 1}) == 2049U * 2560);
  CHECK(kv_bytes({32, 4, 16, 128, 128, 0.125F}, {63, 32}) == 32U * 64 * 5120);
  CHECK(kv_bytes(kDiff, {0, 1}) == (16U + 2 * 32) * 2);
  // Two q heads a V head take ten values each, of the four tokens that there are at most four.
  CHECK(kv_bytes(kDiff, {99, 1, 0, KvMode::kAppend, {10}}) == (100U * 16 + 20 * 2 * 32) * 2);
  CHECK(kv_bytes(kDiff, {3, 1, 0, KvMode::kAppend, {10}}) == (4U * 16 + 4 * 2 * 32) * 2);
}

TEST_CASE("the bench of attention measures every setting in every repeat", "[attention_speed]") {
  AttentionBench bench({kGqa, kDiff}, 2, best_isa(), 1 << 20);
  CHECK(bench.threads() == 2);
  CHECK(bench.read_bytes() == 1 << 20);
  for (const KvMode mode : {KvMode::kAppend, KvMode::kConcat}) {
    for (const std::size_t context : {0, 63, 64, 200}) {
      const AttentionResult result = bench.run({context, 3, 2, mode}, 4);
      CHECK(result.layers == 2);
      REQUIRE(result.settings.size() == 2);
      CHECK(result.read.size() == 4);
      CHECK(all_above_zero(result.read));
      for (const AttentionTimes& times : result.settings) {
        CHECK(times.attention.size() == 4);
        CHECK(times.copy.size() == 4);
        CHECK(all_above_zero(times.attention));
        CHECK(all_above_zero(times.copy) == (mode == KvMode::kConcat));
      }
    }
  }
}

TEST_CASE("the bench of attention knows how far a selection of values is from all", "[attention_speed]") {
  AttentionBench bench({kGqa, kDiff}, 2, best_isa(), 1 << 20);
  const auto errors = [&](std::size_t top) {
    return bench.run({199, 1, 1, KvMode::kAppend, {top}}, 1).errors;
  };
  const std::vector<double> all = errors(0), whole = errors(200), most = errors(150), few = errors(5);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(all[i] == 0);
    CHECK(whole[i] < 1e-5);
    CHECK(most[i] > 0);
    CHECK(few[i] > most[i]);
  }
}

TEST_CASE("the bench of attention takes more layers where a layer is small", "[attention_speed]") {
  AttentionBench bench({kGqa}, 2, best_isa(), 1 << 20);
  CHECK(bench.run({0, 1}, 1).layers == 256);
  CHECK(bench.run({4095, 1}, 1).layers == 256);            // 0.5 MB a layer
  CHECK(bench.run({(1 << 19) - 1, 1}, 1).layers == 4);     // 64 MiB
  CHECK(bench.run({(1 << 19) - 1, 1, 1}, 1).layers == 1);  // as asked
}

TEST_CASE("the bench of attention refuses what attention does not have", "[attention_speed]") {
  const auto bench = [](AttentionShape shape) { AttentionBench({shape}, 1, Isa::kPlain, 1 << 20); };
  CHECK_THROWS_WITH(bench({4, 8, 2, 16, 16, 1}), Catch::Contains("8 K and 2 V heads for 4 Q heads"));
  CHECK_THROWS_WITH(bench({4, 0, 2, 16, 16, 1}), Catch::Contains("use 1 to 1024"));
  CHECK_THROWS_WITH(bench({4, 2, 2, 16, 1025, 1}), Catch::Contains("use 1 to 1024"));
  CHECK_THROWS_WITH(AttentionBench({}, 1, Isa::kPlain, 1 << 20), Catch::Contains("no head settings"));
  AttentionBench good({kGqa}, 1, Isa::kPlain, 1 << 20);
  CHECK_THROWS_WITH(good.run({8, 0}, 1), Catch::Contains("0 sequences"));
  CHECK_THROWS_WITH(good.run({std::size_t{1} << 40, 1}, 1), Catch::Contains("at most"));
  CHECK_THROWS_WITH(good.run({8, 1, 257}, 1), Catch::Contains("257 layers"));
}

}  // namespace
}  // namespace micius
