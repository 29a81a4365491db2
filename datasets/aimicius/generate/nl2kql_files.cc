#include "nl2kql_files.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace micius::aimicius {
namespace {

namespace fs = std::filesystem;
using nl2kql::Item;
using nl2kql::ItemSplits;

constexpr const char* kTableBegin = "<!-- nl2kql counts: begin -->\n";
constexpr const char* kTableEnd = "<!-- nl2kql counts: end -->\n";

std::string lines_of(const std::vector<Item>& items, const std::string& canary) {
  std::string lines;
  for (const Item& item : items) lines += nl2kql::line_of(item, canary);
  return lines;
}

template <typename Key>
void count_rows(std::string& table, const char* by, const ItemSplits& splits, Key&& key) {
  std::map<std::string, std::map<Split, std::size_t>> counts;
  for (const auto& [split, items] : splits) {
    for (const Item& item : items) {
      for (const std::string& name : key(item)) ++counts[name][split];
    }
  }
  for (auto& [name, row] : counts)
    table += fmt::format("| {} | {} | {} | {} | {} | {} |\n", by, name, row[Split::kTest], row[Split::kDev],
                         row[Split::kTuning], row[Split::kRobust]);
}

std::string count_table(const ItemSplits& splits) {
  using Names = std::vector<std::string>;
  std::string table = "| | | test | dev | tuning | robust |\n|---|---|---|---|---|---|\n";
  count_rows(table, "all", splits, [](const Item&) { return Names{"cases"}; });
  count_rows(table, "database", splits, [](const Item& item) { return Names{item.group}; });
  count_rows(table, "slice", splits, [](const Item& item) { return Names{item.slice}; });
  count_rows(table, "difficulty", splits,
             [](const Item& item) { return Names{std::to_string(item.facts.difficulty)}; });
  count_rows(table, "tag", splits, [](const Item& item) { return item.facts.tags; });
  count_rows(table, "voice", splits, [](const Item& item) { return item.tags; });
  return table;
}

std::string with_table(const fs::path& readme, const std::string& table) {
  const std::string text = read_file(readme);
  const std::size_t begin = text.find(kTableBegin), end = text.find(kTableEnd);
  if (begin == std::string::npos || end == std::string::npos)
    fail(ErrorCode::kInvalidData, "{}: the marks around NL2KQL's table of counts are missing",
         readme.string());
  return text.substr(0, begin) + kTableBegin + table + text.substr(end);
}

ItemSplits splits_of(const nl2kql::KqlSources& sources, const std::string& stream) {
  ItemSplits splits = nl2kql::make_items(sources, stream);
  nl2kql::lint_items(splits, sources.catalog);
  return splits;
}

}  // namespace

Files build_nl2kql(const fs::path& suite) {
  const ItemSplits splits = splits_of(nl2kql::KqlSources::read(suite / "nl2kql"), "aimicius-1");
  const std::string canary = canary_of(suite);
  Files files;
  for (const auto& [split, items] : splits)
    files[fmt::format("nl2kql/{}.jsonl", name_of(split))] = lines_of(items, canary);
  files["nl2kql/README.md"] = with_table(suite / "nl2kql/README.md", count_table(splits));
  return files;
}

std::string build_nl2kql_twin(const fs::path& suite, const std::string& seed) {
  const ItemSplits splits = splits_of(nl2kql::KqlSources::read(suite / "nl2kql"), "aimicius-1/twin/" + seed);
  return lines_of(splits.at(Split::kTest), canary_of(suite));
}

std::string review_nl2kql(const fs::path& suite, Split split, std::size_t first, std::size_t count) {
  const ItemSplits splits = splits_of(nl2kql::KqlSources::read(suite / "nl2kql"), "aimicius-1");
  const std::vector<Item>& items = splits.at(split);
  std::string text;
  for (std::size_t i = first; i < std::min(items.size(), first + count); ++i) {
    const Item& item = items[i];
    text += fmt::format("{}  {}  {}  difficulty {}\n  {}\n    {}\n\n", item.id, item.family, item.slice,
                        item.facts.difficulty, item.question, replace_all(item.query, "\n", "\n    "));
  }
  return text;
}

}  // namespace micius::aimicius
