// The attention vectors of DiffQKV models as cases of these tests.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/ops/value_selection.h"
#include "gpu/decode_cases.h"

namespace micius {

struct AttentionVector {
  std::string name;             // of its file
  DecodeCase c;                 // a query for each of its rows
  std::vector<float> out, lse;  // as DecodeExpected has them, of keys and values in fp32

  // What there is for selective V: out_k{top}_{renorm,raw}.
  std::vector<float> selected(const ValueSelection& selection) const;
};

// All of them, by name; none, with a warning, where there are no vectors.
std::vector<AttentionVector> attention_vectors();

// How far keys and values as the pages hold them move the vector's results, checked against what their
// rounding can do. expected: of vector.c.
double rounding_of(const AttentionVector& vector, const DecodeExpected& expected);

}  // namespace micius
