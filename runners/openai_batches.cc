// POST /files, POST /batches, GET /batches/ID, GET /files/ID/content.
#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "net/api_json.h"
#include "runners/batch_provider.h"

namespace micius {
namespace {

constexpr BatchLimits kLimits{50'000, std::size_t{190} << 20};
constexpr const char* kTokenName = "micius";  // of the metadata that a batch carries

ApiReading read_error(const Json& error) {
  ApiError failed = error_inside({{"error", error}});
  return failed;
}

class OpenAiBatches final : public BatchProvider {
 public:
  OpenAiBatches(BatchWire& wire, const ApiShape& shape, std::string path, const Clock& clock)
      : wire_(wire), shape_(shape), path_(std::move(path)), clock_(clock) {}

  BatchLimits limits() const override { return kLimits; }
  std::string row(const std::string& id, const Json& body) const override {
    return dump_json({{"custom_id", id}, {"method", "POST"}, {"url", path_}, {"body", body}});
  }
  BatchMaking create(const std::vector<std::string>& rows, const std::string& token) override;
  BatchStep<std::vector<std::string>> find(const SentBatch& batch) override;
  BatchStep<BatchState> state(const std::string& batch_id) override;
  BatchStep<std::monostate> results(const BatchState& state, const OnOutcome& fn) override;

 private:
  BatchStep<std::string> upload(const std::vector<std::string>& rows, const std::string& token);
  BatchStep<std::monostate> wait_for_file(const std::string& id);
  BatchOutcome outcome_of(const Json& row) const;

  BatchWire& wire_;
  const ApiShape& shape_;
  const std::string path_;
  const Clock& clock_;
};

BatchStep<std::string> OpenAiBatches::upload(const std::vector<std::string>& rows, const std::string& token) {
  const std::string boundary = "micius-" + token;
  std::string body = fmt::format(
      "--{0}\r\nContent-Disposition: form-data; "
      "name=\"purpose\"\r\n\r\nbatch\r\n--{0}\r\nContent-Disposition: "
      "form-data; name=\"file\"; filename=\"{0}.jsonl\"\r\nContent-Type: application/jsonl\r\n\r\n",
      boundary);
  for (const std::string& row : rows) body += row + "\n";
  body += fmt::format("\r\n--{}--\r\n", boundary);
  const auto made = object_of(wire_.post(
      "/files", {"multipart/form-data; boundary=" + boundary, std::move(body)}, BatchWire::Tries::kMany));
  if (const auto* end = std::get_if<ApiEnd>(&made)) return *end;
  auto id = id_at(std::get<Json>(made), "id");
  if (const auto* text = std::get_if<std::string>(&id)) {
    const auto waited = wait_for_file(*text);
    if (const auto* end = std::get_if<ApiEnd>(&waited)) return *end;
  }
  return id;
}

// Azure looks through a file before it takes a batch of it.
BatchStep<std::monostate> OpenAiBatches::wait_for_file(const std::string& id) {
  constexpr int kMostLooks = 300;
  for (int look = 0; look < kMostLooks; ++look) {
    const auto file = object_of(wire_.get("/files/" + id));
    if (const auto* end = std::get_if<ApiEnd>(&file)) return *end;
    const std::string status = text_at(std::get<Json>(file), "status");
    if (status == "error")
      return ApiEnd{ApiNext::kStop, "batch",
                    "the provider cannot read the file of questions: " +
                        kept(text_at(std::get<Json>(file), "status_details"))};
    if (status != "pending" && status != "running") return std::monostate{};
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  return ApiEnd{ApiNext::kStop, "batch", "the provider has not read the file of questions in five minutes"};
}

BatchMaking OpenAiBatches::create(const std::vector<std::string>& rows, const std::string& token) {
  const auto file = upload(rows, token);
  // No batch comes of a file alone, whatever became of it.
  if (const auto* end = std::get_if<ApiEnd>(&file)) return {BatchMaking::Kind::kNotMade, "", *end};
  const Json body = {{"input_file_id", std::get<std::string>(file)},
                     {"endpoint", path_},
                     {"completion_window", "24h"},
                     {"metadata", {{kTokenName, token}}}};
  return making_of(wire_.post("/batches", {"application/json", dump_json(body)}, BatchWire::Tries::kOne));
}

BatchStep<std::vector<std::string>> OpenAiBatches::find(const SentBatch& batch) {
  std::vector<std::string> ids;
  const auto listed =
      for_each_listed(wire_, "/batches", "after", [&](const std::string& id, const Json& one) {
        const Json* metadata = find_json(one, "metadata");
        if (metadata != nullptr && text_at(*metadata, kTokenName) == batch.token) ids.push_back(id);
        return ids.empty();
      });
  if (const auto* end = std::get_if<ApiEnd>(&listed)) return *end;
  return ids;
}

BatchStep<BatchState> OpenAiBatches::state(const std::string& batch_id) {
  const auto answer = wire_.get("/batches/" + batch_id);
  if (const auto* found = std::get_if<WireAnswer>(&answer); found != nullptr && found->status == 404)
    return BatchState{BatchState::Stage::kGone};
  const auto read = object_of(answer);
  if (const auto* end = std::get_if<ApiEnd>(&read)) return *end;
  const Json& json = std::get<Json>(read);
  const std::string status = text_at(json, "status");
  BatchState state;
  if (status == "completed" || status == "expired") state.stage = BatchState::Stage::kEnded;
  if (status == "cancelled") state.stage = BatchState::Stage::kCancelled;
  if (status == "failed") {
    state.stage = BatchState::Stage::kFailed;
    const Json* why = find_json(json, "errors.data.0");
    state.message = kept(why != nullptr ? text_at(*why, "code") + ": " + text_at(*why, "message")
                                        : std::string("no reason given"));
  }
  for (const char* key : {"output_file_id", "error_file_id"}) {
    if (text_at(json, key).empty()) continue;
    const auto id = id_at(json, key);
    if (const auto* end = std::get_if<ApiEnd>(&id)) return *end;
    state.results.push_back("/files/" + std::get<std::string>(id) + "/content");
  }
  return state;
}

BatchOutcome OpenAiBatches::outcome_of(const Json& row) const {
  BatchOutcome outcome;
  outcome.id = text_at(row, "custom_id");
  const Json* error = find_json(row, "error");
  const Json* response = find_json(row, "response");
  if (response != nullptr && response->is_object()) {
    const int status = count_at(*response, "status_code");
    const Json* body = find_json(*response, "body");
    outcome.status = status;
    outcome.request_id = text_at(*response, "request_id");
    outcome.reading = shape_.read({.status = status, .headers = {}, .url = ""},
                                  body != nullptr ? dump_json(*body) : "", clock_.utc());
  } else if (error != nullptr && error->is_object()) {
    const std::string code = text_at(*error, "code");
    if (code == "batch_expired") outcome.kind = BatchOutcome::Kind::kExpired;
    if (code == "batch_cancelled") outcome.kind = BatchOutcome::Kind::kCancelled;
    outcome.reading = read_error(*error);
    outcome.status = 0;
  } else {
    outcome.reading = no_answer(ApiErrorKind::kBadResponse, "a row without an answer");
  }
  return outcome;
}

BatchStep<std::monostate> OpenAiBatches::results(const BatchState& state, const OnOutcome& fn) {
  for (const std::string& path : state.results) {
    const auto answer = wire_.get(path);
    if (const auto* end = std::get_if<ApiEnd>(&answer)) return *end;
    const WireAnswer& file = std::get<WireAnswer>(answer);
    if (file.status == 404) continue;  // what it held is asked again
    for_each_row(file.body, [&](const Json& row, std::size_t bytes) {
      BatchOutcome outcome = outcome_of(row);
      outcome.bytes = bytes;
      fn(std::move(outcome));
    });
  }
  return std::monostate{};
}

}  // namespace

std::unique_ptr<BatchProvider> openai_batches(BatchWire& wire, const ApiShape& shape, ApiKind kind,
                                              const Clock& clock) {
  return std::make_unique<OpenAiBatches>(
      wire, shape, kind == ApiKind::kAzure ? "/chat/completions" : "/v1/chat/completions", clock);
}

}  // namespace micius
