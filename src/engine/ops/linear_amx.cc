// The lanes come first.
// clang-format off
#include "engine/ops/lanes_avx512_internal.h"
#include "engine/ops/linear_amx_internal.h"
#include "engine/ops/tiles_amx_internal.h"
// clang-format on

namespace micius {

LinearKernels linear_amx(Numerics numerics) { return tile_kernels<AmxTiles>(numerics); }

}  // namespace micius
