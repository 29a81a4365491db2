#include "core/record_json.h"

#include <cstdint>
#include <variant>

#include "base/text.h"
#include "core/attempt_json.h"
#include "core/names.h"

namespace micius {
namespace {

Json to_json(const std::vector<Message>& messages) {
  Json list = Json::array();
  for (const Message& m : messages) list.push_back({{"role", name_of(m.role)}, {"content", m.content}});
  return list;
}

Json to_json(const std::vector<Pair>& pairs) {
  Json list = Json::array();
  for (const Pair& p : pairs) {
    list.push_back({{"context", p.context}, {"continuation", p.continuation}});
    if (!p.question.empty()) list.back()["question"] = p.question;
  }
  return list;
}

// The pairs with all that a model read before their continuations.
Json pairs_as_read(const LikelihoodInput& input, const std::string& prompt_text) {
  const std::vector<std::string_view> texts = split(prompt_text, kPromptTextSeparator);
  Json list = Json::array();
  for (std::size_t i = 0; i < input.pairs.size(); ++i) {
    const Pair& pair = input.pairs[i];
    std::string before;
    if (input.asks_own_questions() && i < texts.size()) before = texts[i];
    if (!input.asks_own_questions() && !input.messages.empty()) before = prompt_text;
    list.push_back({{"context", before + pair.context}, {"continuation", pair.continuation}});
  }
  return list;
}

std::vector<Message> messages_from_json(const Json& list, const std::string& where) {
  std::vector<Message> messages;
  for (const Json& item : list) {
    const JsonFields f(item, where);
    messages.push_back({role_from(f.string("role"), where), f.string("content")});
  }
  return messages;
}

std::vector<Pair> pairs_from_json(const Json& list, const std::string& where) {
  std::vector<Pair> pairs;
  for (const Json& item : list) {
    const JsonFields f(item, where);
    pairs.push_back({f.string("context"), f.string("continuation"), f.string_or("question", "")});
  }
  return pairs;
}

Json prompt_as_read(const Turn& turn) {
  Json json = Json::object();
  if (const auto* weigh = std::get_if<LikelihoodInput>(&turn.prompt.input)) {
    json["pairs"] = pairs_as_read(*weigh, turn.completion.prompt_text);
  } else {
    json["messages"] = to_json(std::get<GenerateInput>(turn.prompt.input).messages);
    if (!turn.completion.prompt_text.empty()) json["text"] = turn.completion.prompt_text;
  }
  return json;
}

// What both forms of a turn begin with, behind the prompt.
void add_answer(Json& json, const Turn& turn) {
  if (std::holds_alternative<LikelihoodInput>(turn.prompt.input)) {
    json["likelihoods"] = to_json(turn.completion.likelihoods);
  } else {
    json["completion"] = turn.completion.text;
  }
}

Json turn_json(const Turn& turn) {
  const Completion& c = turn.completion;
  Json json = {{"prompt", prompt_as_read(turn)}};
  if (!c.failure) {
    add_answer(json, turn);
    if (std::holds_alternative<GenerateInput>(turn.prompt.input))
      json["stop_reason"] = name_of(c.stop_reason);
  }
  json["prompt_tokens"] = c.prompt_tokens;
  json["completion_tokens"] = c.completion_tokens;
  if (c.cut_tokens > 0) json["cut_tokens"] = c.cut_tokens;
  if (c.from_cache) json["from_cache"] = true;
  json["observation"] = turn.observation;
  return json;
}

Json whole_turn_json(const Turn& turn) {
  const Completion& c = turn.completion;
  Json json = {{"prompt", to_json(turn.prompt)}};
  if (!c.prompt_text.empty()) json["prompt_text"] = c.prompt_text;
  add_answer(json, turn);
  json["stop_reason"] = name_of(c.stop_reason);
  json["prompt_tokens"] = c.prompt_tokens;
  if (c.cached_tokens != 0) json["cached_tokens"] = c.cached_tokens;
  if (c.cache_write_tokens != 0) json["cache_write_tokens"] = c.cache_write_tokens;
  json["completion_tokens"] = c.completion_tokens;
  if (c.cut_tokens != 0) json["cut_tokens"] = c.cut_tokens;
  if (c.work) json["work"] = {{"forwarded", c.work->forwarded}, {"naive", c.work->naive}};
  json["sent_ns"] = ns_between(c.timing.planned, c.timing.sent);
  if (c.timing.first_token) json["ttft_ns"] = ns_between(c.timing.planned, *c.timing.first_token);
  if (c.from_cache) {
    json["from_cache"] = true;
  } else {
    json["latency_ns"] = ns_between(c.timing.planned, c.timing.done);
  }
  if (!c.attempts.empty()) json["attempts"] = to_json(c.attempts);
  if (!turn.observation.empty()) json["observation"] = turn.observation;
  return json;
}

Json failure_json(const Failure& failure) {
  return {{"code", failure.code}, {"message", failure.message}, {"attempts", failure.attempts}};
}

}  // namespace

Json to_json(const Prompt& prompt) {
  Json json = Json::object();
  if (const auto* weigh = std::get_if<LikelihoodInput>(&prompt.input)) {
    if (!weigh->messages.empty()) json["messages"] = to_json(weigh->messages);
    json["pairs"] = to_json(weigh->pairs);
    if (weigh->split != PairSplit::kContext) json["split"] = name_of(weigh->split);
  } else {
    json["messages"] = to_json(std::get<GenerateInput>(prompt.input).messages);
  }
  return json;
}

Prompt prompt_from_json(const Json& json, const std::string& where, const std::string& sample_id) {
  const JsonFields f(json, where);
  std::vector<Message> messages;
  if (f.has("messages")) messages = messages_from_json(f.at("messages"), where);
  if (!f.has("pairs")) return {sample_id, GenerateInput{std::move(messages)}};
  const PairSplit split = pair_split_from(f.string_or("split", "context"), where);
  return {sample_id, LikelihoodInput{std::move(messages), pairs_from_json(f.at("pairs"), where), split}};
}

Json to_json(const std::vector<Likelihood>& likelihoods) {
  Json list = Json::array();
  for (const Likelihood& l : likelihoods)
    list.push_back({{"logprob", l.logprob}, {"tokens", l.tokens}, {"greedy", l.greedy}});
  return list;
}

std::vector<Likelihood> likelihoods_from_json(const Json& json, const std::string& where) {
  std::vector<Likelihood> likelihoods;
  for (const Json& item : json) {
    const JsonFields f(item, where);
    likelihoods.push_back(
        {f.number("logprob"), static_cast<int>(f.integer("tokens")), f.boolean_or("greedy", false)});
  }
  return likelihoods;
}

Json record_json(RunId run, const Record& record) {
  Json json = {
      {"run_id", static_cast<std::int64_t>(run)}, {"sample_id", record.sample.id}, {"repeat", record.repeat}};
  if (record.failure) {
    json["failure"] = failure_json(*record.failure);
  } else {
    json["verdict"] = name_of(record.score.verdict);
    json["values"] = Json::object();
    for (const Value& v : record.score.values) json["values"][v.metric] = v.value;
    json["answer"] = record.score.answer;
    json["reason"] = record.score.reason;
  }
  json["turns"] = Json::array();
  for (const Turn& turn : record.turns) json["turns"].push_back(turn_json(turn));
  return json;
}

Json whole_record_json(const Record& record) {
  Json json = {{"sample", to_json(record.sample)}, {"repeat", record.repeat}};
  if (record.failure) {
    json["failure"] = failure_json(*record.failure);
  } else {
    json["verdict"] = name_of(record.score.verdict);
    json["answer"] = record.score.answer;
    json["reason"] = record.score.reason;
  }
  json["values"] = Json::array();
  for (const Value& value : record.score.values) json["values"].push_back({value.metric, value.value});
  json["turns"] = Json::array();
  for (const Turn& turn : record.turns) json["turns"].push_back(whole_turn_json(turn));
  return json;
}

}  // namespace micius
