// What runners of one API have in common, whether they ask at once or in batches.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "core/runner.h"
#include "runners/api_link.h"

namespace micius {

// How many requests at once are tried where nobody says it.
inline constexpr std::size_t kFoundOutConcurrency = 64;

// Of the provider's API for conversations.
std::unique_ptr<ApiShape> shape_for(const ApiEndpoint& endpoint);

// Of a model that is asked in text. The environment has its price, and that it is asked in batches.
RunnerInfo api_runner_info(const ApiLink& link);

// What cannot be asked this way, whatever the server says.
std::optional<Failure> refused_by(const ApiLink& link, const RunnerInfo& info, const Request& request);

std::size_t bytes_of(const GenerateInput& input);  // of all its messages

// The most that one attempt of a GenerateInput may take.
BilledTokens most_billed(const Request& request);

// What an answer says, as a completion to that request.
void fill(Completion& completion, ApiReply reply, const Request& request, const ApiLink& link);

}  // namespace micius
