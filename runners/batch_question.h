// One question of a batch, and its name.
#pragma once

#include <string>

#include "base/json.h"
#include "core/completion.h"
#include "core/price.h"
#include "core/runner.h"

namespace micius {

struct BatchQuestion {
  Request asked;
  CompletionSink* sink = nullptr;
  Completion completion = {};
  BilledTokens most = {};
  int attempts = 0;
  bool is_reserved = false;  // by the purse
};

// The same for the same question, in any process, and no other's of the run: what is seen of the sample's id,
// repeat, turn, and a hash of all with the `body` that it is sent with before anything was learned of the
// server. Up to 55 of A-Z a-z 0-9 - _
std::string question_name(const Request& request, const Json& body);

}  // namespace micius
