#include <cuda_runtime_api.h>

#include "base/error.h"
#include "engine/device/gpu_memory_internal.h"
#include "engine/ops/decode_attention_gpu.h"

namespace micius {

int launch_decode_kernel(const DecodeArgs& args, std::uint32_t blocks, void* stream);  // a cudaError_t

GpuFigures gpu_figures(int index) {
  check_cuda(cudaSetDevice(index), "choice of a GPU");
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, index), "properties");
  return {.multiprocessors = static_cast<std::uint32_t>(properties.multiProcessorCount),
          .shared_bytes = static_cast<std::uint32_t>(properties.sharedMemPerBlockOptin),
          .bulk = properties.major == 9,
          .name = properties.name};
}

void launch_decode(const DecodeArgs& args, std::uint32_t blocks, void* stream) {
  check_cuda(static_cast<cudaError_t>(launch_decode_kernel(args, blocks, stream)),
             "start of decode attention");
}

DecodeResults decode_on_gpu(const DecodeInputs& inputs, const DecodeTuning& tuning) {
  const DecodeLayout& layout = inputs.layout;
  const DecodePlan plan = decode_plan(layout, inputs.sequences, tuning);
  const std::size_t rows = inputs.sequences.size() * layout.n_q;
  const std::size_t partial_rows = std::size_t{plan.partials} * layout.most_q;
  const GpuArray<float> q(inputs.q);
  const GpuArray<std::byte> pages(inputs.pages);
  const GpuArray<std::uint32_t> table(inputs.table);
  const GpuArray<DecodeSegment> segments(plan.segments);
  GpuArray<float> out(rows * layout.d_v), lse(rows), partials(partial_rows * layout.v_tiles * 16),
      sums(2 * partial_rows);
  GpuArray<std::uint32_t> tickets(plan.items);
  for (GpuArray<float>* array : {&out, &lse, &partials, &sums}) array->fill(0xff);
  tickets.fill(0);
  const DecodeArgs args{layout,     tuning,     q.data(),        pages.data(), table.data(),  segments.data(),
                        out.data(), lse.data(), partials.data(), sums.data(),  tickets.data()};
  launch_decode(args, plan.blocks, nullptr);
  check_cuda(cudaDeviceSynchronize(), "decode attention");
  for (const std::uint32_t ticket : tickets.values()) {
    if (ticket != 0) fail(ErrorCode::kIo, "decode attention left a ticket behind");
  }
  return {out.values(), lse.values()};
}

}  // namespace micius
