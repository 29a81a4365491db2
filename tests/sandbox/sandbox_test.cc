#include <atomic>
#include <cstdlib>
#include <set>
#include <thread>

#include <catch2/catch.hpp>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "processes.h"
#include "sandbox/host_watch.h"
#include "sandbox/open_sandbox.h"
#include "temp_dir.h"

namespace micius {
namespace {

ExecRequest python(const std::string& text) {
  ExecRequest request;
  request.argv = {"python3", "-I", "-S", "-B", "-c", text};
  return request;
}

std::string paths_of(const ExecResult& result) {
  std::string paths;
  for (const ExecFile& file : result.files)
    paths += file.path + "=" + file.content + (file.executable ? "* " : " ");
  return paths;
}

// Sets PATH while it lives.
class PathOnly {
 public:
  explicit PathOnly(const std::string& path) : before_(std::getenv("PATH")) {
    ::setenv("PATH", path.c_str(), 1);
  }
  ~PathOnly() { ::setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_;
};

}  // namespace

TEST_CASE("a program runs with its files, input and environment") {
  const SandboxOffer offer = open_test_sandbox(1);
  INFO(offer.why_not);
  REQUIRE(offer.sandbox);
  ExecRequest request = shell("cat a/b /tmp/c; cat; echo $X >&2; ./run; echo new > f; exit 3");
  request.stdin_text = "input\n";
  request.env = {{"X", "y z"}, {"LANG", "C"}};
  request.files = {{"a/b", "laid\n"}, {"/tmp/c", "too\n"}, {"run", "#!/bin/bash\necho $LANG\n", true}};
  const ExecResult result = offer.sandbox->run(request);
  CHECK(result.exit_code == 3);
  CHECK_FALSE(result.signal);
  CHECK(result.out == "laid\ntoo\ninput\nC\n");
  CHECK(result.err == "y z\n");
  CHECK(paths_of(result) == "/job/f=new\n ");
  CHECK_FALSE((result.timed_out || result.out_of_memory || result.truncated));
  CHECK(result.wall > std::chrono::nanoseconds(0));
}

TEST_CASE("every program of the set is there, and Python with its standard library") {
  const SandboxOffer offer = open_test_sandbox(1);
  REQUIRE(offer.sandbox);
  std::string script;
  for (const std::string& tool : default_tools())
    script += "type -P " + tool + " > /dev/null || echo no " + tool + "\n";
  const ExecResult tools = offer.sandbox->run(shell(script));
  CHECK(tools.out == "");
  const ExecResult library = offer.sandbox->run(python(
      "import json,re,itertools,heapq,collections,math,random,ctypes,decimal,sqlite3,hashlib;print(6*7)"));
  CHECK(library.out == "42\n");
  CHECK(library.err == "");
}

TEST_CASE("files that changed, by content and permission") {
  const SandboxOffer offer = open_test_sandbox(1);
  REQUIRE(offer.sandbox);
  ExecRequest request = shell(
      "echo same > same; touch same2; echo other > other; chmod +x mode; rm gone; mkdir -p /home/user/d;"
      "echo h > /home/user/d/h; mv moved to");
  request.files = {{"same", "same\n"}, {"same2", "x"},       {"other", "before\n"}, {"mode", "m"},
                   {"gone", "g"},      {"moved", "content"}, {"untouched", "u"}};
  CHECK(paths_of(offer.sandbox->run(request)) ==
        "/home/user/d/h=h\n /job/mode=m* /job/other=other\n /job/to=content ");

  request = shell("head -c 600 /dev/zero > a; head -c 600 /dev/zero > b; echo c > c");
  request.limits.changed_bytes = 1000;
  const ExecResult cut = offer.sandbox->run(request);
  CHECK(cut.truncated);
  REQUIRE(cut.files.size() == 2);
  CHECK(cut.files[0].path == "/job/a");
  CHECK(cut.files[1].path == "/job/c");
}

TEST_CASE("served programs are answered by the caller's thread") {
  const SandboxOffer offer = open_test_sandbox(1);
  REQUIRE(offer.sandbox);
  ExecRequest request =
      shell("nvidia-smi -q | head -1; for i in 1 2 3; do tool $i & done; wait; type -P cat tool");
  std::multiset<std::string> messages;
  const std::thread::id here = std::this_thread::get_id();
  request.served = ServedPrograms{{"nvidia-smi", "tool"}, [&](std::string_view message) {
                                    CHECK(std::this_thread::get_id() == here);
                                    messages.emplace(message);
                                    return "answer to " + std::string(message);
                                  }};
  const ExecResult result = offer.sandbox->run(request);
  CHECK(messages == std::multiset<std::string>{"nvidia-smi -q", "tool 1", "tool 2", "tool 3"});
  CHECK(result.out.rfind("answer to nvidia-smi -q\n", 0) == 0);
  CHECK(result.out.find("/usr/bin/cat\n/run/micius/bin/tool\n") != std::string::npos);

  request.served->answer = [](std::string_view) -> std::string {
    throw Error(ErrorCode::kInvalidData, "no answer");
  };
  CHECK_THROWS_WITH(offer.sandbox->run(request), "no answer");
  CHECK(offer.sandbox->run(shell("echo on")).out == "on\n");
}

TEST_CASE("requests that cannot be carried out are refused") {
  const SandboxOffer offer = open_test_sandbox(1);
  REQUIRE(offer.sandbox);
  const auto refused = [&](ExecRequest request) { CHECK_THROWS_AS(offer.sandbox->run(request), Error); };
  refused({});
  ExecRequest request = shell("true");
  for (const char* path : {"", "../x", "a/../../x", "/etc/passwd", "/tmpx", "/proc/1/mem"}) {
    request.files = {{path, ""}};
    refused(request);
  }
  request = shell("true");
  request.env = {{"A=B", "x"}};
  refused(request);
  request = shell("true");
  request.limits.open_files = 0;
  refused(request);
  request = shell("true");
  request.served = ServedPrograms{{"a/b"}, [](std::string_view) { return std::string(); }};
  refused(request);
  request = shell("true");
  request.files = {{"f", std::string(17 << 20, 'x')}};
  refused(request);
  CHECK(offer.sandbox->run(shell("echo on")).out == "on\n");
}

TEST_CASE("four threads, each with its own boxes") {
  const SandboxOffer offer = open_test_sandbox(3);
  REQUIRE(offer.sandbox);
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const std::string mark = std::to_string(t) + "-" + std::to_string(i);
        ExecRequest request = shell("echo " + mark + " > f; ask; ls /job /tmp | wc -l; cat f");
        request.served = ServedPrograms{{"ask"}, [&](std::string_view) { return mark; }};
        const ExecResult result = offer.sandbox->run(request);
        if (result.out == mark + "\n4\n" + mark + "\n") ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 40);
}

TEST_CASE("where there can be no sandbox the reason is said") {
  {
    const PathOnly nowhere("/nonexistent");
    const SandboxOffer offer = open_test_sandbox(1);
    CHECK_FALSE(offer.sandbox);
    CHECK(offer.why_not == "bubblewrap is not there: install the Debian package bubblewrap");
  }
  const SandboxOffer offer = open_test_sandbox(1, "/nonexistent");
  CHECK_FALSE(offer.sandbox);
  CHECK(offer.why_not.find("/nonexistent/micius-box") != std::string::npos);

  const TempDir folder;
  ::chmod(folder.path().c_str(), 0755);
  std::filesystem::create_symlink("/bin/false", folder.path() / "bwrap");
  const PathOnly broken(folder.path());
  CHECK(open_test_sandbox(1).why_not == "the sandbox does not start: bubblewrap ended with 1");
}

TEST_CASE("a lane that something else ends is replaced") {
  const SandboxOffer offer = open_test_sandbox(1);
  REQUIRE(offer.sandbox);
  for (int i = 0; i < 2; ++i) {
    CHECK(offer.sandbox->run(shell("echo on")).out == "on\n");
    for (const auto& [pid, name] : descendants(::getpid())) {
      if (name == "bwrap") ::kill(pid, SIGKILL);
    }
  }
  CHECK(offer.sandbox->run(shell("echo on")).out == "on\n");
}

TEST_CASE("kill -9 of the harness leaves no process") {
  const pid_t harness = in_child([] {
    const SandboxOffer offer = open_test_sandbox(1);
    if (!offer.sandbox) return 1;
    ExecRequest request = python("import os,time\nif os.fork() == 0: os.setsid()\ntime.sleep(60)");
    request.limits.wall = std::chrono::seconds(60);
    return offer.sandbox->run(request).exit_code;
  });
  std::map<int, std::string> all;
  const auto pythons = [&] {
    return std::count_if(all.begin(), all.end(),
                         [](const auto& one) { return one.second.rfind("python", 0) == 0; });
  };
  for (int tries = 0; pythons() < 2 && tries < 1000; ++tries) {
    ::usleep(10'000);
    all = descendants(harness);
  }
  REQUIRE(pythons() == 2);
  kill_after(harness, 0);
  std::size_t left = all.size();
  for (int tries = 0; left > 0 && tries < 500; ++tries) {
    ::usleep(10'000);
    left = 0;
    for (const auto& [pid, name] : all) left += ::kill(pid, 0) == 0 ? 1 : 0;
  }
  CHECK(left == 0);
}

TEST_CASE("the sandbox ends with its object") {
  {
    const SandboxOffer offer = open_test_sandbox(2);
    REQUIRE(offer.sandbox);
    CHECK_FALSE(descendants(::getpid()).empty());
  }
  CHECK(descendants(::getpid()).empty());
}

}  // namespace micius
