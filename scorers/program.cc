#include "scorers/program.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "scorers/extract.h"
#include "scorers/params.h"
#include "scorers/pattern.h"
#include "scorers/python.h"

namespace micius {
namespace {

constexpr std::chrono::seconds kTime{3};
constexpr std::string_view kFence = "```";
const std::vector<std::string> kCandidates = {"prompt", "prompt_to_fence", "completion", "fence"};

// Prints a mark at the program's end, the only thing that says so: a program that leaves early has not got
// there. The mark is a hash of the program, so that none has its own in it.
constexpr const char* kWrapper = R"(
def main():
    import io
    import os
    import sys
    mark, _, program = sys.stdin.buffer.read().decode().partition('\n')
    leave, write = os._exit, os.write

    class Closed(io.StringIO):
        def write(self, text):
            return len(text)
        def read(self, *args):
            raise OSError('stdin is closed')
        readline = readlines = __next__ = read
        def readable(self):
            return False

    sys.stdin = sys.stdout = sys.stderr = Closed()
    try:
        exec(program, {})
    except BaseException as error:
        words = type(error).__name__, str(error)
        write(2, ': '.join(filter(None, words)).encode(errors='replace')[:1000])
        leave(1)
    write(1, mark.encode())
    leave(0)

main()
)";

struct Options {
  std::string candidate, prompt;
  std::vector<std::string> stop;
  bool lm_eval_bug = false;
};

class Program final : public Scorer {
 public:
  Program(Options options, Services* services) : options_(std::move(options)), python_(services) {}

  std::string_view name() const override { return "program"; }
  std::vector<std::string> metrics() const override { return {"pass@1"}; }

  std::string observe(const Sample& sample, std::span<const Turn> turns) const override {
    const std::string code = answer(turns);
    if (strip(code).empty()) return dump_json({{"passed", false}});
    if (const std::string& why = python_.why_not(); !why.empty()) return dump_json({{"unscored", why}});
    std::string program = code;
    if (options_.candidate.starts_with("prompt"))
      program = JsonFields(sample.extra, sample.id).string(options_.prompt) + code;
    program += "\n" + sample.targets.front();
    const std::string mark = sha256_hex(program);
    const ExecResult ran = python_.run(kWrapper, mark + "\n" + to_valid_utf8(program), kTime);
    const bool passed = ran.exit_code == 0 && !ran.timed_out && ran.out.ends_with(mark);
    std::string error;
    if (!passed)
      error = ran.exit_code == 0 && !ran.timed_out ? "it left before its tests ended" : error_of(ran, kTime);
    return dump_json({{"passed", passed}, {"error", error}, {"python", python_.version()}});
  }

  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    Score score;
    score.answer = answer(turns);
    if (turns.front().observation.empty()) {
      score.reason = "the program was not run";
      return score;
    }
    const Json json = parse_json(turns.front().observation, sample.id);
    const JsonFields seen(json, sample.id);
    score.reason = seen.string_or("unscored", "");
    if (!score.reason.empty()) return score;
    const bool passed = seen.boolean_or("passed", false), blank = strip(score.answer).empty();
    score.verdict = passed ? Verdict::kCorrect : blank ? Verdict::kNoAnswer : Verdict::kIncorrect;
    score.values = {{"pass@1", passed ? 1.0 : 0.0}};
    score.reason = passed ? "passes its tests" : blank ? "no program" : visible_line(seen.string("error"));
    return score;
  }

 private:
  // What the model wrote of the program.
  std::string answer(std::span<const Turn> turns) const {
    const std::string_view text = answer_text(turns.front().completion.text, options_.stop);
    if (options_.candidate == "prompt_to_fence") return std::string(text.substr(0, text.find(kFence)));
    if (options_.candidate != "fence") return std::string(text);
    if (!options_.lm_eval_bug) return std::string(program_in_fence(text));
    std::string code;
    lm_eval_fence_.for_each(std::string(kFence) + std::string(text), [&](const PatternMatch& match) {
      code = match.groups[1];
      return false;
    });
    return code;
  }

  const Options options_;
  const Pattern lm_eval_fence_{"(?s)```(?:\\w+)?\\n?(.*?)\\n?```", "lm-eval's fence"};
  mutable Python python_;
};

}  // namespace

std::string_view program_in_fence(std::string_view text) {
  const std::size_t at = text.find(kFence);
  const std::string_view before = text.substr(0, at);
  if (at == std::string_view::npos) return before;
  std::string_view rest = text.substr(at + kFence.size());
  const std::string_view word = strip(rest.substr(0, rest.find('\n')));
  if (word.empty() && !strip(before).empty()) return before;
  rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
  return rest.substr(0, rest.find(kFence));
}

std::unique_ptr<Scorer> make_program_scorer(const Spec& spec, const ScorerContext& context) {
  const JsonFields fields(spec.params, scorer_place(spec, context));
  fields.only({"candidate", "prompt", "stop", "lm_eval_bug"});
  Options options;
  options.candidate = fields.string_or("candidate", "completion");
  if (std::find(kCandidates.begin(), kCandidates.end(), options.candidate) == kCandidates.end())
    fail(ErrorCode::kUsage, "{}: unknown candidate '{}'{}; there are {}", fields.where(), options.candidate,
         did_you_mean(options.candidate, kCandidates), join(kCandidates, ", "));
  options.prompt = fields.string_or("prompt", "prompt");
  options.stop = fields.strings_or("stop", {});
  options.lm_eval_bug = fields.boolean_or("lm_eval_bug", false);
  return std::make_unique<Program>(std::move(options), context.services);
}

}  // namespace micius
