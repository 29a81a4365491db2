// Every line of escapes.jsonl: a program that tries to get out or to take more than its share. After each the
// result is as the line says, the host is as it was, and the next request finds a clean box.
//
// A line: "argv"; "stdin_bytes", "laid" {path: content}, "limits", "served" for the request; and what is
// expected: "out", "err" (regular expressions that are found), "no" (one that is found in neither), "exit",
// "signal", "timed_out", "out_of_memory", "truncated" (false unless said), "files" (their paths), "count" (of
// files), "out_bytes", "under_ms"; "any": the names of those that may be as they come.
#include <algorithm>
#include <filesystem>
#include <grp.h>
#include <regex>

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/files.h"
#include "base/json.h"
#include "processes.h"
#include "sandbox/host_watch.h"
#include "sandbox/open_sandbox.h"
#include "source_tree.h"

namespace micius {
namespace {

constexpr uid_t kOrdinaryUser = 12'345;

ExecRequest request_of(const Json& line, const HostWatch& host) {
  ExecRequest request;
  for (const Json& word : line.at("argv")) request.argv.push_back(host.filled(word.get<std::string>()));
  request.python = request.argv[0] == "python3";
  request.stdin_text = std::string(line.value("stdin_bytes", std::size_t{0}), 'i');
  const Json laid = line.value("laid", Json::object());
  for (const auto& [path, content] : laid.items()) {
    request.files.push_back({path, content.get<std::string>()});
  }
  const Json limits = line.value("limits", Json::object());
  ExecLimits& l = request.limits;
  l.wall = std::chrono::milliseconds(limits.value("wall_ms", std::int64_t{l.wall.count()}));
  l.cpu = std::chrono::milliseconds(limits.value("cpu_ms", std::int64_t{l.cpu.count()}));
  l.memory_bytes = limits.value("memory_bytes", l.memory_bytes);
  l.processes = limits.value("processes", l.processes);
  l.output_bytes = limits.value("output_bytes", l.output_bytes);
  if (line.value("served", false)) {
    request.served = ServedPrograms{{"served", "ask"},
                                    [](const ServedCall& call) { return std::string(call.message) + "!"; }};
  }
  return request;
}

class Complaints {
 public:
  explicit Complaints(const Json& line) : line_(line), any_(line.value("any", std::vector<std::string>())) {}

  bool is_open(const std::string& key) const {
    return std::find(any_.begin(), any_.end(), key) != any_.end();
  }
  void add(const std::string& what) { text_ += line_.at("name").get<std::string>() + ": " + what + "\n"; }
  template <typename T>
  void same(const std::string& key, const T& seen, const T& wanted) {
    if (!is_open(key) && seen != wanted) add(key + ": " + Json(seen).dump() + ", not " + Json(wanted).dump());
  }
  void found(const std::string& key, const std::string& text) {
    if (!line_.contains(key)) return;
    if (!std::regex_search(text, std::regex(line_.at(key).get<std::string>()))) {
      add(key + ": " + text.substr(0, 300));
    }
  }
  const std::string& text() const { return text_; }

 private:
  const Json& line_;
  std::vector<std::string> any_;
  std::string text_;
};

std::string compare(const Json& line, const ExecResult& result) {
  Complaints complaints(line);
  complaints.same("timed_out", result.timed_out, line.value("timed_out", false));
  complaints.same("out_of_memory", result.out_of_memory, line.value("out_of_memory", false));
  complaints.same("truncated", result.truncated, line.value("truncated", false));
  complaints.same("signal", result.signal.value_or(0), line.value("signal", 0));
  if (line.contains("exit")) complaints.same("exit", result.exit_code, line.at("exit").get<int>());
  complaints.found("out", result.out);
  complaints.found("err", result.err);
  if (line.contains("no")) {
    std::smatch match;
    const std::string all = result.out + result.err;
    if (std::regex_search(all, match, std::regex(line.at("no").get<std::string>()))) {
      complaints.add("has " + match.str() + ": " + all.substr(0, 300));
    }
  }
  if (line.contains("files")) {
    std::vector<std::string> paths;
    for (const ExecFile& file : result.files) paths.push_back(file.path);
    complaints.same("files", paths, line.at("files").get<std::vector<std::string>>());
  }
  if (line.contains("count"))
    complaints.same("count", result.files.size(), line.at("count").get<std::size_t>());
  if (line.contains("out_bytes"))
    complaints.same("out_bytes", result.out.size(), line.at("out_bytes").get<std::size_t>());
  if (line.contains("under_ms") && result.wall > std::chrono::milliseconds(line.at("under_ms").get<int>())) {
    complaints.add("took too long");
  }
  return complaints.text();
}

// What a well-behaved program sees, whatever ran before it.
std::string next_is_clean(Sandbox& sandbox) {
  ExecRequest request =
      shell("ls -A /job /tmp /home/user; cat f; p=(/proc/[0-9]*); echo ${#p[*]}; echo x > g");
  request.files = {{"f", "laid\n"}};
  const ExecResult result = sandbox.run(request);
  const bool clean = result.exit_code == 0 && result.err.empty() && !result.timed_out &&
                     result.out == "/home/user:\n\n/job:\nf\n\n/tmp:\nlaid\n2\n" && result.files.size() == 1;
  return clean ? "" : "the next request is not clean: " + result.out + result.err;
}

bool is_for_this_machine(const Json& line) {
  utsname name;
  return !line.contains("arch") || (::uname(&name) == 0 && line.at("arch") == name.machine);
}

// All that is wrong with all lines.
std::string try_all(const std::filesystem::path& programs) {
  const HostWatch host;
  const SandboxOffer offer = open_test_sandbox(1, programs);
  if (!offer.sandbox) return offer.why_not;
  std::string wrong;
  int tried = 0;
  const std::string lines = read_file(source_tree() / "tests/sandbox/escapes.jsonl");
  for_each_line(lines, [&](std::string_view text, std::size_t number) {
    const Json line = parse_json(text, "escapes.jsonl:" + std::to_string(number));
    if (!is_for_this_machine(line)) return;
    ++tried;
    const std::string name = line.at("name").get<std::string>() + ": ";
    try {
      wrong += compare(line, offer.sandbox->run(request_of(line, host)));
      for (const std::string& after : {host.changes(), next_is_clean(*offer.sandbox)}) {
        if (!after.empty()) wrong += name + after + "\n";
      }
    } catch (const std::exception& error) {
      wrong += name + error.what() + "\n";
    }
  });
  return tried < 40 ? wrong + "too few lines" : wrong;
}

// In a process of that user, from copies of the programs that it may read.
std::string try_all_as_ordinary_user() {
  const TempDir folder;
  ::chmod(folder.path().c_str(), 0755);
  for (const char* program : {"micius-box", "micius-test-client"}) {
    std::filesystem::copy_file(built_inside() / program, folder.path() / program);
  }
  int report[2];
  if (::pipe(report) != 0) return "no pipe";
  const pid_t child = in_child([&] {
    ::close(report[0]);
    if (::setgroups(0, nullptr) != 0 || ::setgid(kOrdinaryUser) != 0 || ::setuid(kOrdinaryUser) != 0)
      return 1;
    const std::string wrong = try_all(folder.path());
    return ::write(report[1], wrong.data(), wrong.size()) == static_cast<ssize_t>(wrong.size()) ? 0 : 1;
  });
  ::close(report[1]);
  std::string wrong;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(report[0], buffer, sizeof buffer)) > 0;) {
    wrong.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(report[0]);
  if (const int status = wait_for(child); status != 0) wrong += "ended with " + std::to_string(status);
  return wrong;
}

}  // namespace

TEST_CASE("every escape attempt is contained") { CHECK(try_all(built_inside()) == ""); }

TEST_CASE("every escape attempt is contained for an ordinary user") {
  if (::geteuid() != 0) return;  // the case above was it
  CHECK(try_all_as_ordinary_user() == "");
}

}  // namespace micius
