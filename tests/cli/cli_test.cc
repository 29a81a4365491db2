// Runs the program as a user does. One case a line in tests/cli/*.jsonl:
//   {"name", "argv": [..], "files": {name: text}?, "exit": 2, "stdout": [regex..]?, "stderr": [regex..]?,
//   "before": [[argv..]..]?}
// Each case has a folder of its own with an empty home, as working folder; {share} in argv is the source
// tree.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/process.h"
#include "base/text.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "micius-cli-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Outcome {
  int exit_code;
  std::string out, err;
};

std::string quoted(const std::string& word) { return "'" + replace_all(word, "'", "'\\''") + "'"; }

Outcome run_micius(const fs::path& folder, const std::vector<std::string>& arguments) {
  std::string line =
      "cd " + quoted(folder.string()) +
      " && env -u MICIUS_DB -u MICIUS_DATA_DIR -u MICIUS_MODEL_DIR HOME=" + quoted(folder.string()) +
      " XDG_DATA_HOME= NO_COLOR=1 " + quoted(MICIUS_PROGRAM);
  for (const std::string& argument : arguments) {
    line += " " + quoted(replace_all(argument, "{share}", MICIUS_SOURCE_DIR));
  }
  line += " >.stdout 2>.stderr";
  const int exit_code = run_process({"sh", "-c", line}).exit_code;
  return {exit_code, read_file(folder / ".stdout"), read_file(folder / ".stderr")};
}

void check_matches(const Json& patterns, const std::string& text) {
  for (const Json& pattern : patterns) {
    INFO("pattern: " << pattern << "\ntext: " << text);
    CHECK(std::regex_search(text, std::regex(pattern.get<std::string>())));
  }
}

void check_case(const Json& row) {
  const Folder folder;
  const Json files = row.value("files", Json::object());
  for (const auto& file : files.items()) {
    std::ofstream(folder.path() / file.key()) << file.value().get<std::string>();
  }
  const Json before = row.value("before", Json::array());
  for (const Json& arguments : before) {
    const Outcome outcome = run_micius(folder.path(), arguments.get<std::vector<std::string>>());
    INFO(outcome.err);
    REQUIRE(outcome.exit_code == 0);
  }
  const Outcome outcome = run_micius(folder.path(), row.at("argv").get<std::vector<std::string>>());
  INFO("stdout: " << outcome.out << "\nstderr: " << outcome.err);
  CHECK(outcome.exit_code == row.at("exit").get<int>());
  check_matches(row.value("stdout", Json::array()), outcome.out);
  check_matches(row.value("stderr", Json::array()), outcome.err);
}

}  // namespace

TEST_CASE("the command line does what its cases say") {
  for (const auto& entry : fs::directory_iterator(fs::path(MICIUS_SOURCE_DIR) / "tests/cli")) {
    if (entry.path().extension() != ".jsonl") continue;
    for_each_line(read_file(entry.path()), [&](std::string_view line, std::size_t number) {
      const std::string where = entry.path().filename().string() + ":" + std::to_string(number);
      const Json row = parse_json(line, where);
      DYNAMIC_SECTION(where << " " << row.at("name").get<std::string>()) { check_case(row); }
    });
  }
}

}  // namespace micius
