#include "engine/gpu.h"

namespace micius {

GpuSurvey survey_gpus() { return {{}, "built without CUDA (preset cuda builds with it)", false}; }

std::optional<std::string> matrix_library_name() { return std::nullopt; }

}  // namespace micius
