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
constexpr int kMostPages = 20;
constexpr std::chrono::minutes kClocksDiffer{10};  // the provider's and ours

class AnthropicBatches final : public BatchProvider {
 public:
  AnthropicBatches(BatchWire& wire, const ApiShape& shape, const Clock& clock)
      : wire_(wire), shape_(shape), clock_(clock) {}

  BatchLimits limits() const override { return kLimits; }
  std::string row(const std::string& id, const Json& body) const override {
    return dump_json({{"custom_id", id}, {"params", body}});
  }
  BatchStep<std::string> create(const std::vector<std::string>& rows, const std::string&) override {
    const auto made = object_of(wire_.post(
        kPath, {"application/json", R"({"requests":[)" + join(rows, ",") + "]}"}, BatchWire::Tries::kOne));
    if (const auto* end = std::get_if<ApiEnd>(&made)) return *end;
    return id_at(std::get<Json>(made), "id");
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
  std::string after;
  for (int page = 0; page < kMostPages; ++page) {
    const auto list =
        object_of(wire_.get(std::string(kPath) + "?limit=100" + (after.empty() ? "" : "&after_id=" + after)));
    if (const auto* end = std::get_if<ApiEnd>(&list)) return *end;
    const Json* data = find_json(std::get<Json>(list), "data");
    if (data == nullptr || !data->is_array() || data->empty()) break;
    for (const Json& one : *data) {
      const auto id = id_at(one, "id");
      if (may_be(one, batch) && std::holds_alternative<std::string>(id))
        ids.push_back(std::get<std::string>(id));
    }
    const auto last = id_at(data->back(), "id");
    const Json* more = find_json(std::get<Json>(list), "has_more");
    if (!std::holds_alternative<std::string>(last) || more == nullptr || *more != true) break;
    after = std::get<std::string>(last);
  }
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
