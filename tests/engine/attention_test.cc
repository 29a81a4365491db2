#include "engine/ops/attention.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/files.h"
#include "base/json.h"
#include "engine/op_fixture.h"
#include "engine/ops/attention_internal.h"
#include "engine/reference_ops.h"
#include "shared_files.h"

namespace micius {
namespace {

// One sequence's keys and values, as tensors and as pages.
struct Sequence {
  Sequence(const KvLayout& layout, std::span<const float> k, std::span<const float> v, std::size_t length,
           const OpContext& context)
      : memory(layout.page_bytes() * ((length + kPageTokens - 1) / kPageTokens)) {
    const std::size_t k_width = layout.shape.n_k * layout.shape.d_k,
                      v_width = layout.shape.n_v * layout.shape.d_v;
    for (std::size_t t = 0; t < length; ++t) {
      if (t % kPageTokens == 0) pages.push_back(memory.data() + t / kPageTokens * layout.page_bytes());
      store_kv(layout, pages.back(), t % kPageTokens, k.subspan(t * k_width, k_width),
               v.subspan(t * v_width, v_width), context);
    }
  }
  Buffer memory;
  std::vector<std::byte*> pages;
};

struct Case {
  AttentionShape shape;
  std::vector<std::size_t> q_lens, k_lens;
  std::vector<float> q, k, v;
  AttentionMask mask = AttentionMask::kCausal;
  std::size_t window = 0;
  ValueSelection selection = {};
};

Case random_case(AttentionShape shape, std::vector<std::size_t> q_lens, std::vector<std::size_t> k_lens) {
  shape.scale = 1.0F / std::sqrt(static_cast<float>(shape.d_k));
  std::size_t rows = 0, keys = 0;
  for (const std::size_t n : q_lens) rows += n;
  for (const std::size_t n : k_lens) keys += n;
  Case c{shape, std::move(q_lens), std::move(k_lens), {}, {}, {}, AttentionMask::kCausal, 0, {}};
  c.q = random_floats(rows * shape.n_q * shape.d_k, "attention/q");
  c.k = random_floats(keys * shape.n_k * shape.d_k, "attention/k");
  c.v = random_floats(keys * shape.n_v * shape.d_v, "attention/v");
  for (float& value : c.q) value *= 3;
  return c;
}

std::vector<float> attend_case(const Case& c, DType dtype, const OpContext& context) {
  const KvLayout layout{c.shape, dtype};
  std::vector<Sequence> sequences;
  std::vector<AttentionSlice> slices;
  std::size_t row = 0, key = 0;
  for (std::size_t i = 0; i < c.q_lens.size(); ++i) {
    sequences.emplace_back(layout, std::span(c.k).subspan(key * c.shape.n_k * c.shape.d_k),
                           std::span(c.v).subspan(key * c.shape.n_v * c.shape.d_v), c.k_lens[i], context);
    slices.push_back(
        {sequences.back().pages, c.k_lens[i] - c.q_lens[i], c.q_lens[i], row, c.mask, c.selection, c.window});
    row += c.q_lens[i];
    key += c.k_lens[i];
  }
  std::vector<float> out(row * c.shape.n_q * c.shape.d_v, -77.0F);
  attend(layout, slices, c.q.data(), c.shape.n_q * c.shape.d_k, out, context);
  return out;
}

std::vector<double> reference_case(const Case& c) {
  std::vector<double> out;
  std::size_t row = 0, key = 0;
  const AttentionShape& s = c.shape;
  for (std::size_t i = 0; i < c.q_lens.size(); ++i) {
    const std::vector<double> part = reference::attention(
        s, std::span(c.q).subspan(row * s.n_q * s.d_k, c.q_lens[i] * s.n_q * s.d_k),
        std::span(c.k).subspan(key * s.n_k * s.d_k, c.k_lens[i] * s.n_k * s.d_k),
        std::span(c.v).subspan(key * s.n_v * s.d_v, c.k_lens[i] * s.n_v * s.d_v), c.mask, c.window);
    out.insert(out.end(), part.begin(), part.end());
    row += c.q_lens[i];
    key += c.k_lens[i];
  }
  return out;
}

double worst_error(const std::vector<float>& out, std::span<const double> expected) {
  double worst = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(out[i]) - expected[i]));
  }
  return worst;
}

// Largest absolute error for values of about 1.
double tolerance(DType dtype) { return dtype == DType::kF32 ? 1e-5 : dtype == DType::kF16 ? 4e-3 : 0.08; }

// Against the reference, and the same bits on every instruction set of the machine.
void check_cases(std::span<const Case> cases) {
  for (const Case& c : cases) {
    const std::vector<double> expected = reference_case(c);
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kQ8_0}) {
      std::vector<float> first;
      for (const Isa isa : usable_isas()) {
        const OpFixture context(isa);
        const std::vector<float> out = attend_case(c, dtype, *context);
        INFO(c.shape.n_q << "/" << c.shape.n_k << "/" << c.shape.n_v << " " << isa_name(isa) << " "
                         << dtype_name(dtype));
        CHECK(worst_error(out, expected) < tolerance(dtype));
        if (first.empty()) first = out;
        CHECK(std::memcmp(first.data(), out.data(), out.size() * sizeof(float)) == 0);
      }
    }
  }
}

// The cases, and each again without a mask.
std::vector<Case> masked_and_not(std::vector<Case> cases) {
  for (std::size_t i = cases.size(); i > 0; --i) {
    cases.push_back(cases[i - 1]);
    cases.back().mask = AttentionMask::kNone;
  }
  return cases;
}

std::vector<Case> windowed(std::vector<std::size_t> q_lens, std::vector<std::size_t> k_lens) {
  std::vector<Case> cases;
  for (const std::size_t window : {1, 63, 64, 200, 256}) {
    cases.push_back(random_case({9, 3, 3, 64, 64, 0}, q_lens, k_lens));
    cases.back().window = window;
  }
  return cases;
}

TEST_CASE("attention agrees with the reference for uneven heads and dims") {
  check_cases(masked_and_not({
      random_case({9, 3, 3, 64, 64, 0}, {1, 70, 5, 3}, {130, 70, 300, 64}),
      random_case({9, 2, 4, 16, 16, 0}, {3, 20}, {65, 20}),
      random_case({32, 4, 16, 8, 8, 0}, {1, 9}, {259, 9}),
      random_case({8, 4, 2, 32, 64, 0}, {1, 17}, {66, 300}),
      random_case({12, 2, 3, 24, 40, 0}, {2, 33}, {33, 64}),
      random_case({4, 4, 4, 80, 80, 0}, {50}, {60}),
      random_case({64, 1, 1, 16, 16, 0}, {2}, {70}),
  }));
  check_cases(windowed({1, 7, 2, 3}, {330, 400, 257, 300}));
}

// The plain kernels need minutes for these under a sanitizer.
TEST_CASE("attention agrees with the reference for long prompts", "[.slow]") {
  check_cases(masked_and_not(
      {random_case({12, 12, 12, 32, 32, 0}, {1, 5, 21, 64, 256, 300}, {1, 5, 21, 64, 256, 300})}));
  check_cases(windowed({1, 70, 2, 300}, {330, 700, 257, 300}));
}

TEST_CASE("attention gives the same bits however the prompt is cut and for any number of threads") {
  const std::size_t length = 600;
  for (const AttentionShape shape :
       {AttentionShape{6, 2, 2, 32, 32, 0}, AttentionShape{8, 2, 4, 16, 24, 0}}) {
    Case whole = random_case(shape, {length}, {length});
    if (shape.n_q == 8) whole.window = 130;
    const DType dtype = shape.n_q == 8 ? DType::kQ8_0 : DType::kF16;
    const std::size_t q_row = shape.n_q * shape.d_k, out_row = shape.n_q * shape.d_v;
    for (const Isa isa : usable_isas()) {
      if (isa == Isa::kPlain) continue;
      const OpFixture two(isa, 2), three(isa, 3), one(isa, 1);
      const std::vector<float> all = attend_case(whole, dtype, *two);
      const KvLayout layout{whole.shape, dtype};
      const Sequence sequence(layout, whole.k, whole.v, length, *two);
      for (const std::size_t chunk : {1, 2, 7, 64, 250}) {
        INFO(isa_name(isa) << " chunk " << chunk);
        std::vector<float> out(length * out_row);
        for (std::size_t t = 0; t < length; t += chunk) {
          const AttentionSlice slice{
              sequence.pages, t, std::min(chunk, length - t), 0, AttentionMask::kCausal, {}, whole.window};
          attend(layout, {&slice, 1}, &whole.q[t * q_row], q_row,
                 std::span(out).subspan(t * out_row, slice.tokens * out_row), chunk % 2 == 0 ? *three : *one);
        }
        CHECK(std::memcmp(all.data(), out.data(), out.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST_CASE("tokens of sequences with a common beginning get the bits that they get alone") {
  const std::size_t length = 800;
  for (const AttentionShape shape : {AttentionShape{9, 3, 3, 64, 64, 0}, AttentionShape{32, 4, 16, 16, 24, 0},
                                     AttentionShape{12, 2, 3, 24, 40, 0}}) {
    const Case a = random_case(shape, {length}, {length});
    const DType dtype = shape.n_q == 9 ? DType::kF16 : shape.n_q == 32 ? DType::kQ8_0 : DType::kF32;
    std::vector<float> other = a.v;
    for (float& value : other) value = -value;
    const std::size_t q_row = shape.n_q * shape.d_k, out_row = shape.n_q * shape.d_v;
    for (const Isa isa : usable_isas()) {
      if (isa == Isa::kPlain) continue;
      const OpFixture two(isa, 2), one(isa, 1), four(isa, 4);  // four: blocks are split as well
      const KvLayout layout{a.shape, dtype};
      const Sequence first(layout, a.k, a.v, length, *two), second(layout, a.k, other, length, *two);
      std::vector<std::byte*> forked = second.pages;  // from its fifth or ninth page on
      std::copy_n(first.pages.begin(), shape.n_q == 9 ? 8 : 4, forked.begin());
      std::vector<AttentionSlice> slices;
      for (const std::size_t t : {799, 300, 511, 512, 513, 255, 256, 257, 700, 100, 766, 767, 768, 600}) {
        const auto& pages = slices.size() % 2 == 0 ? first.pages : forked;
        slices.push_back({pages, t, 1, slices.size(), AttentionMask::kCausal, {}, 0});
      }
      std::vector<float> q, together(slices.size() * out_row);
      for (const AttentionSlice& slice : slices) {
        q.insert(q.end(), &a.q[slice.first_position * q_row], &a.q[slice.first_position * q_row] + q_row);
      }
      for (const OpFixture* context : {&two, &one, &four}) {
        attend(layout, slices, q.data(), q_row, together, **context);
        for (const AttentionSlice& slice : slices) {
          INFO(isa_name(isa) << " n_q " << shape.n_q << " position " << slice.first_position);
          std::vector<float> alone(out_row);
          AttentionSlice single = slice;
          single.first_row = 0;
          attend(layout, {&single, 1}, &q[slice.first_row * q_row], q_row, alone, *two);
          CHECK(std::memcmp(alone.data(), &together[slice.first_row * out_row], out_row * sizeof(float)) ==
                0);
        }
      }
    }
  }
}

TEST_CASE("a token that was left out of a shared block is not taken into a later one") {
  const std::size_t length = 520, count = 31;  // 8 q heads a K head: six tokens a unit, one is left
  const Case a = random_case({16, 2, 2, 16, 16, 0}, {length}, {length});
  const std::size_t q_row = 16 * 16;
  const OpFixture context(best_isa());
  const KvLayout layout{a.shape, DType::kF16};
  const Sequence first(layout, a.k, a.v, length, *context), second(layout, a.k, a.v, length, *context);
  std::vector<std::byte*> forked = second.pages;
  std::copy_n(first.pages.begin(), kBlockPages, forked.begin());
  std::vector<AttentionSlice> slices;
  std::vector<float> q;
  for (std::size_t i = 0; i < count; ++i) {
    slices.push_back({i < 19 ? forked : first.pages, length - 1, 1, i, AttentionMask::kCausal, {}, 0});
    q.insert(q.end(), a.q.end() - static_cast<std::ptrdiff_t>(q_row), a.q.end());
  }
  std::vector<float> out(count * q_row);
  attend(layout, slices, q.data(), q_row, out, *context);
  std::vector<float> alone(q_row);
  attend(layout, {slices.data(), 1}, q.data(), q_row, alone, *context);
  for (std::size_t i = 0; i < count; ++i) {
    INFO(i);
    CHECK(std::memcmp(alone.data(), &out[i * q_row], q_row * sizeof(float)) == 0);
  }
}

// ---- the published-shape vectors

std::filesystem::path vectors() { return vector_folder() / "sigma/attn"; }

// The least of a safetensors file: an 8-byte length, a JSON header, tensors.
class Tensors {
 public:
  explicit Tensors(const std::filesystem::path& path) : file_(path) {
    std::uint64_t length;
    std::memcpy(&length, file_.bytes().data(), 8);
    header_ = parse_json(file_.text().substr(8, length), path.string());
    data_ = file_.bytes().subspan(8 + length);
  }
  template <typename T>
  std::vector<T> read(const std::string& name) const {
    const Json& offsets = header_.at(name).at("data_offsets");
    const std::size_t begin = offsets.at(0), end = offsets.at(1);
    std::vector<T> values((end - begin) / sizeof(T));
    std::memcpy(values.data(), &data_[begin], end - begin);
    return values;
  }
  const Json& header() const { return header_; }

 private:
  MappedFile file_;
  Json header_;
  std::span<const std::byte> data_;
};

Case case_of(const Tensors& tensors) {
  const auto shape_of = [&](const char* name) { return tensors.header().at(name).at("shape"); };
  Case c;
  c.shape = {shape_of("q").at(1), shape_of("k").at(1), shape_of("v").at(1),
             shape_of("k").at(2), shape_of("v").at(2), 0};
  c.shape.scale = 1.0F / std::sqrt(static_cast<float>(c.shape.d_k));
  for (const std::int32_t n : tensors.read<std::int32_t>("q_lens")) c.q_lens.push_back(n);
  for (const std::int32_t n : tensors.read<std::int32_t>("k_lens")) c.k_lens.push_back(n);
  c.q = tensors.read<float>("q");
  c.k = tensors.read<float>("k");
  c.v = tensors.read<float>("v");
  return c;
}

TEST_CASE("selective V agrees with the DiffQKV vectors") {
  if (!std::filesystem::exists(vectors())) {
    WARN("skipped: no vectors at " << vectors());
    return;
  }
  std::size_t checked = 0;
  for (const char* name : {"selective_8_1_4_d32", "selective_8_2_4_dk16_dv32"}) {
    const Tensors tensors(vectors() / (std::string(name) + ".safetensors"));
    Case c = case_of(tensors);
    for (const std::size_t top : {1, 4, 16, 100}) {
      for (const SelectedWeights weights : {SelectedWeights::kRenormalised, SelectedWeights::kRaw}) {
        c.selection = {top, weights};
        const char* kind = weights == SelectedWeights::kRaw ? "raw" : "renorm";
        const std::vector<float> stored = tensors.read<float>(fmt::format("out_k{}_{}", top, kind));
        const std::vector<double> expected(stored.begin(), stored.end());
        std::vector<float> first;
        for (const Isa isa : usable_isas()) {
          INFO(name << " " << top << " " << kind << " " << isa_name(isa));
          const OpFixture one(isa, 1), two(isa, 2);
          const std::vector<float> out = attend_case(c, DType::kF32, *two);
          CHECK(worst_error(out, expected) < 2e-5);
          CHECK(attend_case(c, DType::kF32, *one) == out);
          if (first.empty()) first = out;
          CHECK(out == first);
          ++checked;
        }
      }
    }
  }
  CHECK(checked >= 16);
}

TEST_CASE("attention agrees with the DiffQKV vectors") {
  if (!std::filesystem::exists(vectors())) {
    WARN("skipped: no vectors at " << vectors());
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(vectors())) {
    const Tensors tensors(entry.path());
    const Case c = case_of(tensors);
    const std::vector<float> stored = tensors.read<float>("out");
    const std::vector<double> expected(stored.begin(), stored.end());
    const double limit = entry.path().filename().string().starts_with("decode_large") ? 1e-4 : 2e-5;
    for (const Isa isa : usable_isas()) {
      INFO(entry.path().filename() << " " << isa_name(isa));
      const OpFixture context(isa);
      CHECK(worst_error(attend_case(c, DType::kF32, *context), expected) < limit);
    }
  }
}

}  // namespace
}  // namespace micius
