#include "engine/gpu.h"

#include <utility>

#include "base/error.h"

namespace micius {

std::vector<Gpu> usable_gpus() {
  GpuSurvey survey = survey_gpus();
  if (survey.gpus.empty()) fail(ErrorCode::kUnsupported, "no GPU: {}; use --device cpu", survey.problem);
  return std::move(survey.gpus);
}

}  // namespace micius
