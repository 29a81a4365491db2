// The kernels for tile registers over a model of the tiles, for machines with AVX-512 and without AMX.
#pragma once

#include "engine/ops/linear_internal.h"

namespace micius {

LinearKernels modelled_tile_kernels(Numerics numerics);

}  // namespace micius
