#include "embed/api_embedder.h"

#include <algorithm>
#include <iterator>
#include <latch>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "embed/openai_embeddings.h"
#include "net/api_verdict.h"

namespace micius {
namespace {

// What one request may hold; servers refuse more than 2,048 texts or 300,000 tokens.
constexpr std::size_t kMostTexts = 2048, kMostBytes = std::size_t{512} << 10;
constexpr std::uint64_t kLongestAnswer = std::uint64_t{256} << 20;

using Vectors = std::vector<std::vector<float>>;

// Where each request begins, and the end.
std::vector<std::size_t> batches_of(const std::vector<std::string>& texts) {
  std::vector<std::size_t> begins = {0};
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const bool is_full = i - begins.back() >= kMostTexts || bytes + texts[i].size() > kMostBytes;
    if (is_full && i > begins.back()) {
      begins.push_back(i);
      bytes = 0;
    }
    bytes += texts[i].size();
  }
  begins.push_back(texts.size());
  return begins;
}

}  // namespace

class ApiEmbedder::Call final : public ApiCall {
 public:
  struct Answer {
    Vectors vectors;
    ApiEnd end;
  };
  // `texts`, `answer` and `done` must live until `done` was counted down.
  Call(ApiEmbedder& embedder, std::span<const std::string> texts, Answer& answer, std::latch& done)
      : embedder_(embedder), texts_(texts), answer_(answer), done_(done) {}

  HttpRequest request() override {
    base64_sent_ = embedder_.takes_base64_;
    return embedder_.request_for(texts_);
  }
  double tokens() const override {
    std::size_t bytes = 0;
    for (const std::string& text : texts_) bytes += text.size();
    return static_cast<double>(bytes) / 4;
  }
  ApiVerdict judge(const ApiAnswer& answer) override;
  void ended(const ApiEnd& end) override {
    answer_.end = end;
    done_.count_down();
  }

 private:
  ApiEmbedder& embedder_;
  const std::span<const std::string> texts_;
  Answer& answer_;
  std::latch& done_;
  bool base64_sent_ = true;
};

ApiVerdict ApiEmbedder::Call::judge(const ApiAnswer& answer) {
  auto reading = read_embeddings(answer.head, answer.body, texts_.size(), std::chrono::system_clock::now());
  if (auto* vectors = std::get_if<Vectors>(&reading)) {
    answer_.vectors = std::move(*vectors);
    return {};
  }
  const ApiError& error = std::get<ApiError>(reading);
  const std::string code(api_error_name(error.kind));
  const std::string words =
      fmt::format("HTTP {}{}: {}", error.status, error.code.empty() ? "" : " " + error.code, error.message);
  const bool names_format =
      error.field == "encoding_format" || error.message.find("encoding_format") != std::string::npos;
  if (error.status / 100 == 4 && names_format && base64_sent_) {
    embedder_.takes_base64_ = false;
    return {ApiNext::kAgain, code, words};
  }
  switch (error.kind) {
    case ApiErrorKind::kAuth:  // without the server's words, which may hold the key
      return {ApiNext::kStop, code, fmt::format("HTTP {}: the key is not one for this server", error.status)};
    case ApiErrorKind::kQuota:
    case ApiErrorKind::kConfig:
    case ApiErrorKind::kNotFound:
      return {ApiNext::kStop, code, words};
    default:
      break;
  }
  // A 500 of llama.cpp that no retry cures.
  if (error.message.find("too large to process") != std::string::npos)
    return {ApiNext::kFail, "context_too_long", words};
  return verdict_by_status(error, words);
}

ApiEmbedder::ApiEmbedder(const ApiEmbedderOptions& options)
    : options_(options),
      cache_(options.cache_bytes),
      client_({options.user_agent, options.ca_file}),
      queue_(client_, options.url,
             {.governor = {.concurrency = options.concurrency, .first_concurrency = options.concurrency},
              .retries = options.retries,
              .first_wait = options.first_wait}) {
  dim_ = ask({"dimension"}).front().size();
}

HttpRequest ApiEmbedder::request_for(std::span<const std::string> texts) const {
  HttpRequest request{.method = "POST", .url = options_.url + "/embeddings"};
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  if (!options_.key.empty()) request.headers.push_back({"Authorization", "Bearer " + options_.key});
  request.body = dump_json(embeddings_body(
      texts, options_.model, takes_base64_ ? VectorEncoding::kBase64 : VectorEncoding::kFloats));
  request.limits.total = options_.timeout;
  request.limits.body_bytes = kLongestAnswer;
  return request;
}

Vectors ApiEmbedder::ask(const std::vector<std::string>& texts) {
  const std::vector<std::size_t> begins = batches_of(texts);
  std::vector<Call::Answer> answers(begins.size() - 1);
  std::latch done(static_cast<std::ptrdiff_t>(answers.size()));
  std::vector<std::unique_ptr<ApiCall>> calls;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto batch = std::span(texts).subspan(begins[i], begins[i + 1] - begins[i]);
    calls.push_back(std::make_unique<Call>(*this, batch, answers[i], done));
  }
  queue_.add(std::move(calls));
  done.wait();
  Vectors vectors;
  for (Call::Answer& answer : answers) {
    if (answer.end.next != ApiNext::kDone) {
      fail(ErrorCode::kIo, "{}: no vectors from '{}': {}: {}", options_.url, options_.model, answer.end.code,
           without_secret(answer.end.message, options_.key));
    }
    std::move(answer.vectors.begin(), answer.vectors.end(), std::back_inserter(vectors));
  }
  return vectors;
}

std::vector<float> ApiEmbedder::embed(std::span<const std::string> texts) {
  std::vector<float> rows(texts.size() * dim_);
  const auto put = [&](std::size_t row, const std::vector<float>& vector) {
    std::copy(vector.begin(), vector.end(), rows.begin() + static_cast<std::ptrdiff_t>(row * dim_));
  };
  std::vector<std::string> missing;
  std::map<std::string_view, std::size_t> places;            // in `missing`
  std::vector<std::pair<std::size_t, std::size_t>> waiting;  // (row, place)
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t row = 0; row < texts.size(); ++row) {
      if (const std::vector<float>* vector = cache_.find(texts[row])) {
        put(row, *vector);
        continue;
      }
      const auto [place, is_new] = places.emplace(texts[row], missing.size());
      if (is_new) missing.push_back(texts[row]);
      waiting.emplace_back(row, place->second);
    }
  }
  if (missing.empty()) return rows;
  const Vectors vectors = ask(missing);
  for (const std::vector<float>& vector : vectors) {
    if (vector.size() == dim_) continue;
    fail(ErrorCode::kIo, "{}: '{}' gives vectors of {} numbers, and before of {}", options_.url,
         options_.model, vector.size(), dim_);
  }
  for (const auto& [row, place] : waiting) put(row, vectors[place]);
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < missing.size(); ++i) cache_.put(missing[i], vectors[i]);
  return rows;
}

}  // namespace micius
