// `micius list NOUN`: what there is.
#include <iostream>
#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/models.h"
#include "datasets/registry.h"
#include "reports/registry.h"
#include "scorers/registry.h"
#include "store/sqlite_store.h"
#include "tasks/registry.h"
#include "tasks/suites.h"

namespace micius {
namespace {

const std::vector<std::string> kNouns = {"tasks",   "suites",  "models",  "datasets",
                                         "scorers", "runners", "reports", "runs"};

class ListCommand final : public Command {
 public:
  std::string name() const override { return "list"; }
  std::string summary() const override { return "What there is: " + join(kNouns, ", "); }

  void define(CLI::App& app) override {
    app.add_option("noun", noun_, join(kNouns, ", "))->required()->type_name("NOUN");
    app.add_option("--filter", filter_, "Names that match")->type_name("GLOB");
    app.add_option("--format", format_, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    add_db_flag(app, places_);
    add_model_dir_flag(app, places_);
  }

  ExitCode run() override;

 private:
  Json rows() const;
  Json runs() const;

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
  if (!std::filesystem::exists(places_.db)) return Json::array();
  const SystemClock clock;
  return SqliteStore(places_.db, OpenMode::kExisting, clock).overview();
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
  fail(ErrorCode::kUsage, "micius list: unknown noun '{}'{}; one of {}", noun_, did_you_mean(noun_, kNouns),
       join(kNouns, ", "));
}

// One line a row: the name, then what else there is.
std::string row_text(const Json& row) {
  if (row.contains("run_id")) {
    const auto text = [&](const char* key) {
      return !row.contains(key) || row.at(key).is_null() ? std::string("-")
             : row.at(key).is_string()                   ? row.at(key).get<std::string>()
                                                         : dump_json(row.at(key));
    };
    return fmt::format("{:>4}  {:<16} {:<20} {:<11} {:>5}/{:<5}  {}\n", text("run_id"), text("task"),
                       text("model"), text("status"), text("scored"), text("total"), text("started_at"));
  }
  std::string rest;
  if (row.contains("summary")) rest = row.at("summary").get<std::string>();
  if (row.contains("tasks")) rest += ": " + join(row.at("tasks").get<std::vector<std::string>>(), ", ");
  if (row.contains("note"))
    rest = row.at("note").get<std::string>() + (row.at("here").get<bool>() ? "" : " (not here)");
  return fmt::format("{:<18} {}\n", row.at("name").get<std::string>(), rest);
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
  for (const Json& row : shown) std::cout << row_text(row);
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_list_command() { return std::make_unique<ListCommand>(); }

}  // namespace micius
