#include "emu/wire.h"

#include <catch2/catch.hpp>

#include "emu_data.h"

namespace micius::emu {

TEST_CASE("calls and outcomes come through the wire as they were") {
  Call call = call_of("A=1 nvidia-smi -L");
  call.cwd = "/tmp";
  call.files = {{"/job/a", "text"}, {"/job/b", std::nullopt}};
  const auto read = decode_call(encode_call(call));
  REQUIRE(read);
  CHECK(read->argv == call.argv);
  CHECK(read->env == call.env);
  CHECK(read->cwd == call.cwd);
  CHECK(read->files == call.files);

  Outcome outcome;
  outcome.out = std::string("a\0b", 3);
  outcome.err = "e";
  outcome.exit = 4;
  outcome.writes = {{"/tmp/x", "content", true}};
  outcome.exec = {"cat", "x"};
  outcome.exec_env = {{"K", "V=W"}};
  const auto back = decode_outcome(encode_outcome(outcome));
  REQUIRE(back);
  CHECK(back->out == outcome.out);
  CHECK(back->err == outcome.err);
  CHECK(back->exit == 4);
  CHECK(back->writes[0].executable);
  CHECK(back->writes[0].content == "content");
  CHECK(back->exec == outcome.exec);
  CHECK(back->exec_env == outcome.exec_env);
}

TEST_CASE("bytes that are no call are refused") {
  CHECK_FALSE(decode_call(""));
  CHECK_FALSE(decode_call("a"));
  CHECK_FALSE(decode_call(std::string("a\xff\xff\xff\xff", 5)));
  CHECK_FALSE(decode_call(std::string("z\0\0\0\0", 5)));
  const std::string good = encode_call(call_of("nvidia-smi -L"));
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto call = decode_call(good.substr(0, size));
    CHECK((!call || call->argv.size() <= 2));
  }
}

}  // namespace micius::emu
