#include "cli/bench_paper.h"

#include <algorithm>
#include <functional>
#include <iostream>
#include <iterator>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/bench_output.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "engine/attention_speed.h"
#include "engine/cpu.h"
#include "engine/device/device.h"
#include "engine/gpu_device.h"
#include "engine/gpu_step_speed.h"
#include "engine/linear_speed.h"

namespace micius {
namespace {

// The shapes of the paper's section 2.
constexpr std::size_t kLayers = 26, kHidden = 2048, kFfn = 6144, kAugmentedQ = 3072, kVocabulary = 128256;
constexpr std::size_t kHeadDim = 64, kQ = 32, kSigmaK = 4, kStandardK = 16, kV = 16;
constexpr std::size_t kPrefixes[] = {0, 2048, 4096, 16384, 32768, 65536};
constexpr std::size_t kOutputs[] = {2048, 4096, 8192, 16384, 32768, 65536};
// KET: kernel time of ten tokens; what the paper saves on an H100.
struct KernelRow {
  std::size_t prefix;
  double saved;
};
constexpr KernelRow kKernelRows[] = {{2048, 0.0139}, {4096, 0.1802}, {16384, 0.2335}, {32768, 0.2531}};
constexpr std::size_t kKernelTokens = 10;

std::string saved_text(double sigma, double standard) {
  return fmt::format("{:+.1f} %", 100 * (1 - sigma / standard));
}

std::string terms_table(const PaperTimes& times) {
  std::string text =
      "| context | KV copy, STD / Sigma | attention | AugQ | other matrices | step | ratio |\n"
      "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  const auto layers = static_cast<double>(times.layers);
  const auto pair = [&](double standard, double sigma) {
    return fmt::format("{:.2f} / {:.2f}", standard * 1e3, sigma * 1e3);
  };
  const Curve sigma = paper_curve(times, times.sigma, KvCost::kInPlace, PaperSum::kWholeStep);
  const Curve standard = paper_curve(times, times.standard, KvCost::kInPlace, PaperSum::kWholeStep);
  for (std::size_t i = 0; i < sigma.contexts.size(); ++i) {
    text += fmt::format(
        "| {} | {} | {} | {:.2f} | {} | {} | {:.3f} |\n", sigma.contexts[i],
        pair(layers * times.standard.copy.seconds[i], layers * times.sigma.copy.seconds[i]),
        pair(layers * times.standard.attention.seconds[i], layers * times.sigma.attention.seconds[i]),
        layers * times.sigma.augmented_q * 1e3,
        pair(layers * times.standard.linear + times.head, layers * times.sigma.linear + times.head),
        pair(standard.seconds[i], sigma.seconds[i]), sigma.seconds[i] / standard.seconds[i]);
  }
  return text;
}

std::string grid(const PaperTimes& times, KvCost cost) {
  std::string text = "| output |", rule = "| ---: |";
  for (const std::size_t prefix : kPrefixes) {
    text += fmt::format(" prefix {} |", prefix);
    rule += " ---: |";
  }
  text += "\n" + rule + "\n";
  const Curve sigma = paper_curve(times, times.sigma, cost, PaperSum::kAttentionLayer);
  const Curve standard = paper_curve(times, times.standard, cost, PaperSum::kAttentionLayer);
  for (const std::size_t output : kOutputs) {
    text += fmt::format("| {} |", output);
    for (const std::size_t prefix : kPrefixes) {
      text += fmt::format(" {} |", saved_text(sigma.sum(prefix, output), standard.sum(prefix, output)));
    }
    text += "\n";
  }
  return text;
}

std::string kernel_table(const PaperTimes& times) {
  std::string text =
      "| prefix | STD ns | Sigma ns | saved | saved on the paper's H100 |\n"
      "| ---: | ---: | ---: | ---: | ---: |\n";
  for (const KernelRow& row : kKernelRows) {
    const auto nanoseconds = [&](const PaperModel& model) {
      return 1e9 * static_cast<double>(times.layers) * model.attention.sum(row.prefix, kKernelTokens);
    };
    const double sigma = nanoseconds(times.sigma), standard = nanoseconds(times.standard);
    text += fmt::format("| {} | {:.3g} | {:.3g} | {} | {:+.1f} % |\n", row.prefix, standard, sigma,
                        saved_text(sigma, standard), 100 * row.saved);
  }
  return text;
}

std::string crossing_text(const PaperTimes& times) {
  std::string text;
  const auto add = [&](const char* what, KvCost cost, PaperSum sum) {
    const std::optional<double> context =
        crossing(paper_curve(times, times.sigma, cost, sum), paper_curve(times, times.standard, cost, sum));
    text += fmt::format("- {}: {}\n", what,
                        context ? fmt::format("from a context of {:.0f} on", *context) : "at no context");
  };
  add("whole step, cache in place", KvCost::kInPlace, PaperSum::kWholeStep);
  add("whole step, cache copied", KvCost::kCopied, PaperSum::kWholeStep);
  add("attention layer, cache in place", KvCost::kInPlace, PaperSum::kAttentionLayer);
  add("attention layer, cache copied", KvCost::kCopied, PaperSum::kAttentionLayer);
  return text;
}

// What the rounds measured, a value a round; the parts of a round meet the same minutes of the machine.
struct ModelSamples {
  std::vector<std::vector<double>> attention, copy, copied_attention;  // [contexts][rounds]
};

Curve median_curve(const std::vector<std::size_t>& contexts,
                   const std::vector<std::vector<double>>& samples) {
  Curve curve{contexts, {}};
  for (const std::vector<double>& values : samples) curve.seconds.push_back(median_of(values));
  return curve;
}

void set_curves(PaperModel& model, const std::vector<std::size_t>& contexts, const ModelSamples& samples) {
  model.attention = median_curve(contexts, samples.attention);
  model.copy = median_curve(contexts, samples.copy);
  model.copied_attention = median_curve(contexts, samples.copied_attention);
}

// What measures the parts, once a call, on the CPU or a GPU.
struct PartBenches {
  std::function<std::vector<std::vector<double>>()> matrices;      // [kMatrices][1]
  std::function<AttentionResult(const AttentionTest&)> attention;  // of STD and Sigma
};

// One round of attention at one context.
void add_attention(const PartBenches& benches, std::size_t context, std::size_t index,
                   std::vector<ModelSamples>& models) {
  for (const KvMode mode : {KvMode::kAppend, KvMode::kConcat}) {
    const AttentionResult result = benches.attention({context, 1, 0, mode});
    const auto layers = static_cast<double>(result.layers);
    for (std::size_t i = 0; i < models.size(); ++i) {
      auto& attention = mode == KvMode::kAppend ? models[i].attention : models[i].copied_attention;
      attention[index].push_back(result.settings[i].attention.front() / layers);
      if (mode == KvMode::kConcat) models[i].copy[index].push_back(result.settings[i].copy.front() / layers);
    }
  }
}

// All matrices of the two models; where none is named, of both.
enum Matrix : std::size_t {
  kStandardQkv,
  kSigmaQ,
  kSigmaKv,
  kAugmentedGateUp,
  kAugmentedDown,
  kAttentionOut,
  kGateUp,
  kDown,
  kHead,
  kMatrices,
};

std::vector<MatrixSize> matrix_sizes() {
  constexpr std::size_t kQRows = kQ * kHeadDim, kVRows = kV * kHeadDim;
  std::vector<MatrixSize> sizes(kMatrices);
  sizes[kStandardQkv] = {kQRows + kStandardK * kHeadDim + kVRows, kHidden};
  sizes[kSigmaQ] = {kQRows, kHidden};
  sizes[kSigmaKv] = {kSigmaK * kHeadDim + kVRows, kHidden};
  sizes[kAugmentedGateUp] = {2 * kAugmentedQ, kQRows};
  sizes[kAugmentedDown] = {kQRows, kAugmentedQ};
  sizes[kAttentionOut] = {kHidden, kQRows};
  sizes[kGateUp] = {2 * kFfn, kHidden};
  sizes[kDown] = {kHidden, kFfn};
  sizes[kHead] = {kVocabulary, kHidden};
  return sizes;
}

// samples: [kMatrices][rounds]
void set_matrices(PaperTimes& times, const std::vector<std::vector<double>>& samples) {
  const auto seconds = [&](Matrix matrix) { return median_of(samples[matrix]); };
  const double shared = seconds(kAttentionOut) + seconds(kGateUp) + seconds(kDown);
  times.standard.linear = seconds(kStandardQkv) + shared;
  times.sigma.linear = seconds(kSigmaQ) + seconds(kSigmaKv) + shared;
  times.sigma.augmented_q = seconds(kAugmentedGateUp) + seconds(kAugmentedDown);
  times.head = seconds(kHead);
}

class BenchPaperCommand final : public Command {
 public:
  std::string name() const override { return "paper"; }
  std::string summary() const override {
    return "The paper's CEET and KET tables: Sigma-1.5B against its baseline, random weights";
  }

  void define(Flags& flags) override {
    flags.add("-d,--n-depth", depths_, "Contexts to measure, rising (default 0,2048,4096,..,131072)")
        .delimiter(',')
        .at_least(0)
        .type("N,..");
    flags.add("--device", device_, "cpu; cuda: the first GPU, by its clock, kernels as CUDA graphs")
        .one_of({"cpu", "cuda"})
        .show_default();
    flags.add("-t,--threads", threads_, "Threads; 0: one a core").at_least(0).show_default();
    flags.add("-r,--repetitions", repeats_, "Rounds of all parts in turn; medians are taken")
        .at_least(1)
        .show_default();
    flags.add("--weights", weights_, "How matrices are stored: Q4_0, Q4_1, Q8_0 or BF16")
        .one_of({"Q4_0", "Q4_1", "Q8_0", "BF16"})
        .show_default();
  }

  ExitCode run() override;

 private:
  std::string on_cpu() const;
  std::string on_gpu() const;
  PaperTimes measure(const PartBenches& benches) const;
  DType dtype() const;
  Isa isa() const { return isa_of_environment().value_or(best_isa()); }

  std::vector<std::size_t> depths_{0, 2048, 4096, 8192, 16384, 32768, 65536, 131072};
  int threads_ = 0, repeats_ = 7;
  std::string weights_ = "Q4_1", device_ = "cpu";
};

DType BenchPaperCommand::dtype() const {
  for (const DType known : {DType::kQ4_0, DType::kQ4_1, DType::kQ8_0}) {
    if (dtype_name(known) == weights_) return known;
  }
  return DType::kBF16;
}

std::vector<AttentionShape> settings() {
  return {{kQ, kStandardK, kV, kHeadDim, kHeadDim, 0.125F}, {kQ, kSigmaK, kV, kHeadDim, kHeadDim, 0.125F}};
}

std::string BenchPaperCommand::on_cpu() const {
  LinearBench linear(matrix_sizes(), dtype(), threads_, isa());
  AttentionBench attention(settings(), threads_, isa());
  const PaperTimes times = measure(
      {[&] { return linear.run(1); }, [&](const AttentionTest& test) { return attention.run(test, 1); }});
  return fmt::format("{}, {}, {} threads, weights {}, KV in f16\n\n", cpu_name(), isa_name(isa()),
                     thread_count(threads_), weights_) +
         paper_text(times);
}

std::string BenchPaperCommand::on_gpu() const {
  if (threads_ != 0) fail(ErrorCode::kUsage, "--threads are the CPU's; leave them out with --device cuda");
  const std::unique_ptr<Device> gpu = open_first_gpu();
  GpuLinearBench linear(*gpu, matrix_sizes(), dtype());
  GpuAttentionBench attention(*gpu, settings());
  const PaperTimes times = measure(
      {[&] { return linear.run(1); }, [&](const AttentionTest& test) { return attention.run(test, 1); }});
  return fmt::format("{}, weights {}, KV in f16\n\n", gpu->figures().name, weights_) + paper_text(times);
}

PaperTimes BenchPaperCommand::measure(const PartBenches& benches) const {
  std::vector<std::vector<double>> matrices(kMatrices);
  const std::vector<std::vector<double>> none(depths_.size());
  std::vector<ModelSamples> models(2, {none, none, none});  // STD, Sigma
  for (int round = 0; round < repeats_; ++round) {
    fmt::print(stderr, "round {} of {}\n", round + 1, repeats_);
    const std::vector<std::vector<double>> seconds = benches.matrices();
    for (std::size_t i = 0; i < seconds.size(); ++i) matrices[i].push_back(seconds[i].front());
    for (std::size_t i = 0; i < depths_.size(); ++i) add_attention(benches, depths_[i], i, models);
  }
  PaperTimes times;
  times.layers = kLayers;
  set_matrices(times, matrices);
  set_curves(times.standard, depths_, models[0]);
  set_curves(times.sigma, depths_, models[1]);
  return times;
}

ExitCode BenchPaperCommand::run() {
  if (depths_.size() < 2 || !std::is_sorted(depths_.begin(), depths_.end(), std::less_equal<>())) {
    fail(ErrorCode::kUsage, "--n-depth must be two contexts or more, each longer than the one before");
  }
  std::cout << (device_ == "cpu" ? on_cpu() : on_gpu());
  return ExitCode::kGood;
}

}  // namespace

double Curve::at(std::size_t context) const {
  const auto above = std::upper_bound(contexts.begin(), contexts.end(), context) - contexts.begin();
  const auto right = std::clamp<std::ptrdiff_t>(above, 1, std::ssize(contexts) - 1);
  const auto x0 = static_cast<double>(contexts[right - 1]), x1 = static_cast<double>(contexts[right]);
  const double slope = (seconds[right] - seconds[right - 1]) / (x1 - x0);
  return seconds[right - 1] + slope * (static_cast<double>(context) - x0);
}

double Curve::sum(std::size_t prefix, std::size_t tokens) const {
  double sum = 0;
  for (std::size_t token = 0; token < tokens; ++token) sum += at(prefix + token);
  return sum;
}

Curve paper_curve(const PaperTimes& times, const PaperModel& model, KvCost cost, PaperSum sum) {
  Curve curve = model.attention;
  const auto layers = static_cast<double>(times.layers);
  for (std::size_t i = 0; i < curve.seconds.size(); ++i) {
    double layer = model.augmented_q + (cost == KvCost::kInPlace
                                            ? model.attention.seconds[i]
                                            : model.copy.seconds[i] + model.copied_attention.seconds[i]);
    if (sum == PaperSum::kWholeStep) layer += model.linear;
    curve.seconds[i] = layers * layer + (sum == PaperSum::kWholeStep ? times.head : 0);
  }
  return curve;
}

std::optional<double> crossing(const Curve& sigma, const Curve& standard) {
  std::vector<double> above;  // Sigma's time over STD's
  for (std::size_t i = 0; i < sigma.seconds.size(); ++i)
    above.push_back(sigma.seconds[i] - standard.seconds[i]);
  std::size_t right = above.size();
  while (right > 0 && above[right - 1] <= 0) --right;
  if (right == 0) return static_cast<double>(sigma.contexts.front());
  right = std::clamp<std::size_t>(right, 1, above.size() - 1);
  const double fall = above[right - 1] - above[right];
  if (fall <= 0) return std::nullopt;
  const auto x0 = static_cast<double>(sigma.contexts[right - 1]);
  return x0 + above[right - 1] / fall * (static_cast<double>(sigma.contexts[right]) - x0);
}

std::string paper_text(const PaperTimes& times) {
  return "Milliseconds a token of all layers, STD / Sigma; the step is without the copy:\n\n" +
         terms_table(times) + "\nSigma is not slower than STD:\n\n" + crossing_text(times) +
         "\nCEET, KV cache + attention + AugQ: time saved by Sigma, cache in place:\n\n" +
         grid(times, KvCost::kInPlace) + "\nCEET, cache copied for each token as torch.cat does:\n\n" +
         grid(times, KvCost::kCopied) + "\nKET, attention of ten tokens:\n\n" + kernel_table(times);
}

std::unique_ptr<Command> make_bench_paper_command() { return std::make_unique<BenchPaperCommand>(); }

}  // namespace micius
