#include "tasks/suites.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"

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
      requests.push_back({member.task, std::nullopt, member.limit, suite.name, member.max_tokens});
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
    return r.name == request.name && r.limit == request.limit && r.max_tokens == request.max_tokens;
  };
  const auto it = std::find_if(requests.begin(), requests.end(), same_task);
  if (it == requests.end()) {
    requests.push_back(request);
  } else if (!request.suite) {
    it->suite.reset();
  }
}

}  // namespace

bool is_task_file(std::string_view word) {
  return word.find('/') != std::string_view::npos || word.ends_with(".json");
}

std::vector<Suite> suites() {
  return {
      {"aimicius",
       "The four tests of the system domain",
       {{"cmdgen", {}}, {"infrawise", {}}, {"optiflow", {}}, {"nl2kql", {}}}},
      {"general",
       "The general tests of the paper's table",
       {{"openbookqa", {}}, {"arc_easy", {}}, {"arc_challenge", {}}}},
      {"commonsense",
       "Common sense and science questions, by likelihood",
       {{"openbookqa", {}}, {"arc_easy", {}}, {"arc_challenge", {}}}},
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
