#include "pipeline/request.h"

#include <fmt/format.h>

namespace micius {

Request make_request(const RunSpec& spec, const Prompt& prompt, int repeat, std::size_t turn) {
  Request request;
  request.prompt = prompt;
  request.options = spec.options;
  if (turn < spec.turn_max_tokens.size()) request.options.max_tokens = spec.turn_max_tokens[turn];
  request.options.stream = fmt::format("{}/{}/{}", prompt.sample_id, repeat, turn);
  request.repeat = repeat;
  request.turn = turn;
  request.style = spec.style;
  return request;
}

}  // namespace micius
