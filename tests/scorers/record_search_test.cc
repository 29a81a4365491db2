#include "scorers/record_search.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "temp_dir.h"

namespace micius {
namespace {

std::filesystem::path pool_in(const TempDir& dir, const std::string& lines) {
  const auto path = dir.path() / "pool.jsonl";
  write_file_atomic(path, lines);
  return path;
}

std::string record(const std::string& hardware, const std::string& workload) {
  return dump_json({{"hardware", hardware}, {"sku", "s"}, {"workload", workload}}) + "\n";
}

}  // namespace

TEST_CASE("the search prefers rare words, short records and, of equals, the first") {
  const TempDir dir;
  const RecordSearch search(
      pool_in(dir, record("A100-PCIe-80GB", "ResNet-50 inference") + record("H100", "ResNet-50 inference") +
                       record("H100", "BERT-Large inference and a longer text about it") +
                       record("H100", "BERT-Large inference") + record("H100", "BERT-Large inference")));
  using Found = std::vector<std::size_t>;
  CHECK(search.best("a100", 1) == Found{0});
  CHECK(search.best("H100 BERT", 3) == Found{3, 4, 2});
  CHECK(search.best("h100 resnet, resnet!", 1) == Found{1});
  CHECK(search.best("nothing whatever", 2) == Found{0, 1});
  CHECK(search.best("", 9).size() == 5);
  CHECK(search.record(3).at("workload") == "BERT-Large inference");
}

TEST_CASE("of two records with one word each the shorter is better, two words are better still") {
  const TempDir dir;
  const RecordSearch search(pool_in(dir, record("y", "z") + record("x", "")));
  CHECK(search.best("x y", 2) == std::vector<std::size_t>{1, 0});
  CHECK(search.best("x y z", 2) == std::vector<std::size_t>{0, 1});
}

TEST_CASE("a broken pool is named with its line") {
  const TempDir dir;
  CHECK_THROWS_WITH(
      RecordSearch(pool_in(dir, record("x", "y") + "{\"hardware\": 3, \"sku\": null, \"workload\": \"\"}\n")),
      Catch::Contains("pool.jsonl:2") && Catch::Contains("hardware"));
}

}  // namespace micius
