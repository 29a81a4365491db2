// Filters and exact_match on what lm-evaluation-harness itself read and scored.
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "scorers/registry.h"
#include "shared_files.h"

namespace micius {
namespace {

Json regex(const std::string& pattern, int select = 0) {
  return {{"function", "regex"}, {"regex_pattern", pattern}, {"group_select", select}};
}

Json filter(const std::string& name, const Json& step) {
  return {{"name", name}, {"filter", {step, {{"function", "take_first"}}}}};
}

Json gsm8k(const std::string& strict) {
  return {{"filter_list",
           {filter("strict-match", regex(strict)),
            filter("flexible-extract", regex("(-?[$0-9.,]{2,})|(-?[0-9]+)", -1))}},
          {"ignore_case", true},
          {"regexes_to_ignore", {",", "\\$", "(?s).*#### ", "\\.$"}}};
}

// Of a row of the vectors.
Json params_of(const std::string& task) {
  if (task == "gsm8k_cot") return gsm8k("The answer is (\\-?[0-9\\.\\,]+).");
  if (task == "gsm8k") return gsm8k("#### (\\-?[0-9\\.\\,]+)");
  if (task.rfind("mmlu_pro", 0) == 0) {
    return {{"filter_list", {filter("custom-extract", regex("answer is \\(?([ABCDEFGHIJ])\\)?"))}},
            {"ignore_case", true},
            {"ignore_punctuation", true}};
  }
  return {{"filter_list", {filter("get-answer", regex("(?<=the answer is )(.*)(?=.)"))}}};
}

// One scorer with all filters for the values, one a filter for the answers. Returns the rows that are equal.
std::size_t equal_rows(const std::string& file, const char* text_field) {
  std::map<std::string, std::unique_ptr<Scorer>> scorers;
  const auto scorer_of = [&](const std::string& key, const Json& params) -> const Scorer& {
    auto& scorer = scorers[key];
    if (!scorer) scorer = scorer_registry().get("exact_match")({"exact_match", params}, {});
    return *scorer;
  };
  std::size_t equal = 0, rows = 0;
  for_each_line(
      read_file(vector_folder() / "lm_eval" / file), [&](std::string_view line, std::size_t number) {
        const Json row = parse_json(line, fmt::format("{}:{}", file, number));
        const auto task = row.at("task").get<std::string>();
        const Json params = params_of(task);
        Sample sample;
        sample.targets = {row.at("target")};
        std::vector<Turn> turns(1);
        turns[0].completion.text = row.at(text_field);
        const Score score = scorer_of(task, params).score(sample, turns);
        bool same = true;
        for (std::size_t i = 0; i < params.at("filter_list").size(); ++i) {
          Json one = params;
          one["filter_list"] = {params.at("filter_list")[i]};
          const auto name = params.at("filter_list")[i].at("name").get<std::string>();
          const Json& expected = row.at("filters").at(name);
          const std::string answer = scorer_of(task + "," + name, one).score(sample, turns).answer;
          INFO(file << ":" << number << " " << name << ": '" << answer << "' for " << expected.dump());
          CHECK(answer == expected.at("answer"));
          CHECK(score.values.at(i).value == expected.at("exact_match"));
          same = same && answer == expected.at("answer") &&
                 score.values.at(i).value == expected.at("exact_match");
        }
        ++rows;
        equal += same ? 1 : 0;
      });
  CHECK(equal == rows);
  return equal;
}

}  // namespace

TEST_CASE("filters read what lm-eval reads") {
  if (!std::filesystem::exists(vector_folder() / "lm_eval/filters.jsonl")) {
    WARN("skipped: no lm_eval/filters.jsonl among the vectors");
    return;
  }
  const std::size_t equal = equal_rows("filters.jsonl", "response");
  WARN(equal << " of 452 rows equal");
  CHECK(equal == 452);
}

TEST_CASE("filters read what lm-eval reads in the texts of a model") {
  if (!std::filesystem::exists(vector_folder() / "lm_eval/gsm8k.jsonl")) {
    WARN("skipped: no lm_eval/gsm8k.jsonl among the vectors");
    return;
  }
  std::size_t equal = 0;
  for (const char* file : {"gsm8k.jsonl", "gsm8k_chat.jsonl", "bbh.jsonl", "mmlu_pro.jsonl"})
    equal += equal_rows(file, "text_after_stops");
  WARN(equal << " of 27 texts equal");
  CHECK(equal == 27);
}

}  // namespace micius
