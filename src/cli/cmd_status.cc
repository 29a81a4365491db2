// `micius status`: how far the queue is, and who is at it.
#include <chrono>
#include <iostream>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/places.h"
#include "store/open_store.h"
#include "store/queue_status.h"

namespace micius {
namespace {

class StatusCommand final : public Command {
 public:
  std::string name() const override { return "status"; }
  std::string summary() const override { return "Queued runs: how far, how fast, by whom, what is stuck"; }

  void define(Flags& flags) override {
    add_db_flag(flags, places_);
    flags.add("--format", format_, "text or json").one_of({"text", "json"}).show_default();
  }

  ExitCode run() override;

 private:
  PlaceFlags places_;
  std::string format_ = "text";
};

std::string text_of(const Json& value) {
  if (value.is_null()) return "-";
  return visible_line(value.is_string() ? value.get<std::string>() : dump_json(value));
}

// "1:02:03", or "?" where nobody is at it.
std::string time_text(const Json& seconds) {
  if (seconds.is_null()) return "?";
  return fmt::format("{:%T}", std::chrono::seconds(static_cast<std::int64_t>(seconds.get<double>())));
}

std::string run_line(const Json& run) {
  std::string line = fmt::format("run {}: {} on {}, {}, {}/{} samples", text_of(run.at("run_id")),
                                 text_of(run.at("task")), text_of(run.at("model")), text_of(run.at("status")),
                                 text_of(run.at("done")), text_of(run.at("total")));
  if (run.at("failed") != 0) line += fmt::format(", {} failed", text_of(run.at("failed")));
  if (!run.at("reason").is_null()) line += ": " + text_of(run.at("reason"));
  if (run.at("status") == "unfinished") {
    line += fmt::format(", {} leases left, {:.1f} samples/s, {} to go", text_of(run.at("leases")),
                        run.at("samples_per_s").get<double>(), time_text(run.at("eta_s")));
  }
  return line;
}

// What workers keep to together.
std::string limits_text(const Json& status) {
  std::string text;
  for (const Json& budget : status.at("budgets")) {
    text += fmt::format("budget of {}: ${:.4f} of ${:.4f} spent, ${:.4f} held by workers\n",
                        text_of(budget.at("model")), budget.at("spent_usd").get<double>(),
                        budget.at("limit_usd").get<double>(), budget.at("held_usd").get<double>());
  }
  for (const Json& rate : status.at("rates")) {
    text += fmt::format("at most of {}: {} requests, {} tokens a minute\n", text_of(rate.at("model")),
                        text_of(rate.at("requests_per_minute")), text_of(rate.at("tokens_per_minute")));
  }
  return text;
}

std::string status_text(const Json& status) {
  std::string text;
  for (const Json& run : status.at("runs")) text += run_line(run) + "\n";
  for (const Json& worker : status.at("workers")) {
    text += fmt::format("worker {}: {}, {} records, {} late, {:.1f} samples/s\n", text_of(worker.at("name")),
                        worker.at("run_id").is_null() ? "idle" : "run " + text_of(worker.at("run_id")),
                        text_of(worker.at("records")), text_of(worker.at("late")),
                        worker.at("samples_per_s").get<double>());
  }
  for (const Json& lease : status.at("stuck")) {
    text += fmt::format("stuck: run {}, samples {} to {}, taken {} times, the last by {}{}\n",
                        text_of(lease.at("run_id")), text_of(lease.at("first_position")),
                        lease.at("end_position").get<std::int64_t>() - 1, text_of(lease.at("taken")),
                        text_of(lease.at("worker")),
                        lease.at("expired_s").is_null()
                            ? ""
                            : fmt::format(", silent; free for {} s", text_of(lease.at("expired_s"))));
  }
  return text + limits_text(status) +
         fmt::format("all: {} workers, {:.1f} samples/s, {} to go\n", status.at("workers").size(),
                     status.at("samples_per_s").get<double>(), time_text(status.at("eta_s")));
}

ExitCode StatusCommand::run() {
  const SystemClock clock;
  const auto store = open_store(places_.db, OpenMode::kExisting, clock);
  Json status = queue_status(*store);
  if (format_ == "json") {
    status["schema"] = "micius.status/1";
    std::cout << status.dump(2) << "\n";
    return ExitCode::kGood;
  }
  if (status.at("runs").empty()) {
    fmt::print(stderr, "nothing is queued in {}; `micius run TASKS --model M --enqueue` does it\n",
               database_label(places_.db));
  }
  std::cout << status_text(status);
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_status_command() { return std::make_unique<StatusCommand>(); }

}  // namespace micius
