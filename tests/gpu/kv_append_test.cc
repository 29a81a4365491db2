#include "engine/ops/kv_append.h"

#include <cmath>
#include <cstring>
#include <numeric>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "engine/op_fixture.h"
#include "engine/ops/kv_append_kernel.h"
#include "gpu/kernel_run.h"

namespace micius {
namespace {

using emulation::EmulatedLanes;

// As a product of Q, K and V together leaves them: a token's row holds all three.
struct NewTokens {
  std::size_t count = 0, stride = 0, k_at = 0, v_at = 0;
  std::vector<float> rows;
  std::vector<std::uint32_t> slots;

  NewTokens(const DecodeLayout& layout, std::size_t tokens, std::size_t pages)
      : count(tokens),
        stride(5 + layout.n_k * layout.d_k + layout.n_v * layout.d_v + 2),
        k_at(5),
        v_at(5 + layout.n_k * layout.d_k),
        rows(random_floats(tokens * stride, "append/rows")),
        slots(pages * kPageTokens) {
    std::iota(slots.begin(), slots.end(), 0U);
    Rng rng("append/slots");
    rng.shuffle(slots);
    slots.resize(tokens);
  }
};

// On the emulation; the slots' bytes come from `pages`.
void append(const DecodeLayout& layout, const NewTokens& tokens, Buffer& pages) {
  KernelRun run;
  const float* const rows = run.in(tokens.rows);
  const KvAppendArgs args{layout,
                          rows + tokens.k_at,
                          rows + tokens.v_at,
                          static_cast<std::uint32_t>(tokens.stride),
                          static_cast<std::uint32_t>(tokens.stride),
                          run.in(tokens.slots),
                          run.out(pages)};
  run.start({static_cast<unsigned>(tokens.count), kAppendThreads, 0}, [&](EmulatedLanes& lanes) {
    layout.bf16 ? kv_append<EmulatedLanes, BF16>(lanes, args) : kv_append<EmulatedLanes, F16>(lanes, args);
  });
}

TEST_CASE("appended keys and values are where the attention kernels read them") {
  const AttentionShape shapes[] = {{32, 4, 16, 64, 64, 1},
                                   {8, 4, 2, 32, 64, 1},
                                   {12, 2, 3, 24, 40, 1},
                                   {9, 2, 4, 7, 5, 1},
                                   {4, 4, 4, 128, 128, 1}};
  for (const AttentionShape& shape : shapes) {
    for (const DType dtype : {DType::kF16, DType::kBF16}) {
      const DecodeLayout layout(shape, dtype);
      const NewTokens tokens(layout, 37, 2);
      Buffer pages(2 * layout.page_bytes()), expected(2 * layout.page_bytes());
      append(layout, tokens, pages);
      for (std::size_t t = 0; t < tokens.count; ++t) {
        const auto row = std::span(tokens.rows).subspan(t * tokens.stride);
        store_decode_kv(layout, expected.data() + tokens.slots[t] / kPageTokens * layout.page_bytes(),
                        tokens.slots[t] % kPageTokens, row.subspan(tokens.k_at, shape.n_k * shape.d_k),
                        row.subspan(tokens.v_at, shape.n_v * shape.d_v));
      }
      INFO(shape.n_q << "/" << shape.n_k << "/" << shape.n_v << " heads of " << shape.d_k << "/"
                     << shape.d_v);
      CHECK(std::memcmp(pages.data(), expected.data(), pages.size()) == 0);
    }
  }
}

TEST_CASE("a slot that is out of bounds is faulted") {
  const DecodeLayout layout({8, 1, 4, 32, 32, 1}, DType::kF16);
  NewTokens tokens(layout, 3, 1);
  tokens.slots[1] = kPageTokens;
  Buffer pages(layout.page_bytes());
  CHECK_THROWS_WITH(append(layout, tokens, pages),
                    Catch::Matchers::Contains("of global memory out of bounds"));
}

TEST_CASE("pages are copied whole, and no others are touched") {
  const DecodeLayout layout({12, 2, 3, 24, 40, 1}, DType::kF16);
  constexpr std::size_t kPages = 7;
  Buffer pages(kPages * layout.page_bytes());
  Rng rng("copy/pages");
  for (std::size_t i = 0; i < pages.size(); ++i) pages.data()[i] = static_cast<std::byte>(rng.below(256));
  std::vector<std::byte> expected(pages.data(), pages.data() + pages.size());
  const std::vector<KvPageCopy> copies{{6, 0}, {1, 3}, {6, 4}};
  for (const KvPageCopy& copy : copies) {
    std::memcpy(expected.data() + copy.to * layout.page_bytes(),
                pages.data() + copy.from * layout.page_bytes(), layout.page_bytes());
  }
  KernelRun run;
  const KvCopyArgs args{layout, run.in(copies), run.out(pages)};
  run.start({kv_copy_blocks(layout, 3), kAppendThreads, 0},
            [&](EmulatedLanes& lanes) { kv_copy(lanes, args); });
  CHECK(std::memcmp(pages.data(), expected.data(), expected.size()) == 0);
}

}  // namespace
}  // namespace micius
