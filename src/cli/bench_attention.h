// What `micius bench attention` prints, and the command.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "engine/attention_speed.h"
#include "engine/gpu_step_speed.h"

namespace micius {

// One head setting in one test.
struct AttentionRow {
  AttentionShape shape;
  AttentionTest test;
  Isa isa = Isa::kPlain;
  int threads = 1;
  std::size_t layers = 0;
  std::vector<double> attention, copy;  // seconds of a layer, by repeat
  std::vector<double> read_rates;       // bytes a second of the plain read, by repeat
  double ratio = 1;                     // median, over the repeats, of its time over the first setting's
  double error = 0;                     // AttentionResult::errors; on the CPU
  double limit = 1;                     // of the ratio: bytes over the first setting's bytes
  std::string gpu;                      // its name; then isa and threads say nothing. "": on the CPU
};

// What the rows of a bench have in common.
struct AttentionSetup {
  std::vector<AttentionShape> settings;
  std::size_t read_bytes = 0;
  Isa isa = Isa::kPlain;
  int threads = 1;
  std::string gpu;
};
AttentionSetup setup_of(const AttentionBench& bench);
AttentionSetup setup_of(const GpuAttentionBench& bench);

// A row for each setting of the bench, from what run(test) returned.
std::vector<AttentionRow> attention_rows(const AttentionSetup& setup, const AttentionTest& test,
                                         const AttentionResult& result);

std::vector<std::string> attention_formats();  // md, csv, json, jsonl
// All rows as one text; times are medians, a share is the rate over the plain read's of the same test.
std::string attention_text(const std::vector<AttentionRow>& rows, const std::string& format);

std::unique_ptr<Command> make_bench_attention_command();

}  // namespace micius
