// Our output against recordings of real machines: after masking what differs from machine to machine, the
// same lines. recordings.jsonl says which recording is compared with what; differences.jsonl lists the lines
// that stay different, each with its reason. The recordings themselves are not part of the repository.
#include <algorithm>
#include <iostream>
#include <map>
#include <regex>
#include <set>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "emu_data.h"
#include "shared_files.h"
#include "source_tree.h"

namespace micius::emu {
namespace {

namespace fs = std::filesystem;

const fs::path kHere = source_tree() / "tests/emu";

std::vector<Json> json_lines(const fs::path& path) {
  std::vector<Json> rows;
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    if (!strip(line).empty()) rows.push_back(parse_json(line, path.string() + ":" + std::to_string(number)));
  });
  return rows;
}

// What one machine has and another has not: numbers, addresses, times, widths of columns.
std::string masked(std::string line) {
  static const std::vector<std::pair<std::regex, std::string>> kRules = {
      {std::regex("\x1b\\[[0-9;]*m"), ""},
      {std::regex("(GPU|MIG)-[0-9a-f-]{30,}"), "UUID"},
      {std::regex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|<redacted>"), "UUID"},
      {std::regex("GPU-[0-9a-f]{16}"), "UUID"},
      {std::regex("\\[[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\]"), "[BUS]"},
      {std::regex("(HEAD|develop):[0-9a-f]{7}"), "VERSION"},
      {std::regex("[0-9A-Fa-f]{8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\\.[0-9]"), "BUS"},
      {std::regex("[0-9A-Fa-f]{4}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\\.[0-9]"), "BUS"},
      {std::regex("\\+[0-9a-f]{7,}"), "+HASH"},
      {std::regex("(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +[0-9]+ [0-9:]+ [0-9]{4}"), "TIME"},
      {std::regex("NVIDIA (H100 80GB HBM3|H200|A100-SXM4-[48]0GB|L40S|L4)"), "NAME"},
      {std::regex("((AMD |Aqua Vanjaram \\[)Instinct )?M[iI][23][0-9]+[AX]?(/MI250)?(-O|\\]| VF)?"), "NAME"},
      {std::regex("[0-9A-F]{2}(\\.[0-9A-F]{2}){4}"), "VBIOS"},
      {std::regex(
           "(/root/tools/memhog|\\./gpu_burn|memhog|gpu_burn|ffmpeg|pt_main_thread|TransferBench|\\brvs\\b|(/"
           "[a-z/]+/)?python3?)"),
       "PROGRAM"},
      {std::regex("\\b(Not Active|Active|Enabled|Disabled)\\b"), "STATE"},
      {std::regex("0x[0-9A-Fa-f]+"), "#"},
      {std::regex("-?[0-9]+(\\.[0-9]+)*"), "#"},
      {std::regex("[-=+]{3,}"), "---"},
      {std::regex("[ \t]+"), " "},
  };
  for (const auto& [rule, text] : kRules) line = std::regex_replace(line, rule, text);
  return std::string(strip(line));
}

// The different masked lines in the order of their first appearance: a machine of eight GPUs repeats what one
// of a single GPU says once.
std::vector<std::string> shape(const std::string& text) {
  std::vector<std::string> lines;
  std::set<std::string> seen;
  for_each_line(text, [&](std::string_view line, std::size_t) {
    std::string mask = masked(std::string(line));
    if (!mask.empty() && mask != "[...]" && seen.insert(mask).second) lines.push_back(std::move(mask));
  });
  return lines;
}

Outcome run_row(const Json& row, const std::string& recorded_command) {
  const std::string profile = row["profile"];
  State state;
  if (row.contains("setup"))
    for (const Json& line : row["setup"]) {
      Call call = call_of(line);
      call.root = true;
      CHECK(run_with(profile, state, call).exit == 0);
    }
  std::string line = row.value("line", recorded_command);
  if (row.contains("append")) line += " " + row["append"].get<std::string>();
  Call call = call_of(line);
  call.root = row.value("root", false);
  return run_with(profile, state, call);
}

// Marks that whoever cut an output left in it.
bool is_cut(const std::string& line) {
  return line == "..." || line == "[output truncated]" || line.find("snipped") != std::string::npos ||
         line.find("<SNIP>") != std::string::npos;
}

// `excerpt`: lines of ours that were cut from the recording do not count.
std::string difference(std::vector<std::string> theirs, std::vector<std::string> ours, bool excerpt) {
  theirs.erase(std::remove_if(theirs.begin(), theirs.end(), is_cut), theirs.end());
  const auto lacks = [](const std::vector<std::string>& lines, const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) == lines.end();
  };
  std::string text;
  for (const std::string& line : theirs)
    if (lacks(ours, line)) text += "- " + line + "\n";
  if (excerpt)
    ours.erase(std::remove_if(ours.begin(), ours.end(),
                              [&](const std::string& line) { return lacks(theirs, line); }),
               ours.end());
  for (const std::string& line : ours)
    if (lacks(theirs, line)) text += "+ " + line + "\n";
  if (text.empty() && theirs != ours) text = "the order of the lines\n";
  if (text.size() > 2'000) text.resize(2'000);
  return text;
}

}  // namespace

TEST_CASE("outputs have the lines of recordings") {
  const fs::path path = data_folder() / "cmdgen/recordings.jsonl";
  if (!fs::exists(path)) {
    WARN("skipped: no " << path << "; set MICIUS_DATA_DIR to the folder with the third-party data");
    return;
  }
  std::map<std::string, Json> recordings;
  for (const Json& row : json_lines(path)) recordings[row["id"]] = row;
  std::map<std::string, std::string> listed;
  for (const Json& row : json_lines(kHere / "differences.jsonl")) listed[row["id"]] = row["reason"];
  std::size_t covered = 0, equal = 0;
  for (const Json& row : json_lines(kHere / "recordings.jsonl")) {
    const std::string id = row["id"];
    REQUIRE(recordings.count(id) == 1);
    const Json& recording = recordings[id];
    CHECK(recording["licence_class"] == "open");
    ++covered;
    const Outcome outcome = run_row(row, recording["command"]);
    const std::string text = difference(shape(recording["output"].get<std::string>()),
                                        shape(outcome.out + outcome.err), row.value("excerpt", false));
    INFO(id << ": " << recording["command"].get<std::string>().substr(0, 120) << "\n" << text);
    if (text.empty()) ++equal;
    CHECK(text.empty() != (listed.count(id) == 1));  // a reason for each difference, and none too many
  }
  WARN("recordings covered: " << covered << ", equal: " << equal << ", listed: " << covered - equal);
  CHECK(covered >= 80);
}

}  // namespace micius::emu
