#include "runners/prices.h"

#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "source_tree.h"
#include "temp_dir.h"

namespace micius {
namespace {

using Catch::Contains;

Prices prices_of(const std::string& rows) {
  const TempDir folder;
  const auto file = folder.path() / "prices.json";
  std::ofstream(file) << R"({"micius_prices": 1, "prices": [)" << rows << "]}";
  return Prices::read(file);
}

std::string row(const std::string& model, const std::string& from, const std::string& input,
                const std::string& match = "exact") {
  return R"({"provider": "openai", "model": ")" + model + R"(", "match": ")" + match + R"(", "from": ")" +
         from + R"(", "input": ")" + input + R"(", "output": "10.00"})";
}

std::string error_of(const std::string& rows) {
  try {
    prices_of(rows);
  } catch (const Error& failure) {
    CHECK(failure.code() == ErrorCode::kInvalidData);
    return failure.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a price is the newest of the day, by its name before its beginning") {
  const Prices prices = prices_of(row("m", "2025-01-01", "1.00") + "," + row("m", "2026-01-01", "2.00") +
                                  "," + row("m", "2024-01-01", "3.00", "prefix") + "," +
                                  row("m-big", "2024-01-01", "4.00", "prefix"));
  const auto input = [&](const char* model, const char* day) {
    return prices.find("openai", model, day)->input;
  };
  CHECK(input("m", "2026-06-01") == 2'000'000);
  CHECK(input("m", "2025-12-31") == 1'000'000);
  CHECK(input("m", "2024-06-01") == 3'000'000);
  CHECK(input("m-small", "2026-06-01") == 3'000'000);
  CHECK(input("m-big-2026", "2026-06-01") == 4'000'000);
  CHECK_FALSE(prices.find("openai", "m", "2023-01-01"));
  CHECK_FALSE(prices.find("openai", "other", "2026-01-01"));
  CHECK_FALSE(prices.find("azure", "m", "2026-01-01"));
}

TEST_CASE("a cost counts cached tokens as part of the prompt") {
  Price price;
  price.input = 2'500'000;
  price.cached_input = 1'250'000;
  price.output = 10'000'000;
  CHECK(cost_usd(price, {1'000'000, 0, 0}) == Approx(2.5));
  CHECK(cost_usd(price, {1'000'000, 1'000'000, 0}) == Approx(1.25));
  CHECK(cost_usd(price, {1000, 400, 50}) == Approx(600 * 2.5e-6 + 400 * 1.25e-6 + 50 * 1e-5));
  CHECK(cost_usd(price, {0, 0, 0}) == 0);
  CHECK(cost_usd(price, {10, 50, 0}) == Approx(10 * 1.25e-6));
}

TEST_CASE("what is no price is named with its file and row") {
  CHECK_THAT(error_of(row("m", "2025-01-01", "cheap")),
             Contains("prices.json: prices[0].input") && Contains("2.50"));
  CHECK_THAT(error_of(row("m", "2025-01-01", "-1")), Contains("no amount"));
  CHECK_THAT(error_of(row("m", "2025-01-01", "1.0000001")), Contains("no amount"));
  CHECK_THAT(error_of(row("m", "2025-01-01", "1", "some")), Contains("'exact' nor 'prefix'"));
  CHECK_THAT(error_of("7"), Contains("prices[0]"));
  CHECK_THAT(error_of(R"({"provider": "openai"})"), Contains("model"));
  CHECK_THAT(error_of(R"({"provider": "o", "modle": "m"})"), Contains("modle"));
}

TEST_CASE("the list that is shipped can be read") {
  const Prices prices = Prices::read(source_tree() / "runners/prices.json");
  CHECK(prices.find("openai", "gpt-4o", "2026-11-26")->output == 10'000'000);
  CHECK(prices.find("openai", "gpt-4o-mini-2024-07-18", "2026-11-26")->cached_input == 75'000);
  CHECK_FALSE(prices.find("openai", "gpt-4o-audio", "2026-11-26"));
}

}  // namespace micius
