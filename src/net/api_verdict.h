// What becomes of a call whose answer was an error, where nothing is known of it but the error.
#pragma once

#include <string>

#include "net/api_error.h"
#include "net/api_queue.h"

namespace micius {

// Another attempt where the error may be cured by one, after the wait that the server asks for; 429, 503 and
// 529 slow the others down too.
ApiVerdict verdict_by_status(const ApiError& error, std::string message);

}  // namespace micius
