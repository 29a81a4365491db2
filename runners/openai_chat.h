// The JSON shapes of POST /chat/completions, as OpenAI, Azure, vLLM, llama.cpp and others send them.
#pragma once

#include <memory>
#include <string>

#include "runners/api_shape.h"

namespace micius {

// What is known before the first request: OpenAI's own host wants max_completion_tokens, its reasoning models
// (o1, o3, o4, gpt-5 ..) take no sampling fields at all.
ApiFields chat_fields_for(const std::string& model, const std::string& base_url);

// Of a name such as "openai/gpt-5-mini" too.
bool is_reasoning_model(const std::string& model);

// The body. A kText request is one user message. Of more than four stop texts the first four are sent, the
// rest is applied here.
Json chat_body(const Request& request, const std::string& model, const ApiFields& fields);

ApiReading read_chat(const HttpHead& head, const std::string& body,
                     std::chrono::system_clock::time_point now);

// Text of a choice that comes as `text` instead of `delta.content` is taken too: completions are streamed so.
// Text after the finish_reason, and an event that is no JSON, make it a bad answer.
std::unique_ptr<ApiStream> chat_stream();

std::unique_ptr<ApiShape> chat_shape(const std::string& model);

}  // namespace micius
