// `micius bench`: what is measured, and how it is printed.
#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cli/bench_attention.h"
#include "cli/bench_output.h"
#include "cli/program.h"
#include "engine/gpu.h"
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
  CHECK_THAT(csv, Catch::StartsWith("cpu_info,gpu_info,backends,model_filename,"));
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 3);

  const std::string sql = bench_text(rows, "sql");
  CHECK_THAT(sql, Catch::StartsWith("CREATE TABLE IF NOT EXISTS llama_bench (\n"));
  CHECK_THAT(sql, Catch::Contains("'it''s.gguf'"));
  CHECK_THROWS_WITH(bench_text(rows, "xml"), Catch::Contains("unknown format 'xml'; there are md, csv"));
}

TEST_CASE("bench names the GPU", "[bench]") {
  std::vector<BenchRow> rows = {row_of({512, 0, 0, 1}, {0.5})};
  rows.front().info.gpu = "H100";
  CHECK_THAT(bench_text(rows, "md"),
             Catch::Contains("| 134.5M | cuda | precise | 2 | pp512 | 1024.00 ± 0.00 |"));
  const Json json = parse_json(bench_text(rows, "json"), "json");
  CHECK(json[0]["backends"] == "CUDA");
  CHECK(json[0]["gpu_info"] == "H100");
  CHECK(json[0]["isa"] == "");
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
  const auto cuda = bench({"-p", "8", "-n", "0", "--device", "cuda"});
  const auto any = bench({"-p", "8", "-n", "0", "--device", "auto"});
  REQUIRE(any.exit_code == 0);
  if (survey_gpus().gpus.empty()) {
    CHECK(cuda.exit_code == 2);
    CHECK_THAT(cuda.err, Catch::Contains("no GPU: ") && Catch::Contains("use --device cpu"));
    CHECK(parse_json(any.out, "json")[0]["backends"] == "CPU");
  } else {
    CHECK(parse_json(cuda.out, "json")[0]["backends"] == "CUDA");
  }
  CHECK(bench({"-o", "xml"}).exit_code == 2);
}

TEST_CASE("bench attention compares head settings repeat by repeat", "[bench]") {
  const AttentionBench bench({{32, 16, 16, 64, 64, 0.125F}, {32, 4, 16, 64, 64, 0.125F}}, 2, Isa::kPlain,
                             1 << 20);
  const AttentionTest test{2047, 2, 0, KvMode::kConcat};
  // Two layers; the second setting takes 0.5, 0.75 and 0.9 of the first one's time.
  const AttentionResult result{
      2,
      {{{0.002, 0.004, 0.008}, {0.002, 0.004, 0.012}}, {{0.001, 0.004, 0.01}, {0.001, 0.002, 0.008}}},
      {0, 0.25},
      {0.0001048576, 0.0002097152, 0.0000524288}};
  const std::vector<AttentionRow> rows = attention_rows(setup_of(bench), test, result);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].ratio == Approx(1));
  CHECK(rows[0].limit == Approx(1));
  CHECK(rows[1].ratio == Approx(0.75));
  CHECK(rows[1].limit == Approx(0.625));

  const Json json = parse_json(attention_text(rows, "json"), "json");
  CHECK(json[1]["heads"] == "32/4/16");
  CHECK(json[1]["mode"] == "concat");
  CHECK(json[1]["n_layers"] == 2);
  CHECK(json[1]["attention_ns"] == 2'000'000);
  CHECK(json[1]["copy_ns"] == 1'000'000);
  CHECK(json[1]["layer_ns"] == 3'000'000);
  CHECK(json[1]["samples_ns"] == Json({1'000'000, 3'000'000, 9'000'000}));
  CHECK(json[1]["kv_bytes"] == 2 * 2048 * 20 * 64 * 2);
  CHECK(json[1]["gb_per_s"].get<double>() == Approx(5.24288));
  CHECK(json[1]["read_best_gb_per_s"].get<double>() == Approx(20));
  CHECK(json[1]["read_median_gb_per_s"].get<double>() == Approx(10));
  CHECK(json[1]["share_of_best"].get<double>() == Approx(0.262144));
  CHECK(json[1]["share_of_median"].get<double>() == Approx(0.524288));

  CHECK_THAT(attention_text(rows, "md"),
             Catch::Contains(
                 "| 32/4/16 | 64/64 | 2047 | 2 | 2 | concat | off | 0.25 | 3000.0 | 1000.0 | 10.5 MB | 5.2 | "
                 "20.0 / 10.0 | 26.2 % | 52.4 % | 0.750 | 0.625 |\n"));
  const std::string csv = attention_text(rows, "csv");
  CHECK_THAT(csv, Catch::StartsWith("cpu_info,gpu_info,backends,isa,n_threads,heads,"));
  CHECK_THAT(csv, !Catch::Contains("samples_ns"));
}

TEST_CASE("bench attention on a GPU has the same table", "[bench]") {
  const std::vector<AttentionShape> settings{{32, 16, 16, 64, 64, 0.125F}, {32, 4, 16, 64, 64, 0.125F}};
  const AttentionTest test{2047, 2, 0, KvMode::kAppend};
  const std::vector<double> none(3);
  const AttentionResult result{
      10, {{{2e-4, 4e-4, 3e-4}, none}, {{1e-4, 3e-4, 2e-4}, none}}, {}, {1e-3 / 2, 1e-3 / 3, 1e-3}};
  const AttentionSetup setup{settings, 1'000'000'000, Isa::kPlain, 0, "H100"};
  const std::vector<AttentionRow> rows = attention_rows(setup, test, result);
  const Json json = parse_json(attention_text(rows, "json"), "json");
  CHECK(json[0]["backends"] == "CUDA");
  CHECK(json[0]["gpu_info"] == "H100");
  CHECK(json[0]["layer_ns"] == 30'000);
  CHECK(json[1]["layer_ns"] == 20'000);
  CHECK(json[1]["n_layers"] == 10);
  CHECK(json[1]["ratio"].get<double>() == Approx(2.0 / 3));
  CHECK(json[1]["limit"] == 0.625);
  CHECK(json[1]["gb_per_s"].get<double>() == Approx(2 * 2048 * 20 * 64 * 2 / 2e-5 / 1e9));
  CHECK(json[1]["read_best_gb_per_s"].get<double>() == Approx(3000));
}

TEST_CASE("bench attention says why it cannot use a GPU", "[bench]") {
  const TempDir folder;
  const auto bench = [&](std::vector<std::string> flags) {
    std::vector<std::string> all = {"bench", "attention", "--device", "cuda", "-r", "1", "-d", "100"};
    all.insert(all.end(), flags.begin(), flags.end());
    return run_micius(folder.path(), {}, all);
  };
  CHECK_THAT(bench({"--selective-v", "4"}).err, Catch::Contains("--selective-v is the CPU's alone"));
  CHECK_THAT(bench({"-t", "2"}).err, Catch::Contains("--threads are the CPU's"));
  const auto outcome = bench({});
  if (survey_gpus().gpus.empty()) {
    CHECK(outcome.exit_code == 2);
    CHECK_THAT(outcome.err, Catch::Contains("no GPU: ") && Catch::Contains("use --device cpu"));
  } else {
    CHECK(outcome.exit_code == 0);
  }
}

TEST_CASE("bench attention measures what is asked for", "[bench]") {
  const TempDir folder;
  const auto bench = [&](std::vector<std::string> flags) {
    std::vector<std::string> all = {"bench", "attention", "-r", "2", "-t", "1"};
    all.insert(all.end(), flags.begin(), flags.end());
    return run_micius(folder.path(), {}, all);
  };
  const auto outcome = bench({"--heads", "4/2/2,4/1/2", "--heads", "8/8/8", "--dims", "16/32", "--layers",
                              "2", "-d", "0,65", "--batch", "1,3", "--mode", "concat", "-o", "jsonl"});
  REQUIRE(outcome.exit_code == 0);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 12);  // 3 settings, 2 depths, 2 batches
  const Json last =
      parse_json(outcome.out.substr(outcome.out.rfind('\n', outcome.out.size() - 2) + 1), "last");
  CHECK(last["heads"] == "8/8/8");
  CHECK(last["d_v"] == 32);
  CHECK(last["n_depth"] == 65);
  CHECK(last["n_sequences"] == 3);
  CHECK(last["limit"] == 4.0);
  CHECK(last["copy_ns"].get<double>() > 0);

  const auto selected = bench({"--heads", "4/1/2", "--dims", "16", "--layers", "1", "-d", "300",
                               "--selective-v", "8,raw", "-o", "jsonl"});
  REQUIRE(selected.exit_code == 0);
  const auto lines = split(selected.out, '\n');
  const Json all = parse_json(lines.at(0), "all"), top = parse_json(lines.at(1), "top");
  CHECK(all["selective_v"] == "off");
  CHECK(all["error"] == 0);
  CHECK(all["kv_bytes"] == 301 * 3 * 16 * 2);
  CHECK(top["selective_v"] == "8,raw");
  CHECK(top["error"].get<double>() > 0);
  CHECK(top["kv_bytes"] == (301 + 2 * 16) * 16 * 2);
  CHECK_THAT(bench({"--selective-v", "some"}).err, Catch::Contains("selective V is a number"));

  CHECK_THAT(bench({"--heads", "32/4"}).err, Catch::Contains("--heads must be three numbers"));
  CHECK_THAT(bench({"--dims", "1/2/3"}).err, Catch::Contains("--dims must be one or two numbers"));
  CHECK(bench({"--mode", "cat"}).exit_code == 2);
  CHECK_THAT(run_micius(folder.path(), {}, {"bench"}).err, Catch::Contains("give --model"));
}

}  // namespace
}  // namespace micius
