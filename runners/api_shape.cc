#include "runners/api_shape.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"

namespace micius {

bool drop_field(ApiFields& fields, std::string_view name) {
  if (name == fields.max_tokens && !name.empty()) {
    const char* other = name == "max_tokens" ? "max_completion_tokens" : "max_tokens";
    fields.max_tokens = std::exchange(fields.may_rename_max_tokens, false) ? other : "";
    return true;
  }
  for (const auto& [field, sent] : {std::pair<std::string_view, bool*>{"temperature", &fields.temperature},
                                    {"top_p", &fields.top_p},
                                    {"top_k", &fields.top_k},
                                    {"min_p", &fields.min_p},
                                    {"stop", &fields.stop},
                                    {"stop_sequences", &fields.stop},
                                    {"seed", &fields.seed},
                                    {"stream_options", &fields.stream_options}}) {
    if (name == field) return std::exchange(*sent, false);
  }
  return false;
}

std::string one_text(const std::vector<Message>& messages) {
  std::vector<std::string> contents;
  for (const Message& message : messages) contents.push_back(message.content);
  return join(contents, "\n\n");
}

bool cut_at_stop(std::string& text, const std::vector<std::string>& stop) {
  std::size_t end = std::string::npos;
  for (const std::string& word : stop) {
    if (!word.empty()) end = std::min(end, text.find(word));
  }
  if (end == std::string::npos) return false;
  text.resize(end);
  return true;
}

}  // namespace micius
