// One new token of each sequence of a batch, some of which begin alike: the keys and values of a common
// beginning are read once for all of them by the prefill kernel, each sequence's rest by the
// decode kernel, and a merge sums up.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/ops/decode_attention.h"
#include "engine/ops/prefill_attention.h"

namespace micius {

// Positions begin to end - 1, which the tokens of `rows` all see. Those of one row do not overlap: a few-shot
// header and a question under it are two prefixes.
struct SharedPrefix {
  std::uint32_t first_page = 0;  // of position 0: where its page numbers begin in the list of them
  std::uint32_t begin = 0, end = 0;
  std::vector<std::uint32_t> rows;  // of q, which are the sequences of the decode step
};

// Those of sequences that have their first pages in common, as forks have: a tree of them, whose rows are
// numbers of sequences. A prefix is whole pages, in front of the page of the new token, that spare reading
// at least `least_pages` pages again. table: page numbers of all sequences. Sequences that do not see
// position 0 share nothing.
std::vector<SharedPrefix> shared_prefixes(std::span<const DecodeSequence> sequences,
                                          std::span<const std::uint32_t> table, std::size_t least_pages);

// A step: the prefill kernel over `prefixes`, whose results take the first rows of the parts; the decode
// kernel, whose results take the rows from first_suffix on and whose sequences begin behind their prefixes;
// then the merge.
struct SharedPrefixPlan {
  std::vector<PrefillToken> tokens;
  PrefillPlan prefixes;
  std::uint32_t first_suffix = 0;                       // = part rows of the prefixes
  std::vector<std::uint32_t> merge_first, merge_parts;  // as AttentionMergeArgs has them
};

// `rows`: of the step; `blocks`: that the GPU runs at a time.
SharedPrefixPlan shared_prefix_plan(const DecodeLayout& layout, std::span<const SharedPrefix> prefixes,
                                    std::uint32_t rows, const PrefillTuning& tuning, std::uint32_t blocks);

}  // namespace micius
