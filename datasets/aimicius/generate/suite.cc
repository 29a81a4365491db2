#include "suite.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "lints.h"
#include "optiflow.h"

namespace micius::aimicius {
namespace {

namespace fs = std::filesystem;

std::string table_begin(const std::string& name) { return fmt::format("<!-- {}: begin -->\n", name); }
std::string table_end(const std::string& name) { return fmt::format("<!-- {}: end -->\n", name); }

void lint(const Splits& splits, const Sources& sources) {
  lint_questions(splits, sources);
  lint_splits(splits);
  lint_matches(splits, sources);
}

std::string lines_of(const std::vector<Case>& cases, const std::string& canary) {
  std::string lines;
  for (const Case& item : cases) lines += line_of(item, canary);
  return lines;
}

template <typename Key>
void count_rows(std::string& table, const char* by, const Splits& splits, Key&& key) {
  std::map<std::string, std::map<Split, std::size_t>> counts;
  for (const auto& [split, cases] : splits) {
    for (const Case& item : cases) ++counts[key(item)][split];
  }
  for (auto& [name, row] : counts) {
    table += fmt::format("| {} | {} | {} | {} | {} | {} |\n", by, name, row[Split::kTest], row[Split::kDev],
                         row[Split::kTuning], row[Split::kRobust]);
  }
}

std::string count_table(const Splits& splits) {
  std::string table = "| | | test | dev | tuning | robust |\n|---|---|---|---|---|---|\n";
  count_rows(table, "all", splits, [](const Case&) { return std::string("cases"); });
  count_rows(table, "group", splits, [](const Case& item) { return item.group; });
  count_rows(table, "slice", splits, [](const Case& item) { return item.slice; });
  count_rows(table, "difficulty", splits, [](const Case& item) { return std::to_string(item.difficulty); });
  count_rows(table, "records that fit", splits,
             [](const Case& item) { return std::to_string(item.candidates.matches.size()); });
  return table;
}

// The README with another table between the marks of that name.
std::string with_table(const fs::path& readme, const std::string& name, const std::string& table) {
  const std::string text = read_file(readme);
  const std::size_t begin = text.find(table_begin(name)), end = text.find(table_end(name));
  if (begin == std::string::npos || end == std::string::npos) {
    fail(ErrorCode::kInvalidData, "{}: the marks around the table '{}' are missing", readme.string(), name);
  }
  return text.substr(0, begin) + table_begin(name) + table + text.substr(end);
}

}  // namespace

std::string canary_of(const fs::path& suite) {
  const std::string text = read_file(suite / "CANARY.txt");
  constexpr std::string_view mark = "canary GUID ";
  const std::size_t at = text.find(mark);
  if (at == std::string::npos || text.size() < at + mark.size() + 36) {
    fail(ErrorCode::kInvalidData, "{}: no 'canary GUID ...'", (suite / "CANARY.txt").string());
  }
  return text.substr(at + mark.size(), 36);
}

Sources read_sources(const fs::path& suite) {
  const fs::path folder = suite / "infrawise";
  Vocabulary vocabulary(folder / "vocabulary.json");
  Pool pool(folder / "pool.jsonl", vocabulary);
  Phrasings phrasings = Phrasings::read(folder / "phrasings.json");
  lint_frames(phrasings, allowed);
  return {std::move(vocabulary), std::move(pool), std::move(phrasings), canary_of(suite)};
}

Files build(const fs::path& suite) {
  const Sources sources = read_sources(suite);
  const Splits splits = make_splits(sources, {});
  lint(splits, sources);
  Files files;
  files["infrawise/pool.jsonl"] = sources.pool.lines();
  for (const auto& [split, cases] : splits) {
    files[fmt::format("infrawise/{}.jsonl", name_of(split))] = lines_of(cases, sources.canary);
  }
  files["README.md"] = with_table(suite / "README.md", "counts", count_table(splits));
  return files;
}

Files build_optiflow(const fs::path& suite) {
  const optiflow::Sources sources = optiflow::read_sources(suite);
  const std::vector<Split> order = {Split::kTest, Split::kDev, Split::kTuning};
  std::map<std::pair<std::string, std::string>, std::map<Split, std::size_t>> counts;
  Files files;
  for (const Split split : order) {
    std::string& lines = files[fmt::format("optiflow/{}.jsonl", name_of(split))];
    const std::vector<optiflow::Case> cases = optiflow::make_split(sources, split);
    if (split == Split::kTest) {
      for (const optiflow::Case& item : optiflow::make_robust(cases))
        files["optiflow/robust.jsonl"] += optiflow::line_of(item, sources);
    }
    for (const optiflow::Case& item : cases) {
      lines += optiflow::line_of(item, sources);
      for (const auto& key : {std::pair<std::string, std::string>("all", "cases"),
                              {"family", item.group},
                              {"slice", item.slice},
                              {"difficulty", std::to_string(item.difficulty)},
                              {"size", item.tags.front()},
                              {"best by", item.best_by.substr(0, item.best_by.find_first_of("/+"))}})
        ++counts[key][split];
    }
  }
  std::string table = "| | | test | dev | tuning |\n|---|---|---|---|---|\n";
  for (auto& [key, row] : counts) {
    table += fmt::format("| {} | {} | {} | {} | {} |\n", key.first, key.second, row[Split::kTest],
                         row[Split::kDev], row[Split::kTuning]);
  }
  files["README.md"] = with_table(suite / "README.md", "optiflow counts", table);
  return files;
}

std::string build_twin(const fs::path& suite, const std::string& seed) {
  const Sources sources = read_sources(suite);
  const Splits splits = make_splits(sources, {.stream = "aimicius-1/twin/" + seed, .twin = true});
  lint(splits, sources);
  return lines_of(splits.at(Split::kTest), sources.canary);
}

std::string checksums(const fs::path& suite) {
  std::map<std::string, std::string> hashes;
  for (const auto& entry : fs::recursive_directory_iterator(suite)) {
    const std::string path = fs::relative(entry.path(), suite).generic_string();
    if (!entry.is_regular_file() || path == "SHA256SUMS" || path.rfind("generate/", 0) == 0) continue;
    hashes[path] = sha256_file(entry.path());
  }
  std::string text;
  for (const auto& [path, hash] : hashes) text += hash + "  " + path + "\n";
  return text;
}

std::string review(const fs::path& suite, Split split, std::size_t first, std::size_t count) {
  const Sources sources = read_sources(suite);
  const Splits splits = make_splits(sources, {});
  const std::vector<Case>& cases = splits.at(split);
  std::string text;
  for (std::size_t i = first; i < std::min(cases.size(), first + count); ++i) {
    const Case& item = cases[i];
    text += fmt::format("{}  {}  {}  difficulty {}\n  {}\n  {}\n", item.id, item.family, item.slice,
                        item.difficulty, item.question, item.dcw.combo());
    for (const Json& candidate : item.candidates.shown) {
      const std::string index = candidate.at("index").dump();
      const std::string trap = item.candidates.traps.value(index, "FITS");
      text += fmt::format("    {:>2} {:<8} {} | {} | {} | {}\n", index, trap,
                          candidate.at("hardware").get<std::string>(), dump_json(candidate.at("sku")),
                          candidate.at("workload").get<std::string>(), candidate.value("precision", ""));
    }
    text += "\n";
  }
  return text;
}

}  // namespace micius::aimicius
