// `micius submit --slurm OPTIONS -- run TASKS --model M`: runs into the queue, and workers for them into
// Slurm.
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

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

bool is_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  if (path == nullptr) return false;
  for (const std::string_view folder : split(path, ':')) {
    if (access((fs::path(folder) / program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

void check_sbatch(const std::string& script) {
  if (is_in_path("sbatch")) return;
  fail(ErrorCode::kNotFound,
       "no `sbatch` in PATH, so nothing was queued or submitted; call this where Slurm's client is (Debian's "
       "package slurm-client), or do it by hand: `micius run .. --enqueue` here, then `sbatch {}` on a "
       "machine of the cluster, or `micius worker` on any machine that reaches the database",
       script);
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
  check_sbatch(script_);  // before anything is queued
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
