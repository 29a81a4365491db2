#include "net/api_verdict.h"

#include <utility>

namespace micius {

ApiVerdict verdict_by_status(const ApiError& error, std::string message) {
  const bool is_busy = error.status == 429 || error.status == 503 || error.status == 529;
  return {error.may_retry ? ApiNext::kRetry : ApiNext::kFail, std::string(api_error_name(error.kind)),
          std::move(message), is_busy, error.wait};
}

}  // namespace micius
