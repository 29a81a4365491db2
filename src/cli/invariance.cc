#include "cli/invariance.h"

#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "pipeline/invariance.h"

namespace micius {
namespace {

struct SetUp {
  const char* name;
  Beginnings beginnings;
  int threads;  // 0: as many as the machine has
  std::size_t batch_tokens;
  AskOrder order;
};

constexpr std::array<SetUp, 3> kSetUps{
    {{"nothing shared, 1 thread, 64 tokens a step, backwards", Beginnings::kComputedAgain, 1, 64,
      AskOrder::kBackwards},
     {"shared, all threads, 97 tokens a step, shuffled", Beginnings::kShared, 0, 97, AskOrder::kShuffled},
     {"nothing shared, all threads, 2,048 tokens a step, in order", Beginnings::kComputedAgain, 0, 2048,
      AskOrder::kAsStored}}};

std::string text_of(const AskedAgain& asked) {
  std::string text = fmt::format("{} of {} answers equal bit for bit", asked.equal, asked.answers);
  if (asked.failed > 0) text += fmt::format(", {} failed before and are not compared", asked.failed);
  for (const Difference& d : asked.differences) {
    text += fmt::format("\n  sample {}, repeat {}, turn {}: {}", visible_text(d.sample_id), d.repeat, d.turn,
                        d.what);
  }
  const std::size_t different = asked.answers - asked.equal;
  if (different > asked.differences.size())
    text += fmt::format("\n  and {} more", different - asked.differences.size());
  return text;
}

}  // namespace

void check_invariance(const std::string& model, const EngineFlags& flags) {
  if (!is_engine_model(model)) {
    fail(ErrorCode::kUsage, "--verify-invariance: '{}' is not a model of the built-in engine", model);
  }
  if (engine_options(flags, nullptr).device == EngineDevice::kCuda) {
    fail(ErrorCode::kUsage,
         "--verify-invariance: on a GPU a result moves by rounding with what is computed beside it; use "
         "--device cpu");
  }
}

Invariance verify_invariance(const Store& store, std::span<const RunId> runs, const std::string& model,
                             const EngineFlags& flags, const PlaceFlags& places, const Clock& clock,
                             std::stop_token stop) {
  Invariance result = Invariance::kHolds;
  for (const SetUp& set_up : kSetUps) {
    EngineOptions options = engine_options(flags, nullptr);
    options.beginnings = set_up.beginnings;
    options.threads = set_up.threads;
    options.batch_tokens = set_up.batch_tokens;
    const auto runner = open_engine_model(model, options, places, clock);
    for (const RunId run : runs) {
      const AskedAgain asked = ask_again(store, run, *runner, set_up.order, stop);
      if (asked.interrupted) return Invariance::kInterrupted;
      fmt::print(stderr, "run {} again, {}: {}\n", static_cast<std::int64_t>(run), set_up.name,
                 text_of(asked));
      if (asked.equal < asked.answers) result = Invariance::kBroken;
    }
  }
  return result;
}

}  // namespace micius
