// Every API, whole and streamed, each with a server of its own words, for tests.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runners/api_trial.h"

namespace micius {

struct Way {
  ApiKind kind;
  ApiStreaming streaming;
  bool streams() const { return streaming == ApiStreaming::kAll; }
  bool is_anthropic() const { return kind == ApiKind::kAnthropic; }
};

inline const std::vector<Way> kWays = {
    {ApiKind::kOpenAi, ApiStreaming::kNone},    {ApiKind::kOpenAi, ApiStreaming::kAll},
    {ApiKind::kAzure, ApiStreaming::kNone},     {ApiKind::kAzure, ApiStreaming::kAll},
    {ApiKind::kAnthropic, ApiStreaming::kNone}, {ApiKind::kAnthropic, ApiStreaming::kAll}};

inline std::string event(const Json& json) { return "data: " + json.dump() + "\n\n"; }

// An answer's pieces as the server sends them one after the other: begin, text, reason, end mark. A whole
// answer has one.
inline std::vector<std::string> pieces(const Way& way, const std::string& text,
                                       const std::string& reason = "") {
  if (way.is_anthropic()) {
    const std::string word = reason.empty() ? "end_turn" : reason;
    if (!way.streams()) {
      return {Json{{"type", "message"},
                   {"model", "tiny"},
                   {"content", {{{"type", "text"}, {"text", text}}}},
                   {"stop_reason", word},
                   {"usage", {{"input_tokens", 11}, {"output_tokens", 2}}}}
                  .dump()};
    }
    return {
        event({{"type", "message_start"},
               {"message", {{"model", "tiny"}, {"usage", {{"input_tokens", 11}, {"output_tokens", 1}}}}}}),
        event({{"type", "content_block_delta"},
               {"index", 0},
               {"delta", {{"type", "text_delta"}, {"text", text}}}}),
        event({{"type", "message_delta"},
               {"delta", {{"stop_reason", word}}},
               {"usage", {{"output_tokens", 2}}}}),
        event({{"type", "message_stop"}})};
  }
  const std::string word = reason.empty() ? "stop" : reason;
  if (!way.streams()) return {chat(text, word)};
  const auto choice = [](const Json& delta, const Json& finish) {
    return event(
        {{"model", "tiny"}, {"choices", {{{"index", 0}, {"delta", delta}, {"finish_reason", finish}}}}});
  };
  return {event({{"model", "tiny"}, {"choices", Json::array()}}) + choice({{"content", ""}}, nullptr),
          choice({{"content", text}}, nullptr), choice(Json::object(), word),
          event({{"choices", Json::array()}, {"usage", {{"prompt_tokens", 11}, {"completion_tokens", 2}}}}) +
              "data: [DONE]\n\n"};
}

inline std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

inline void answer_well(Exchange& exchange, const Way& way, const std::string& text = "fine") {
  exchange.answer(200, {}, joined(pieces(way, text)));
}

inline ApiSettings settings_of(const Way& way, int retries = 2) {
  ApiSettings settings = one_lane(retries);
  settings.streaming = way.streaming;
  return settings;
}

using WayHandler = std::function<void(Exchange&, const Way&)>;

inline Completion ask_once(const Way& way, const WayHandler& handler, int retries = 2) {
  FaultServer server([&](Exchange& exchange) { handler(exchange, way); });
  Trial trial(server, settings_of(way, retries), way.kind);
  return trial.ask(1).at(0);
}

inline std::string error_body(const Way& way, const std::string& code, const std::string& message) {
  if (way.is_anthropic())
    return Json{{"type", "error"}, {"error", {{"type", code}, {"message", message}}}, {"request_id", "r"}}
        .dump();
  return error(code, message);
}

}  // namespace micius
