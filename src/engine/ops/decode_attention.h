// Attention of one new token of each sequence, for a GPU: what is read, in which layout, and by which block.
//
// Heads fall into gcd(n_k, n_v) super-groups: q, K and V heads that see none of the others'. A block reads
// the keys and values of a run of tokens of one super-group, each once, whatever the number of q heads. The
// work of a call is cut into equal runs for the blocks of one wave; where several blocks share a (sequence,
// super-group), the last of them to end sums up (split-KV: Dao et al., Flash-Decoding, 2023; stream-K's equal
// runs: Osama et al., 2023).
//
// A page holds 64 tokens: [super-groups][4 parts of 16 tokens][K heads, then V heads of the super-group][16
// tokens][d]. So what a block reads next is one contiguous run, and 16 tokens are what one matrix instruction
// takes. Rows are padded with zeros. The 16-byte chunks of a part are swizzled, so that reading 8 rows at
// once meets no two of one bank in shared memory, whatever the length of a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "engine/kv_page.h"
#include "engine/tensor.h"

namespace micius {

inline constexpr std::uint32_t kPartTokens = 16;
inline constexpr std::uint32_t kPageParts = kPageTokens / kPartTokens;

// An AttentionShape in the words of a GPU, and the sizes that follow from it. Heads count from the first of
// their super-group; rows and offsets are in bytes.
struct DecodeLayout {
  DecodeLayout() = default;
  // dtype: kF16 or kBF16. Throws Error{kUnsupported} for another, or heads and dims that no kernel is built
  // for.
  DecodeLayout(const AttentionShape& shape, DType dtype);

  std::uint32_t n_q = 0, n_k = 0, n_v = 0, d_k = 0, d_v = 0;
  float scale = 0;
  bool bf16 = false;
  std::uint32_t groups = 0;   // super-groups
  std::uint32_t most_q = 0;   // q heads of the largest
  std::uint32_t k_tiles = 0;  // of 16 dims, as many as there is a kernel for
  std::uint32_t v_tiles = 0;
  std::uint32_t part_bytes = 0;
  std::uint32_t k_a_q = 0, v_a_q = 0;  // n_k / n_q and n_v / n_q as the parts of 2^32, rounded up
  std::uint32_t one_a_group = 0;       // 1 / groups likewise

  std::uint32_t k_heads = 0, v_heads = 0;  // of a super-group
  constexpr std::uint32_t first_q(std::uint32_t group) const {
    return groups == 1 ? group * n_q : times(group * n_q + groups - 1, one_a_group);
  }
  constexpr std::uint32_t q_heads(std::uint32_t group) const { return first_q(group + 1) - first_q(group); }
  // Of the q head `q` of `group`.
  constexpr std::uint32_t k_head(std::uint32_t group, std::uint32_t q) const {
    return (n_k == n_q ? first_q(group) + q : times(first_q(group) + q, k_a_q)) - group * k_heads;
  }
  constexpr std::uint32_t v_head(std::uint32_t group, std::uint32_t q) const {
    return (n_v == n_q ? first_q(group) + q : times(first_q(group) + q, v_a_q)) - group * v_heads;
  }
  constexpr std::uint32_t k_row() const { return k_tiles * 32; }
  constexpr std::uint32_t v_row() const { return v_tiles * 32; }
  constexpr std::uint32_t k_tile(std::uint32_t head) const { return head * kPartTokens * k_row(); }
  constexpr std::uint32_t v_tile(std::uint32_t head) const {
    return kPartTokens * (k_heads * k_row() + head * v_row());
  }
  constexpr std::uint32_t group_bytes() const { return kPageParts * part_bytes; }
  constexpr std::size_t page_bytes() const { return std::size_t{groups} * group_bytes(); }
  std::uint32_t column_tiles() const { return (most_q + 7) / 8; }
  bool operator==(const DecodeLayout&) const = default;

 private:
  // floor(x y) for a fraction y as above: exact while x is less than 2^16 and so is the fraction's divisor.
  static constexpr std::uint32_t times(std::uint32_t x, std::uint32_t y) {
    return static_cast<std::uint32_t>(std::uint64_t{x} * y >> 32);
  }
};

// Of a block, at most. Two blocks of 9 warps find room on a multiprocessor: 112 registers for a thread.
inline constexpr std::uint32_t kDecodeThreads = 576;

// Tiles of 16 dims that the kernel is built for: of K, and of V.
inline constexpr std::uint32_t kDecodeTiles[][2] = {{1, 1}, {1, 2}, {2, 2}, {2, 4}, {4, 4}, {4, 8}, {8, 8}};

// Where byte `offset` of a part is: bits 4 to 6 change with the 128-byte line.
constexpr std::uint32_t swizzled(std::uint32_t offset) { return offset ^ ((offset >> 3) & 0x70U); }

// Writes one token into slot `slot` (0 to 63) of a page in host memory. Slots that no token was written to
// must hold finite values: a page starts as zeroed memory. k: [n_k, d_k], RoPE applied; v: [n_v, d_v].
void store_decode_kv(const DecodeLayout& layout, std::byte* page, std::size_t slot, std::span<const float> k,
                     std::span<const float> v);

// The tokens `begin` to `end` - 1 of one sequence are seen by its new token, which is the last of them.
struct DecodeSequence {
  std::uint32_t first_page = 0;  // where its page numbers begin in the list of them
  std::uint32_t begin = 0, end = 0;
};

// How a kernel is run.
struct DecodeTuning {
  std::uint32_t blocks = 0;  // at most, of a call; a little fewer where then no block has to turn to a second
                             // (sequence, super-group)
  std::uint32_t warps = 8;   // that share the tokens, for each 8 q heads
  std::uint32_t parts = 1;   // of 16 tokens, in a stage: 1, 2 or 4
  // Under way at a time: with bulk copies a multiple of warps, so that a slot of the ring is always the same
  // warp's; without, 1 to 4 of each warp.
  std::uint32_t stages = 0;
  std::uint32_t least_stages = 1;  // that a block is worth starting for
  // Starts while the kernel before it in the stream ends: only q and the newest token's keys and values may
  // be what that one writes.
  bool overlap = false;
  bool bulk = false;  // bulk copies by a warp of its own (sm_90), else cp.async by each warp
  bool operator==(const DecodeTuning&) const = default;
};

// Good sizes for a GPU of `blocks` multiprocessors with `shared_bytes` of shared memory for a block.
// Throws Error{kUnsupported} if that is too little.
DecodeTuning decode_tuning(const DecodeLayout& layout, std::uint32_t blocks, std::uint32_t shared_bytes,
                           bool bulk);

// What one block does at one (sequence, super-group): the tokens begin to end - 1.
struct DecodeSegment {
  std::uint32_t sequence = 0, group = 0;
  std::uint32_t first_page = 0, begin = 0, end = 0;
  std::uint32_t item = 0;     // the (sequence, super-group)
  std::uint32_t splits = 0;   // segments that the item has
  std::uint32_t first = 0;    // the first of the item's splits in the list of partial results
  std::uint32_t partial = 0;  // its own
  std::uint32_t next = 0;     // segment of the same block; 0: none
};

struct DecodePlan {
  std::vector<DecodeSegment> segments;  // the first of each block, then the others
  std::uint32_t blocks = 0, items = 0, partials = 0;
};

// Every sequence must see at least one token.
DecodePlan decode_plan(const DecodeLayout& layout, std::span<const DecodeSequence> sequences,
                       const DecodeTuning& tuning);

// What a kernel is given. All memory is the device's, but in the emulation.
struct DecodeArgs {
  DecodeLayout layout;
  DecodeTuning tuning;
  const float* q = nullptr;              // [sequences, n_q, d_k], RoPE applied, not scaled
  const std::byte* pages = nullptr;      // [page number][page_bytes]
  const std::uint32_t* table = nullptr;  // page numbers of all sequences
  const DecodeSegment* segments = nullptr;
  float* out = nullptr;              // [sequences, n_q, d_v]
  float* lse = nullptr;              // [sequences, n_q], of the scaled scores; null: not wanted
  float* partials = nullptr;         // [partials, most_q, 16 v_tiles]
  float* sums = nullptr;             // [partials, most_q, 2]: reference, sum
  std::uint32_t* tickets = nullptr;  // [items], zeros before and after
  bool operator==(const DecodeArgs&) const = default;
};

// The shared memory of a block, in bytes from its start.
struct DecodeShared {
  explicit constexpr DecodeShared(const DecodeLayout& layout, const DecodeTuning& tuning, std::uint32_t tiles)
      : warps(tiles * tuning.warps),
        stage(tuning.parts * layout.part_bytes),
        row(layout.v_tiles * 64 + 16),
        merge((tuning.bulk ? 1 : warps) * tuning.stages * stage),
        sums(merge + warps * 8 * row),
        full(sums + warps * 8 * 8),
        empty(full + tuning.stages * 8),
        ticket(empty + tuning.stages * 8),
        bytes(ticket + 16) {}

  std::uint32_t warps;  // that calculate
  std::uint32_t stage;
  std::uint32_t row;          // of one q head's result in `merge`
  std::uint32_t merge;        // [warps, 8 q heads, row]
  std::uint32_t sums;         // [warps, 8 q heads, 2 floats]
  std::uint32_t full, empty;  // [stages] barriers
  std::uint32_t ticket, bytes;
};

// A decode step, in host memory.
struct DecodeInputs {
  DecodeLayout layout;
  std::span<const float> q;              // [sequences, n_q, d_k]
  std::span<const std::byte> pages;      // [pages][page_bytes]
  std::span<const std::uint32_t> table;  // page numbers
  std::span<const DecodeSequence> sequences;
};
struct DecodeResults {
  std::vector<float> out;  // [sequences, n_q, d_v]
  std::vector<float> lse;  // [sequences, n_q]
};

constexpr std::uint32_t decode_threads(const DecodeShared& shared, const DecodeTuning& tuning) {
  return 32 * (shared.warps + (tuning.bulk ? 1 : 0));
}

}  // namespace micius
