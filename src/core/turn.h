// One exchange: what was asked, what came back, what the task's environment answered.
#pragma once

#include <string>

#include "core/completion.h"
#include "core/prompt.h"

namespace micius {

struct Turn {
  Prompt prompt;
  Completion completion;
  std::string observation;  // JSON text or empty
};

}  // namespace micius
