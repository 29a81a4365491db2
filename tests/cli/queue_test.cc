// Runs that workers do, as a user has them.
#include <atomic>
#include <filesystem>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/console.h"
#include "cli/enqueue.h"
#include "cli/program.h"
#include "cli/reopen.h"
#include "cli/submit.h"
#include "cli/worker.h"
#include "postgres_server.h"
#include "store/open_store.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string lines;
    for (int i = 0; i < 300; ++i)
      lines += fmt::format("{{\"q\": \"Is {} even?\", \"options\": [\"no\", \"yes\"], \"a\": \"{}\"}}\n", i,
                           i % 2 == 0 ? "yes" : "no");
    write_file_atomic(path() / "even.jsonl", lines);
    write_file_atomic(path() / "even.json", R"({"micius_task": 1, "name": "even", "version": 1,
      "dataset": {"loader": "jsonl", "path": "even.jsonl", "input": "q", "choices": "options", "targets": "a"},
      "prompt": {"context": "{{input}}", "continuation": " {{choice}}"},
      "scorer": {"name": "choice"}, "metrics": ["acc"]})");
  }

  // `before`: more words of `env`, before the program.
  Outcome outcome(const std::vector<std::string>& words, const std::vector<std::string>& before = {}) {
    // Outputs have a folder of their own, so that workers may be beside each other.
    const fs::path out = path() / fmt::format("out{}", ++outcomes_);
    fs::create_directories(out);
    std::vector<std::string> environment = {"-C", path().string(), "-u", "MICIUS_DB",
                                            "HOME=" + path().string()};
    environment.insert(environment.end(), before.begin(), before.end());
    return run_micius(out, environment, words);
  }

  std::string run(const std::vector<std::string>& words, int exit_code = 0) {
    const Outcome got = outcome(words);
    INFO(join(words, " ") << "\nstdout: " << got.out << "\nstderr: " << got.err);
    CHECK(got.exit_code == exit_code);
    return exit_code == 0 ? got.out : got.err;
  }

  std::string report(const std::string& db, const std::string& runs) {
    return run({"report", runs, "--db", db, "--format", "json", "--stable"});
  }

  const fs::path& path() const { return dir_.path(); }

 private:
  TempDir dir_;
  std::atomic<int> outcomes_{0};
};

const std::vector<std::string> kRuns = {"run",     "infrawise", "./even.json", "--model", "reference",
                                        "--model", "random",    "--limit",     "150"};

std::vector<std::string> with(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Two workers do what one process did into `calm.db`.
void check_same_as_one_process(Folder& folder, const std::string& db) {
  folder.run(with(kRuns, {"--db", "calm.db", "-q"}));
  const std::string made = folder.run(with(kRuns, {"--db", db, "--enqueue", "--lease-tokens", "6000"}));
  CHECK_THAT(made, Catch::Contains("run 2: even on reference, 150 samples in "));
  CHECK_THAT(folder.run({"status", "--db", db}), Catch::Contains("run 1: infrawise on reference, unfinished, "
                                                                 "0/150 samples"));
  std::vector<Outcome> outcomes(2);
  {
    std::vector<std::jthread> workers;
    for (Outcome& of : outcomes)
      workers.emplace_back([&] { of = folder.outcome({"worker", "--db", db, "--max-idle", "1"}); });
  }
  for (const Outcome& of : outcomes) {
    INFO(of.err);
    CHECK(of.exit_code == 0);
    CHECK_THAT(of.err, Catch::Contains(" 0 late and dropped"));
  }
  CHECK(folder.report(db, "1,2,3,4") == folder.report("calm.db", "1,2,3,4"));
  const Json status = parse_json(folder.run({"status", "--db", db, "--format", "json"}), "status");
  CHECK(status.at("schema") == "micius.status/1");
  CHECK(status.at("runs").empty());
  CHECK(status.at("workers").empty());
  CHECK(status.at("stuck").empty());
}

}  // namespace

TEST_CASE("workers give the report of one process: SQLite") {
  Folder folder;
  check_same_as_one_process(folder, "queue.db");
}

TEST_CASE("workers give the report of one process: PostgreSQL") {
  PostgresServer* server = shared_postgres();
  if (server == nullptr) return;
  Folder folder;
  check_same_as_one_process(folder, server->url(server->new_database()));
}

TEST_CASE("a worker that is told to leave gives its lease back") {
  Folder folder;
  folder.run({"run", "./even.json", "--model", "reference", "--enqueue"});
  // One signal: without --foreground there are two, and the second ends a program as usual.
  const Outcome left = folder.outcome({"worker"}, {"timeout", "--foreground", "-s", "TERM", "4"});
  INFO(left.err);
  const Json status = parse_json(folder.run({"status", "--format", "json"}), "status");
  CHECK(status.at("workers").empty());
  CHECK(status.at("stuck").empty());
}

TEST_CASE("a run in the queue is the workers'") {
  Folder folder;
  folder.run({"run", "./even.json", "--model", "reference", "--enqueue"});
  CHECK_THAT(folder.run({"run", "./even.json", "--model", "reference"}, 2),
             Catch::Contains("run 1 is in the queue: `micius worker"));
  CHECK_THAT(folder.run({"resume", "1"}, 2), Catch::Contains("run 1 is in the queue"));
  folder.run({"resume"});
  CHECK_THAT(folder.run({"run", "./even.json", "--model", "reference", "--enqueue"}),
             Catch::Contains("run 1: even on reference"));
  folder.run({"worker", "--max-idle", "0"});
  CHECK_THAT(folder.run({"list", "runs"}), Catch::Contains("complete  300/300"));
}

TEST_CASE("what several processes cannot keep to is refused") {
  Folder folder;
  const std::vector<std::string> enqueue = {"run", "./even.json", "--model", "reference", "--enqueue"};
  CHECK_THAT(folder.run(with(enqueue, {"--dry-run"}), 2), Catch::Contains("does not go with --dry-run"));
  CHECK_THAT(folder.run({"worker"}, 2), Catch::Contains("no such database"));
  folder.run(enqueue);
  CHECK_THAT(folder.run({"worker", "--budget", "1"}, 2), Catch::Contains("--budget"));
}

TEST_CASE("a worker leaves what it cannot do to others") {
  Folder folder;
  folder.run({"run", "./even.json", "infrawise", "--limit", "20", "--model", "reference", "--enqueue"});
  fs::remove(folder.path() / "even.jsonl");
  CHECK_THAT(folder.run({"worker", "--max-idle", "0"}, 1),
             Catch::Contains("run 1 cannot be done by this worker: ") &&
                 Catch::Contains("20 records in 1 leases") && Catch::Contains("1 runs finished"));
  CHECK_THAT(folder.run({"status"}), Catch::Contains("run 1: even on reference, unfinished, 0/20"));
}

TEST_CASE("who queues a run does not say where a worker's key goes") {
  const TempDir dir;
  const SystemClock clock;
  ConsoleLog log(ConsoleLog::Level::kErrorsOnly);
  const auto store = open_store(dir.path() / "a.db", OpenMode::kCreate, clock);
  const PlaceFlags places;
  EngineFlags engine;
  ApiSettings settings;
  settings.openai.key = "sk-of-the-worker";
  ResponseCache cache(clock, log);
  LazyServices services(1, places);
  Run run;
  run.batch = 1;
  run.spec.model_source = "openai:m@http://127.0.0.1:9/v1";
  run.spec.model.url = endpoint_of(ApiKind::kOpenAi, "m@http://127.0.0.1:9/v1", settings).url;
  const CacheFlags caching{"off"};
  CHECK_THROWS_WITH(
      reopen_model({*store, clock, log, places, engine, settings, caching, cache, services, RunsOf::kOthers},
                   run),
      Catch::Contains("was queued and asks http://127.0.0.1:9") &&
          Catch::Contains("--base-url http://127.0.0.1:9"));
}

TEST_CASE("leases are cut by tokens, of a sample at least") {
  const std::vector<std::int64_t> tokens = {5, 5, 1, 30, 2, 2, 2};
  const std::vector<WorkRange> ranges = cut_work(tokens, 10);
  REQUIRE(ranges.size() == 4);
  CHECK(ranges[0].end == 2);
  CHECK(ranges[1].end == 3);
  CHECK(ranges[2].end == 4);
  CHECK(ranges[2].tokens == 30);
  CHECK(ranges[3].end == 7);
  CHECK(cut_work({}, 10).empty());
  CHECK(cut_work(std::vector<std::int64_t>(600, 0), 10).size() == 3);
}

TEST_CASE("a worker prefers its model, then its task, then what few have") {
  const std::vector<QueuedRun> runs = {{RunId{1}, "x", "big", 3},
                                       {RunId{2}, "y", "small", 0},
                                       {RunId{3}, "x", "held", 9},
                                       {RunId{4}, "y", "held", 9},
                                       {RunId{5}, "x", "small", 0}};
  std::vector<std::int64_t> order;
  for (const QueuedRun& run : by_preference(runs, "held", "y"))
    order.push_back(static_cast<std::int64_t>(run.run));
  CHECK(order == std::vector<std::int64_t>{4, 3, 2, 5, 1});
}

TEST_CASE("a Slurm job of workers is written and submitted") {
  Folder folder;
  const fs::path bin = folder.path() / "bin";
  fs::create_directories(bin);
  write_file_atomic(bin / "sbatch",
                    "#!/bin/sh\ncase \"$1\" in --version) echo fake; exit 0;; esac\n"
                    "cp \"$1\" submitted.sh && echo Submitted batch job 7\n");
  fs::permissions(bin / "sbatch", fs::perms(0755));
  const std::vector<std::string> words = {"submit",     "--slurm",     "--array=0-3 --gres=gpu:1",
                                          "--max-idle", "0",           "--",
                                          "run",        "./even.json", "--model",
                                          "reference",  "--db",        "q.db",
                                          "--limit=9"};
  const Outcome made = folder.outcome(words, {"PATH=" + bin.string() + ":/usr/bin:/bin"});
  INFO(made.err);
  CHECK(made.exit_code == 0);
  CHECK_THAT(made.out, Catch::Contains("run 1: even on reference, 9 samples in 1 leases") &&
                           Catch::Contains("Submitted batch job 7"));
  const std::string script = read_file(folder.path() / "submitted.sh");
  CHECK_THAT(script, Catch::StartsWith("#!/bin/sh\n") &&
                         Catch::Contains("\n#SBATCH --array=0-3 --gres=gpu:1\n") &&
                         Catch::Contains(" worker --db q.db --max-idle 0\n"));
  // The script is a worker.
  const Outcome worked = folder.outcome({"list", "runs", "--db", "q.db"}, {"sh", "submitted.sh"});
  CHECK(worked.exit_code == 0);
  CHECK_THAT(folder.run({"list", "runs", "--db", "q.db"}),
             Catch::Contains("complete") && Catch::Contains(" 9/9"));
}

TEST_CASE("what a job cannot be made of is refused before anything is queued") {
  Folder folder;
  CHECK_THAT(folder.run({"submit", "--slurm", "--array=0", "--", "report", "1"}, 2),
             Catch::Contains("comes `run TASKS --model M`, not 'report'"));
  CHECK_THAT(folder.run({"submit", "--slurm", "--array=0", "--", "run", "even.json", "--db",
                         "postgresql://me:hush@h/runs"},
                        2),
             Catch::Contains("~/.pgpass") && !Catch::Contains("hush"));
  CHECK_FALSE(fs::exists(folder.path() / "micius-workers.sbatch"));
  const std::vector<std::string> good = {"submit",      "--slurm", "--array=0", "--",      "run",
                                         "./even.json", "--db",    "q.db",      "--model", "reference"};
  const Outcome without_slurm = folder.outcome(good, {"PATH=" + folder.path().string()});
  CHECK(without_slurm.exit_code == 2);
  CHECK_THAT(without_slurm.err, Catch::Contains("no `sbatch` in PATH, so nothing was queued") &&
                                    Catch::Contains("`sbatch micius-workers.sbatch`"));
  CHECK_FALSE(fs::exists(folder.path() / "q.db"));
  CHECK_THAT(folder.run({"submit", "--slurm", "--array=0", "--dry-run", "--", "run", "x"}),
             Catch::Contains("nothing was submitted"));
  CHECK(worker_words(
            {"run", "a", "--db=x y", "--device", "cuda", "--threads", "2", "--limit", "3", "--cache"}) ==
        std::vector<std::string>{"--db=x y", "--device", "cuda", "--threads", "2", "--cache"});
}

}  // namespace micius
