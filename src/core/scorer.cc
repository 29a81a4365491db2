#include "core/scorer.h"

namespace micius {

std::string Scorer::observe(const Sample&, std::span<const Turn>) const { return {}; }

}  // namespace micius
