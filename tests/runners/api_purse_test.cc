#include "runners/api_purse.h"

#include <memory>
#include <optional>

#include <catch2/catch.hpp>

namespace micius {
namespace {

using Catch::Contains;

// A dollar a million tokens of the prompt, two of the answer.
Price price() {
  Price price;
  price.input = price.cached_input = 1'000'000;
  price.output = 2'000'000;
  return price;
}

const BilledTokens kMost{100'000, 0, 50'000};  // $0.20

}  // namespace

TEST_CASE("what is under way counts at its most, what has ended at what it was") {
  ApiPurse purse(price(), std::make_shared<ApiBudget>(0.50));
  CHECK(purse.admit(kMost).what == ApiAdmit::kSend);
  CHECK(purse.admit(kMost).what == ApiAdmit::kSend);
  CHECK(purse.admit(kMost).what == ApiAdmit::kWait);
  purse.release(kMost);
  purse.pay({10'000, 0, 5'000});  // $0.02
  CHECK(purse.admit(kMost).what == ApiAdmit::kSend);
  CHECK(purse.admit(kMost).what == ApiAdmit::kWait);
  for (int i = 0; i < 2; ++i) {
    purse.release(kMost);
    purse.pay(kMost);
  }
  CHECK(purse.spent_usd() == Approx(0.42));
  const ApiAdmission none = purse.admit(kMost);
  CHECK(none.what == ApiAdmit::kStop);
  CHECK(none.code == "budget");
  CHECK_THAT(none.message, Contains("0.5000") && Contains("$0.4200") && Contains("$0.2000"));
  CHECK(purse.admit({10, 0, 10}).what == ApiAdmit::kSend);
}

TEST_CASE("without a budget everything goes, and what it costs is known with a price") {
  ApiPurse free(std::nullopt, std::make_shared<ApiBudget>(std::nullopt));
  ApiPurse priced(price(), std::make_shared<ApiBudget>(std::nullopt));
  for (int i = 0; i < 100; ++i) {
    CHECK(free.admit(kMost).what == ApiAdmit::kSend);
    CHECK(priced.admit(kMost).what == ApiAdmit::kSend);
    priced.pay(kMost);
  }
  CHECK(priced.spent_usd() == Approx(20));
}

TEST_CASE("runners of one model share its budget at their own prices") {
  ApiBudgets budgets;
  Price half = price();
  half.input = half.cached_input = price().input / 2;
  half.output = price().output / 2;
  ApiPurse at_once(price(), budgets.of("m", 0.50)), batch(half, budgets.of("m", 0.50));
  ApiPurse other(price(), budgets.of("n", 0.50));
  at_once.pay(kMost);
  batch.pay(kMost);
  CHECK(at_once.spent_usd() == Approx(0.30));
  CHECK(at_once.admit(kMost).what == ApiAdmit::kSend);
  CHECK(batch.admit(kMost).what == ApiAdmit::kWait);
  at_once.release(kMost);
  CHECK(batch.admit(kMost).what == ApiAdmit::kSend);
  CHECK(other.spent_usd() == 0);
}

TEST_CASE("a price goes into a run's environment and out of it") {
  Price kept = price();
  kept.from = "2026-01-01";
  const auto read = price_from_json(to_json(kept));
  REQUIRE(read);
  CHECK(read->from == kept.from);
  CHECK(cost_pico(*read, kMost) == cost_pico(kept, kMost));
  CHECK_FALSE(price_from_json(Json::parse(R"({"from": "2026-01-01", "input": 1.5})")));
  CHECK_FALSE(price_from_json(Json(7)));
  for (const char* amount : {"-1", "1000000001", "9223372036854775807", "18446744073709551615"}) {
    Json hostile = to_json(kept);
    hostile["input"] = Json::parse(amount);
    CHECK_FALSE(price_from_json(hostile));
  }
}

}  // namespace micius
