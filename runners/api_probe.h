// Before the first sample: is the server there, and what does it say of its models?
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "net/http.h"
#include "runners/api_endpoint.h"

namespace micius {

// How many tokens a prompt and its answer have together, at most.
struct ApiContext {
  int tokens = 0;
  // The server refuses a request whose max_tokens alone are as many (vLLM's max_model_len); others write
  // until the context is full (llama.cpp's n_ctx).
  bool refuses = false;
};

// All of it may be absent: not every server lists its models.
struct ApiFindings {
  std::optional<ApiContext> context = {};  // of the endpoint's model
  std::vector<std::string> models = {};
};

// Of the body of GET /models. A list of one is about the model, whatever it is called.
ApiFindings read_models(std::string_view body, const std::string& model);

// Asks once; a server that does not accept connections may still be starting, so it is asked again for
// ApiSettings::patience, which `log` (may be null) hears of. Whatever it answers with, it is there. Throws
// Error{kIo} for a host that is not known, a wrong certificate, and a server that accepts no connection; with
// the address and what to do. A stop that is requested ends it without a word.
ApiFindings find_server(HttpClient& client, const ApiEndpoint& endpoint, const ApiSettings& settings,
                        Log* log);

}  // namespace micius
