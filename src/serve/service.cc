#include "serve/service.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "engine/encode.h"
#include "serve/request.h"

namespace micius {
namespace {

constexpr int kTextTokens = 16;           // OpenAI's default for text completions
constexpr std::size_t kTextsAtOnce = 64;  // vectors between two looks at whether the caller is there

std::int64_t seconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

Service::Service(Engine& engine, Embedder* embedder, ServiceOptions options, const Clock& clock)
    : engine_(engine),
      embedder_(embedder),
      options_(std::move(options)),
      clock_(clock),
      started_(seconds_of(clock.utc())),
      chat_(engine.chat_template(), engine.path().filename().string(), engine.tokenizer()),
      random_(options_.random_stream),
      batcher_(engine, options_.most_requests) {}

Json Service::models() const {
  const auto model = [&](const std::string& id, std::size_t tokens) -> Json {
    return {{"id", id},
            {"object", "model"},
            {"created", started_},
            {"owned_by", "micius"},
            {"max_model_len", tokens}};
  };
  Json data = Json::array({model(options_.model, engine_.info().context)});
  if (embedder_ != nullptr) data.push_back(model(options_.embedder, embedder_->max_tokens()));
  return {{"object", "list"}, {"data", std::move(data)}};
}

ServedAnswer Service::complete_chat(std::string_view body, const Caller& caller) {
  ChatCompletionRequest request = read_chat_completion(body);
  check_model(request.params.model, options_.model);
  ReplyPlan plan{new_head(ServedApi::kChat), std::move(request.params), {}};
  plan.prompts.push_back(read_prompt(chat_text(request.messages)));
  const ServedPrompt& prompt = plan.prompts.front();
  check_room(prompt, plan.params.max_tokens.value_or(1), "messages");
  // Without a limit the model may go on to the end of its context.
  if (!plan.params.max_tokens)
    plan.params.max_tokens = static_cast<int>(engine_.info().context - prompt.ids.size());
  return answer(std::move(plan), caller);
}

ServedAnswer Service::complete_text(std::string_view body, const Caller& caller) {
  TextCompletionRequest request = read_text_completion(body);
  check_model(request.params.model, options_.model);
  ReplyPlan plan{new_head(ServedApi::kText), std::move(request.params), {}, request.echo};
  if (!plan.params.max_tokens) plan.params.max_tokens = kTextTokens;
  for (const TextOrIds& prompt : request.prompts) {
    plan.prompts.push_back(read_prompt(prompt));
    check_room(plan.prompts.back(), *plan.params.max_tokens, "prompt");
  }
  return answer(std::move(plan), caller);
}

ServedAnswer Service::embed(std::string_view body, const Caller& caller) {
  const EmbeddingsRequest request = read_embeddings(body);
  if (embedder_ == nullptr) {
    throw Refusal(501, "not_supported_error", "", "",
                  "this server has no model for vectors; start it with --embedding-model");
  }
  check_model(request.model, options_.embedder);
  const auto dim = static_cast<std::int64_t>(embedder_->dim());
  if (request.dimensions.value_or(dim) != dim)
    throw bad_field("dimensions", fmt::format("'{}' gives {} dimensions", options_.embedder, dim));
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < request.texts.size(); ++i) {
    const std::size_t count = embedder_->count_tokens(request.texts[i]);
    if (count > embedder_->max_tokens()) {
      throw Refusal(
          400, "invalid_request_error", "context_length_exceeded", "input",
          fmt::format("This model's maximum context length is {} tokens, however text {} of 'input' "
                      "has {}. Please shorten it.",
                      embedder_->max_tokens(), i, count));
    }
    tokens += count;
  }
  std::vector<float> rows;
  const std::span<const std::string> texts = request.texts;
  for (std::size_t first = 0; first < texts.size(); first += kTextsAtOnce) {
    if (caller.is_gone()) return std::monostate();
    const std::vector<float> some =
        embedder_->embed(texts.subspan(first, std::min(kTextsAtOnce, texts.size() - first)));
    rows.insert(rows.end(), some.begin(), some.end());
  }
  return embeddings_json(options_.embedder, rows, embedder_->dim(),
                         request.base64 ? VectorEncoding::kBase64 : VectorEncoding::kFloats, tokens);
}

AnswerHead Service::new_head(ServedApi api) {
  return {api, fmt::format("{}-{:016x}", api == ServedApi::kChat ? "chatcmpl" : "cmpl", random()),
          options_.model, seconds_of(clock_.utc())};
}

void Service::check_model(const std::string& asked, const std::string& served) const {
  if (asked.empty() || asked == served) return;
  throw Refusal(404, "invalid_request_error", "model_not_found", "model",
                fmt::format("the model '{}' is not here; this server has '{}'",
                            shorten(visible_line(asked), 80), served));
}

std::string Service::chat_text(const std::vector<ChatMessage>& messages) const {
  try {
    return chat_.text(messages);
  } catch (const Error& error) {  // a template may refuse a conversation: this one's failure
    throw Refusal(400, "invalid_request_error", "chat_template", "messages", error.what());
  }
}

ServedPrompt Service::read_prompt(const TextOrIds& prompt) const {
  const Tokenizer& tokenizer = engine_.tokenizer();
  ServedPrompt read;
  if (const auto* text = std::get_if<std::string>(&prompt)) {
    read = {*text, encode_prompt(tokenizer, *text)};
  } else {
    read.ids = std::get<std::vector<TokenId>>(prompt);
    for (const TokenId id : read.ids) {
      if (static_cast<std::size_t>(id) >= tokenizer.size())
        throw bad_field(
            "prompt", fmt::format("'prompt': token {} is not in the vocabulary of {}", id, tokenizer.size()));
    }
    read.text = tokenizer.decode(read.ids, SpecialText::kRecognised);
  }
  if (const auto prefix = prefix_token(tokenizer); read.ids.empty() && prefix) read.ids.push_back(*prefix);
  if (read.ids.empty()) throw bad_field("prompt", "the prompt has no token");
  return read;
}

void Service::check_room(const ServedPrompt& prompt, int max_tokens, const char* field) const {
  const std::size_t room = engine_.info().context, asked = static_cast<std::size_t>(max_tokens);
  if (prompt.ids.size() + asked <= room) return;
  throw Refusal(
      400, "invalid_request_error", "context_length_exceeded", field,
      fmt::format("This model's maximum context length is {} tokens, however you requested {} tokens "
                  "({} in the {}, {} in the completion). Please reduce either.",
                  room, prompt.ids.size() + asked, prompt.ids.size(), field, asked));
}

ServedAnswer Service::answer(ReplyPlan plan, const Caller& caller) {
  std::unique_ptr<Generation> generation = batcher_.start(jobs_of(plan));
  const Tokenizer& tokenizer = engine_.tokenizer();
  if (plan.params.stream)
    return std::make_unique<EventStream>(tokenizer, std::move(plan), std::move(generation));
  std::optional<Json> whole = whole_answer(tokenizer, plan, *generation, caller);
  if (!whole) return std::monostate();
  return *std::move(whole);
}

// A seed gives what `micius engine generate` gives with it; each further choice draws numbers of its own.
std::vector<GenerateJob> Service::jobs_of(const ReplyPlan& plan) {
  const std::string seed =
      plan.params.seed ? fmt::format("{}", *plan.params.seed) : fmt::format("{:x}", random());
  std::vector<GenerateJob> jobs;
  for (const ServedPrompt& prompt : plan.prompts) {
    for (int i = 0; i < plan.params.n; ++i) {
      GenerateJob job;
      job.prompt = prompt.ids;
      job.max_tokens = *plan.params.max_tokens;
      job.sampling = plan.params.sampling;
      job.stop = plan.params.stop;
      job.stream = fmt::format("{}/sampling/{}", seed, i == 0 ? "" : std::to_string(i));
      job.best = plan.params.best;
      job.weighs_prompt = plan.echo && plan.params.best.has_value();
      jobs.push_back(std::move(job));
    }
  }
  return jobs;
}

std::uint64_t Service::random() {
  const std::lock_guard lock(mutex_);
  return random_();
}

}  // namespace micius
