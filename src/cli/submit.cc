#include "cli/submit.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "reports/command.h"

namespace micius {
namespace {

// All take a value.
constexpr std::array<std::string_view, 17> kSharedFlags = {
    "--db",        "--data-dir", "--model-dir",   "--device",     "--threads",     "--batch-tokens",
    "--kv-memory", "--base-url", "--api-version", "--stream",     "--concurrency", "--timeout",
    "--prices",    "--retries",  "--cache",       "--cache-size", "--cache-days"};

}  // namespace

std::vector<std::string> worker_words(const std::vector<std::string>& run_words) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < run_words.size(); ++i) {
    const std::string& word = run_words[i];
    const std::string_view name = std::string_view(word).substr(0, word.find('='));
    if (std::find(kSharedFlags.begin(), kSharedFlags.end(), name) == kSharedFlags.end()) continue;
    words.push_back(word);
    if (name.size() == word.size() && i + 1 < run_words.size()) words.push_back(run_words[++i]);
  }
  return words;
}

std::string slurm_script(const std::string& program, const std::string& options,
                         const std::vector<std::string>& words) {
  if (options.find('\n') != std::string::npos)
    fail(ErrorCode::kUsage, "--slurm: the options of sbatch, '--array=0-15 --gres=gpu:1', in one line");
  std::string line = "exec " + shell_word(program) + " worker";
  for (const std::string& word : words) line += " " + shell_word(word);
  return fmt::format(
      "#!/bin/sh\n"
      "#SBATCH --job-name=micius\n"
      "#SBATCH --signal=B:TERM@60\n"  // before the time limit, so that leases are given back
      "#SBATCH {}\n"
      "{}\n",
      options, line);
}

}  // namespace micius
