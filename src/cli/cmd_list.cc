// `micius list NOUN`: what there is.
#include <algorithm>
#include <iostream>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/terminal.h"
#include "datasets/registry.h"
#include "reports/registry.h"
#include "scorers/registry.h"
#include "store/open_store.h"
#include "tasks/registry.h"
#include "tasks/suites.h"

namespace micius {
namespace {

const std::vector<std::string> kNouns = {"tasks",   "suites",  "models", "datasets", "scorers",
                                         "runners", "reports", "runs",   "baselines"};

class ListCommand final : public Command {
 public:
  std::string name() const override { return "list"; }
  std::string summary() const override { return "What there is: " + join(kNouns, ", "); }

  void define(Flags& flags) override {
    flags.add("noun", noun_, join(kNouns, ", ")).required().type("NOUN");
    flags.add("--filter", filter_, "Names that match").type("GLOB");
    flags.add("--format", format_, "text or json").one_of({"text", "json"}).show_default();
    add_db_flag(flags, places_);
    add_model_dir_flag(flags, places_);
  }

  ExitCode run() override;

 private:
  Json rows() const;
  Json runs() const;
  Json baselines() const;

  PlaceFlags places_;
  std::string noun_, filter_ = "*", format_ = "text";
};

template <typename Factory>
Json entries_of(const Registry<Factory>& registry) {
  Json rows = Json::array();
  for (const auto& entry : registry.entries())
    rows.push_back({{"name", entry.name}, {"summary", entry.summary}});
  return rows;
}

Json suite_rows() {
  Json rows = Json::array();
  for (const Suite& suite : suites()) {
    Json tasks = Json::array();
    for (const SuiteMember& member : suite.members) tasks.push_back(member.task);
    rows.push_back({{"name", suite.name}, {"summary", suite.summary}, {"tasks", tasks}});
  }
  return rows;
}

Json ListCommand::runs() const {
  const SystemClock clock;
  const auto store = find_store(places_.db, clock);
  return store ? store->overview() : Json::array();
}

Json ListCommand::baselines() const {
  Json rows = Json::array();
  const SystemClock clock;
  const auto store = find_store(places_.db, clock);
  if (!store) return rows;
  for (const std::string& name : store->baselines()) {
    std::vector<std::int64_t> runs;
    for (const RunId id : store->baseline(name)) runs.push_back(static_cast<std::int64_t>(id));
    rows.push_back(
        {{"name", name}, {"runs", runs}, {"summary", fmt::format("runs {}", fmt::join(runs, ", "))}});
  }
  return rows;
}

Json ListCommand::rows() const {
  if (noun_ == "tasks") return entries_of(task_registry());
  if (noun_ == "suites") return suite_rows();
  if (noun_ == "models") return list_models(places_);
  if (noun_ == "datasets") return entries_of(dataset_registry());
  if (noun_ == "scorers") return entries_of(scorer_registry());
  if (noun_ == "runners") return entries_of(runner_registry());
  if (noun_ == "reports") return entries_of(report_registry());
  if (noun_ == "runs") return runs();
  if (noun_ == "baselines") return baselines();
  fail(ErrorCode::kUsage, "micius list: unknown noun '{}'{}; one of {}", noun_, did_you_mean(noun_, kNouns),
       join(kNouns, ", "));
}

constexpr std::size_t kNamedTasks = 12;  // a suite of more shows how many

// One line a row: the name, then what else there is.
std::string row_text(const Json& row, std::size_t width) {
  std::string rest;
  if (row.contains("summary")) rest = row.at("summary").get<std::string>();
  if (row.contains("tasks")) {
    const auto tasks = row.at("tasks").get<std::vector<std::string>>();
    rest += tasks.size() > kNamedTasks ? fmt::format(": {} tasks", tasks.size()) : ": " + join(tasks, ", ");
  }
  if (row.contains("note"))
    rest = row.at("note").get<std::string>() + (row.at("here").get<bool>() ? "" : " (not here)");
  return fmt::format("{:<{}} {}\n", row.at("name").get<std::string>(), width, rest);
}

std::string score_text(const Json& row) {
  if (row.at("primary_value").is_null()) return "-";
  const std::string metric = row.at("primary_metric").get<std::string>();
  const auto value = row.at("primary_value").get<double>();
  return fmt::format("{} {}", value >= 0 && value <= 1 ? format_percent(value) : fmt::format("{:.4g}", value),
                     metric);
}

// Columns are as wide as what they hold; on a terminal those on the right are left out where they do not fit.
std::string runs_text(const Json& runs) {
  constexpr std::size_t kGap = 2, kLongestModel = 20;
  const std::vector<std::string> heads = {"run",    "task",  "model",  "status",
                                          "scored", "score", "failed", "started"};
  const std::vector<char> sides = {'>', '<', '<', '<', '>', '<', '>', '<'};
  std::vector<std::vector<std::string>> rows = {heads};
  for (const Json& row : runs) {
    const auto cell = [&](const char* key) {
      const Json& value = row.at(key);
      return visible_line(value.is_string() ? value.get<std::string>() : dump_json(value));
    };
    rows.push_back({cell("run_id"), cell("task"), shorten(cell("model"), kLongestModel), cell("status"),
                    cell("scored") + "/" + cell("total"), score_text(row), cell("failed"),
                    cell("started_at")});
  }
  std::vector<std::size_t> widths(heads.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], code_points(row[i]));
  std::size_t shown = 0, used = 0;
  const std::size_t most = is_terminal(stdout) ? terminal_width(stdout) : std::string::npos;
  for (; shown < widths.size() && used + widths[shown] <= most; ++shown) used += widths[shown] + kGap;
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < shown; ++i) {
      const std::string blanks(widths[i] - code_points(row[i]), ' ');
      line += sides[i] == '>' ? blanks + row[i] : row[i] + blanks;
      line.append(kGap, ' ');
    }
    text += std::string(strip_right(line)) + "\n";
  }
  return text;
}

ExitCode ListCommand::run() {
  Json shown = Json::array();
  for (const Json& row : rows()) {
    const std::string name = row.value(row.contains("run_id") ? "task" : "name", "");
    if (matches_glob(filter_, name)) shown.push_back(row);
  }
  if (format_ == "json") {
    std::cout << Json{{"schema", "micius.list/1"}, {noun_, shown}}.dump(2) << "\n";
    return ExitCode::kGood;
  }
  if (noun_ == "runs") {
    if (shown.empty()) {
      fmt::print(stderr, "no runs in {}; `micius run` makes them, --db names another database\n",
                 database_label(places_.db));
    } else {
      std::cout << runs_text(shown);
    }
    return ExitCode::kGood;
  }
  std::size_t width = 18;
  for (const Json& row : shown) width = std::max(width, row.at("name").get<std::string>().size());
  for (const Json& row : shown) std::cout << row_text(row, width);
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_list_command() { return std::make_unique<ListCommand>(); }

}  // namespace micius
