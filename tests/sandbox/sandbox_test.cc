#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include <catch2/catch.hpp>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "processes.h"
#include "sandbox/host_watch.h"
#include "sandbox/open_sandbox.h"
#include "sandbox/system_internal.h"
#include "temp_dir.h"

namespace micius {
namespace {

ExecRequest python(const std::string& text) {
  ExecRequest request;
  request.argv = {"python3", "-I", "-S", "-B", "-c", text};
  request.python = true;
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
  request.served = ServedPrograms{{"nvidia-smi", "tool"}, [&](const ServedCall& call) {
                                    CHECK(std::this_thread::get_id() == here);
                                    messages.emplace(call.message);
                                    return "answer to " + std::string(call.message);
                                  }};
  const ExecResult result = offer.sandbox->run(request);
  CHECK(messages == std::multiset<std::string>{"nvidia-smi -q", "tool 1", "tool 2", "tool 3"});
  CHECK(result.out.rfind("answer to nvidia-smi -q\n", 0) == 0);
  CHECK(result.out.find("/usr/bin/cat\n/run/micius/bin/tool\n") != std::string::npos);

  request.served->answer = [](const ServedCall&) -> std::string {
    throw Error(ErrorCode::kInvalidData, "no answer");
  };
  CHECK_THROWS_WITH(offer.sandbox->run(request), "no answer");
  CHECK(offer.sandbox->run(shell("echo on")).out == "on\n");
}

TEST_CASE("who asks is known by the processes it descends from") {
  const SandboxOffer offer = open_test_sandbox(1);
  REQUIRE(offer.sandbox);
  ExecRequest request = shell("tool a; bash -c 'tool b; true'; true");
  std::vector<std::vector<int>> lineages;
  request.served = ServedPrograms{{"tool"}, [&](const ServedCall& call) {
                                    lineages.push_back(call.lineage);
                                    return std::string();
                                  }};
  CHECK(offer.sandbox->run(request).exit_code == 0);
  REQUIRE(lineages.size() == 2);
  REQUIRE(lineages[0].size() == 3);
  REQUIRE(lineages[1].size() == 4);
  CHECK(lineages[0].back() == 1);
  CHECK(lineages[1][2] == lineages[0][1]);
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
  request.served = ServedPrograms{{"a/b"}, [](const ServedCall&) { return std::string(); }};
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
        std::string mark = std::to_string(t) + "-" + std::to_string(i);
        ExecRequest request = shell("echo " + mark + " > f; ask; ls /job /tmp | wc -l; cat f");
        request.served = ServedPrograms{{"ask"}, [&](const ServedCall&) { return mark; }};
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

namespace {

// From here on all threads of this process, and their children, get `error` from the system call `number`;
// with `first`, only where that is its first argument.
bool deny_call(unsigned number, unsigned error, std::optional<unsigned> first = std::nullopt) {
  const auto offset = static_cast<unsigned>(offsetof(seccomp_data, args));
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offsetof(seccomp_data, nr))),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),
      BPF_JUMP(BPF_JMP | (first ? BPF_JEQ : BPF_JGE) | BPF_K, first.value_or(0), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{std::size(code), code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("where descriptors cannot be closed there is no sandbox") {
  for (const unsigned first : {6u, 3u}) {  // before bubblewrap, and before the program
    const pid_t child = in_child([&] {
      if (!deny_call(SYS_close_range, ENOSYS, first)) return 2;
      const SandboxOffer offer = open_test_sandbox(1);
      return !offer.sandbox && has(offer.why_not, "Linux 5.9") ? 0 : 1;
    });
    INFO(first);
    CHECK(wait_for(child) == 0);
  }
}

TEST_CASE("what goes wrong in the thread that starts lanes is an error of the request") {
  constexpr int kStartedBefore = 4;  // a lane came up between the list of processes and the denial
  const auto break_start = [] {
    const SandboxOffer offer = open_test_sandbox(1);
    if (!offer.sandbox || offer.sandbox->run(shell("true")).exit_code != 0) return 2;
    const auto processes = descendants(::getpid());
    if (!deny_call(SYS_newfstatat, EACCES)) return 3;  // std::filesystem throws
    for (const auto& [pid, name] : processes) {
      if (name == "bwrap") ::kill(pid, SIGKILL);
    }
    try {
      return offer.sandbox->run(shell("true")).exit_code == 0 ? kStartedBefore : 5;
    } catch (const Error& error) {
      return has(error.what(), "the sandbox does not start: filesystem error") ? 0 : 1;
    }
  };
  int status = kStartedBefore;
  for (int tries = 0; tries < 20 && status == kStartedBefore; ++tries)
    status = wait_for(in_child(break_start));
  CHECK(status == 0);
}

TEST_CASE("control groups are said to be there where one was entered, and are gone afterwards") {
  {
    // Two, as both would like to name their first group alike.
    const SandboxOffer one = open_test_sandbox(1), other = open_test_sandbox(1);
    REQUIRE(one.sandbox);
    REQUIRE(other.sandbox);
    std::size_t lanes = 0, in_groups = 0;
    for (const auto& [pid, name] : descendants(::getpid())) {
      if (name != "bwrap") continue;
      ++lanes;
      std::stringstream groups;
      groups << std::ifstream("/proc/" + std::to_string(pid) + "/cgroup").rdbuf();
      in_groups += has(groups.str(), "/micius-box-" + std::to_string(::getpid()) + "-") ? 1 : 0;
    }
    CHECK(lanes == 2);
    const bool said = !has(one.what, "no control groups");
    CHECK(said == !has(other.what, "no control groups"));
    CHECK(in_groups == (said ? lanes : 0));
    CHECK(control_groups_of(::getpid()).empty() == !said);
    if (!said) WARN("no control group may be had here");
  }
  CHECK(control_groups_of(::getpid()).empty());
}

TEST_CASE("kernels that count a user's processes everywhere are known, and so are the processes") {
  for (const char* release : {"5.10.0-28-amd64", "4.19.0", "5.13.19", "3.10", ""})
    CHECK(counts_in_all_namespaces(release));
  for (const char* release : {"5.14.0-rc1", "5.15", "6.1.0-18-amd64", "10.0"})
    CHECK_FALSE(counts_in_all_namespaces(release));
  CHECK(threads_of(::getuid()) >= 1);
  if (::geteuid() != 0) return;
  constexpr uid_t kNobodyElse = 54'322;
  const pid_t child = in_child([] {
    if (threads_of(kNobodyElse) != 0 || ::setuid(kNobodyElse) != 0) return 1;
    const int alone = threads_of(kNobodyElse);  // a sanitizer may have, or get, threads of its own
    if (alone < 1) return 2;
    int with_another = 0;
    std::thread([&] { with_another = threads_of(kNobodyElse); }).join();
    return with_another > alone ? 0 : 3;
  });
  CHECK(wait_for(child) == 0);
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
