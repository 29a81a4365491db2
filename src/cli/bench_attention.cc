#include "cli/bench_attention.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "cli/bench_output.h"
#include "cli/checks.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "engine/engine.h"
#include "engine/gpu_device.h"

namespace micius {
namespace {

std::vector<double> sums_of(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> sums;
  for (std::size_t i = 0; i < a.size(); ++i) sums.push_back(a[i] + b[i]);
  return sums;
}

std::string heads_of(const AttentionShape& shape) {
  return fmt::format("{}/{}/{}", shape.n_q, shape.n_k, shape.n_v);
}

std::string dims_of(const AttentionShape& shape) { return fmt::format("{}/{}", shape.d_k, shape.d_v); }

std::string mode_of(const AttentionTest& test) { return test.mode == KvMode::kAppend ? "append" : "concat"; }

double limit_of(const AttentionShape& shape, const AttentionShape& first, const AttentionTest& test) {
  return static_cast<double>(kv_bytes(shape, test)) / static_cast<double>(kv_bytes(first, test));
}

// The figures of a row.
struct Figures {
  explicit Figures(const AttentionRow& row)
      : bytes(kv_bytes(row.shape, row.test)),
        attention(median_of(row.attention)),
        copy(median_of(row.copy)),
        total(median_of(sums_of(row.attention, row.copy))),
        rate(static_cast<double>(bytes) / attention),
        best_read(*std::max_element(row.read_rates.begin(), row.read_rates.end())),
        median_read(median_of(row.read_rates)) {}

  std::size_t bytes;
  double attention, copy, total;        // seconds
  double rate, best_read, median_read;  // bytes a second
};

Json fields_of(const AttentionRow& row) {
  const Figures figures(row);
  Json samples = Json::array();
  for (const double seconds : sums_of(row.attention, row.copy))
    samples.push_back(std::llround(seconds * 1e9));
  const bool cpu = row.gpu.empty();
  return {{"cpu_info", cpu_name()},
          {"gpu_info", row.gpu},
          {"backends", cpu ? "CPU" : "CUDA"},
          {"isa", cpu ? std::string(isa_name(row.isa)) : ""},
          {"n_threads", cpu ? row.threads : 0},
          {"heads", heads_of(row.shape)},
          {"d_k", row.shape.d_k},
          {"d_v", row.shape.d_v},
          {"n_layers", row.layers},
          {"n_depth", row.test.context},
          {"n_sequences", row.test.batch},
          {"mode", mode_of(row.test)},
          {"selective_v", selection_name(row.test.selection)},
          {"error", row.error},
          {"layer_ns", std::llround(figures.total * 1e9)},
          {"attention_ns", std::llround(figures.attention * 1e9)},
          {"copy_ns", std::llround(figures.copy * 1e9)},
          {"kv_bytes", figures.bytes},
          {"gb_per_s", figures.rate / 1e9},
          {"read_best_gb_per_s", figures.best_read / 1e9},
          {"read_median_gb_per_s", figures.median_read / 1e9},
          {"share_of_best", figures.rate / figures.best_read},
          {"share_of_median", figures.rate / figures.median_read},
          {"ratio", row.ratio},
          {"limit", row.limit},
          {"samples_ns", samples}};
}

std::string markdown(const std::vector<AttentionRow>& rows) {
  std::string text =
      "| heads | dims | depth | batch | layers | mode | selective V | error | us a layer | of it copy | KV "
      "bytes | "
      "GB/s | read "
      "GB/s | "
      "of best | of median | ratio | limit |\n"
      "| --- | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: "
      "| ---: | ---: "
      "|\n";
  for (const AttentionRow& row : rows) {
    const Figures figures(row);
    text += fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} | {:.2g} | {:.1f} | {:.1f} | {} | {:.1f} | {:.1f} / {:.1f} | {} "
        "| {} | {:.3f} "
        "| "
        "{:.3f} |\n",
        heads_of(row.shape), dims_of(row.shape), row.test.context, row.test.batch, row.layers,
        mode_of(row.test), selection_name(row.test.selection), row.error, figures.total * 1e6,
        figures.copy * 1e6, format_bytes(figures.bytes), figures.rate / 1e9, figures.best_read / 1e9,
        figures.median_read / 1e9, format_percent(figures.rate / figures.best_read),
        format_percent(figures.rate / figures.median_read), row.ratio, row.limit);
  }
  return text;
}

class BenchAttentionCommand final : public Command {
 public:
  std::string name() const override { return "attention"; }
  std::string summary() const override {
    return "Decode attention alone: time, bytes, share of the memory ceiling, ratio of head settings";
  }

  void define(Flags& flags) override {
    const auto add_numbers = [&](const char* flag, std::vector<std::size_t>& numbers, long least,
                                 const char* what) {
      flags.add(flag, numbers, what).delimiter(',').at_least(least).type("N,..");
    };
    flags.add("--heads", heads_, "Q/K/V heads; ratios are over the first (default 32/16/16,32/4/16)")
        .delimiter(',')
        .type("NQ/NK/NV,..");
    flags.add("--dims", dims_, "Of a K and a V head").type("DK[/DV]").show_default();
    flags.add("--layers", layers_, "0: so many that no cache holds them").at_least(0).show_default();
    add_numbers("-d,--n-depth", depths_, 0, "Tokens before the new one (default 2048,8192)");
    add_numbers("--batch", batches_, 1, "Sequences, each with a context of its own (default 1)");
    flags.add("--device", device_, "cpu; cuda: the first GPU, times by its events, of a CUDA graph")
        .one_of({"cpu", "cuda"})
        .show_default();
    flags.add("-t,--threads", threads_, "Threads; 0: one a core").at_least(0).show_default();
    flags.add("--mode", mode_, "append: in place; concat: into a copy of the context, as torch.cat does")
        .one_of({"append", "concat"})
        .show_default();
    flags
        .add("--selective-v", selective_v_,
             "A second time with the K values of highest score alone, beside all of them")
        .type("K[,raw]")
        .show_default();
    flags.add("-r,--repetitions", repeats_, "Of all settings in turn, after one that warms up")
        .at_least(1)
        .show_default();
    flags.add("-o,--output", format_, "md, csv, json or jsonl").one_of(attention_formats()).show_default();
  }

  ExitCode run() override {
    const std::vector<AttentionRow> rows = device_ == "cpu" ? on_cpu() : on_gpu();
    std::cout << attention_text(rows, format_);
    return ExitCode::kGood;
  }

 private:
  std::vector<AttentionRow> on_cpu() const {
    AttentionBench bench(settings(), threads_, isa_of_environment().value_or(best_isa()));
    return rows_of_tests(bench);
  }

  std::vector<AttentionRow> on_gpu() const {
    if (selective_v_ != "off") fail(ErrorCode::kUsage, "--selective-v is the CPU's alone; leave it out");
    if (threads_ != 0) fail(ErrorCode::kUsage, "--threads are the CPU's; leave them out with --device cuda");
    const std::unique_ptr<Device> gpu = open_first_gpu();
    GpuAttentionBench bench(*gpu, settings());
    return rows_of_tests(bench);
  }

  // Of each test that was asked for.
  template <typename Bench>
  std::vector<AttentionRow> rows_of_tests(Bench& bench) const {
    const AttentionSetup setup = setup_of(bench);
    std::vector<ValueSelection> selections = {{}};
    if (const ValueSelection selection = selection_from(selective_v_); selection.top > 0)
      selections.push_back(selection);
    const KvMode mode = mode_ == "append" ? KvMode::kAppend : KvMode::kConcat;
    std::vector<AttentionRow> rows;
    for (const std::size_t batch : batches_) {
      for (const std::size_t depth : depths_) {
        fmt::print(stderr, "{} tokens x {}\n", depth, batch);
        for (const ValueSelection& selection : selections) {
          const AttentionTest test{depth, batch, layers_, mode, selection};
          const std::vector<AttentionRow> more = attention_rows(setup, test, bench.run(test, repeats_));
          rows.insert(rows.end(), more.begin(), more.end());
        }
      }
    }
    return rows;
  }

  // The numbers of "32/4/16".
  static std::vector<std::size_t> parts_of(const std::string& text) {
    std::vector<std::size_t> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find('/', begin), text.size());
      std::size_t number = 0;
      if (!read_number(text.substr(begin, end - begin), number)) return {};
      parts.push_back(number);
      begin = end + 1;
    }
    return parts;
  }

  std::vector<AttentionShape> settings() const {
    const std::vector<std::size_t> dims = parts_of(dims_);
    if (dims.empty() || dims.size() > 2) {
      fail(ErrorCode::kUsage, "--dims must be one or two numbers, '64' or '64/128', not '{}'", dims_);
    }
    std::vector<AttentionShape> settings;
    for (const std::string& text : heads_) {
      const std::vector<std::size_t> heads = parts_of(text);
      if (heads.size() != 3) {
        fail(ErrorCode::kUsage, "--heads must be three numbers, '32/4/16', not '{}'", text);
      }
      settings.push_back({heads[0], heads[1], heads[2], dims.front(), dims.back(),
                          1 / std::sqrt(static_cast<float>(dims.front()))});
    }
    return settings;
  }

  std::vector<std::string> heads_{"32/16/16", "32/4/16"};
  std::string dims_ = "64", device_ = "cpu", mode_ = "append", format_ = "md", selective_v_ = "off";
  std::vector<std::size_t> depths_{2048, 8192}, batches_{1};
  std::size_t layers_ = 0;
  int threads_ = 0, repeats_ = 15;
};

}  // namespace

AttentionSetup setup_of(const AttentionBench& bench) {
  return {bench.settings(), bench.read_bytes(), bench.isa(), bench.threads(), {}};
}

AttentionSetup setup_of(const GpuAttentionBench& bench) {
  return {bench.settings(), bench.read_bytes(), Isa::kPlain, 0, bench.device().figures().name};
}

std::vector<AttentionRow> attention_rows(const AttentionSetup& setup, const AttentionTest& test,
                                         const AttentionResult& result) {
  std::vector<AttentionRow> rows;
  const auto layers = static_cast<double>(result.layers);
  const AttentionTimes& first = result.settings.front();
  for (std::size_t i = 0; i < result.settings.size(); ++i) {
    const AttentionTimes& times = result.settings[i];
    AttentionRow row;
    row.shape = setup.settings[i];
    row.test = test;
    row.isa = setup.isa;
    row.threads = setup.threads;
    row.gpu = setup.gpu;
    row.layers = result.layers;
    if (row.gpu.empty()) row.error = result.errors[i];
    std::vector<double> ratios;
    for (std::size_t repeat = 0; repeat < times.attention.size(); ++repeat) {
      row.attention.push_back(times.attention[repeat] / layers);
      row.copy.push_back(times.copy[repeat] / layers);
      row.read_rates.push_back(static_cast<double>(setup.read_bytes) / result.read[repeat]);
      ratios.push_back((times.attention[repeat] + times.copy[repeat]) /
                       (first.attention[repeat] + first.copy[repeat]));
    }
    row.ratio = median_of(ratios);
    row.limit = limit_of(row.shape, setup.settings.front(), test);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::string> attention_formats() { return {"md", "csv", "json", "jsonl"}; }

std::string attention_text(const std::vector<AttentionRow>& rows, const std::string& format) {
  if (format == "md") return markdown(rows);
  std::vector<Json> fields;
  for (const AttentionRow& row : rows) fields.push_back(fields_of(row));
  return fields_text(fields, format);
}

std::unique_ptr<Command> make_bench_attention_command() { return std::make_unique<BenchAttentionCommand>(); }

}  // namespace micius
