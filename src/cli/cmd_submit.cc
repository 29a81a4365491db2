// `micius submit --slurm OPTIONS -- run TASKS --model M`: runs into the queue, and workers for them into
// Slurm.
#include <filesystem>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/process.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/flags.h"
#include "cli/submit.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

class SubmitCommand final : public Command {
 public:
  std::string name() const override { return "submit"; }
  std::string summary() const override { return "Queue runs and submit workers for them to Slurm"; }

  void define(Flags& flags) override {
    flags.add("command", words_, "Behind `--`: run TASKS --model M and its other flags")
        .required()
        .type("-- run ..");
    flags.add("--slurm", slurm_, "Options of sbatch: '--array=0-15 --gres=gpu:1'").required().type("OPTIONS");
    flags.add("--max-idle", max_idle_s_, "Workers leave after so many seconds without work")
        .at_least(0)
        .type("S")
        .show_default();
    flags.add("-o,--output", script_, "The job's script").type("FILE").show_default();
    flags.add("--dry-run", dry_run_, "Write the script alone: nothing is queued or submitted");
  }

  ExitCode run() override;

 private:
  std::vector<std::string> words_;
  std::string slurm_, script_ = "micius-workers.sbatch";
  int max_idle_s_ = 60;
  bool dry_run_ = false;
};

void check_no_password(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (without_passwords(word) == word) continue;
    fail(ErrorCode::kUsage,
         "a job's script is read by others: leave the password of --db to PGPASSWORD or ~/.pgpass");
  }
}

ExitCode SubmitCommand::run() {
  if (words_.front() != "run")
    fail(ErrorCode::kUsage, "micius submit: behind `--` comes `run TASKS --model M`, not '{}'",
         words_.front());
  check_no_password(words_);
  const std::string program = fs::read_symlink("/proc/self/exe").string();
  std::vector<std::string> worker = worker_words(words_);
  for (const std::string& word : {std::string("--max-idle"), std::to_string(max_idle_s_)})
    worker.push_back(word);
  write_file_atomic(script_, slurm_script(program, slurm_, worker));
  if (dry_run_) {
    fmt::print("{}: written, nothing was submitted\n", script_);
    return ExitCode::kGood;
  }
  run_process({"sbatch", "--version"});  // there is one, before anything is queued
  std::vector<std::string> queueing = {program};
  queueing.insert(queueing.end(), words_.begin(), words_.end());
  queueing.emplace_back("--enqueue");
  const ProcessResult queued = run_process(queueing);
  if (queued.exit_code != 0) {
    fmt::print(stderr, "{}", queued.output);
    return static_cast<ExitCode>(queued.exit_code);
  }
  fmt::print("{}", queued.output);
  const ProcessResult submitted = run_process({"sbatch", script_});
  if (submitted.exit_code != 0) {
    fail(ErrorCode::kIo,
         "sbatch {}: {}; the runs are queued: submit the script again, or start `micius worker`", script_,
         strip(submitted.output));
  }
  fmt::print("{}", submitted.output);
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_submit_command() { return std::make_unique<SubmitCommand>(); }

}  // namespace micius
