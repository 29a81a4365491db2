#include "engine/ops/elementwise.h"

#include <algorithm>
#include <cmath>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "engine/op_fixture.h"
#include "engine/ops/logits.h"
#include "engine/ops/rope.h"
#include "engine/reference_ops.h"

namespace micius {
namespace {

constexpr std::size_t kWidths[] = {1, 15, 16, 64, 100, 576};

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

void check_near(std::span<const float> values, std::span<const double> expected, double relative,
                double absolute) {
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double error = std::abs(static_cast<double>(values[i]) - expected[i]);
    if (error > relative * std::abs(expected[i]) + absolute) {
      FAIL("value " << i << ": " << values[i] << " for " << expected[i]);
    }
  }
}

TEST_CASE("rms_norm agrees with the reference, the same bits everywhere") {
  for (const std::size_t width : kWidths) {
    const std::vector<float> x = random_floats(40 * width, "norm/x"), weight = random_floats(width, "norm/w");
    const std::vector<double> expected = reference::rms_norm(x, weight, 1e-5);
    std::vector<float> first;
    for (const Isa isa : usable_isas()) {
      const OpFixture context(isa);
      std::vector<float> out = x;
      rms_norm(out, weight, 1e-5F, out, *context);  // in place
      check_near(out, expected, 1e-6, 1e-7);
      if (first.empty()) first = out;
      CHECK(same_bits(first, out));
    }
  }
}

TEST_CASE("layer_norm agrees with the reference, the same bits everywhere") {
  for (const std::size_t width : kWidths) {
    std::vector<float> x = random_floats(40 * width, "layer norm/x");
    for (float& value : x) value += 2;  // a mean that is not 0
    const std::vector<float> weight = random_floats(width, "layer norm/w"),
                             bias = random_floats(width, "layer norm/b");
    const std::vector<double> expected = reference::layer_norm(x, weight, bias, 1e-12);
    std::vector<float> first;
    for (const Isa isa : usable_isas()) {
      const OpFixture context(isa);
      std::vector<float> out = x;
      layer_norm(out, weight, bias, 1e-12F, out, *context);  // in place
      if (width > 1) check_near(out, expected, 1e-6, 5e-6);
      if (width == 1)
        CHECK(std::all_of(out.begin(), out.end(), [&](float value) { return value == bias[0]; }));
      if (first.empty()) first = out;
      CHECK(same_bits(first, out));
    }
  }
}

TEST_CASE("gelu agrees with the reference from the far left to the far right") {
  for (const std::size_t width : kWidths) {
    std::vector<float> x = random_floats(60 * width, "gelu/x");
    for (std::size_t i = 0; i < x.size(); ++i) x[i] *= i % 3 == 0 ? 30.0F : 2.0F;
    const std::vector<float> bias = random_floats(width, "gelu/b");
    const std::vector<double> expected = reference::gelu(x, bias);
    std::vector<float> first;
    for (const Isa isa : usable_isas()) {
      const OpFixture context(isa);
      std::vector<float> out = x;
      gelu(out, bias, *context);
      check_near(out, expected, 2e-7, 1e-6);
      if (first.empty()) first = out;
      CHECK(same_bits(first, out));
    }
  }
}

TEST_CASE("unit_means points where the mean of the rows does") {
  const std::vector<float> x = {3, 0, 0, 4, 0, 0, 1, -1, -1, 1};
  std::vector<float> out(6);
  unit_means(x, std::vector<std::size_t>{2, 1, 2}, 2, out);
  CHECK(out == std::vector<float>{0.6F, 0.8F, 0, 0, 0, 0});
}

TEST_CASE("swiglu agrees with the reference from the far left to the far right") {
  for (const std::size_t width : kWidths) {
    std::vector<float> gate_up = random_floats(2 * 30 * width, "swiglu");
    for (std::size_t i = 0; i < gate_up.size(); ++i) gate_up[i] *= i % 3 == 0 ? 50.0F : 3.0F;
    const std::vector<double> expected = reference::swiglu(gate_up, width);
    std::vector<float> first;
    for (const Isa isa : usable_isas()) {
      const OpFixture context(isa);
      std::vector<float> out(30 * width);
      swiglu(gate_up, width, out, *context);
      check_near(out, expected, 2e-6, 1e-33);
      if (first.empty()) first = out;
      CHECK(same_bits(first, out));
    }
  }
}

TEST_CASE("geglu agrees with the reference") {
  for (const std::size_t width : kWidths) {
    std::vector<float> gate_up = random_floats(2 * 30 * width, "geglu");
    for (float& value : gate_up) value *= 3;
    const std::vector<double> expected = reference::geglu(gate_up, width);
    std::vector<float> first;
    for (const Isa isa : usable_isas()) {
      const OpFixture context(isa);
      std::vector<float> out(30 * width);
      geglu(gate_up, width, out, *context);
      check_near(out, expected, 1e-5, 1e-5);
      if (first.empty()) first = out;
      CHECK(same_bits(first, out));
    }
  }
}

TEST_CASE("rms_norm_heads takes each head of a row alone, and no other") {
  const OpFixture context(best_isa());
  const std::vector<float> before = random_floats(3 * 40, "heads"), weight = random_floats(8, "heads/weight");
  std::vector<float> x = before;
  rms_norm_heads(x.data() + 4, 40, 3, 2, weight, 1e-5F, *context);  // floats 4 to 19 of each row
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t head = 0; head < 2; ++head) {
      const std::size_t at = row * 40 + 4 + head * 8;
      const std::vector<double> expected =
          reference::rms_norm(std::span(before).subspan(at, 8), weight, 1e-5);
      check_near(std::vector<float>(x.begin() + at, x.begin() + at + 8), expected, 1e-5, 1e-6);
    }
    CHECK(std::equal(x.begin() + row * 40, x.begin() + row * 40 + 4, before.begin() + row * 40));
    CHECK(std::equal(x.begin() + row * 40 + 20, x.begin() + row * 40 + 40, before.begin() + row * 40 + 20));
  }
}

TEST_CASE("add, for sizes that no vector divides") {
  for (const Isa isa : usable_isas()) {
    const OpFixture context(isa);
    for (const std::size_t n : {std::size_t{1}, std::size_t{17}, std::size_t{70001}}) {
      std::vector<float> x = random_floats(n, "add/x"), sum = x;
      const std::vector<float> y = random_floats(n, "add/y");
      add(x, y, *context);
      for (std::size_t i = 0; i < n; ++i) sum[i] += y[i];
      CHECK(same_bits(x, sum));
    }
  }
}

TEST_CASE("add_bias adds one row to each") {
  const std::vector<float> bias = random_floats(17, "bias");
  for (const Isa isa : usable_isas()) {
    const OpFixture context(isa);
    std::vector<float> x = random_floats(9 * 17, "bias/x"), sum = x;
    add_bias(x, bias, *context);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += bias[i % 17];
    CHECK(same_bits(x, sum));
  }
}

TEST_CASE("rope turns pairs half a head apart, leaves other heads alone") {
  const std::size_t dim = 24, heads = 3, stride = 100;
  const std::vector<std::int32_t> positions = {0, 1, 7, 299};
  const std::vector<float> x = random_floats(positions.size() * stride, "rope");
  for (const Isa isa : usable_isas()) {
    const OpFixture context(isa);
    std::vector<float> turned = x, turns(positions.size() * dim);
    rope_turns(RopeAngles(dim, 10000), positions, turns, *context);
    apply_rope(turned.data(), stride, heads, dim, turns, *context);
    for (std::size_t r = 0; r < positions.size(); ++r) {
      for (std::size_t i = 0; i < stride; ++i) {
        double expected = static_cast<double>(x[r * stride + i]);
        if (i < heads * dim) {
          const std::size_t j = i % dim, half = dim / 2, head = r * stride + i / dim * dim;
          const double angle = positions[r] * std::pow(10000, -2.0 * static_cast<double>(j % half) / dim);
          const double a = static_cast<double>(x[head + j % half]),
                       b = static_cast<double>(x[head + j % half + half]);
          expected = j < half ? a * std::cos(angle) - b * std::sin(angle)
                              : b * std::cos(angle) + a * std::sin(angle);
        }
        if (std::abs(static_cast<double>(turned[r * stride + i]) - expected) > 5e-7)
          FAIL("row " << r << " value " << i);
      }
    }
  }
}

TEST_CASE("embedding_rows widens the rows asked for") {
  const RandomMatrix table(DType::kQ8_0, 10, 64, "embedding");
  const OpFixture context(Isa::kPlain);
  std::vector<float> out(3 * 64), row(64);
  embedding_rows(table.view(), std::vector<std::int32_t>{9, 0, 9}, out, *context);
  for (const std::size_t i : {0, 2}) {
    dequantize(DType::kQ8_0, table.view().data + 9 * row_bytes(DType::kQ8_0, 64), row);
    CHECK(same_bits(row, std::span(out).subspan(i * 64, 64)));
  }
}

TEST_CASE("a row of logits: largest, first of equals, log-sum-exp") {
  std::vector<float> logits = random_floats(1003, "logits");
  for (float& logit : logits) logit *= 10;
  logits[500] = logits[77] = 40;
  logits[900] = -1e30F;
  for (const Isa isa : usable_isas()) {
    const OpFixture context(isa);
    const LogitSummary summary = summarize_logits(logits, *context);
    CHECK(summary.max == 40);
    CHECK(summary.argmax == 77);
    CHECK(std::abs(summary.logsumexp - reference::logsumexp(logits)) < 1e-6);
    CHECK(std::abs(summarize_logits(std::vector<float>{-3}, *context).logsumexp + 3) < 1e-12);
  }
}

TEST_CASE("score_logits gives the bits of head and summary") {
  const std::size_t cols = 64, vocabulary = 1000, rows = 150;
  const RandomMatrix w(DType::kQ8_0, vocabulary, cols, "score/w");
  const LinearPart part = w;
  const std::vector<float> x = random_floats(rows * cols, "score/x");
  const std::vector<LogitPick> picks = {{0, 0}, {149, 999}, {70, 5}, {70, 6}};
  for (const Isa isa : usable_isas()) {
    const OpFixture context(isa);
    Arena memory;
    const Linear head({&part, 1}, Numerics::kPrecise, memory, *context);
    std::vector<float> logits(rows * vocabulary), picked(picks.size());
    head.apply(x, logits, *context);
    std::vector<LogitSummary> summaries(rows);
    FloatRows work;
    score_logits(head, x, picks, summaries, picked, work, *context);
    for (std::size_t r = 0; r < rows; ++r) {
      const LogitSummary expected =
          summarize_logits(std::span(logits).subspan(r * vocabulary, vocabulary), *context);
      CHECK(summaries[r].logsumexp == expected.logsumexp);
      CHECK(summaries[r].argmax == expected.argmax);
    }
    for (std::size_t i = 0; i < picks.size(); ++i) {
      CHECK(picked[i] == logits[picks[i].row * vocabulary + static_cast<std::size_t>(picks[i].id)]);
    }
  }
}

TEST_CASE("instruction sets have names, and a machine refuses those it lacks") {
  CHECK(usable_isas().front() == Isa::kPlain);
  CHECK(usable_isas().back() == best_isa());
  CHECK(isa_from(isa_name(best_isa())) == best_isa());
  CHECK_FALSE(cpu_name().empty());
  CHECK_THROWS_AS(isa_from("sse9"), Error);
}

}  // namespace
}  // namespace micius
