// Models behind OpenAI's chat API, whoever serves it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "core/runner.h"

namespace micius {

struct ApiSettings {
  std::string base_url = {};  // with /v1; "": OpenAI's own
  std::string key = {};       // sent as a bearer token; in no message, text or record
  std::optional<std::size_t> concurrency =
      {};  // from the first request on; else it is found out, from 4 to 64
  std::optional<double> requests_per_minute = {}, tokens_per_minute = {};
  std::chrono::seconds timeout{600};  // of one attempt
  int retries = 7;
  std::chrono::milliseconds first_wait{500};  // between attempts, doubling, with full jitter
  std::string user_agent = "micius", ca_file = {};
};

// `argument` is NAME or NAME@URL; the URL goes over the settings'. `clock` must outlive the runner, and so
// must `log`, which hears once of what changed on the way (null: nobody does). Nothing is sent before
// submit(). Throws Error{kUsage} for an address or key that cannot be used: no http(s), a password in it, a
// key over plain http to another machine, none for OpenAI itself.
//
// Likelihood prompts are not taken: a chat API gives no log-likelihoods. A refused prompt or answer is a
// completion with StopReason::kContentFilter. Requests that fail for good have a Failure of code
// "context_too_long", "request", "request_too_large", "bad_response", "truncated", "server", "rate_limit",
// "timeout", "connection" or "cancelled"; with Failure::stops_run: "auth", "quota", "not_found", "config",
// "endpoint", "endpoint_dead", "request" (the first three requests all were wrong).
std::unique_ptr<Runner> make_openai_runner(const std::string& argument, const ApiSettings& settings,
                                           const Clock& clock, Log* log);

// The base URL that `argument` and settings give, as `resume` is to have it: NAME@URL, or NAME for OpenAI's
// own.
std::string openai_source(const std::string& argument, const std::string& base_url);

}  // namespace micius
