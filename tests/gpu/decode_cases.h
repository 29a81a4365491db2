// Decode attention as tests ask for it: random or given keys and values in pages, and what must come out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ops/decode_attention.h"
#include "gpu/emulated_device.h"

namespace micius {

// Keys, values and queries of one step.
struct DecodeCase {
  AttentionShape shape;
  DType dtype = DType::kF16;
  std::vector<std::size_t> lengths;  // of the sequences
  std::size_t window = 0;            // 0: all
  std::vector<float> q;              // [sequences, n_q, d_k]
  std::vector<float> k, v;           // [all tokens, n_k, d_k], [all tokens, n_v, d_v]

  std::string name() const;
};

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
  std::vector<DecodeSequence> sequences_;
  DecodeInputs inputs_;
};

// In fp64, of the keys and values as the pages hold them.
struct DecodeExpected {
  std::vector<double> out, lse;
  double tolerance = 0;  // of out: the rounding of q, in two parts, and of the weights
  double lse_tolerance = 0;
};
DecodeExpected expected_results(const DecodeCase& c);

// Number of results farther from `expected` than the tolerance, or not finite; -1 if there are too few or
// many.
long wrong_results(const DecodeResults& results, const DecodeExpected& expected);

DecodeResults decode_emulated(const DecodeInputs& inputs, const DecodeTuning& tuning,
                              emulation::Arrival arrival, std::string_view seed);

}  // namespace micius
