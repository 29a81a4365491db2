#include "cli/bench_output.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"

namespace micius {
namespace {

struct Spread {
  double mean = 0, sd = 0;  // sd over n - 1; 0 for one value, as llama-bench has it
};

Spread spread_of(const std::vector<double>& values) {
  Spread spread;
  const auto n = static_cast<double>(values.size());
  spread.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return spread;
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.sd = std::sqrt(squares / (n - 1));
  return spread;
}

std::vector<double> rates(const BenchRow& row) {
  std::vector<double> rates;
  for (const double seconds : row.seconds) rates.push_back(static_cast<double>(row.test.tokens()) / seconds);
  return rates;
}

// The fields in llama-bench's order and under its names; what it does not have comes last.
Json fields_of(const BenchRow& row) {
  std::vector<double> nanoseconds;
  for (const double seconds : row.seconds) nanoseconds.push_back(seconds * 1e9);
  const Spread time = spread_of(nanoseconds), rate = spread_of(rates(row));
  Json samples_ns = Json::array();
  for (const double value : nanoseconds) samples_ns.push_back(std::llround(value));
  return {{"cpu_info", cpu_name()},
          {"gpu_info", row.info.gpu.value_or("")},
          {"backends", row.info.gpu ? "CUDA" : "CPU"},
          {"model_filename", row.model_file},
          {"model_type", row.model_type},
          {"model_size", row.info.file_bytes},
          {"model_n_params", row.info.parameters},
          {"n_batch", row.batch},
          {"n_threads", row.info.threads},
          {"n_prompt", row.test.prompt},
          {"n_gen", row.test.generated},
          {"n_depth", row.test.depth},
          {"test_time", row.time},
          {"avg_ns", std::llround(time.mean)},
          {"stddev_ns", std::llround(time.sd)},
          {"avg_ts", rate.mean},
          {"stddev_ts", rate.sd},
          {"samples_ns", samples_ns},
          {"samples_ts", rates(row)},
          {"n_sequences", row.test.sequences},
          {"numerics", row.numerics},
          {"selective_v", row.selective_v},
          {"isa", row.info.gpu ? "" : std::string(isa_name(row.info.isa))}};
}

// Without lists, which csv and sql have no place for.
Json flat(const Json& fields) {
  Json flat = Json::object();
  for (const auto& [name, value] : fields.items()) {
    if (!value.is_array()) flat[name] = value;
  }
  return flat;
}

// Selective V is named where it is on.
std::string numerics_of(const BenchRow& row) {
  return row.selective_v == "off" ? row.numerics
                                  : fmt::format("{}, selective V {}", row.numerics, row.selective_v);
}

std::string markdown(const std::vector<BenchRow>& rows) {
  std::string text =
      "| model | size | params | isa | numerics | threads | test | t/s |\n"
      "| --- | ---: | ---: | --- | --- | ---: | ---: | ---: |\n";
  for (const BenchRow& row : rows) {
    const Spread rate = spread_of(rates(row));
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {:.2f} ± {:.2f} |\n", row.model_type,
                        format_bytes(row.info.file_bytes), format_count(row.info.parameters),
                        row.info.gpu ? "cuda" : isa_name(row.info.isa), numerics_of(row), row.info.threads,
                        test_name(row.test), rate.mean, rate.sd);
  }
  return text;
}

std::string quoted(const Json& value, char quote) {
  std::string text(1, quote);
  for (const char c : value.is_string() ? value.get<std::string>() : value.dump()) {
    if (c == quote) text += c;
    text += c;
  }
  return text + quote;
}

std::string csv(const std::vector<Json>& rows) {
  std::string text;
  for (const Json& row : rows) {
    std::vector<std::string> names, values;
    const Json fields = flat(row);
    for (const auto& [name, value] : fields.items()) {
      names.push_back(name);
      values.push_back(quoted(value, '"'));
    }
    if (text.empty()) text = fmt::format("{}\n", fmt::join(names, ","));
    text += fmt::format("{}\n", fmt::join(values, ","));
  }
  return text;
}

std::string sql(const std::vector<Json>& rows) {
  std::string text;
  for (const Json& row : rows) {
    std::vector<std::string> names, columns, values;
    const Json fields = flat(row);
    for (const auto& [name, value] : fields.items()) {
      const char* type = value.is_string() ? "TEXT" : value.is_number_float() ? "REAL" : "INTEGER";
      names.push_back(name);
      columns.push_back(fmt::format("  {} {}", name, type));
      values.push_back(value.is_string() ? quoted(value, '\'') : value.dump());
    }
    if (text.empty())
      text = fmt::format("CREATE TABLE IF NOT EXISTS llama_bench (\n{}\n);\n\n", fmt::join(columns, ",\n"));
    text += fmt::format("INSERT INTO llama_bench ({}) VALUES ({});\n", fmt::join(names, ", "),
                        fmt::join(values, ", "));
  }
  return text;
}

std::string json(const std::vector<Json>& rows) { return Json(rows).dump(2) + "\n"; }

std::string jsonl(const std::vector<Json>& rows) {
  std::string text;
  for (const Json& row : rows) text += dump_json(row) + "\n";
  return text;
}

struct Format {
  const char* name;
  std::string (*text)(const std::vector<Json>&);
};
constexpr Format kFormats[] = {{"csv", csv}, {"json", json}, {"jsonl", jsonl}, {"sql", sql}};

}  // namespace

std::string test_name(const SpeedTest& test) {
  std::string name;
  if (test.prompt > 0) name = fmt::format("pp{}", test.prompt);
  if (test.generated > 0) name += fmt::format("{}tg{}", name.empty() ? "" : "+", test.generated);
  if (test.sequences > 1) name += fmt::format(" x {}", test.sequences);
  if (test.depth > 0) name += fmt::format(" @ d{}", test.depth);
  return name;
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

std::vector<std::string> bench_formats() {
  std::vector<std::string> names{"md"};
  for (const Format& format : kFormats) names.emplace_back(format.name);
  return names;
}

std::string fields_text(const std::vector<Json>& rows, const std::string& format) {
  for (const Format& known : kFormats) {
    if (format == known.name) return known.text(rows);
  }
  fail(ErrorCode::kUsage, "unknown format '{}'; there are {}", format, fmt::join(bench_formats(), ", "));
}

std::string bench_text(const std::vector<BenchRow>& rows, const std::string& format) {
  if (format == "md") return markdown(rows);
  std::vector<Json> fields;
  for (const BenchRow& row : rows) fields.push_back(fields_of(row));
  return fields_text(fields, format);
}

}  // namespace micius
