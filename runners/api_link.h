// What all calls to one endpoint share: how a request is sent, what an error means for the rest, what has
// been learned of the server, what a user is told once.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "core/completion.h"
#include "net/api_queue.h"
#include "runners/api_endpoint.h"
#include "runners/api_pace.h"
#include "runners/api_purse.h"
#include "runners/api_shape.h"

namespace micius {

// Of the queue's thread, but for what is const; of another one while no call is open.
class ApiLink {
 public:
  // `settings`, `clock` and `log` (may be null) must outlive it.
  ApiLink(const ApiEndpoint& endpoint, const ApiSettings& settings, const Clock& clock, Log* log);

  const ApiEndpoint& endpoint() const { return endpoint_; }
  const ApiSettings& settings() const { return settings_; }
  const Clock& clock() const { return clock_; }
  const std::string& name() const { return name_; }  // of the model: "openai:gpt-4o"

  // A POST of `body`; `path` goes behind the endpoint's URL.
  HttpRequest request(const std::string& path, const Json& body) const;
  HttpRequest request_at(const std::string& url, const Json& body) const;
  std::chrono::milliseconds longest_silence() const;
  std::string safe(std::string_view text) const { return without_secret(text, endpoint_.secret); }

  const ApiFields& fields() const { return fields_; }
  // What is to become of a call that was answered so, to a request with the fields `sent`.
  ApiVerdict verdict_on(const ApiError& error, const ApiAnswer& answer, const ApiFields& sent);
  // Notes that the server answers and what it cost (`most`, where the server does not count), and says once
  // where it is another model, backend or word than expected.
  void answered(const ApiReply& reply, const BilledTokens& most);
  void warn_once(const std::string& message);
  // What a record keeps of a call that has ended; `part` is Attempt's.
  std::vector<Attempt> attempts(const ApiEnd& end, Clock::time_point planned, std::size_t part) const;

  // Those that the server says it has; before the first call.
  void set_models(std::vector<std::string> models) { models_ = std::move(models); }

  bool has_budget() const;
  const std::optional<Price>& price() const { return price_; }  // absent: not known
  ApiPurse& purse() { return purse_; }
  // May a request go that takes about `tokens` of a limit and may come to `most`? By the purse and by what
  // others have of the model's limits.
  ApiAdmission admit(const BilledTokens& most, double tokens);
  // The same for an answer that is as long as the server lets it be.
  ApiAdmission admit_written(const BilledTokens& most, double tokens);

 private:
  std::string models_text() const;
  ApiVerdict stop_on(const ApiError& error, std::string_view words, std::string_view hint) const;

  const ApiEndpoint endpoint_;
  const ApiSettings& settings_;
  const Clock& clock_;
  Log* const log_;
  const std::string name_;
  const std::optional<Price> price_;
  ApiPurse purse_;
  std::optional<ApiPace> pace_;  // where it is shared
  ApiFields fields_;
  bool has_answered_ = false, has_changed_ = false;
  int wrong_requests_ = 0;
  std::string fingerprint_;
  std::vector<std::string> models_;
  std::set<std::string> warned_;
};

// What is known before the first request.
ApiFields fields_for(const ApiEndpoint& endpoint);

}  // namespace micius
