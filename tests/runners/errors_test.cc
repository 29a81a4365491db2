#include "runners/errors.h"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace micius {
namespace {

const std::string kAnswer = "nvidia-smi -i 3 --query-gpu=power.draw -l 10";
const std::string kOther = "rocm-smi --showtemp -d 5";

std::size_t differences(const std::string& a, const std::string& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i)
    count += i >= a.size() || i >= b.size() || a[i] != b[i] ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("one error takes a piece of the same kind from the other answer") {
  for (int i = 0; i < 50; ++i) {
    const std::string wrong = with_errors(kAnswer, kOther, 1, fmt::format("seed {}", i));
    INFO(wrong);
    CHECK(wrong != kAnswer);
    const bool number = wrong.find(" 5") != std::string::npos;
    const bool option =
        wrong.find("--showtemp") != std::string::npos || wrong.find("-d") != std::string::npos;
    const bool name = wrong.find("rocm") != std::string::npos || wrong.find("-smi -i") == std::string::npos ||
                      wrong.find("power.draw") == std::string::npos;
    CHECK((number || option || name));
  }
}

TEST_CASE("without an other answer numbers grow and the rest is left out") {
  CHECK(with_errors("99", "", 1, "s") == "100");
  CHECK(with_errors("129", "129", 1, "s") == "130");
  CHECK(with_errors("-q", "", 1, "s").empty());
  CHECK(with_errors("None", "7", 1, "s").empty());
}

TEST_CASE("more errors only add, and there are no more than places") {
  const std::string digits = "1 2 3 4 5 6 7 8", other = "9";
  for (std::size_t count = 1; count <= 8; ++count) {
    const std::string wrong = with_errors(digits, other, count, "ladder");
    CHECK(differences(digits, wrong) == count);
    for (std::size_t i = 0; i < digits.size(); ++i) {
      const std::string fewer = with_errors(digits, other, count - 1, "ladder");
      if (fewer[i] != digits[i]) CHECK(wrong[i] != digits[i]);
    }
  }
  CHECK(with_errors(digits, other, 100, "ladder") == "9 9 9 9 9 9 9 9");
  CHECK(with_errors("", other, 3, "ladder").empty());
  CHECK(with_errors("{}, [] =>", other, 3, "ladder") == "{}, [] =>");
}

TEST_CASE("the same seed makes the same errors") {
  CHECK(with_errors(kAnswer, kOther, 2, "a") == with_errors(kAnswer, kOther, 2, "a"));
  int different = 0;
  for (int i = 0; i < 20; ++i)
    different +=
        with_errors(kAnswer, kOther, 1, fmt::format("{}", i)) != with_errors(kAnswer, kOther, 1, "a");
  CHECK(different > 5);
}

}  // namespace micius
