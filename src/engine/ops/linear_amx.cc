// The lanes come first.
// clang-format off
#include "engine/ops/lanes_avx512_internal.h"
#include "engine/ops/linear_amx_internal.h"
#include "engine/ops/tiles_amx_internal.h"
// clang-format on

namespace micius {

LinearKernels linear_amx() { return tile_kernels<AmxTiles>(); }

}  // namespace micius
