// What `micius bench attention` prints, and the command.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "engine/attention_speed.h"
#include "engine/gpu_attention_speed.h"

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

// A row for each setting of the bench, from what run(test) returned.
std::vector<AttentionRow> attention_rows(const AttentionBench& bench, const AttentionTest& test,
                                         const AttentionResult& result);

// The same on a GPU, from what attention(test, repeats) of each setting and memory(repeats) returned: of the
// graph whose kernels overlap, or where the GPU has none, of the plain one.
std::vector<AttentionRow> gpu_attention_rows(const std::string& gpu,
                                             const std::vector<AttentionShape>& settings,
                                             const AttentionTest& test,
                                             const std::vector<GpuAttentionTimes>& results,
                                             const GpuMemoryRates& rates);

std::vector<std::string> attention_formats();  // md, csv, json, jsonl
// All rows as one text; times are medians, a share is the rate over the plain read's of the same test.
std::string attention_text(const std::vector<AttentionRow>& rows, const std::string& format);

std::unique_ptr<Command> make_bench_attention_command();

}  // namespace micius
