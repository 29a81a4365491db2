// What the sandbox costs a program. Run by hand: test_sandbox "[overhead]"
#include <algorithm>
#include <chrono>
#include <vector>

#include <catch2/catch.hpp>

#include "sandbox/open_sandbox.h"

namespace micius {

TEST_CASE("median time of 200 programs that do nothing", "[.][overhead]") {
  const SandboxOffer offer = open_test_sandbox(1);
  INFO(offer.why_not);
  REQUIRE(offer.sandbox);
  ExecRequest request;
  request.argv = {"true"};
  std::vector<double> total, inside;
  for (int i = 0; i < 200; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const ExecResult result = offer.sandbox->run(request);
    total.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    inside.push_back(std::chrono::duration<double, std::milli>(result.wall).count());
    REQUIRE(result.exit_code == 0);
  }
  std::sort(total.begin(), total.end());
  std::sort(inside.begin(), inside.end());
  WARN("true: median " << total[100] << " ms, 90 % " << total[180] << " ms; from its start to its end "
                       << inside[100] << " ms");
}

}  // namespace micius
