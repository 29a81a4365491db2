#include "engine/model/gpu_weights.h"

#include <utility>

#include "engine/model/gpu_packer_internal.h"
#include "engine/model/weight_reader_internal.h"

namespace micius {
GpuMatrix::GpuMatrix(std::span<const LinearPart> parts, Device& device, ThreadPool& pool) {
  const TileFormat format = tile_format(parts);
  std::size_t outputs = 0;
  for (const LinearPart& part : parts) outputs += part.weights.rows;
  tiles_ =
      DeviceArray<std::uint32_t>(device, std::span<const std::uint32_t>(pack_tiles(parts, format, pool)));
  weights_ = {tiles_.data(), format, static_cast<std::uint32_t>(outputs),
              static_cast<std::uint32_t>(parts.front().weights.cols)};
}

GpuWeights read_gpu_weights(const ModelSource& source, const ModelConfig& config, Device& device,
                            ThreadPool& pool) {
  const AttentionShape& shape = config.attention;
  check_gpu_widths(source.file(), {config.hidden, config.ffn, config.augmented_q, shape.n_q * shape.d_v,
                                   shape.n_q * config.d_q, shape.n_q * shape.d_k});
  GpuPacker<GpuMatrix> packer(device, pool);
  auto read = WeightReader(source, config, packer).read();
  std::optional<GpuMatrix> embedding;
  if (!config.tied_head) {
    const LinearPart whole[] = {{read.embedding, {}}};
    embedding.emplace(whole, device, pool);
    source.release();
  }
  return {std::move(read.layers), std::move(read.final_norm), std::move(read.head), std::move(embedding)};
}

}  // namespace micius
