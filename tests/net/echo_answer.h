// What a server answers that echoes its prompt with log-probabilities.
#pragma once

#include <algorithm>
#include <string>

#include "base/json.h"

namespace micius {

// As vLLM answers: a token a word, " 2" more likely than all, " 3" less likely than " 2".
inline std::string echo_of(const std::string& prompt) {
  Json tokens = Json::array(), logprobs = Json::array(), best = Json::array(), offsets = Json::array();
  const auto add = [&](const std::string& token, std::size_t offset) {
    const double logprob = token == " 3" ? -3 : -1;
    offsets.push_back(offset);
    best.push_back(tokens.empty() ? Json() : Json{{token, logprob}, {" 2", -1}});
    logprobs.push_back(tokens.empty() ? Json() : Json(logprob));
    tokens.push_back(token);
  };
  for (std::size_t begin = 0; begin < prompt.size();) {
    const std::size_t end = std::min(prompt.find(' ', begin + 1), prompt.size());
    add(prompt.substr(begin, end - begin), begin);
    begin = end;
  }
  const std::size_t count = tokens.size();
  add("!", prompt.size());
  const Json lists = {
      {"tokens", tokens}, {"token_logprobs", logprobs}, {"top_logprobs", best}, {"text_offset", offsets}};
  return Json{{"choices", {{{"finish_reason", "length"}, {"logprobs", lists}}}},
              {"usage", {{"prompt_tokens", count}, {"completion_tokens", 1}}}}
      .dump();
}

}  // namespace micius
