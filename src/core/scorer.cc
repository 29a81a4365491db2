#include "core/scorer.h"

namespace micius {

std::string Scorer::observe(const Sample&, std::span<const Turn>) const { return {}; }

std::vector<std::string> Scorer::metrics() const { return {}; }

Json Scorer::environment() const { return Json::object(); }

}  // namespace micius
