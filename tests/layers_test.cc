// Reads every #include "..." line of the tree and fails on an arrow that the layer table does not have.
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "source_tree.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

// What each folder may include besides itself. Programs of their own (src/cli, generate, tests) may include
// anything, and nothing includes them.
const std::map<std::string, std::set<std::string>> kLayers = {
    {"base", {}},
    {"core", {"base"}},
    {"stats", {"base"}},
    {"engine", {"base"}},
    {"net", {"base"}},
    {"plan", {"base"}},
    {"kql", {"base"}},
    {"sandbox", {"base", "core"}},
    {"embed", {"base", "core", "engine", "net"}},
    {"emu", {"base"}},
    {"store", {"base", "core"}},
    {"serve", {"base", "core", "engine"}},
    {"tasks", {"base", "core"}},
    {"datasets", {"base", "core"}},
    {"scorers", {"base", "core", "emu", "plan", "kql"}},
    {"runners", {"base", "core", "engine", "net"}},
    {"reports", {"base", "core"}},
    {"pipeline", {"base", "core", "stats"}},
};

std::string first_folder(const std::string& path) { return path.substr(0, path.find('/')); }

std::vector<std::string> includes_of(const fs::path& file) {
  static const std::regex pattern("^\\s*#\\s*include\\s*\"([^\"]+)\"");
  std::vector<std::string> includes;
  for_each_line(read_file(file), [&](std::string_view line, std::size_t) {
    std::cmatch match;
    if (line.find("#include") == std::string_view::npos) return;
    if (std::regex_search(line.data(), line.data() + line.size(), match, pattern))
      includes.push_back(match[1]);
  });
  return includes;
}

}  // namespace

TEST_CASE("includes point down") {
  const fs::path root = source_tree();
  std::size_t arrows = 0;
  for (const auto& [folder, allowed] : kLayers) {
    const fs::path src = root / "src" / folder;
    const fs::path home = fs::is_directory(src) ? src : root / folder;
    for (const auto& entry : fs::recursive_directory_iterator(home)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc" && extension != ".cu") continue;
      const std::string relative = fs::relative(entry.path(), root);
      if (relative.rfind("datasets/aimicius/generate/", 0) == 0 || relative.rfind("src/emu/client/", 0) == 0)
        continue;
      for (const std::string& include : includes_of(entry.path())) {
        INFO(relative << " includes " << include);
        const std::string target = first_folder(include);
        CHECK((target == folder || allowed.count(target) == 1));
        ++arrows;
      }
    }
  }
  CHECK(arrows > 50);
}

// It costs ten seconds in every file that includes it. The tool that makes AIMicius's data is one small file.
TEST_CASE("CLI11 is included behind the flags of src/cli alone") {
  const fs::path root = source_tree();
  const std::set<std::string> allowed = {"datasets/aimicius/generate/main.cc", "src/cli/command_line.cc",
                                         "src/cli/flags.cc"};
  std::set<std::string> found;
  for (const char* home : {"src", "tasks", "datasets", "scorers", "runners", "reports", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / home)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc" && extension != ".cu") continue;
      for_each_line(read_file(entry.path()), [&](std::string_view line, std::size_t) {
        if (line.starts_with("#include <CLI/")) found.insert(fs::relative(entry.path(), root));
      });
    }
  }
  CHECK(found == allowed);
}

TEST_CASE("a folder's link line is its row of the layer table") {
  const fs::path root = source_tree();
  static const std::regex target("micius_([a-z]+)");
  for (const auto& [folder, allowed] : kLayers) {
    const fs::path src = root / "src" / folder / "CMakeLists.txt";
    const std::string text = read_file(fs::exists(src) ? src : root / folder / "CMakeLists.txt");
    for (std::sregex_iterator it(text.begin(), text.end(), target), end; it != end; ++it) {
      const std::string name = (*it)[1];
      INFO(folder << " links " << name);
      CHECK((name == "library" || name == folder || name == "data" || allowed.count(name) == 1));
    }
  }
}

}  // namespace micius
