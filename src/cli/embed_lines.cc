#include "cli/embed_lines.h"

#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"

namespace micius {
namespace {

constexpr std::size_t kBatch = 256;  // lines

struct Line {
  std::string text;
  std::string error;  // then there is no text
};

Line read_line(const std::string& json_text, std::size_t number) {
  const std::string where = fmt::format("line {}", number);
  try {  // a bad line is an answer of its own
    const Json json = parse_json(json_text, where);
    const JsonFields fields(json, where);
    fields.only({"text"});
    return {fields.string("text"), ""};
  } catch (const Error& error) {
    const std::string message = error.what();
    return {"", message.starts_with("line ") ? message : where + ": " + message};
  }
}

}  // namespace

ExitCode embed_lines(Encoder& encoder, LineReader& in, std::ostream& out) {
  std::size_t count = 0;
  bool good = true;
  while (auto next = in.next(LineReader::Wait::kYes)) {
    std::vector<Line> lines;
    std::vector<std::string> texts;
    for (; next; next = lines.size() < kBatch ? in.next(LineReader::Wait::kNo) : std::nullopt) {
      lines.push_back(read_line(*next, ++count));
      if (lines.back().error.empty()) texts.push_back(lines.back().text);
    }
    const std::vector<float> rows = encoder.embed(texts);
    const std::size_t dim = encoder.info().dim;
    const float* row = rows.data();
    for (const Line& line : lines) {
      if (line.error.empty()) {
        out << dump_json({{"embedding", std::vector<float>(row, row + dim)}}) << '\n';
        row += dim;
      } else {
        out << dump_json({{"error", line.error}}) << '\n';
        good = false;
      }
    }
    out.flush();
  }
  return good ? ExitCode::kGood : ExitCode::kFailed;
}

}  // namespace micius
