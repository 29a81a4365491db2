#include "cli/program.h"

#include "base/files.h"
#include "base/process.h"
#include "base/text.h"
#include "source_tree.h"

namespace micius {
namespace {

std::string quoted(const std::string& word) { return "'" + replace_all(word, "'", "'\\''") + "'"; }

}  // namespace

Outcome run_micius(const std::filesystem::path& folder, const std::vector<std::string>& environment,
                   const std::vector<std::string>& arguments) {
  // No answers from the test before.
  std::string line =
      "cd " + quoted(folder.string()) + " && env " + quoted("MICIUS_CACHE_DIR=" + folder.string()) + " env";
  for (const std::string& word : environment) line += " " + quoted(word);
  line += " " + quoted(built_micius().string());
  for (const std::string& word : arguments) line += " " + quoted(word);
  line += " >.stdout 2>.stderr";
  const int exit_code = run_process({"sh", "-c", line}).exit_code;
  return {exit_code, read_file(folder / ".stdout"), read_file(folder / ".stderr")};
}

}  // namespace micius
