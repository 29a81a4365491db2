// The AMD tools that are emulated in full: every option of their tables is taken, every made-up one refused,
// any words end, and the same words say the same.
#include <catch2/catch.hpp>

#include "base/hash.h"
#include "base/rng.h"
#include "emu/host.h"
#include "emu_data.h"

namespace micius::emu {
namespace {

struct Tool {
  const char* program;
  int exit;             // for an option that there is not
  const char* refusal;  // what is said then
};
constexpr Tool kTools[] = {{"rocm-smi", 2, "unrecognized arguments"},
                           {"amd-smi", 0, "is invalid"},
                           {"all_reduce_perf", 0, "invalid option"},
                           {"hipcc", 1, "unknown argument"},
                           {"hipconfig", 1, "Unknown option"},
                           {"rocminfo", 1, "usage"},
                           {"rocm-bandwidth-test", 1, "Supported arguments"},
                           {"rocprof", 1, "wrong option"},
                           {"rocprofv3", 2, "unrecognized arguments"}};

const ToolSpec& table(const Tool& tool) {
  return catalog().tool(std::string_view(tool.program) == "all_reduce_perf" ? "rccl-tests" : tool.program);
}

bool refused(const Tool& tool, const Outcome& outcome) {
  return outcome.exit == tool.exit && (outcome.out + outcome.err).find(tool.refusal) != std::string::npos;
}

// A value that the option takes.
std::string sample(const OptionSpec& option) {
  if (!option.values.empty()) return option.values.front();
  return option.flags.back() == "--gpu" || option.flags.back() == "--device" ? "0" : "1";
}

void append(Args& words, const OptionSpec& option, const std::string& flag) {
  words.push_back(flag);
  for (std::size_t i = 0; i < option.min_values; ++i) words.push_back(sample(option));
}

std::size_t check_command(const Tool& tool, const Args& start, const CommandSpec& command) {
  std::size_t options = 0;
  for (const OptionSpec& option : command.options)
    for (const std::string& flag : option.flags) {
      Call call;
      call.root = true;
      call.argv = start;
      if (!command.subcommands.empty()) call.argv.push_back(command.subcommands.front().name);
      append(call.argv, option, flag);
      State state;
      const Outcome outcome = run_with("mi300x8", state, call);
      INFO(join(call.argv, " ") << "\n"
                                << outcome.err.substr(outcome.err.rfind('\n', outcome.err.size() - 2) + 1));
      CHECK_FALSE(refused(tool, outcome));
      CHECK(outcome.exit != 127);
      ++options;
    }
  Call call;
  call.argv = start;
  call.argv.emplace_back("--made-up-option");
  State state;
  CHECK(refused(tool, run_with("mi300x8", state, call)));
  for (const CommandSpec& child : command.subcommands) {
    Args below = start;
    below.push_back(child.name);
    options += check_command(tool, below, child);
  }
  return options;
}

}  // namespace

TEST_CASE("AMD tools take every option of their tables and no other") {
  for (const Tool& tool : kTools) {
    const std::size_t options = check_command(tool, {tool.program}, table(tool).root);
    WARN(tool.program << ": " << options << " options");
  }
}

TEST_CASE("AMD tools end for any words, and say the same for the same words") {
  Rng rng("emu/amd/words");
  for (const Tool& tool : kTools) {
    std::vector<std::string> vocabulary = {
        "0", "1", "all", "-1", "--", "-", "=", "--x=", "99999999999999999999", "\xff\xfe", ""};
    for (const OptionSpec& option : table(tool).root.options)
      vocabulary.insert(vocabulary.end(), option.flags.begin(), option.flags.end());
    for (const CommandSpec& command : table(tool).root.subcommands) {
      vocabulary.push_back(command.name);
      for (const OptionSpec& option : command.options)
        vocabulary.insert(vocabulary.end(), option.flags.begin(), option.flags.end());
    }
    for (int round = 0; round < 300; ++round) {
      Call call;
      call.root = rng.below(2) == 0;
      call.argv = {tool.program};
      for (std::uint64_t n = rng.below(8); n > 0; --n) {
        std::string word = vocabulary[rng.below(vocabulary.size())];
        if (rng.below(8) == 0) word += static_cast<char>(rng.below(256));
        call.argv.push_back(std::move(word));
      }
      State first, second;
      const Outcome once = run_with("mi300x8", first, call), again = run_with("mi300x8", second, call);
      CHECK((once.exit >= 0 && once.exit < 256));
      CHECK(sha256_hex(once.out + once.err) == sha256_hex(again.out + again.err));
      CHECK(state_diff(first) == state_diff(second));
    }
    Call call;
    call.argv.assign(10'000, "--json");
    call.argv[0] = tool.program;
    State state;
    run_with("mi300x8", state, call);
    call.argv = {tool.program, std::string(1 << 19, '-')};
    CHECK(run_with("mi300x8", state, call).exit == tool.exit);
  }
}

}  // namespace micius::emu
