// Decode attention as tests ask for it: random or given keys and values in pages, and what must come out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ops/decode_attention.h"
#include "gpu/emulated_device.h"

namespace micius {

// A token that sees positions of its sequence up to `end` - 1, which is its own.
struct DecodeQuery {
  std::size_t sequence = 0, end = 0;
};

// Keys, values and queries of one step.
struct DecodeCase {
  AttentionShape shape;
  DType dtype = DType::kF16;
  std::vector<std::size_t> lengths;  // of the sequences
  std::size_t window = 0;            // 0: all
  std::vector<DecodeQuery> queries;
  std::vector<float> q;     // [queries, n_q, d_k]
  std::vector<float> k, v;  // [all tokens, n_k, d_k], [all tokens, n_v, d_v]

  std::string name() const;
  // The first position that a query sees.
  std::size_t begin(const DecodeQuery& query) const {
    return window > 0 && query.end > window ? query.end - window : 0;
  }
  std::size_t first_token(std::size_t sequence) const;  // in k and v
};

// The queries are the last `new_tokens` of each sequence.
DecodeCase random_chunk_case(const AttentionShape& shape, DType dtype, std::vector<std::size_t> lengths,
                             const std::vector<std::size_t>& new_tokens, std::string_view name);
// The last one of each.
DecodeCase random_decode_case(const AttentionShape& shape, DType dtype, std::vector<std::size_t> lengths,
                              std::string_view name);

// The case in pages, which lie in no order, beside pages of others; slots behind a sequence's end hold random
// values.
class PagedCase {
 public:
  explicit PagedCase(const DecodeCase& c);
  const DecodeInputs& inputs() const { return inputs_; }

 private:
  std::vector<float> q_;
  Buffer pages_;
  std::vector<std::uint32_t> table_;
  std::vector<DecodeSequence> sequences_;  // one for each query
  DecodeInputs inputs_;
};

// A q head's scaled scores in fp64, of the keys as the pages hold them: positions begin() to end - 1.
struct HeadScores {
  std::vector<double> scores;
  double size = 0;  // the largest sum of the products' sizes
};
HeadScores head_scores(const DecodeCase& c, std::size_t query, std::size_t head);
// As the pages hold it.
double stored_value(const DecodeCase& c, std::size_t sequence, std::size_t position, std::size_t q_head,
                    std::size_t dim);

// In fp64, of the keys and values as the pages hold them.
struct DecodeExpected {
  std::vector<double> out, lse;  // [queries, n_q, d_v], [queries, n_q]
  double tolerance = 0;          // of out: the rounding of q, in two parts, and of the weights
  double lse_tolerance = 0;
};
DecodeExpected expected_results(const DecodeCase& c);

// Number of results farther from `expected` than the tolerance, or not finite; -1 if there are too few or
// many.
long wrong_results(const DecodeResults& results, const DecodeExpected& expected);

DecodeResults decode_emulated(const DecodeInputs& inputs, const DecodeTuning& tuning,
                              emulation::Arrival arrival, std::string_view seed);

}  // namespace micius
