#include "base/process.h"

#include <catch2/catch.hpp>

#include "base/error.h"

namespace micius {

TEST_CASE("a program's output and exit status come back") {
  const ProcessResult result = run_process({"sh", "-c", "echo out; echo err >&2; exit 3"});
  CHECK(result.exit_code == 3);
  CHECK(result.output == "out\nerr\n");
  CHECK(run_process({"sh", "-c", "kill -9 $$"}).exit_code == 128 + 9);
}

TEST_CASE("only the end of a long output is kept, and a program that is not there is an error") {
  const ProcessResult result = run_process({"sh", "-c", "yes | head -c 1000000; echo end"});
  CHECK(result.output.size() == 64 * 1024);
  CHECK_THAT(result.output, Catch::EndsWith("end\n"));
  CHECK_THROWS_AS(run_process({"no-such-program-here"}), Error);
}

}  // namespace micius
