#include "engine/ops/attention.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>
#include <vector>

#include "engine/ops/attention_internal.h"

namespace micius {
namespace {

// Below this many (token, q head) pairs the kernel for one token is the faster one.
constexpr std::size_t kFewColumns = 12;

AttentionKernels attention_kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx512) return attention_avx512();
  if (isa == Isa::kAvx2) return attention_avx2();
#endif
  assert(isa == Isa::kPlain);
  return attention_plain();
}

// Runs of q heads that share both heads, cut so that one token fits kColumns.
std::vector<HeadRange> make_cells(const AttentionShape& shape) {
  std::vector<HeadRange> cells;
  for (std::size_t begin = 0; begin < shape.n_q;) {
    std::size_t end = begin + 1;
    while (end < shape.n_q && end - begin < kColumns && shape.k_head(end) == shape.k_head(begin) &&
           shape.v_head(end) == shape.v_head(begin)) {
      ++end;
    }
    cells.push_back({begin, end});
    begin = end;
  }
  return cells;
}

// Runs of q heads that share a K head.
std::vector<HeadRange> make_scorers(const AttentionShape& shape) {
  std::vector<HeadRange> ranges;
  for (std::size_t k = 0; k < shape.n_k; ++k) {
    const HeadRange all = q_heads_of(k, shape.n_k, shape.n_q);
    for (std::size_t begin = all.begin; begin < all.end; begin += kSelectedHeads)
      ranges.push_back({begin, std::min(all.end, begin + kSelectedHeads)});
  }
  return ranges;
}

// Runs of q heads that share no K and no V head with others: gcd(n_k, n_v) of them where that divides n_q.
std::vector<HeadRange> make_groups(const AttentionShape& shape) {
  std::size_t groups = std::gcd(shape.n_k, shape.n_v);
  if (shape.n_q % groups != 0) groups = 1;
  std::vector<HeadRange> ranges;
  for (std::size_t g = 0; g < groups; ++g)
    ranges.push_back({g * shape.n_q / groups, (g + 1) * shape.n_q / groups});
  return ranges;
}

enum class Kernel { kToken, kColumns, kShared, kSelected };

struct Unit {
  const AttentionSlice* slice;  // of kShared that of its first token
  std::size_t token, tokens;    // within the slice; of kShared within Attend::sharers_
  HeadRange heads;
  Kernel kernel;
  std::size_t block_begin, block_end;
  // Of kToken: where the states of the first block go, in states, those of the others behind them; none: the
  // unit has all blocks of its token and writes the result. kShared writes to each token's Single::partial.
  std::optional<std::size_t> partial;
};

// A token of a slice that has few, and its blocks.
struct Single {
  const AttentionSlice* slice;
  std::size_t token, block_begin, block_end;
  std::size_t shared_end = 0;  // the blocks before it are read together with other tokens
  std::size_t partial = 0;     // of block_begin, if any block is a unit of its own

  const std::byte* const* pages(std::size_t block) const { return slice->pages.data() + block * kBlockPages; }
  std::size_t whole_blocks() const {  // from the first on, that it sees all of
    return slice->hidden(token) > 0 ? 0 : slice->seen(token) / kBlockTokens;
  }
};

class Attend {
 public:
  Attend(const KvLayout& layout, std::span<const AttentionSlice> slices, const float* q, std::size_t q_stride,
         std::span<float> out, const OpContext& context)
      : layout_(layout),
        kernels_(attention_kernels(context.isa)),
        cells_(make_cells(layout.shape)),
        groups_(make_groups(layout.shape)),
        q_(q),
        q_stride_(q_stride),
        out_(out) {
    plan(slices, context.pool.threads());
    run(context);
  }

 private:
  void plan(std::span<const AttentionSlice> slices, int threads);
  void plan_columns(const AttentionSlice& slice);
  void plan_few(const AttentionSlice& slice);
  void plan_shared();
  void plan_group(std::size_t block, std::span<const std::size_t> group, std::size_t width);
  void plan_singles(std::size_t enough);
  void run(const OpContext& context);
  void run_unit(const Unit& unit, float* scratch, float* partials) const;
  void run_token(const Unit& unit, float* scratch, float* partials) const;
  void run_shared(const Unit& unit, float* scratch, float* partials) const;
  void run_selected(const Unit& unit, float* scratch) const;
  void merge_unit(const Unit& unit, float* partials) const;

  std::size_t widest_cell() const {
    std::size_t most = 0;
    for (const HeadRange& cell : cells_) most = std::max(most, cell.end - cell.begin);
    return most;
  }
  const float* q_row(const AttentionSlice& slice, std::size_t token) const {
    return q_ + (slice.first_row + token) * q_stride_;
  }
  float* out_row(const AttentionSlice& slice, std::size_t token) const {
    return &out_[(slice.first_row + token) * layout_.shape.n_q * layout_.shape.d_v];
  }

  const KvLayout& layout_;
  AttentionKernels kernels_;
  std::vector<HeadRange> cells_, groups_;
  // A page is gone through faster than weights are.
  FetchAhead ahead_{2 * fetch_ahead().bytes, fetch_ahead().into};
  const float* q_;
  std::size_t q_stride_;
  std::span<float> out_;
  std::vector<Unit> units_;
  std::vector<Single> singles_;
  std::vector<std::size_t> sharers_;  // of singles_
  std::vector<Unit> merged_;          // tokens whose blocks are units of their own
  std::size_t partial_states_ = 0;
  std::size_t most_selected_ = 0;  // the largest `top` of kSelected
};

std::size_t blocks_of(std::size_t seen) { return (seen + kBlockTokens - 1) / kBlockTokens; }

void Attend::plan(std::span<const AttentionSlice> slices, int threads) {
  for (const AttentionSlice& slice : slices) {
    const bool many = slice.tokens * (cells_[0].end - cells_[0].begin) > kFewColumns;
    many&& slice.selection.top == 0 ? plan_columns(slice) : plan_few(slice);
  }
  plan_singles(threads > 1 ? 4 * static_cast<std::size_t>(threads) : 0);
  // The dear ones first, so that no thread is left with one at the end.
  std::stable_sort(units_.begin(), units_.end(), [](const Unit& a, const Unit& b) {
    return a.tokens * (a.block_end - a.block_begin) > b.tokens * (b.block_end - b.block_begin);
  });
}

void Attend::plan_few(const AttentionSlice& slice) {
  for (std::size_t token = 0; token < slice.tokens; ++token) {
    const std::size_t begin = slice.hidden(token) / kBlockTokens, end = blocks_of(slice.seen(token));
    const std::size_t visible = slice.seen(token) - slice.hidden(token);
    if (slice.selection.top == 0 || slice.selection.top >= visible) {
      singles_.push_back({&slice, token, begin, end});
      continue;
    }
    for (const HeadRange& heads : make_scorers(layout_.shape)) {
      units_.push_back({&slice, token, 1, heads, Kernel::kSelected, begin, end, std::nullopt});
    }
    most_selected_ = std::max(most_selected_, slice.selection.top);
  }
}

// Blocks that several tokens see, as those of sequences with a common beginning do: one unit for all.
void Attend::plan_shared() {
  struct Reader {
    std::size_t block, single;
    const std::byte* const* pages;
    bool same(const Reader& other) const {
      return block == other.block && std::equal(pages, pages + kBlockPages, other.pages);
    }
    bool operator<(const Reader& other) const {
      if (block != other.block) return block < other.block;
      return std::lexicographical_compare(pages, pages + kBlockPages, other.pages, other.pages + kBlockPages);
    }
  };
  std::vector<Reader> readers;
  for (std::size_t i = 0; i < singles_.size(); ++i) {
    for (std::size_t block = 0; block < singles_[i].whole_blocks(); ++block) {
      readers.push_back({block, i, singles_[i].pages(block)});
    }
  }
  std::stable_sort(readers.begin(), readers.end());
  const std::size_t width = widest_cell();
  for (auto first = readers.begin(); first != readers.end();) {
    const auto last = std::find_if(first, readers.end(), [&](const Reader& r) { return !r.same(*first); });
    const std::size_t block = first->block;
    std::vector<std::size_t> group;
    for (; first != last; ++first) {  // from its first block on, without a gap
      if (singles_[first->single].shared_end == block) group.push_back(first->single);
    }
    plan_group(block, group, width);
  }
}

// `group`: of singles_, that read the same block; `width`: of the widest cell. In as few units as there can
// be, of like size.
void Attend::plan_group(std::size_t block, std::span<const std::size_t> group, std::size_t width) {
  const std::size_t most = kColumns / width;
  const std::size_t count = group.size(), units = (count + most - 1) / most;
  for (std::size_t i = 0; i < units; ++i) {
    const std::span<const std::size_t> part =
        group.subspan(count * i / units, count * (i + 1) / units - count * i / units);
    if (part.size() * width <= kFewColumns) continue;
    units_.push_back({singles_[part.front()].slice,
                      sharers_.size(),
                      part.size(),
                      {0, layout_.shape.n_q},
                      Kernel::kShared,
                      block,
                      block + 1,
                      std::nullopt});
    for (const std::size_t single : part) singles_[single].shared_end = block + 1;
    sharers_.insert(sharers_.end(), part.begin(), part.end());
  }
}

// A unit with all heads reads whole pages; smaller ones where there are not `enough` for all threads.
void Attend::plan_singles(std::size_t enough) {
  std::size_t blocks = 0;
  for (const Single& single : singles_) blocks += single.block_end - single.block_begin;
  const std::vector<HeadRange> all = {{0, layout_.shape.n_q}};
  const std::vector<HeadRange>& groups = blocks < enough ? groups_ : all;
  if (blocks >= enough && singles_.size() > 1) plan_shared();
  const bool split = singles_.size() < enough;
  for (Single& single : singles_) {
    const std::size_t count = single.block_end - single.block_begin;
    const std::size_t own = std::max(single.block_begin, single.shared_end);
    const bool alone = single.shared_end == 0 && (!split || count == 1);
    if (!alone) single.partial = partial_states_;
    for (const HeadRange& heads : groups) {
      const std::size_t width = heads.end - heads.begin;
      Unit unit{single.slice,       single.token,     1,           heads, Kernel::kToken,
                single.block_begin, single.block_end, std::nullopt};
      if (alone) {
        units_.push_back(unit);
        continue;
      }
      unit.partial = partial_states_;
      merged_.push_back(unit);
      for (std::size_t block = own; block < single.block_end; block = unit.block_end) {
        unit.block_begin = block;
        unit.block_end = split ? block + 1 : single.block_end;
        unit.partial = partial_states_ + (block - single.block_begin) * width;
        units_.push_back(unit);
      }
      partial_states_ += count * width;
    }
  }
}

void Attend::plan_columns(const AttentionSlice& slice) {
  for (const HeadRange& heads : cells_) {
    const std::size_t most = kColumns / (heads.end - heads.begin);
    for (std::size_t token = 0; token < slice.tokens;) {
      const std::size_t begin = slice.hidden(token) / kBlockTokens, end = blocks_of(slice.seen(token));
      std::size_t tokens = std::min(most, slice.tokens - token);
      if (slice.mask == AttentionMask::kCausal) {
        tokens = std::min(tokens, end * kBlockTokens - slice.seen(token) + 1);
        while (slice.hidden(token + tokens - 1) / kBlockTokens > begin) --tokens;
      }
      units_.push_back({&slice, token, tokens, heads, Kernel::kColumns, begin, end, std::nullopt});
      token += tokens;
    }
  }
}

void Attend::run_token(const Unit& unit, float* scratch, float* partials) const {
  const std::size_t heads = unit.heads.end - unit.heads.begin, stride = state_floats(layout_);
  const std::size_t seen = unit.slice->seen(unit.token), hidden = unit.slice->hidden(unit.token);
  float *total = scratch, *states = scratch + heads * stride, *rest = states + heads * stride;
  const std::span<const std::byte* const> pages(unit.slice->pages.data(), unit.slice->pages.size());
  for (std::size_t block = unit.block_begin; block < unit.block_end; ++block) {
    const std::size_t first = block * kBlockTokens, index = block - unit.block_begin;
    float* const written = unit.partial ? partials + (*unit.partial + index * heads) * stride
                           : index == 0 ? total
                                        : states;
    kernels_.attend_token({layout_, pages.subspan(block * kBlockPages), ahead_,
                           hidden > first ? hidden - first : 0, std::min(kBlockTokens, seen - first),
                           q_row(*unit.slice, unit.token), unit.heads, written, rest});
    if (written != states) continue;
    for (std::size_t h = 0; h < heads; ++h) kernels_.merge(layout_, total + h * stride, states + h * stride);
  }
  if (unit.partial) return;
  float* out = out_row(*unit.slice, unit.token) + unit.heads.begin * layout_.shape.d_v;
  for (std::size_t h = 0; h < heads; ++h)
    kernels_.finish(layout_, total + h * stride, out + h * layout_.shape.d_v);
}

void Attend::run_shared(const Unit& unit, float* scratch, float* partials) const {
  const float* q[kColumns];
  float* states[kColumns];
  for (std::size_t i = 0; i < unit.tokens; ++i) {
    const Single& single = singles_[sharers_[unit.token + i]];
    q[i] = q_row(*single.slice, single.token);
    states[i] = partials + (single.partial + unit.block_begin * layout_.shape.n_q) * state_floats(layout_);
  }
  for (const HeadRange& cell : cells_) {
    kernels_.attend_shared({layout_,
                            unit.slice->pages.data() + unit.block_begin * kBlockPages,
                            cell,
                            {q, unit.tokens},
                            {states, unit.tokens},
                            scratch});
  }
}

void Attend::run_selected(const Unit& unit, float* scratch) const {
  const AttentionSlice& slice = *unit.slice;
  const std::size_t hidden = slice.hidden(unit.token), seen = slice.seen(unit.token);
  const std::size_t top = slice.selection.top;
  float* const scores = scratch + selected_scratch_floats(layout_);
  auto* const positions = reinterpret_cast<std::uint32_t*>(scores + kSelectedHeads * candidates_of(top));
  kernels_.attend_selected({layout_, slice.pages.data(), ahead_, hidden, seen, top, slice.selection.weights,
                            unit.heads, q_row(slice, unit.token), out_row(slice, unit.token), scratch, scores,
                            positions});
}

void Attend::merge_unit(const Unit& unit, float* partials) const {
  const std::size_t heads = unit.heads.end - unit.heads.begin, stride = state_floats(layout_);
  for (std::size_t h = 0; h < heads; ++h) {
    float* total = partials + (*unit.partial + h) * stride;
    for (std::size_t block = 1; block < unit.block_end - unit.block_begin; ++block) {
      kernels_.merge(layout_, total, total + block * heads * stride);
    }
    kernels_.finish(layout_, total,
                    out_row(*unit.slice, unit.token) + (unit.heads.begin + h) * layout_.shape.d_v);
  }
}

void Attend::run_unit(const Unit& unit, float* scratch, float* partials) const {
  if (unit.kernel == Kernel::kToken) return run_token(unit, scratch, partials);
  if (unit.kernel == Kernel::kShared) return run_shared(unit, scratch, partials);
  if (unit.kernel == Kernel::kSelected) return run_selected(unit, scratch);
  const AttentionSlice& slice = *unit.slice;
  kernels_.attend_columns({layout_, slice.pages.data(), unit.tokens, slice.seen(unit.token),
                           slice.mask == AttentionMask::kCausal ? std::size_t{1} : 0, slice.window,
                           unit.heads, q_row(slice, unit.token), q_stride_, out_row(slice, unit.token),
                           scratch});
}

void Attend::run(const OpContext& context) {
  const std::size_t stride = state_floats(layout_);
  const std::size_t token_floats = 2 * layout_.shape.n_q * stride + token_scratch_floats(layout_);
  const std::size_t selected_floats =  // with the candidates' scores and positions
      selected_scratch_floats(layout_) + 2 * kSelectedHeads * candidates_of(most_selected_);
  const std::size_t each =
      (std::max({token_floats, column_scratch_floats(layout_), selected_floats}) + 15) / 16 * 16;
  const std::size_t threads = context.pool.threads();
  auto* scratch = reinterpret_cast<float*>(
      context.scratch.get((each * threads + partial_states_ * stride) * sizeof(float)));
  float* partials = scratch + each * threads;
  context.pool.run(units_.size(), [&](std::size_t i, int thread) {
    run_unit(units_[i], scratch + each * thread, partials);
  });
  context.pool.parallel_for(merged_.size(), 2, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) merge_unit(merged_[i], partials);
  });
}

// convert(x, n, out) writes n elements.
template <typename T, typename Convert>
void store_token(const KvLayout& layout, std::byte* page, std::size_t slot, std::span<const float> k,
                 std::span<const float> v, Convert convert) {
  constexpr std::size_t kAtOnce = 64;
  const AttentionShape& shape = layout.shape;
  T* const elements = reinterpret_cast<T*>(page);
  for (std::size_t h = 0; h < shape.n_k; ++h) {
    T* tile = elements + layout.k_tile(h) + slot;
    for (std::size_t d = 0; d < shape.d_k; d += kAtOnce) {
      T converted[kAtOnce];
      const std::size_t count = std::min(kAtOnce, shape.d_k - d);
      convert(&k[h * shape.d_k + d], count, converted);
      for (std::size_t i = 0; i < count; ++i) tile[(d + i) * kPageTokens] = converted[i];
    }
  }
  for (std::size_t h = 0; h < shape.n_v; ++h)
    convert(&v[h * shape.d_v], shape.d_v, elements + layout.v_tile(h) + slot * layout.v_stride());
}

// x = scale * code, code from -127 to 127; places are `stride` bytes apart. NaN has to give some code.
void store_codes(std::span<const float> x, std::byte* codes, std::size_t stride, std::byte* scale_place) {
  float largest = 0;
  for (const float value : x) largest = std::max(largest, std::fabs(value));
  const float scale = largest / 127, inverse = scale > 0 ? 1 / scale : 0;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const float q = x[d] * inverse;
    codes[d * stride] = static_cast<std::byte>(
        static_cast<std::int8_t>(q > -127 ? (q < 127 ? std::nearbyint(q) : 127.0F) : -127.0F));
  }
  std::memcpy(scale_place, &scale, sizeof scale);
}

void store_token_codes(const KvLayout& layout, std::byte* page, std::size_t slot, std::span<const float> k,
                       std::span<const float> v) {
  const AttentionShape& shape = layout.shape;
  const auto scale_place = [&](std::size_t head) {
    return page + layout.scales(head) + slot * sizeof(float);
  };
  for (std::size_t h = 0; h < shape.n_k; ++h) {
    store_codes(k.subspan(h * shape.d_k, shape.d_k), page + layout.k_tile(h) + slot, kPageTokens,
                scale_place(h));
  }
  for (std::size_t h = 0; h < shape.n_v; ++h) {
    store_codes(v.subspan(h * shape.d_v, shape.d_v), page + layout.v_tile(h) + slot * layout.v_stride(), 1,
                scale_place(shape.n_k + h));
  }
}

}  // namespace

void store_kv(const KvLayout& layout, std::byte* page, std::size_t slot, std::span<const float> k,
              std::span<const float> v, const OpContext& context) {
  assert(slot < kPageTokens && k.size() == layout.shape.n_k * layout.shape.d_k);
  assert(v.size() == layout.shape.n_v * layout.shape.d_v);
  if (layout.dtype == DType::kF32) {
    store_token<float>(layout, page, slot, k, v,
                       [](const float* x, std::size_t n, float* out) { std::copy_n(x, n, out); });
  } else if (layout.dtype == DType::kF16) {
    store_token<std::uint16_t>(layout, page, slot, k, v, attention_kernels(context.isa).narrow);
  } else {
    store_token_codes(layout, page, slot, k, v);
  }
}

void attend(const KvLayout& layout, std::span<const AttentionSlice> slices, const float* q,
            std::size_t q_stride, std::span<float> out, const OpContext& context) {
  Attend(layout, slices, q, q_stride, out, context);
}

}  // namespace micius
