#include "cmdgen_files.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "lints.h"

namespace micius::aimicius {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTableBegin = "<!-- cmdgen counts: begin -->\n";
constexpr const char* kTableEnd = "<!-- cmdgen counts: end -->\n";

CommandSources read_commands(const fs::path& suite) {
  CommandSources sources = CommandSources::read(suite / "cmdgen");
  Phrasings frames;
  frames.families = sources.families;
  lint_frames(frames, allowed_by_family);
  return sources;
}

std::string line_of(const CommandItem& item, const std::string& canary) {
  Json json = {{"id", item.id},
               {"group", item.group},
               {"slice", item.slice},
               {"difficulty", item.difficulty},
               {"source", item.source},
               {"family", item.family},
               {"combo", item.combo},
               {"tags", item.tags},
               {"licence", "CC-BY-4.0"},
               {"canary", canary},
               {"platform", item.platform},
               {"tool", item.tool},
               {"profile", item.profile},
               {"fixture", "default"},
               {"request", item.request},
               {"reference", item.reference},
               {"accepted", item.accepted},
               {"spans", item.spans}};
  json["compare"] = item.compare.empty() ? Json{"exit", "stdout", "files", "state"} : Json(item.compare);
  json["expect_exit"] = item.expect_exit;
  if (!item.of.empty()) json["of"] = item.of;
  return dump_json(json) + "\n";
}

std::string lines_of(const std::vector<CommandItem>& items, const std::string& canary) {
  std::string lines;
  for (const CommandItem& item : items) lines += line_of(item, canary);
  return lines;
}

template <typename Key>
void count_rows(std::string& table, const char* by, const CommandSplits& splits, Key&& key) {
  std::map<std::string, std::map<Split, std::size_t>> counts;
  for (const auto& [split, items] : splits)
    for (const CommandItem& item : items)
      for (const std::string& name : key(item)) ++counts[name][split];
  for (auto& [name, row] : counts)
    table += fmt::format("| {} | {} | {} | {} | {} | {} |\n", by, name, row[Split::kTest], row[Split::kDev],
                         row[Split::kTuning], row[Split::kRobust]);
}

std::string count_table(const CommandSplits& splits, const CaseChecker& checker) {
  using Names = std::vector<std::string>;
  std::string table = "| | | test | dev | tuning | robust |\n|---|---|---|---|---|---|\n";
  count_rows(table, "all", splits, [](const CommandItem&) { return Names{"cases"}; });
  count_rows(table, "group", splits,
             [](const CommandItem& item) { return Names{item.platform + ", " + item.group}; });
  count_rows(table, "slice", splits, [](const CommandItem& item) { return Names{item.slice}; });
  count_rows(table, "difficulty", splits,
             [](const CommandItem& item) { return Names{std::to_string(item.difficulty)}; });
  count_rows(table, "tag", splits, [](const CommandItem& item) { return item.tags; });
  count_rows(table, "profile", splits, [](const CommandItem& item) { return Names{item.profile}; });
  table += "\n| leak check | found |\n|---|---|\n";
  for (const auto& [name, count] : leaks(splits, checker)) table += fmt::format("| {} | {} |\n", name, count);
  return table;
}

std::string with_table(const fs::path& readme, const std::string& table) {
  const std::string text = read_file(readme);
  const std::size_t begin = text.find(kTableBegin), end = text.find(kTableEnd);
  if (begin == std::string::npos || end == std::string::npos)
    fail(ErrorCode::kInvalidData, "{}: the marks around CMDGen's table of counts are missing",
         readme.string());
  return text.substr(0, begin) + kTableBegin + table + text.substr(end);
}

}  // namespace

Files build_cmdgen(const fs::path& suite) {
  const CommandSources sources = read_commands(suite);
  const CaseChecker checker(suite / "cmdgen");
  const CommandSplits splits = make_commands(sources, checker, "aimicius-1");
  lint_commands(splits, checker);
  const std::string canary = canary_of(suite);
  Files files;
  for (const auto& [split, items] : splits)
    files[fmt::format("cmdgen/{}.jsonl", name_of(split))] = lines_of(items, canary);
  files["cmdgen/README.md"] = with_table(suite / "cmdgen/README.md", count_table(splits, checker));
  return files;
}

std::string build_cmdgen_twin(const fs::path& suite, const std::string& seed) {
  CommandSources sources = read_commands(suite);
  sources.curated.clear();
  const CaseChecker checker(suite / "cmdgen");
  const CommandSplits splits = make_commands(sources, checker, "aimicius-1/twin/" + seed);
  lint_commands(splits, checker);
  return lines_of(splits.at(Split::kTest), canary_of(suite));
}

std::string review_cmdgen(const fs::path& suite, Split split, std::size_t first, std::size_t count) {
  const CommandSources sources = read_commands(suite);
  const CaseChecker checker(suite / "cmdgen");
  const CommandSplits splits = make_commands(sources, checker, "aimicius-1");
  const std::vector<CommandItem>& items = splits.at(split);
  std::string text;
  for (std::size_t i = first; i < std::min(items.size(), first + count); ++i) {
    const CommandItem& item = items[i];
    text += fmt::format("{}  {}  {}  {}  difficulty {}\n  {}\n  $ {}\n", item.id, item.family, item.slice,
                        item.profile, item.difficulty, item.request, item.reference);
    const auto effect = checker.judge().runner().here(item.reference, {item.profile, "default"});
    if (!effect) continue;
    const Channels all = {"stdout", "files", "state"};
    std::size_t shown = 0;
    for_each_line(checker.judge().texts().equality(*effect, all, ""),
                  [&](std::string_view line, std::size_t) {
                    if (++shown <= 6) text += "    " + shorten(line, 140) + "\n";
                  });
    text += fmt::format("    ({} lines, exit {})\n\n", shown, effect->exit);
  }
  return text;
}

std::string cmdgen_leaks(const fs::path& suite) {
  const CommandSources sources = read_commands(suite);
  const CaseChecker checker(suite / "cmdgen");
  const CommandSplits splits = make_commands(sources, checker, "aimicius-1");
  std::string text;
  for (const auto& [name, count] : leaks(splits, checker)) text += fmt::format("{:>6}  {}\n", count, name);
  return text;
}

}  // namespace micius::aimicius
