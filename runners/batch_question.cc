#include "runners/batch_question.h"

#include <cstddef>

#include <fmt/format.h>

#include "base/hash.h"

namespace micius {

std::string question_name(const Request& request, const Json& body) {
  constexpr std::size_t kShown = 24, kHash = 12;
  std::string name;
  for (const char c : request.prompt.sample_id.substr(0, kShown)) {
    const bool fits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    name += fits ? c : '-';
  }
  const Json all = {{"sample", request.prompt.sample_id},
                    {"repeat", request.repeat},
                    {"turn", request.turn},
                    {"body", body}};
  return fmt::format("{}-{}-{}-{}", name, request.repeat % 100'000, request.turn % 1'000,
                     sha256_hex(dump_json(all)).substr(0, kHash));
}

}  // namespace micius
