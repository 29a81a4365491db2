// POST /v1/messages/batches, GET /v1/messages/batches/ID and ID/results.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "net/api_json.h"
#include "net/waits.h"
#include "runners/batch_provider.h"

namespace micius {
namespace {

constexpr BatchLimits kLimits{100'000, std::size_t{240} << 20};
constexpr const char* kPath = "/v1/messages/batches";
constexpr std::chrono::minutes kClocksDiffer{10};  // the provider's and ours

class AnthropicBatches final : public BatchProvider {
 public:
  AnthropicBatches(BatchWire& wire, const ApiShape& shape, const Clock& clock)
      : wire_(wire), shape_(shape), clock_(clock) {}

  BatchLimits limits() const override { return kLimits; }
  std::string row(const std::string& id, const Json& body) const override {
    return dump_json({{"custom_id", id}, {"params", body}});
  }
  BatchMaking create(const std::vector<std::string>& rows, const std::string&) override {
    return making_of(wire_.post(kPath, {"application/json", R"({"requests":[)" + join(rows, ",") + "]}"},
                                BatchWire::Tries::kOne));
  }
  BatchStep<std::vector<std::string>> find(const SentBatch& batch) override;
  BatchStep<BatchState> state(const std::string& batch_id) override;
  BatchStep<std::monostate> results(const BatchState& state, const OnOutcome& fn) override;

 private:
  BatchOutcome outcome_of(const Json& row) const;

  BatchWire& wire_;
  const ApiShape& shape_;
  const Clock& clock_;
};

// A batch carries nothing of ours but the ids of its questions, which only its results show.
bool may_be(const Json& one, const SentBatch& batch) {
  const Json* counts = find_json(one, "request_counts");
  std::size_t requests = 0;
  for (const char* key : {"processing", "succeeded", "errored", "canceled", "expired"})
    requests += counts != nullptr ? static_cast<std::size_t>(count_at(*counts, key)) : 0;
  const auto created = parse_rfc3339(text_at(one, "created_at"));
  const auto sent = parse_rfc3339(batch.sent_at);
  return requests == batch.requests && created && sent && *created + kClocksDiffer >= *sent;
}

BatchStep<std::vector<std::string>> AnthropicBatches::find(const SentBatch& batch) {
  std::vector<std::string> ids;
  const auto listed = for_each_listed(wire_, kPath, "after_id", [&](const std::string& id, const Json& one) {
    if (may_be(one, batch)) ids.push_back(id);
    return true;
  });
  if (const auto* end = std::get_if<ApiEnd>(&listed)) return *end;
  return ids;
}

BatchStep<BatchState> AnthropicBatches::state(const std::string& batch_id) {
  const std::string path = std::string(kPath) + "/" + batch_id;
  const auto answer = wire_.get(path);
  if (const auto* found = std::get_if<WireAnswer>(&answer); found != nullptr && found->status == 404)
    return BatchState{BatchState::Stage::kGone};
  const auto read = object_of(answer);
  if (const auto* end = std::get_if<ApiEnd>(&read)) return *end;
  BatchState state;
  if (text_at(std::get<Json>(read), "processing_status") != "ended") return state;
  state.stage = BatchState::Stage::kEnded;
  state.results = {path + "/results"};  // not results_url: the key goes to no other host
  return state;
}

BatchOutcome AnthropicBatches::outcome_of(const Json& row) const {
  BatchOutcome outcome;
  outcome.id = text_at(row, "custom_id");
  const Json* result = find_json(row, "result");
  const std::string type = result != nullptr ? text_at(*result, "type") : "";
  const Json* message = result != nullptr ? find_json(*result, "message") : nullptr;
  const Json* error = result != nullptr ? find_json(*result, "error") : nullptr;
  if (type == "expired") {
    outcome.kind = BatchOutcome::Kind::kExpired;
  } else if (type == "canceled") {
    outcome.kind = BatchOutcome::Kind::kCancelled;
  } else if (type == "succeeded" && message != nullptr) {
    outcome.reading =
        shape_.read({.status = 200, .headers = {}, .url = ""}, dump_json(*message), clock_.utc());
  } else if (type == "errored" && error != nullptr && error->is_object()) {
    // With or without the envelope {"type": "error", "error": {..}}.
    const ApiError failed = error_inside(error_in(*error) != nullptr ? *error : Json{{"error", *error}});
    outcome.reading = failed;
    outcome.status = failed.status;
    outcome.request_id = text_at(*error, "request_id");
  } else {
    outcome.reading = no_answer(ApiErrorKind::kBadResponse, "a row without an answer");
  }
  return outcome;
}

BatchStep<std::monostate> AnthropicBatches::results(const BatchState& state, const OnOutcome& fn) {
  for (const std::string& path : state.results) {
    const auto answer = wire_.get(path);
    if (const auto* end = std::get_if<ApiEnd>(&answer)) return *end;
    for_each_row(std::get<WireAnswer>(answer).body, [&](const Json& row, std::size_t bytes) {
      BatchOutcome outcome = outcome_of(row);
      outcome.bytes = bytes;
      fn(std::move(outcome));
    });
  }
  return std::monostate{};
}

}  // namespace

std::unique_ptr<BatchProvider> anthropic_batches(BatchWire& wire, const ApiShape& shape, const Clock& clock) {
  return std::make_unique<AnthropicBatches>(wire, shape, clock);
}

}  // namespace micius
