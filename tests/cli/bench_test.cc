// `micius bench`: what is measured, and how it is printed.
#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "base/json.h"
#include "cli/bench_output.h"
#include "cli/program.h"
#include "engine/tiny_model.h"
#include "temp_dir.h"

namespace micius {
namespace {

BenchRow row_of(const SpeedTest& test, std::vector<double> seconds) {
  EngineInfo info;
  info.parameters = 134'515'008;
  info.file_bytes = 98'363'584;
  info.threads = 2;
  info.isa = Isa::kAvx2;
  return {"it's.gguf",       "llama 134.5M Q4_1", info, "precise", "off", 512, test, "2026-01-31T23:59:59Z",
          std::move(seconds)};
}

TEST_CASE("a test's name says what it does", "[bench]") {
  CHECK(test_name({512, 0, 0, 1}) == "pp512");
  CHECK(test_name({0, 128, 2048, 1}) == "tg128 @ d2048");
  CHECK(test_name({512, 128, 0, 1}) == "pp512+tg128");
  CHECK(test_name({0, 32, 160, 8}) == "tg32 x 8 @ d160");
}

TEST_CASE("bench prints llama-bench's columns", "[bench]") {
  const std::vector<BenchRow> rows = {row_of({512, 0, 0, 1}, {0.5, 0.25, 0.25}),
                                      row_of({0, 10, 0, 2}, {0.1})};
  const std::string md = bench_text(rows, "md");
  CHECK_THAT(md, Catch::Contains("| llama 134.5M Q4_1 | 98.4 MB | 134.5M | avx2 | precise | 2 | pp512 | "
                                 "1706.67 ± 591.21 |"));
  CHECK_THAT(md, Catch::Contains("| tg10 x 2 | 200.00 ± 0.00 |"));

  const Json json = parse_json(bench_text(rows, "json"), "json");
  REQUIRE(json.size() == 2);
  CHECK(json[0]["n_prompt"] == 512);
  CHECK(json[0]["avg_ns"] == 333'333'333);
  CHECK(json[0]["samples_ts"] == Json({1024.0, 2048.0, 2048.0}));
  CHECK(json[1]["stddev_ts"] == 0.0);

  const std::string jsonl = bench_text(rows, "jsonl");
  CHECK(parse_json(jsonl.substr(0, jsonl.find('\n')), "jsonl") == json[0]);

  const std::string csv = bench_text(rows, "csv");
  CHECK_THAT(csv, Catch::StartsWith("cpu_info,backends,model_filename,"));
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 3);

  const std::string sql = bench_text(rows, "sql");
  CHECK_THAT(sql, Catch::StartsWith("CREATE TABLE IF NOT EXISTS llama_bench (\n"));
  CHECK_THAT(sql, Catch::Contains("'it''s.gguf'"));
  CHECK_THROWS_WITH(bench_text(rows, "xml"), Catch::Contains("unknown format 'xml'; there are md, csv"));
}

TEST_CASE("bench measures every test that is asked for", "[bench]") {
  const TinyModel model;
  const TempDir folder;
  const auto bench = [&](std::vector<std::string> flags) {
    std::vector<std::string> all = {"bench", "-m", model.path().string(), "-r", "2", "-o", "json"};
    all.insert(all.end(), flags.begin(), flags.end());
    return run_micius(folder.path(), {}, all);
  };
  const auto outcome = bench({"-p", "8,16", "-n", "4", "--pg", "8,2", "-d", "0,65", "-s", "1,3", "-t", "1"});
  REQUIRE(outcome.exit_code == 0);
  const Json rows = parse_json(outcome.out, "json");
  REQUIRE(rows.size() == 16);  // 4 sizes, 2 depths, 2 numbers of sequences
  for (const Json& row : rows) {
    CHECK(row["samples_ns"].size() == 2);
    CHECK(row["avg_ts"].get<double>() > 0);
  }
  CHECK(rows[0]["n_prompt"] == 8);
  CHECK(rows[15]["n_sequences"] == 3);
  CHECK(rows[15]["n_depth"] == 65);

  CHECK(bench({"-p", "0", "-n", "0"}).exit_code == 2);
  CHECK_THAT(bench({"-p", "300", "-n", "0"}).err, Catch::Contains("more than the model's context of 256"));
  CHECK_THAT(bench({"--pg", "8"}).err, Catch::Contains("--pg must be two numbers"));
  CHECK(bench({"-o", "xml"}).exit_code == 2);
}

}  // namespace
}  // namespace micius
