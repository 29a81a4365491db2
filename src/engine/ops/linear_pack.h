// A matrix of a model file in the layout that the kernels of linear layers read.
#pragma once

#include <cstddef>
#include <span>

#include "engine/ops/linear.h"
#include "engine/ops/linear_internal.h"

namespace micius {

// Throws Error{kInvalidData} for a row_order of another length than the rows.
void check_row_order(const LinearPart& part);

// Copies the weights into `memory`, which must outlive the result. Throws as
// check_row_order, and Error{kInvalidData} for columns that are not whole blocks.
PackedPart pack_linear(const LinearPart& part, Numerics numerics, std::size_t first_output, Arena& memory,
                       ThreadPool& pool);

// Row `row` of the packed matrix, widened to out.size() == part.cols values: those that dequantize() gives of
// the row that was packed, but that a negative zero may have become a positive one.
void unpack_row(const PackedPart& part, std::size_t row, std::span<float> out);

}  // namespace micius
