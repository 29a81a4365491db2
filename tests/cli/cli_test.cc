// Runs the program as a user does. One case a line in tests/cli/*.jsonl:
//   {"name", "argv": [..], "files": {name: text}?, "exit": 2, "stdout": [regex..]?, "stderr": [regex..]?,
//   "before": [[argv..]..]?, "environment": ["NAME=value"..]?, "absent": [file..]? after it}
// Each case has a folder of its own, which is its home and its working folder.
#include <filesystem>
#include <fstream>
#include <regex>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "cli/program.h"
#include "source_tree.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

// Without the user's home, data, models and database.
Outcome run_alone(const fs::path& folder, const Json& arguments, const Json& environment = Json::array()) {
  std::vector<std::string> words = {"-u",
                                    "MICIUS_DB",
                                    "-u",
                                    "MICIUS_DATA_DIR",
                                    "-u",
                                    "MICIUS_MODEL_DIR",
                                    "-u",
                                    "MICIUS_ISA",
                                    "-u",
                                    "XDG_DATA_HOME",
                                    "HOME=" + folder.string(),
                                    "NO_COLOR=1"};
  for (const Json& word : environment) words.push_back(word);
  return run_micius(folder, words, arguments.get<std::vector<std::string>>());
}

void check_matches(const Json& patterns, const std::string& text) {
  for (const Json& pattern : patterns) {
    INFO("pattern: " << pattern << "\ntext: " << text);
    CHECK(std::regex_search(text, std::regex(pattern.get<std::string>())));
  }
}

void check_case(const Json& row) {
  const TempDir folder;
  const Json files = row.value("files", Json::object());
  for (const auto& file : files.items()) {
    const fs::path path = folder.path() / file.key();
    fs::create_directories(path.parent_path());
    std::ofstream(path) << file.value().get<std::string>();
  }
  const Json before = row.value("before", Json::array());
  for (const Json& arguments : before) {
    const Outcome outcome = run_alone(folder.path(), arguments);
    INFO(outcome.err);
    REQUIRE(outcome.exit_code == 0);
  }
  const Outcome outcome = run_alone(folder.path(), row.at("argv"), row.value("environment", Json::array()));
  INFO("stdout: " << outcome.out << "\nstderr: " << outcome.err);
  CHECK(outcome.exit_code == row.at("exit").get<int>());
  check_matches(row.value("stdout", Json::array()), outcome.out);
  check_matches(row.value("stderr", Json::array()), outcome.err);
  const Json absent = row.value("absent", Json::array());
  for (const auto& file : absent) {
    INFO(file);
    CHECK_FALSE(fs::exists(folder.path() / file.get<std::string>()));
  }
}

}  // namespace

TEST_CASE("the command line does what its cases say") {
  for (const auto& entry : fs::directory_iterator(source_tree() / "tests/cli")) {
    if (entry.path().extension() != ".jsonl") continue;
    for_each_line(read_file(entry.path()), [&](std::string_view line, std::size_t number) {
      const std::string where = entry.path().filename().string() + ":" + std::to_string(number);
      const Json row = parse_json(line, where);
      DYNAMIC_SECTION(where << " " << row.at("name").get<std::string>()) { check_case(row); }
    });
  }
}

}  // namespace micius
