#include <catch2/catch.hpp>

#include "sandbox/open_sandbox.h"

namespace micius {

TEST_CASE("a program runs with its files, input and environment") {
  const SandboxOffer offer = open_test_sandbox(1);
  INFO(offer.why_not);
  REQUIRE(offer.sandbox);
  ExecRequest request;
  request.argv = {"bash", "-c", "cat a/b; cat; echo $X >&2; echo new > f; exit 3"};
  request.stdin_text = "input\n";
  request.env = {{"X", "y z"}};
  request.files = {{"a/b", "laid\n"}};
  const ExecResult result = offer.sandbox->run(request);
  CHECK(result.exit_code == 3);
  CHECK(result.out == "laid\ninput\n");
  CHECK(result.err == "y z\n");
  REQUIRE(result.files.size() == 1);
  CHECK(result.files[0].path == "/job/f");
  CHECK(result.files[0].content == "new\n");
}

}  // namespace micius
