#include <catch2/catch.hpp>

#include "base/rng.h"
#include "mutate.h"
#include "sandbox/wire_internal.h"

namespace micius {

TEST_CASE("requests and results come as they were sent") {
  ExecRequest request;
  request.argv = {"a", "", std::string("b\0c", 3)};
  request.stdin_text = "in";
  request.env = {{"X", "1"}};
  request.files = {{"f", "content", true}};
  request.limits.wall = std::chrono::milliseconds(5);
  request.limits.changed_bytes = 7;
  request.served = ServedPrograms{{"tool"}, nullptr};
  const std::string bytes = encode_request(request);
  const auto again = decode_request(bytes);
  REQUIRE(again);
  CHECK(again->argv == request.argv);
  CHECK(again->served->names == request.served->names);
  CHECK(encode_request(*again) == bytes);

  ExecResult result;
  result.exit_code = 137;
  result.signal = 9;
  result.out = "out";
  result.timed_out = result.truncated = true;
  result.files = {{"/job/f", "x", false}};
  const auto result_again = decode_result(encode_result(result));
  REQUIRE(result_again);
  CHECK(result_again->signal == 9);
  CHECK((result_again->timed_out && result_again->truncated && !result_again->out_of_memory));
  CHECK(encode_result(*result_again) == encode_result(result));
}

TEST_CASE("a result that is nearly right is read or refused") {
  ExecResult result;
  result.out = std::string(100, 'o');
  result.files = {{"/job/f", "x", false}, {"/job/g", std::string(50, 'y'), true}};
  const std::string good = encode_result(result);
  Rng rng("wire");
  int refused = 0;
  for (int i = 0; i < 5000; ++i) refused += decode_result(mutate(good, rng)) ? 0 : 1;
  CHECK(refused > 1000);
  CHECK_FALSE(decode_result(""));
  CHECK_FALSE(decode_result(good + "x"));
}

}  // namespace micius
