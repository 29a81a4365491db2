#include "serve/reply.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace micius {
namespace {

constexpr std::chrono::milliseconds kLook{
    100};  // how often a waiting thread looks whether its client is there

TokenStyle style_of(const GenerateParams& params) {
  return params.tokens_as_ids ? TokenStyle::kId : TokenStyle::kText;
}

Refusal refusal_of(const JobFailure& failure) {
  if (failure.code == "kv_memory")
    return {400, "invalid_request_error", failure.code, "max_tokens",
            failure.message + ", or ask for fewer tokens"};
  if (failure.code == "context_too_long" || failure.code == "bad_token" || failure.code == "empty_prompt")
    return {400, "invalid_request_error", failure.code, "", failure.message};
  return {500, "server_error", failure.code, "", failure.message};
}

TokenUsage prompt_usage(const ReplyPlan& plan) {
  TokenUsage usage;
  for (const ServedPrompt& prompt : plan.prompts) usage.prompt += prompt.ids.size();
  return usage;
}

// What each token of a prompt holds of its text: a BOS that was put before it and the blank that
// SentencePiece adds hold nothing.
std::vector<std::string_view> pieces_of(const Tokenizer& tokenizer, const ServedPrompt& prompt) {
  std::vector<std::string_view> pieces;
  std::string joined;
  for (const TokenId id : prompt.ids) {
    pieces.push_back(tokenizer.bytes(id));
    joined += pieces.back();
  }
  std::size_t extra = joined.ends_with(prompt.text) ? joined.size() - prompt.text.size() : 0;
  for (std::string_view& piece : pieces) {
    const std::size_t cut = std::min(extra, piece.size());
    piece.remove_prefix(cut);
    extra -= cut;
  }
  return pieces;
}

struct ChoiceState {
  std::vector<TokenLogprobs> logprobs;  // of what was generated
  JobResult result;
};

Json classic_json(const Tokenizer& tokenizer, const ReplyPlan& plan, const ServedPrompt& prompt,
                  const ChoiceState& choice, std::size_t length) {
  ClassicLogprobs lists(tokenizer, style_of(plan.params));
  TextOffsets offsets;
  if (plan.echo) {
    const std::vector<std::string_view> pieces = pieces_of(tokenizer, prompt);
    lists.add_first(prompt.ids.front(), offsets.next(pieces.front()));
    for (std::size_t i = 1; i < pieces.size(); ++i)
      lists.add(choice.result.prompt_logprobs[i - 1], offsets.next(pieces[i]));
    offsets = TextOffsets(code_points(prompt.text));
  }
  for (const TokenLogprobs& token : choice.logprobs)
    lists.add(token, offsets.next(tokenizer.text(token.token.id, SpecialText::kPlain)));
  return lists.json(length);
}

ServedChoice choice_of(const Tokenizer& tokenizer, const ReplyPlan& plan, std::size_t index,
                       const ChoiceState& state) {
  const ServedPrompt& prompt = plan.prompts[index / static_cast<std::size_t>(plan.params.n)];
  ServedChoice choice{index, plan.echo ? prompt.text + state.result.text : state.result.text, nullptr,
                      state.result.stopped ? "stop" : "length"};
  if (!plan.params.best) return choice;
  choice.logprobs = plan.head.api == ServedApi::kChat
                        ? chat_logprobs(tokenizer, state.logprobs, style_of(plan.params))
                        : classic_json(tokenizer, plan, prompt, state, code_points(choice.text));
  return choice;
}

}  // namespace

std::optional<Json> whole_answer(const Tokenizer& tokenizer, const ReplyPlan& plan, Generation& generation,
                                 const Caller& caller) {
  std::vector<ChoiceState> states(plan.prompts.size() * static_cast<std::size_t>(plan.params.n));
  TokenUsage usage = prompt_usage(plan);
  while (!generation.ended()) {
    if (caller.is_gone()) return std::nullopt;
    std::optional<GenerationEvent> event = generation.next(kLook);
    if (!event) continue;
    ChoiceState& state = states[event->index];
    if (auto* token = std::get_if<NewToken>(&event->what)) {
      if (token->logprobs) state.logprobs.push_back(*std::move(token->logprobs));
      continue;
    }
    state.result = std::get<JobResult>(std::move(event->what));
    if (state.result.failure) throw refusal_of(*state.result.failure);
    usage.completion += state.result.ids.size();
  }
  std::vector<ServedChoice> choices;
  for (std::size_t i = 0; i < states.size(); ++i) choices.push_back(choice_of(tokenizer, plan, i, states[i]));
  return answer_json(plan.head, choices, usage);
}

EventStream::EventStream(const Tokenizer& tokenizer, ReplyPlan plan, std::unique_ptr<Generation> generation)
    : tokenizer_(tokenizer),
      plan_(std::move(plan)),
      generation_(std::move(generation)),
      usage_(prompt_usage(plan_)) {
  for (std::size_t i = 0; i < plan_.prompts.size() * static_cast<std::size_t>(plan_.params.n); ++i) begin(i);
}

std::optional<std::string> EventStream::next(std::chrono::milliseconds wait) {
  if (ready_.empty() && !ended_) {
    if (const auto event = generation_->next(wait)) take(*event);
    if (!ended_ && generation_->ended()) finish();
  }
  if (ready_.empty()) return std::nullopt;
  std::string data = std::move(ready_.front());
  ready_.pop_front();
  return data;
}

void EventStream::begin(std::size_t index) {
  const ServedPrompt& prompt = plan_.prompts[index / static_cast<std::size_t>(plan_.params.n)];
  offsets_.emplace_back(plan_.echo ? code_points(prompt.text) : 0);
  if (plan_.head.api == ServedApi::kChat) push(begin_chunk(plan_.head, index));
  if (plan_.echo) push(chunk_json(plan_.head, {index, prompt.text, nullptr, nullptr}));
}

void EventStream::take(const GenerationEvent& event) {
  std::visit([&](const auto& what) { take(event.index, what); }, event.what);
}

void EventStream::take(std::size_t index, const NewToken& token) {
  const bool is_chat = plan_.head.api == ServedApi::kChat;
  ServedChoice choice{index, token.text, nullptr, nullptr};
  if (token.logprobs && is_chat) {
    choice.logprobs = chat_logprobs(tokenizer_, {&*token.logprobs, 1}, style_of(plan_.params));
  } else if (token.logprobs) {
    ClassicLogprobs lists(tokenizer_, style_of(plan_.params));
    const std::size_t offset = offsets_[index].next(tokenizer_.text(token.id, SpecialText::kPlain));
    lists.add(*token.logprobs, offset);
    choice.logprobs = lists.json(offset);
  } else if (token.text.empty()) {
    return;
  }
  push(chunk_json(plan_.head, std::move(choice)));
}

void EventStream::take(std::size_t index, const JobResult& result) {
  if (result.failure) {  // the head with its 200 was sent long ago
    ready_.push_back(dump_json(refusal_of(*result.failure).body()));
    ended_ = true;
    return;
  }
  usage_.completion += result.ids.size();
  push(chunk_json(plan_.head, {index, "", nullptr, result.stopped ? "stop" : "length"}));
}

void EventStream::push(Json chunk) {
  if (plan_.params.include_usage) chunk["usage"] = nullptr;
  ready_.push_back(dump_json(chunk));
}

void EventStream::finish() {
  if (plan_.params.include_usage) ready_.push_back(dump_json(usage_chunk(plan_.head, usage_)));
  ready_.emplace_back("[DONE]");
  ended_ = true;
}

}  // namespace micius
