// Ctrl-C while something was waited for that cannot go on otherwise.
#pragma once

#include <string>

#include "base/error.h"

namespace micius {

class Interrupted : public Error {
 public:
  explicit Interrupted(const std::string& message) : Error(ErrorCode::kStopped, message) {}
};

}  // namespace micius
