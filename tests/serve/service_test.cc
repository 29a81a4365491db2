// The endpoints without HTTP, over the tiny model: what comes out is what the engine gives.
#include "serve/service.h"

#include <atomic>
#include <cmath>
#include <map>
#include <thread>

#include <catch2/catch.hpp>

#include "base/text.h"
#include "engine/encode.h"
#include "serve/test_service.h"

namespace micius {
namespace {

using Call = ServedAnswer (Service::*)(std::string_view, const Caller&);

Json whole(TestService& test, Call call, const Json& body) {
  ServedAnswer answer = (test.service.*call)(body.dump(), test.caller);
  REQUIRE(std::holds_alternative<Json>(answer));
  return std::get<Json>(answer);
}

std::vector<Json> streamed(TestService& test, Call call, const Json& body) {
  ServedAnswer answer = (test.service.*call)(body.dump(), test.caller);
  auto& stream = std::get<std::unique_ptr<EventStream>>(answer);
  std::vector<Json> chunks;
  std::string last;
  while (!stream->ended()) {
    const auto data = stream->next(std::chrono::milliseconds(100));
    if (!data) continue;
    last = *data;
    if (last != "[DONE]") chunks.push_back(parse_json(last, "chunk"));
  }
  CHECK(last == "[DONE]");
  return chunks;
}

int status_of(TestService& test, Call call, const Json& body, const std::string& code) {
  try {
    (test.service.*call)(body.dump(), test.caller);
  } catch (const Refusal& refusal) {
    INFO(refusal.what());
    CHECK(refusal.body().at("error").at("code") == code);
    return refusal.status();
  }
  return 200;
}

JobResult alone(const TinyModel& model, Job job) {
  EngineOptions options;
  options.threads = 1;
  Engine engine(model.path(), options);
  engine.add(std::move(job));
  while (true) {
    std::vector<JobResult> finished = engine.step().finished;
    if (!finished.empty()) return std::move(finished.front());
  }
}

Json user(const std::string& text) { return Json::array({{{"role", "user"}, {"content", text}}}); }

}  // namespace

TEST_CASE("A chat answer is what the engine gives for the template's text", "[service]") {
  TestService test;
  for (const double temperature : {0.0, 1.0}) {
    const Json answer = whole(test, &Service::complete_chat,
                              {{"model", "tiny"},
                               {"messages", user("hello")},
                               {"max_tokens", 12},
                               {"temperature", temperature},
                               {"seed", 5}});
    GenerateJob job;
    job.prompt = encode_prompt(test.engine.tokenizer(), "[user]hello\n[assistant]");
    job.max_tokens = 12;
    job.sampling.temperature = temperature;
    job.stream = "5/sampling/";
    const JobResult expected = alone(test.model, job);
    const Json& choice = answer.at("choices").at(0);
    CHECK(choice.at("message").at("content") == expected.text);
    CHECK(choice.at("finish_reason") == (expected.stopped ? "stop" : "length"));
    CHECK(choice.at("logprobs").is_null());
    CHECK(answer.at("usage").at("prompt_tokens") == job.prompt.size());
    CHECK(answer.at("usage").at("completion_tokens") == expected.ids.size());
    CHECK(answer.at("object") == "chat.completion");
    CHECK(answer.at("model") == "tiny");
  }
}

TEST_CASE("A stream's pieces joined are the whole answer", "[service]") {
  TestService test;
  const Json body = {
      {"messages", user("stream")}, {"max_tokens", 30}, {"temperature", 1}, {"seed", 3}, {"n", 3},
      {"logprobs", true},           {"top_logprobs", 2}};
  const Json expected = whole(test, &Service::complete_chat, body);
  Json streaming = body;
  streaming["stream"] = true;
  streaming["stream_options"] = {{"include_usage", true}};
  const std::vector<Json> chunks = streamed(test, &Service::complete_chat, streaming);
  std::map<std::size_t, std::string> texts, reasons;
  std::map<std::size_t, Json> logprobs;
  std::map<std::size_t, int> roles;
  for (std::size_t i = 0; i + 1 < chunks.size(); ++i) {
    CHECK(chunks[i].at("usage").is_null());
    CHECK(chunks[i].at("id") == chunks[0].at("id"));
    const Json& choice = chunks[i].at("choices").at(0);
    const std::size_t index = choice.at("index");
    roles[index] += choice.at("delta").contains("role") ? 1 : 0;
    texts[index] += choice.at("delta").value("content", "");
    if (!choice.at("finish_reason").is_null()) reasons[index] = choice.at("finish_reason");
    if (choice.at("logprobs").is_null()) continue;
    for (const Json& token : choice.at("logprobs").at("content")) logprobs[index].push_back(token);
  }
  CHECK(chunks.back().at("choices").empty());
  CHECK(chunks.back().at("usage") == expected.at("usage"));
  for (std::size_t i = 0; i < 3; ++i) {
    const Json& choice = expected.at("choices").at(i);
    CHECK(texts[i] == choice.at("message").at("content").get<std::string>());
    CHECK(reasons[i] == choice.at("finish_reason").get<std::string>());
    CHECK(logprobs[i] == choice.at("logprobs").at("content"));
    CHECK(roles[i] == 1);
  }
  CHECK(texts[0] != texts[1]);  // each choice draws for itself
}

TEST_CASE("An echo's log-probabilities are those of the engine", "[service]") {
  TestService test;
  const std::string context = "GPU \xc3\xa9 0 is", continuation = " h\xe2\x82\xact";
  const Json answer = whole(test, &Service::complete_text,
                            {{"prompt", context + continuation},
                             {"echo", true},
                             {"logprobs", 1},
                             {"max_tokens", 1},
                             {"temperature", 0}});
  const Json& choice = answer.at("choices").at(0);
  const Json& lists = choice.at("logprobs");
  const std::size_t tokens = lists.at("tokens").size();
  // The probe that clients ask before they trust a server.
  CHECK(tokens == answer.at("usage").at("prompt_tokens").get<std::size_t>() +
                      answer.at("usage").at("completion_tokens").get<std::size_t>());
  CHECK(lists.at("token_logprobs").at(0).is_null());
  CHECK(lists.at("top_logprobs").at(0).is_null());
  CHECK(choice.at("text").get<std::string>().starts_with(context + continuation));
  double sum = 0;
  bool greedy = true;
  std::size_t weighed = 0;
  for (std::size_t i = 1; i + 1 < tokens; ++i) {
    const double logprob = lists.at("token_logprobs").at(i);
    CHECK(logprob <= 0);
    double most = -1e300;
    for (const auto& top : lists.at("top_logprobs").at(i).items())
      most = std::max(most, top.value().get<double>());
    CHECK(most >= logprob);
    if (lists.at("text_offset").at(i).get<std::size_t>() < code_points(context)) continue;
    sum += logprob;
    greedy = greedy && logprob == most;
    ++weighed;
  }
  const Tokenizer& tokenizer = test.engine.tokenizer();
  const TokenPair pair{tokenizer.encode(context, SpecialText::kPlain),
                       tokenizer.encode(continuation, SpecialText::kPlain)};
  const JobResult expected = alone(test.model, WeighJob{{pair}});
  CHECK(sum == expected.weights.front().logprob);
  CHECK(weighed == static_cast<std::size_t>(expected.weights.front().tokens));
  CHECK(greedy == expected.weights.front().greedy);

  // The same by ids, and with nothing generated.
  std::vector<TokenId> ids = pair.context;
  ids.insert(ids.end(), pair.continuation.begin(), pair.continuation.end());
  const Json by_ids = whole(test, &Service::complete_text,
                            {{"prompt", ids}, {"echo", true}, {"logprobs", 1}, {"max_tokens", 0}});
  const Json& same = by_ids.at("choices").at(0);
  CHECK(same.at("text") == context + continuation);
  CHECK(by_ids.at("usage").at("completion_tokens") == 0);
  REQUIRE(same.at("logprobs").at("tokens").size() == ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    for (const char* list : {"tokens", "token_logprobs", "top_logprobs", "text_offset"})
      CHECK(same.at("logprobs").at(list).at(i) == lists.at(list).at(i));
  }
}

TEST_CASE("Prompts of one request are answered in order, with an echo of each", "[service]") {
  TestService test;
  const Json answer =
      whole(test, &Service::complete_text,
            {{"prompt", {"a", "bb", ""}}, {"n", 2}, {"echo", true}, {"max_tokens", 3}, {"seed", 1}});
  REQUIRE(answer.at("choices").size() == 6);
  const std::vector<std::string> prompts = {"a", "a", "bb", "bb", "", ""};
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(answer.at("choices").at(i).at("index") == i);
    CHECK(answer.at("choices").at(i).at("text").get<std::string>().starts_with(prompts[i]));
  }
  CHECK(answer.at("usage").at("prompt_tokens") == 1 + 2 + 1);  // nothing is read as one token
}

TEST_CASE("What the model cannot take is refused in OpenAI's words", "[service]") {
  TestService test;
  const std::string longer(kTinyContext + 1, 'x');
  CHECK(status_of(test, &Service::complete_text, {{"prompt", longer}}, "context_length_exceeded") == 400);
  CHECK(status_of(test, &Service::complete_chat, {{"messages", user(longer)}}, "context_length_exceeded") ==
        400);
  CHECK(status_of(test, &Service::complete_text, {{"prompt", "x"}, {"max_tokens", kTinyContext}},
                  "context_length_exceeded") == 400);
  CHECK(status_of(test, &Service::complete_text, {{"prompt", {kTinyVocabulary}}}, "invalid_value") == 400);
  CHECK(status_of(test, &Service::complete_text, {{"prompt", "x"}, {"model", "gpt"}}, "model_not_found") ==
        404);
  CHECK(status_of(test, &Service::embed, {{"input", "x"}, {"model", "tiny"}}, "model_not_found") == 404);
  CHECK(status_of(test, &Service::embed, {{"input", "longer than that"}}, "context_length_exceeded") == 400);
  const Json system = Json::array({{{"role", "system"}, {"content", "x"}}});
  CHECK(status_of(test, &Service::complete_chat, {{"messages", system}}, "chat_template") == 400);
}

TEST_CASE("Without a limit a chat answer may fill the context", "[service]") {
  TestService test;
  const Json answer = whole(test, &Service::complete_chat, {{"messages", user("x")}, {"temperature", 0}});
  const std::size_t total = answer.at("usage").at("total_tokens");
  CHECK(total <= kTinyContext);
  if (answer.at("choices").at(0).at("finish_reason") == "length") CHECK(total == kTinyContext);
}

TEST_CASE("Clients share batches and get what they would get alone", "[service]") {
  TestService test(64, 2);
  std::vector<std::string> expected, got(12);
  const auto ask = [&](int i) {
    return whole(test, &Service::complete_chat,
                 {{"messages", user("question " + std::to_string(i))}, {"max_tokens", 40}, {"seed", i}})
        .at("choices")
        .at(0)
        .at("message")
        .at("content")
        .get<std::string>();
  };
  for (int i = 0; i < 12; ++i) expected.push_back(ask(i));
  std::vector<std::thread> clients;
  for (int i = 0; i < 12; ++i) {
    clients.emplace_back([&, i] {
      const Json body = {
          {"messages", user("question " + std::to_string(i))}, {"max_tokens", 40}, {"seed", i}};
      ServedAnswer answer = test.service.complete_chat(body.dump(), test.caller);
      got[static_cast<std::size_t>(i)] =
          std::get<Json>(answer).at("choices").at(0).at("message").at("content");
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(got == expected);
}

TEST_CASE("A full queue refuses, and what a client left behind makes room", "[service]") {
  TestService test(2);
  const Json body = {{"messages", user("x")}, {"max_tokens", 200}, {"stream", true}};
  std::vector<ServedAnswer> running;
  for (int i = 0; i < 2; ++i) running.push_back(test.service.complete_chat(body.dump(), test.caller));
  CHECK(status_of(test, &Service::complete_chat, body, "rate_limit_exceeded") == 429);
  running.pop_back();  // the client went away
  CHECK_NOTHROW(running.push_back(test.service.complete_chat(body.dump(), test.caller)));
}

TEST_CASE("A caller that goes away gets no answer", "[service]") {
  class GoneCaller final : public Caller {
   public:
    bool is_gone() const override { return true; }
  };
  TestService test(1);
  const Json body = {{"messages", user("x")}, {"max_tokens", 200}};
  CHECK(std::holds_alternative<std::monostate>(test.service.complete_chat(body.dump(), GoneCaller())));
  CHECK(std::holds_alternative<std::monostate>(test.service.embed(R"({"input": "x"})", GoneCaller())));
  CHECK_NOTHROW(whole(test, &Service::complete_chat, {{"messages", user("x")}, {"max_tokens", 2}}));
}

TEST_CASE("Embeddings come as floats and as base64 of the same", "[service]") {
  TestService test;
  const Json floats = whole(test, &Service::embed, {{"input", {"a", "bcd"}}, {"model", "length"}});
  CHECK(floats.at("data").at(1).at("embedding") == Json::array({3.0, 0.5}));
  CHECK(floats.at("data").at(1).at("index") == 1);
  CHECK(floats.at("usage").at("prompt_tokens") == 4);
  const Json base64 = whole(test, &Service::embed, {{"input", "a"}, {"encoding_format", "base64"}});
  CHECK(base64.at("data").at(0).at("embedding") == "AACAPwAAAD8=");  // 0x3f800000, 0x3f000000
}

TEST_CASE("Models are listed with the tokens that they read", "[service]") {
  TestService test;
  const Json models = test.service.models();
  REQUIRE(models.at("data").size() == 2);
  CHECK(models.at("data").at(0).at("id") == "tiny");
  CHECK(models.at("data").at(0).at("max_model_len") == kTinyContext);
  CHECK(models.at("data").at(1).at("id") == "length");
}

TEST_CASE("Offsets count characters, also where a token is a part of one", "[service]") {
  TextOffsets offsets;
  CHECK(offsets.next("a") == 0);
  CHECK(offsets.next("\xe2") == 1);
  CHECK(offsets.next("\x82") == 1);
  CHECK(offsets.next("\xac z") == 1);
  CHECK(offsets.next("\xc3\xa9") == 4);
  CHECK(offsets.next("") == 5);
  CHECK(offsets.next("b") == 5);
}

TEST_CASE("A token that is no whole characters is written as its bytes", "[service]") {
  TestService test;
  const Tokenizer& tokenizer = test.engine.tokenizer();
  CHECK(token_name(tokenizer, 'a', TokenStyle::kText) == "a");
  CHECK(token_name(tokenizer, 0xe2, TokenStyle::kText) == "bytes:\\xe2");
  CHECK(token_name(tokenizer, 257, TokenStyle::kText) == "<|im_end|>");
  CHECK(token_name(tokenizer, 0xe2, TokenStyle::kId) == "token_id:226");
}

}  // namespace micius
