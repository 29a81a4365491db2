// Models behind an API: OpenAI's, whoever serves it, Azure's and Anthropic's.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "core/runner.h"
#include "runners/prices.h"

namespace micius {

class ApiBudgets;
class SharedLimits;

enum class ApiKind { kOpenAi, kAzure, kAnthropic };

// Where one provider is, and what opens it. The key is in no message, text or record.
struct ApiAccount {
  std::string url = {}, key = {};
};

// Which answers come as a stream of events.
enum class ApiStreaming {
  kLong,  // those that may take long enough for a proxy to give up on a silent connection
  kAll,   // so that the time to the first token is known
  kNone,
};

// Are log-likelihoods wanted of a server that may have them?
enum class ApiLikelihoods {
  kNone,
  kByEcho,   // it is asked one question to find out
  kAssumed,  // it is asked nothing and taken to have them: for a plan, not for a run
};

// What becomes of a prompt that is longer than the model's context.
enum class ApiTruncation {
  kOff,   // it counts as answered with nothing
  kLeft,  // its beginning is left out, and it is asked once more
};

// Are questions handed over many at a time, for half the price, and answered within a day?
enum class ApiBatching { kOff, kOn };

// Is the server looked for before the first request?
enum class ApiProbe { kNone, kModels };

struct ApiSettings {
  ApiAccount openai = {};  // url "": OpenAI's own
  ApiAccount azure = {};
  std::string azure_token = {};  // of Entra, instead of a key
  std::string api_version = {};  // of Azure: takes the address of that time, /openai/deployments/..
  ApiAccount anthropic = {};     // url "": Anthropic's own
  std::optional<std::size_t> concurrency =
      {};  // from the first request on; else it is found out, from 4 to 64
  std::optional<double> requests_per_minute = {}, tokens_per_minute = {};
  std::chrono::seconds timeout{600};  // of one attempt
  int retries = 7;
  std::chrono::milliseconds first_wait{500};  // between attempts, doubling, with full jitter
  ApiStreaming streaming = ApiStreaming::kLong;
  ApiLikelihoods likelihoods = ApiLikelihoods::kNone;
  ApiTruncation truncation = ApiTruncation::kOff;
  ApiBatching batching = ApiBatching::kOff;
  std::chrono::milliseconds batch_quiet{2000};  // without a new question: what there is becomes a batch
  std::string user_agent = "micius", ca_file = {};
  Prices prices = {};                     // what tokens cost
  std::string day = {};                   // whose prices are meant, "2026-11-26"
  std::optional<double> budget_usd = {};  // nothing is sent that may go over it
  ApiProbe probe = ApiProbe::kNone;
  std::chrono::milliseconds patience{60'000};  // with a server that accepts no connection, of the probe
  std::stop_token stop = {};                   // ends the wait for it
  ApiBudgets* budgets = nullptr;               // for one that several runners share; must outlive them
  // Limits that other processes keep to as well, in place of this one's budget. Must outlive the runner.
  SharedLimits* shared = nullptr;
};

// `argument` is NAME or NAME@URL; the URL goes over the settings'. `clock` must outlive the runner, and so
// must `log`, which hears once of what changed on the way (null: nobody does). Nothing is sent before
// submit(), but for ApiProbe::kModels and the probe of ApiLikelihoods::kByEcho. Throws Error{kUsage} for an
// address or key that cannot be used: no http(s), a password in it, a key over plain http to another machine,
// none where the provider wants one, and a budget for a model without a known price; with a probe, Error{kIo}
// where the server cannot be asked at all.
//
// A refused prompt or answer is a completion with StopReason::kContentFilter, a prompt that is too long one
// without text and with StopReason::kUnfinished. Completions have their attempts. Requests that fail for good
// have a Failure of code "context_too_long", "request", "request_too_large", "bad_response", "truncated",
// "server", "rate_limit", "timeout", "connection", "no_likelihoods", "empty_context", "empty_continuation" or
// "cancelled"; with Failure::stops_run: "auth", "quota", "not_found", "config", "endpoint", "endpoint_dead",
// "budget", "no_chat_template" (a conversation before a choice), "request" (the first three requests all were
// wrong, or the API has nothing like it).
std::unique_ptr<Runner> make_api_runner(ApiKind kind, const std::string& argument,
                                        const ApiSettings& settings, const Clock& clock, Log* log);

// What `resume` is to have behind the kind's colon: NAME@URL, or NAME for the provider's own address.
std::string api_source(ApiKind kind, const std::string& argument, const ApiSettings& settings);

// "openai", "azure", "anthropic"
std::string_view api_kind_name(ApiKind kind);
std::optional<ApiKind> api_kind_from(std::string_view name);

}  // namespace micius
