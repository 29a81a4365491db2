#include "tasks/suites.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "tasks/bbh.h"
#include "tasks/math.h"
#include "tasks/mmlu.h"
#include "tasks/mmlu_pro.h"

namespace micius {
namespace {

std::vector<TaskRequest> expand_word(const std::string& word, const std::vector<std::string>& names,
                                     const std::vector<Suite>& all) {
  if (is_task_file(word)) return {{word, word, std::nullopt, std::nullopt}};
  if (std::find(names.begin(), names.end(), word) != names.end())
    return {{word, std::nullopt, std::nullopt, std::nullopt}};
  std::vector<TaskRequest> requests;
  for (const Suite& suite : all) {
    if (suite.name != word) continue;
    for (const SuiteMember& member : suite.members)
      requests.push_back(
          {member.task, std::nullopt, member.limit, suite.name, member.max_tokens, member.shots});
    return requests;
  }
  if (word.find_first_of("*?") != std::string::npos) {
    for (const std::string& name : names) {
      if (matches_glob(word, name)) requests.push_back({name, std::nullopt, std::nullopt, std::nullopt});
    }
    if (!requests.empty()) return requests;
    fail(ErrorCode::kUsage, "no task matches '{}'; `micius list tasks` shows them", word);
  }
  std::vector<std::string> known = names;
  for (const Suite& suite : all) known.push_back(suite.name);
  fail(ErrorCode::kUsage,
       "unknown task or suite '{}'{}; `micius list tasks` and `micius list suites` show them", word,
       did_you_mean(word, known));
}

// Adds what is not there yet: a task that the user names himself stands for the whole of it.
void add(std::vector<TaskRequest>& requests, const TaskRequest& request) {
  const auto same_task = [&](const TaskRequest& r) {
    return r.name == request.name && r.limit == request.limit && r.max_tokens == request.max_tokens &&
           r.shots == request.shots;
  };
  const auto it = std::find_if(requests.begin(), requests.end(), same_task);
  if (it == requests.end()) {
    requests.push_back(request);
  } else if (!request.suite) {
    it->suite.reset();
  }
}

std::vector<SuiteMember> members(const std::vector<std::string>& tasks, std::optional<int> shots = {}) {
  std::vector<SuiteMember> members;
  for (const std::string& task : tasks) members.push_back({task, {}, {}, shots});
  return members;
}

std::vector<std::string> names_of(const std::vector<Registry<TaskFactory>::Entry>& tasks) {
  std::vector<std::string> names;
  for (const auto& task : tasks) names.push_back(task.name);
  return names;
}

std::vector<Suite> groups() {
  Suite mmlu{"mmlu", "MMLU, all 57 subjects", {}, true};
  std::vector<Suite> groups;
  for (const MmluGroup& part : mmlu_groups()) {
    groups.push_back(
        {part.name, fmt::format("MMLU, {} subjects", part.tasks.size()), members(part.tasks), true});
    mmlu.members.insert(mmlu.members.end(), groups.back().members.begin(), groups.back().members.end());
  }
  groups.insert(groups.begin(), std::move(mmlu));
  groups.push_back({"mmlu_pro", "MMLU-Pro, all 14 categories", members(names_of(mmlu_pro_tasks())), true});
  groups.push_back({"bbh", "BIG-Bench Hard, all 27 subsets", members(names_of(bbh_tasks())), true});
  groups.push_back({"minerva_math", "MATH, all 7 types with worked examples",
                    members(names_of(minerva_math_tasks())), true});
  groups.push_back({"hendrycks_math", "MATH, all 7 types", members(names_of(hendrycks_math_tasks())), true});
  return groups;
}

// As in the paper's table, each test with the shots that lm-eval gives it, but MMLU with five.
std::vector<SuiteMember> commonsense() {
  return members({"hellaswag", "openbookqa", "winogrande", "arc_easy", "arc_challenge", "piqa", "sciq",
                  "boolq", "logiqa", "lambada_openai"});
}

std::vector<SuiteMember> problem_solving() {
  std::vector<SuiteMember> all;
  const auto add = [&](const std::vector<SuiteMember>& part) {
    all.insert(all.end(), part.begin(), part.end());
  };
  for (const MmluGroup& part : mmlu_groups()) add(members(part.tasks, 5));
  add(members(names_of(mmlu_pro_tasks())));
  add(members(names_of(bbh_tasks())));
  add(members({"humaneval", "mbpp"}));
  add(members(names_of(minerva_math_tasks())));
  add(members({"gsm8k"}));
  return all;
}

std::vector<SuiteMember> general() {
  std::vector<SuiteMember> all = commonsense();
  const std::vector<SuiteMember> more = problem_solving();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

bool is_task_file(std::string_view word) {
  return word.find('/') != std::string_view::npos || word.ends_with(".json");
}

std::vector<Suite> suites() {
  std::vector<Suite> suites = {
      {"aimicius",
       "The four tests of the system domain",
       {{"cmdgen", {}}, {"infrawise", {}}, {"optiflow", {}}, {"nl2kql", {}}}},
      {"general", "The general tests of the paper's table", general()},
      {"commonsense", "Common sense, reading and science, by likelihood", commonsense()},
      {"problem_solving", "Knowledge, reasoning, code and mathematics", problem_solving()},
      {"quick",
       "A first look: a few samples of each, under two minutes with the default model",
       {{"cmdgen", 16},
        {"infrawise", 16},
        {"optiflow", 4, 256},
        {"nl2kql", 4, 64},
        {"arc_easy", 32},
        {"arc_challenge", 32},
        {"openbookqa", 32}}},
  };
  for (Suite& group : groups()) suites.push_back(std::move(group));
  return suites;
}

std::vector<TaskRequest> expand_tasks(std::string_view tasks, const std::vector<std::string>& names) {
  const std::vector<Suite> all = suites();
  std::vector<TaskRequest> requests;
  for (const std::string_view part : split(tasks, ',')) {
    const std::string word(strip(part));
    if (word.empty()) fail(ErrorCode::kUsage, "'{}' names no task before or behind a comma", tasks);
    for (const TaskRequest& request : expand_word(word, names, all)) add(requests, request);
  }
  return requests;
}

}  // namespace micius
