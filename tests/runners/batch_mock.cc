#include "runners/batch_mock.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/files.h"

namespace micius {
namespace {

constexpr const char* kAnthropic = "/v1/messages/batches";

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  if (from == std::string::npos) return "";
  const std::size_t start = from + begin.size();
  return text.substr(start, text.find(end, start) - start);
}

Json usage() { return {{"prompt_tokens", 11}, {"completion_tokens", 2}}; }

Json openai_row(const std::string& id, const MockOutcome& outcome) {
  Json row = {{"id", "batch_req_1"}, {"custom_id", id}, {"response", nullptr}, {"error", nullptr}};
  switch (outcome.kind) {
    case MockOutcome::Kind::kText:
      row["response"] = {
          {"status_code", 200},
          {"request_id", "req-" + id},
          {"body",
           {{"model", "tiny"},
            {"choices",
             {{{"finish_reason", "stop"}, {"message", {{"role", "assistant"}, {"content", outcome.text}}}}}},
            {"usage", usage()}}}};
      break;
    case MockOutcome::Kind::kError:
      row["response"] = {{"status_code", outcome.status},
                         {"request_id", "req-" + id},
                         {"body", {{"error", {{"message", outcome.text}, {"code", outcome.code}}}}}};
      break;
    case MockOutcome::Kind::kExpired:
      row["error"] = {{"code", "batch_expired"}, {"message", "not in time"}};
      break;
    default:
      row["error"] = {{"code", "batch_cancelled"}, {"message", "cancelled"}};
  }
  return row;
}

Json anthropic_row(const std::string& id, const MockOutcome& outcome) {
  Json result;
  switch (outcome.kind) {
    case MockOutcome::Kind::kText:
      result = {{"type", "succeeded"},
                {"message",
                 {{"type", "message"},
                  {"model", "tiny"},
                  {"content", {{{"type", "text"}, {"text", outcome.text}}}},
                  {"stop_reason", "end_turn"},
                  {"usage", {{"input_tokens", 11}, {"output_tokens", 2}}}}}};
      break;
    case MockOutcome::Kind::kError:
      result = {
          {"type", "errored"},
          {"error", {{"type", "error"}, {"error", {{"type", outcome.code}, {"message", outcome.text}}}}}};
      break;
    case MockOutcome::Kind::kExpired:
      result = {{"type", "expired"}};
      break;
    default:
      result = {{"type", "canceled"}};
  }
  return {{"custom_id", id}, {"result", result}};
}

}  // namespace

BatchMock::BatchMock(Judge judge)
    : judge_(std::move(judge)), server_([this](Exchange& exchange) { serve(exchange); }) {}

std::map<std::string, int> BatchMock::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

std::size_t BatchMock::batches() const {
  const std::lock_guard lock(mutex_);
  return batches_.size();
}

void BatchMock::set_looks(int looks) {
  const std::lock_guard lock(mutex_);
  looks_ = looks;
}

void BatchMock::lose_next_answer() {
  const std::lock_guard lock(mutex_);
  next_answer_ = Answer::kLost;
}

void BatchMock::garble_next_answer() {
  const std::lock_guard lock(mutex_);
  next_answer_ = Answer::kGarbled;
}

void BatchMock::set_list(int status, std::string body) {
  const std::lock_guard lock(mutex_);
  list_status_ = status;
  list_body_ = std::move(body);
}

void BatchMock::add_foreign(std::size_t requests) {
  const std::lock_guard lock(mutex_);
  Batch batch{"batch_" + std::to_string(batches_.size() + 1), "theirs"};
  for (std::size_t i = 0; i < requests; ++i)
    batch.rows.emplace_back("theirs-" + std::to_string(i), MockOutcome{.text = "theirs"});
  batches_.push_back(std::move(batch));
}

void BatchMock::set_status(const std::string& status) {
  const std::lock_guard lock(mutex_);
  status_ = status;
}

void BatchMock::on_request(std::function<bool(int)> hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

void BatchMock::forget_all() {
  const std::lock_guard lock(mutex_);
  for (Batch& batch : batches_) batch.is_gone = true;
}

void BatchMock::serve(Exchange& exchange) {
  const std::string path = exchange.request.path;
  const std::lock_guard lock(mutex_);
  if (hook_ && !hook_(exchange.request.number)) return exchange.reset();
  if (path.starts_with(kAnthropic))
    return serve_anthropic(exchange, path.substr(std::string(kAnthropic).size()));
  serve_openai(exchange, path.substr(std::string("/v1").size()));
}

void BatchMock::tell(Exchange& exchange, const Json& json) { exchange.answer(200, {}, dump_json(json)); }

BatchMock::Batch* BatchMock::find(const std::string& id) {
  const auto it = std::find_if(batches_.begin(), batches_.end(),
                               [&](const Batch& batch) { return batch.id == id && !batch.is_gone; });
  return it == batches_.end() ? nullptr : &*it;
}

BatchMock::Batch& BatchMock::make(const std::string& token,
                                  const std::vector<std::pair<std::string, Json>>& questions) {
  Batch batch{"batch_" + std::to_string(batches_.size() + 1), token};
  for (const auto& [id, body] : questions) {
    const std::string text = body.at("messages").back().at("content");
    batch.rows.emplace_back(id, judge_(text, ++asked_[text]));
  }
  std::reverse(batch.rows.begin(), batch.rows.end());
  batches_.push_back(std::move(batch));
  return batches_.back();
}

Json BatchMock::openai_batch(Batch& batch) const {
  const bool is_over = batch.looks >= looks_;
  Json json = {{"id", batch.id},
               {"object", "batch"},
               {"status", is_over ? status_ : "in_progress"},
               {"metadata", {{"micius", batch.token}}}};
  if (!is_over) return json;
  if (status_ == "failed") {
    json["errors"] = {
        {"data", {{{"code", "token_limit_exceeded"}, {"message", "Enqueued token limit reached."}}}}};
    return json;
  }
  json["output_file_id"] = "out-" + batch.id;
  json["error_file_id"] = "err-" + batch.id;
  return json;
}

Json BatchMock::anthropic_batch(Batch& batch) const {
  const bool is_over = batch.looks >= looks_;
  return {{"id", batch.id},
          {"type", "message_batch"},
          {"processing_status", is_over ? "ended" : "in_progress"},
          {"created_at", format_utc(SystemClock().utc())},
          {"request_counts",
           {{"processing", is_over ? 0 : batch.rows.size()}, {"succeeded", is_over ? batch.rows.size() : 0}}},
          {"results_url", "https://elsewhere.example/" + batch.id}};
}

void BatchMock::tell_made(Exchange& exchange, const Json& json) {
  switch (std::exchange(next_answer_, Answer::kWhole)) {
    case Answer::kWhole:
      return tell(exchange, json);
    case Answer::kLost:
      return exchange.reset();
    case Answer::kGarbled:
      return exchange.answer(200, {}, "<html>One moment, please</html>");
  }
}

void BatchMock::serve_openai(Exchange& exchange, const std::string& path) {
  const SeenRequest& asked = exchange.request;
  const std::string file = between(path, "/files/", "/content");
  if (asked.method == "POST" && path == "/files") {
    const std::string id = "file-" + std::to_string(files_.size() + 1);
    files_[id] = between(asked.body, "application/jsonl\r\n\r\n", "\r\n--");
    return tell(exchange, {{"id", id}, {"status", "processed"}});
  }
  if (asked.method == "POST" && path == "/batches") {
    const Json body = Json::parse(asked.body);
    std::vector<std::pair<std::string, Json>> questions;
    for_each_line(files_.at(body.at("input_file_id")), [&](std::string_view line, std::size_t) {
      if (line.empty()) return;
      const Json row = Json::parse(line);
      questions.emplace_back(row.at("custom_id"), row.at("body"));
    });
    Batch& batch = make(body.at("metadata").at("micius"), questions);
    return tell_made(exchange, openai_batch(batch));
  }
  if (path.starts_with("/batches?")) {
    if (!list_body_.empty()) return exchange.answer(list_status_, {}, list_body_);
    Json list = Json::array();
    for (Batch& batch : batches_)
      if (!batch.is_gone) list.push_back(openai_batch(batch));
    return tell(exchange, {{"data", list}, {"has_more", false}});
  }
  if (path.starts_with("/batches/")) {
    Batch* batch = find(path.substr(std::string("/batches/").size()));
    if (batch == nullptr) return exchange.answer(404, {}, R"({"error": {"message": "No such batch."}})");
    ++batch->looks;
    return tell(exchange, openai_batch(*batch));
  }
  if (file.starts_with("out-") || file.starts_with("err-")) {
    Batch* batch = find(file.substr(4));
    if (batch == nullptr) return exchange.answer(404, {}, R"({"error": {"message": "No such file."}})");
    std::string rows;
    for (const auto& [id, outcome] : batch->rows) {
      const bool is_good = outcome.kind == MockOutcome::Kind::kText;
      if (outcome.kind != MockOutcome::Kind::kMissing && is_good == file.starts_with("out-"))
        rows += dump_json(openai_row(id, outcome)) + "\n";
    }
    return exchange.answer(200, {}, rows);
  }
  if (path.starts_with("/files/")) return tell(exchange, {{"id", file}, {"status", "processed"}});
  exchange.answer(404, {}, "{}");
}

void BatchMock::serve_anthropic(Exchange& exchange, const std::string& path) {
  if (exchange.request.method == "POST") {
    std::vector<std::pair<std::string, Json>> questions;
    const Json body = Json::parse(exchange.request.body);
    for (const Json& row : body.at("requests")) questions.emplace_back(row.at("custom_id"), row.at("params"));
    Batch& batch = make("", questions);
    return tell_made(exchange, anthropic_batch(batch));
  }
  if (path.starts_with("?")) {
    if (!list_body_.empty()) return exchange.answer(list_status_, {}, list_body_);
    Json list = Json::array();
    for (Batch& batch : batches_)
      if (!batch.is_gone) list.push_back(anthropic_batch(batch));
    return tell(exchange, {{"data", list}, {"has_more", false}});
  }
  const std::string id = between(path, "/", "/");
  Batch* batch = find(id);
  if (batch == nullptr) return exchange.answer(404, {}, R"({"error": {"type": "not_found_error"}})");
  if (path.ends_with("/results")) {
    std::string rows;
    for (const auto& [row, outcome] : batch->rows)
      if (outcome.kind != MockOutcome::Kind::kMissing) rows += dump_json(anthropic_row(row, outcome)) + "\n";
    return exchange.answer(200, {}, rows);
  }
  ++batch->looks;
  tell(exchange, anthropic_batch(*batch));
}

}  // namespace micius
