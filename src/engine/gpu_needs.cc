#include "engine/gpu_needs.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/format.h"
#include "engine/model/gpu_attention.h"
#include "engine/model/gpu_decoder.h"
#include "engine/ops/linear_gpu.h"
#include "engine/ops/logits_gpu.h"

namespace micius {
namespace {

constexpr std::size_t kLeastBatch = 32;

std::size_t weight_bytes(const ModelSource& source) {
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : source.tensors()) {
    if (tensor.rows == 1) {  // a norm or a bias
      bytes += tensor.cols * sizeof(float);
      continue;
    }
    const LinearPart part{tensor, {}};
    const TiledWeights tiles{nullptr, tile_format({&part, 1}), static_cast<std::uint32_t>(tensor.rows),
                             static_cast<std::uint32_t>(tensor.cols)};
    bytes += std::size_t{tiles.row_tiles()} * tiles.column_tiles() * tile_words(tiles.format) *
             sizeof(std::uint32_t);
  }
  return bytes;
}

// Values of a row that the pass holds at a time: the residual stream, what linears give and what they take.
std::size_t row_values(const ModelConfig& config) {
  const AttentionShape& shape = config.attention;
  const std::size_t qkv = shape.n_q * config.d_q + shape.n_k * shape.d_k + shape.n_v * shape.d_v;
  const std::size_t heads = shape.n_q * std::max(shape.d_k, shape.d_v);
  const std::size_t inner = std::max(config.ffn, config.augmented_q);
  return 3 * config.hidden + qkv + 3 * heads + 2 * inner + std::max({config.hidden, heads, inner});
}

}  // namespace

GpuNeeds gpu_needs(const ModelSource& source, const ModelConfig& config, const GpuUse& use,
                   const GpuFigures& figures) {
  const DecodeLayout layout = GpuDecoder::kv_layout(config);
  const std::size_t blocks = use.kv_bytes / (config.layers * layout.page_bytes());
  const std::size_t positions = std::min(config.context, blocks * kPageTokens);  // of a sequence at most
  const AttentionRoomBytes attention = attention_room_bytes(layout, figures, use.selection, positions);
  const std::size_t rope_tables = config.window_period > 0 ? 2 : 1;
  const std::size_t turns = 2 * positions * config.attention.d_k;  // a table that grows is doubled
  const std::size_t tiles = (config.vocabulary + TiledWeights::kOutputs - 1) / TiledWeights::kOutputs;
  return {
      .weights = weight_bytes(source),
      .kv = use.kv_bytes,
      .batch = (use.logit_rows * config.vocabulary + rope_tables * turns) * sizeof(float) + attention.batch,
      .token = row_values(config) * sizeof(float) + tiles * sizeof(LogitPartial) + attention.token};
}

std::size_t fitting_batch(const GpuNeeds& needs, std::size_t most, const ModelSource& source,
                          const Device& device) {
  const std::size_t free = device.free_bytes(), least = std::min(most, kLeastBatch);
  std::size_t tokens = most;
  while (tokens > least && needs.total(tokens) > free) tokens = std::max(tokens / 2, least);
  if (needs.total(tokens) <= free) return tokens;
  const std::size_t without_kv = needs.total(least) - needs.kv;
  const std::size_t kv_megabytes = (std::max(free, without_kv) - without_kv) >> 20;
  const std::string next =
      kv_megabytes > 0
          ? fmt::format("leave {} MB or less to keys and values (--kv-memory; of bench: -d and -s)",
                        kv_megabytes)
          : "use weights of fewer bits (micius model convert), a smaller model or --device cpu";
  fail(
      ErrorCode::kIo,
      "{}: about {} of the GPU's memory for weights, {} for keys and values and {} for a batch of {} tokens; "
      "of {} there are {} free; {}",
      source.file(), format_bytes(needs.weights), format_bytes(needs.kv),
      format_bytes(needs.total(least) - needs.weights - needs.kv), least, device.figures().name,
      format_bytes(free), next);
}

}  // namespace micius
