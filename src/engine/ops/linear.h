// y = W x, with W packed once for the machine and the numerics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/ops/op_context.h"

namespace micius {

// One matrix of a stack. `row_order`, if not empty, has weights.rows entries: row i of the packed matrix is
// row row_order[i] of `weights`.
struct LinearPart {
  MatrixView weights;
  std::vector<std::uint32_t> row_order;
};

class Linear {
 public:
  // Stacks the parts by rows: the outputs of parts[0] come first. Parts may differ in dtype, not in cols.
  // Copies the weights into `memory`, which must outlive this; the views need not outlive this call. Throws
  // Error{kInvalidData} for parts that do not fit together.
  Linear(std::span<const LinearPart> parts, Numerics numerics, Arena& memory, const OpContext& context);
  ~Linear();
  Linear(Linear&&) noexcept;
  Linear& operator=(Linear&&) noexcept;

  std::size_t inputs() const;   // cols
  std::size_t outputs() const;  // rows of all parts
  std::size_t bytes() const;    // memory of the packed weights

  // x: [rows, inputs()], y: [rows, outputs()], both contiguous; rows = x.size() / inputs(). context.isa must
  // be the one given to the constructor. Several threads may call this at once, each with its own context.
  void apply(std::span<const float> x, std::span<float> y, const OpContext& context) const;

  // Row rows[i] of the stacked matrix, as it was before it was packed, widened (elementwise.h has
  // embedding_rows() of a matrix in its file). out: [rows.size(), inputs()]. Rows must be below outputs().
  void read_rows(std::span<const std::int32_t> rows, std::span<float> out, const OpContext& context) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// For llama-arch GGUF files, whose q and k rows are interleaved for RoPE on neighbours: the row_order that
// gives half-split rows. heads * head_dim entries.
std::vector<std::uint32_t> half_split_order(std::size_t heads, std::size_t head_dim);

}  // namespace micius
