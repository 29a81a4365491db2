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

Prices prices_in(const std::string& text) {
  const TempDir folder;
  const auto file = folder.path() / "prices.json";
  std::ofstream(file) << text;
  return Prices::read(file);
}

Prices prices_of(const std::string& rows) {
  return prices_in(R"({"micius_prices": 1, "prices": [)" + rows + "]}");
}

std::string row(const std::string& model, const std::string& from, const std::string& input,
                const std::string& match = "exact") {
  return R"({"provider": "openai", "model": ")" + model + R"(", "match": ")" + match + R"(", "from": ")" +
         from + R"(", "input": ")" + input + R"(", "output": "10.00"})";
}

template <typename Read>
std::string error_in(const Read& read) {
  try {
    read();
  } catch (const Error& failure) {
    CHECK(failure.code() == ErrorCode::kInvalidData);
    return failure.what();
  }
  return "";
}

std::string error_of(const std::string& rows) {
  return error_in([&] { prices_of(rows); });
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

TEST_CASE("a price holds at its own address") {
  const auto with_url = [](const std::string& url) {
    return R"({"provider": "openai", "url": ")" + url +
           R"(", "model": "m", "from": "2025-01-01", "input": "7.00", "output": "9.00"})";
  };
  const Prices prices =
      prices_of(row("m", "2025-01-01", "1.00") + "," + with_url("http://127.0.0.1:8000/v1/"));
  const auto input = [&](const char* provider, const char* url) -> std::int64_t {
    const auto price = prices.at(provider, url).find(provider, "m", "2026-01-01");
    return price ? price->input : 0;
  };
  CHECK(input("openai", "https://api.openai.com/v1") == 1'000'000);
  CHECK(input("openai", "https://eu.api.openai.com/v1") == 1'000'000);
  CHECK(input("openai", "http://127.0.0.1:8000/v1") == 7'000'000);
  for (const char* other :
       {"http://127.0.0.1:8000/v12", "http://127.0.0.1:80", "https://api.openai.com.evil.example/v1",
        "https://evilapi.openai.com/v1", "http://api.openai.com/v1", "https://one.example/v1", ""})
    CHECK(input("openai", other) == 0);
  CHECK(input("azure", "https://api.openai.com/v1") == 0);
  CHECK_THAT(error_of(with_url("127.0.0.1")), Contains("prices[0].url") && Contains("https://host/v1"));
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
  for (const char* day : {"2025", "2025-1-1", "01-01-2025", "2025-13-01", "2025-00-10", "2025-01-32", "soon"})
    CHECK_THAT(error_of(row("m", day, "1")), Contains("prices[0].from") && Contains("2026-11-26"));
  CHECK_THAT(error_of(R"({"provider": "openai"})"), Contains("model"));
  CHECK_THAT(error_of(R"({"provider": "o", "modle": "m"})"), Contains("modle"));
}

TEST_CASE("what is no list of prices is named with its file") {
  for (const char* text :
       {R"({"micius_prices": "1", "prices": []})", R"({"micius_prices": null, "prices": []})",
        R"({"micius_prices": 2, "prices": []})", R"({"micius_prices": 1})", "[]"}) {
    INFO(text);
    CHECK_THAT(error_in([&] { prices_in(text); }), Contains("prices.json: expected {\"micius_prices\": 1"));
  }
}

TEST_CASE("the list that is shipped can be read") {
  const Prices prices = Prices::read(source_tree() / "runners/prices.json");
  CHECK(prices.find("openai", "gpt-4o", "2026-11-26")->output == 10'000'000);
  CHECK(prices.find("openai", "gpt-4o-mini-2024-07-18", "2026-11-26")->cached_input == 75'000);
  CHECK(prices.find("openai", "gpt-4o-2024-08-06", "2026-11-26")->input == 2'500'000);
  for (const char* other : {"gpt-4o-audio", "gpt-4o-2024-05-13", "gpt-4o-mini-audio-preview",
                            "gpt-3.5-turbo-instruct"})  // names that begin alike and cost something else
    CHECK_FALSE(prices.find("openai", other, "2026-11-26"));
}

}  // namespace micius
