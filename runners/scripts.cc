#include "runners/scripts.h"

#include <charconv>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/bm25.h"
#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/rng.h"
#include "runners/errors.h"
#include "runners/model_name.h"
#include "runners/scripted_runner.h"

namespace micius {
namespace {

constexpr std::size_t kMostErrors = 1000;

const std::string& last_message(const Request& request) {
  return std::get<GenerateInput>(request.prompt.input).messages.back().content;
}

// An answer that has a fence of its own gets no second one.
std::string verbose(const Request& request) {
  const bool is_fenced = request.reference.find("```") != std::string::npos;
  const std::string answer = is_fenced ? request.reference : "```\n" + request.reference + "\n```";
  return "Sure! This is the answer:\n\n" + answer +
         "\n\nIt does what you asked for; tell me if you need anything else.";
}

std::size_t error_count(const std::string& detail) {
  std::size_t count = 0;
  const char* end = detail.data() + detail.size();
  const auto [stop, error] = std::from_chars(detail.data(), end, count);
  if (error != std::errc() || stop != end || count == 0 || count > kMostErrors) {
    fail(ErrorCode::kUsage, "'scripted:errors:{}': give how many errors, 1 to {}: scripted:errors:2", detail,
         kMostErrors);
  }
  return count;
}

ScriptedRunner::Script errors(std::size_t count) {
  return [count](const Request& request) {
    const std::string seed =
        fmt::format("scripted/errors/{}/{}/{}", request.prompt.sample_id, request.repeat, request.turn);
    Rng coin(seed + "/coin");
    std::size_t made = 0;
    for (std::size_t i = 0; i < count; ++i) made += coin.below(2);
    return with_errors(request.reference, request.other_reference, made, seed);
  };
}

int percent_of(const std::string& detail) {
  int percent = -1;
  const char* end = detail.data() + detail.size();
  const auto [stop, error] = std::from_chars(detail.data(), end, percent);
  if (error != std::errc() || stop != end || percent < 0 || percent > 100)
    fail(ErrorCode::kUsage, "'scripted:spoiled:{}': give a whole percentage: scripted:spoiled:3", detail);
  return percent;
}

ScriptedRunner::Script spoiled(int percent) {
  return [percent](const Request& request) {
    Rng draw(fmt::format("scripted/spoiled/{}", request.prompt.sample_id));
    if (draw.uniform() * 100 >= percent) return request.reference;
    return request.other_reference == request.reference ? "spoiled" : request.other_reference;
  };
}

// Conversations that were had: the last question of each and its answer.
struct Memory {
  std::vector<std::string> questions, answers;
};

Memory read_conversations(std::string_view text, const std::string& path) {
  Memory memory;
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    const std::string where = fmt::format("{}:{}", path, number);
    const Json json = parse_json(line, where);
    const Json& messages = JsonFields(json, where).at("messages");
    if (!messages.is_array() || messages.size() < 2) {
      fail(ErrorCode::kInvalidData,
           "{}: field 'messages' must be a list of two messages or more, as `micius data export "
           "--format chat` writes them",
           where);
    }
    memory.questions.push_back(JsonFields(messages[messages.size() - 2], where).string("content"));
    memory.answers.push_back(JsonFields(messages[messages.size() - 1], where).string("content"));
  });
  if (memory.questions.empty()) fail(ErrorCode::kInvalidData, "{}: no conversation in it", path);
  return memory;
}

std::unique_ptr<Runner> make_nearest(const std::string& path, const Clock& clock) {
  const std::string text = read_file(path);
  Memory memory = read_conversations(text, path);
  const Bm25 index(memory.questions);
  return std::make_unique<ScriptedRunner>(
      "nearest:" + std::filesystem::path(path).filename().string(), sha256_hex(text),
      [index, answers = std::move(memory.answers)](const Request& request) {
        return answers[index.best(last_message(request), 1).front()];
      },
      clock);
}

}  // namespace

std::unique_ptr<Runner> make_scripted(const std::string& argument, const RunnerContext& context) {
  const auto [name, rest] = split_model(argument);
  std::string detail = rest.value_or("");
  const bool needs_detail = name == "constant" || name == "errors" || name == "spoiled" || name == "nearest";
  if (needs_detail && detail.empty())
    fail(ErrorCode::kUsage,
         "'scripted:{}' needs more: constant:TEXT, errors:N, spoiled:PERCENT, nearest:FILE", argument);
  if (!needs_detail && rest) fail(ErrorCode::kUsage, "'scripted:{}': unexpected ':{}'", argument, detail);
  const auto made = [&](ScriptedRunner::Script script) {
    return std::make_unique<ScriptedRunner>(argument, "", std::move(script), context.clock);
  };
  if (name == "verbose") return made(verbose);
  if (name == "parrot") return made(last_message);
  if (name == "errors") return made(errors(error_count(detail)));
  if (name == "spoiled") return made(spoiled(percent_of(detail)));
  if (name == "nearest") return make_nearest(detail, context.clock);
  if (name == "constant") return made([text = std::move(detail)](const Request&) { return text; });
  fail(
      ErrorCode::kUsage,
      "unknown script '{}'{}; known: verbose, parrot, constant:TEXT, errors:N, spoiled:PERCENT, nearest:FILE",
      name, did_you_mean(name, {"verbose", "parrot", "constant", "errors", "spoiled", "nearest"}));
}

}  // namespace micius
