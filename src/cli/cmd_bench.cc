// `micius bench`: how fast a model is read and written, by llama-bench's protocol and in its formats.
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/format.h"
#include "cli/bench_attention.h"
#include "cli/bench_load.h"
#include "cli/bench_output.h"
#include "cli/bench_paper.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "engine/model/source.h"
#include "engine/speed.h"

namespace micius {
namespace {

// The type that holds most of the weights.
DType main_type(const ModelSource& source) {
  std::map<DType, std::size_t> values;
  for (const auto& [name, tensor] : source.tensors()) values[tensor.dtype] += tensor.rows * tensor.cols;
  return std::max_element(values.begin(), values.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

std::string model_type(const ModelSource& source) {
  return fmt::format("{} {} {}", source.architecture(), format_count(parameter_count(source)),
                     dtype_name(main_type(source)));
}

class BenchCommand final : public Command {
 public:
  std::string name() const override { return "bench"; }
  std::string summary() const override {
    return "Speed of models, by llama-bench's protocol; of attention; of a server";
  }

  void define(Flags& flags) override {
    for (Command* other : {attention_.get(), paper_.get(), load_.get()}) {
      Flags verb = flags.verb(other->name(), other->summary(), [this, other] { asked_ = other; });
      other->define(verb);
    }
    flags.add("-m,--model", models_, "Models of the manifest, GGUF files or folders").delimiter(',');
    const auto add_numbers = [&](const char* flag, std::vector<std::size_t>& numbers, const char* what) {
      flags.add(flag, numbers, what).delimiter(',').at_least(0).type("N,..");
    };
    add_numbers("-p,--n-prompt", prompts_, "Tests that read so many tokens (default 512; 0: none)");
    add_numbers("-n,--n-gen", generated_, "Tests that generate so many (default 128; 0: none)");
    add_numbers("-d,--n-depth", depths_, "Behind so many tokens, which are not timed (default 0)");
    flags.add("-g,--pg", pairs_, "PROMPT,GEN: tests that do both; may be given again").type("PP,TG");
    flags.add("-s,--sequences", sequences_, "As many sequences at once")
        .delimiter(',')
        .at_least(1)
        .type("N,..");
    flags.add("-t,--threads", threads_, "Threads; 0: one a core").delimiter(',').at_least(0).type("N,..");
    flags.add("-b,--batch-size", batches_, "Tokens that the engine forwards at once (default 512)")
        .delimiter(',')
        .at_least(1)
        .type("N,..");
    flags.add("-r,--repetitions", repeats_, "Of each test, after one that warms up")
        .at_least(1)
        .show_default();
    flags.add("-o,--output", format_, "md, csv, json, jsonl or sql").one_of(bench_formats()).show_default();
    flags
        .add("--device", engine_.device,
             "cpu; cuda: the first GPU, by its clock; auto: that, or the CPU where there is none")
        .one_of({"auto", "cpu", "cuda"})
        .show_default();
    flags.add("--numerics", engine_.numerics, "fp32, precise or fast").show_default();
    flags
        .add("--selective-v", engine_.selective_v,
             "Generated tokens take the K values of highest score alone")
        .type("K[,raw]")
        .show_default();
    add_model_dir_flag(flags, places_);
    flags.keep_from_verbs();  // which would make nothing of them
  }

  ExitCode run() override {
    if (asked_ != nullptr) return asked_->run();
    if (models_.empty())
      fail(ErrorCode::kUsage, "nothing to measure: give --model, or see `micius bench --help`");
    const std::vector<SpeedTest> tests = this->tests();
    std::vector<BenchRow> rows;
    for (const std::string& model : models_) {
      const std::filesystem::path file = find_model_file(model, places_);
      const std::string type = model_type(*open_source(file));
      for (const int threads : threads_) {
        for (const std::size_t batch : batches_) measure(file, type, threads, batch, tests, rows);
      }
    }
    std::cout << bench_text(rows, format_);
    return ExitCode::kGood;
  }

 private:
  // For each depth and number of sequences: what reads, what generates, what does both.
  std::vector<SpeedTest> tests() const {
    std::vector<std::pair<std::size_t, std::size_t>> sizes;
    for (const std::size_t n : prompts_) sizes.emplace_back(n, 0);
    for (const std::size_t n : generated_) sizes.emplace_back(0, n);
    for (const std::string& pair : pairs_) sizes.push_back(pair_from(pair));
    std::vector<SpeedTest> tests;
    for (const auto& [prompt, generated] : sizes) {
      if (prompt + generated == 0) continue;
      for (const std::size_t sequences : sequences_) {
        for (const std::size_t depth : depths_) tests.push_back({prompt, generated, depth, sequences});
      }
    }
    if (tests.empty()) fail(ErrorCode::kUsage, "nothing to measure: give -p, -n or --pg a number above 0");
    return tests;
  }

  static std::pair<std::size_t, std::size_t> pair_from(const std::string& text) {
    std::size_t prompt = 0, generated = 0;
    const std::size_t comma = text.find(',');
    if (comma == std::string::npos || !read_number(text.substr(0, comma), prompt) ||
        !read_number(text.substr(comma + 1), generated)) {
      fail(ErrorCode::kUsage, "--pg must be two numbers, '512,128', not '{}'", text);
    }
    return {prompt, generated};
  }

  void measure(const std::filesystem::path& file, const std::string& type, int threads, std::size_t batch,
               const std::vector<SpeedTest>& tests, std::vector<BenchRow>& rows) const {
    EngineFlags flags = engine_;
    flags.threads = threads;
    flags.batch_tokens = static_cast<int>(batch);
    ConsoleLog log(ConsoleLog::Level::kWarnings);
    SpeedBench bench(file, engine_options(flags, &log), tests);
    for (const SpeedTest& test : tests) {
      fmt::print(stderr, "{}: {}\n", type, test_name(test));
      const std::string time = format_utc(SystemClock().utc());
      rows.push_back({file.string(), type, bench.info(), engine_.numerics, engine_.selective_v, batch, test,
                      time, bench.run(test, repeats_)});
    }
  }

  std::vector<std::string> models_, pairs_;
  std::vector<std::size_t> prompts_{512}, generated_{128}, depths_{0}, sequences_{1}, batches_{512};
  std::vector<int> threads_{0};
  int repeats_ = 5;
  std::string format_ = "md";
  EngineFlags engine_;  // but threads and batches, of which there may be several
  PlaceFlags places_;
  std::unique_ptr<Command> attention_ = make_bench_attention_command();
  std::unique_ptr<Command> paper_ = make_bench_paper_command();
  std::unique_ptr<Command> load_ = make_bench_load_command();
  Command* asked_ = nullptr;  // instead of the speed of models
};

}  // namespace

std::unique_ptr<Command> make_bench_command() { return std::make_unique<BenchCommand>(); }

}  // namespace micius
