// What `micius bench` prints: llama-bench's columns and names, in its formats.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "engine/speed.h"

namespace micius {

struct BenchRow {
  std::string model_file, model_type;  // "llama 134.5M Q4_1"
  EngineInfo info;
  std::string numerics, selective_v;
  std::size_t batch = 0;
  SpeedTest test;
  std::string time;             // when it began, UTC, ISO 8601
  std::vector<double> seconds;  // of each repeat
};

// "pp512", "tg128", "pp512+tg128 @ d2048", "tg32 x 8"
std::string test_name(const SpeedTest& test);

double median_of(std::vector<double> values);  // one at least

// The names of `-o`.
std::vector<std::string> bench_formats();  // md, csv, json, jsonl, sql
// All rows as one text; throws Error{kUsage} for another format.
std::string bench_text(const std::vector<BenchRow>& rows, const std::string& format);
// The same for rows of other benches, all with the same fields; not as md. Lists are left out of csv and sql.
std::string fields_text(const std::vector<Json>& rows, const std::string& format);

}  // namespace micius
