// Export and import, as a user has them.
#include <algorithm>
#include <filesystem>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/program.h"
#include "postgres_server.h"
#include "temp_dir.h"

namespace micius {
namespace {

constexpr const char* kUser = "postgres:hush";

class Folder {
 public:
  std::string run(const std::vector<std::string>& words, int exit_code = 0) {
    const Outcome outcome =
        run_micius(path(), {"-u", "MICIUS_DB", "-u", "MICIUS_DATA_DIR", "HOME=" + path().string()}, words);
    INFO(join(words, " ") << "\nstdout: " << outcome.out << "\nstderr: " << outcome.err);
    CHECK(outcome.exit_code == exit_code);
    CHECK_THAT(outcome.out + outcome.err, !Catch::Contains("hush"));  // the password of kUser
    return exit_code == 0 ? outcome.out : outcome.err;
  }
  const std::filesystem::path& path() const { return dir_.path(); }

 private:
  TempDir dir_;
};

// Runs of several turns, of choices that are weighed, and with failed samples.
void make_runs(Folder& folder) {
  write_file_atomic(folder.path() / "colours.jsonl",
                    "{\"q\": \"Sky?\", \"options\": [\"red\", \"blue\"], \"a\": \"blue\"}\n"
                    "{\"q\": \"Grass?\", \"options\": [\"green\", \"blue\"], \"a\": \"green\"}\n");
  write_file_atomic(folder.path() / "colours.json", R"({"micius_task": 1, "name": "colours", "version": 1,
    "dataset": {"loader": "jsonl", "path": "colours.jsonl", "input": "q", "choices": "options", "targets": "a"},
    "prompt": {"context": "{{input}}", "continuation": " {{choice}}"},
    "scorer": {"name": "choice"}, "metrics": ["acc"]})");
  folder.run({"run", "infrawise", "./colours.json", "--model", "reference", "--limit", "12", "-q"});
  folder.run({"run", "optiflow", "--model", "empty", "--limit", "2", "--repeats", "2", "-q"});
  folder.run({"run", "infrawise", "--model", "replay:1", "--limit", "14", "-q", "--tag", "a=b"}, 1);
}

}  // namespace

TEST_CASE("an imported run reports the same bytes") {
  Folder folder;
  make_runs(folder);
  folder.run({"export", "4,3,2", "1", "-o", "runs.micius"});
  folder.run({"import", "runs.micius", "--db", "file.db"});
  folder.run({"import", "--from", "micius.db", "--db", "copy.db", "4,3,2,1"});
  for (const char* format : {"text", "md", "html", "json", "csv"}) {
    INFO(format);
    const auto report = [&](const char* db, const char* runs, bool stable) {
      std::vector<std::string> words = {"report",         runs, "--db",  db, "--format", format,
                                        "--allow-failed", "-o", "report"};  // no hints of the database
      if (stable) words.emplace_back("--stable");
      folder.run(words);
      return read_file(folder.path() / "report");
    };
    const std::string stable = report("micius.db", "4,3,2,1", true);
    CHECK(report("file.db", "1,2,3,4", true) == stable);
    CHECK(report("copy.db", "1,2,3,4", true) == stable);
    CHECK(report("file.db", "1,2,3,4", false) == report("copy.db", "1,2,3,4", false));
  }
  const auto overview = [&](const char* db, int run) {
    Json rows = parse_json(folder.run({"list", "runs", "--format", "json", "--db", db}), db).at("runs");
    Json row = rows.at(static_cast<std::size_t>(run - 1));
    row.erase("run_id");
    row.erase("batch");
    return row;
  };
  for (int run = 1; run <= 4; ++run) CHECK(overview("micius.db", run) == overview("file.db", 5 - run));
  folder.run({"export", "1,2,3,4", "--db", "copy.db", "-o", "again.micius"});
  CHECK(read_file(folder.path() / "again.micius") == read_file(folder.path() / "runs.micius"));
}

TEST_CASE("runs go to PostgreSQL and back, and report the same bytes") {
  PostgresServer* server = shared_postgres();
  if (server == nullptr) return;
  Folder folder;
  make_runs(folder);
  const std::string url = server->url(server->new_database(), kUser);
  folder.run({"import", "--from", "micius.db", "--db", url});
  folder.run({"import", "--from", url, "--db", "back.db"});
  CHECK_THAT(folder.run({"import", "--from", url, "--db", "back.db", "4"}),
             Catch::Contains("(was here already)"));
  folder.run({"export", "1,2,3,4", "-o", "first.micius"});
  for (const std::string& db : {url, std::string("back.db")}) {
    folder.run({"export", "1,2,3,4", "--db", db, "-o", "again.micius"});
    CHECK(read_file(folder.path() / "again.micius") == read_file(folder.path() / "first.micius"));
    for (const char* format : {"text", "md", "html", "json", "csv"}) {
      INFO(format);
      const auto report = [&](const std::string& of) {
        folder.run({"report", "1,2,3,4", "--db", of, "--format", format, "--allow-failed", "--stable", "-o",
                    "report"});
        return read_file(folder.path() / "report");
      };
      CHECK(report(db) == report("micius.db"));
    }
    folder.run({"show", "1", "--samples", "--format", "jsonl", "--db", db});
  }
  const auto runs = [&](const std::string& db) {
    Json rows = parse_json(folder.run({"list", "runs", "--format", "json", "--db", db}), db);
    for (Json& row : rows.at("runs")) row.erase("batch");  // an imported run has none
    return rows;
  };
  CHECK(runs(url) == runs("micius.db"));
  CHECK(runs("back.db") == runs("micius.db"));
}

TEST_CASE("runs that are made in PostgreSQL are those of SQLite") {
  PostgresServer* server = shared_postgres();
  if (server == nullptr) return;
  Folder folder;
  make_runs(folder);
  const std::string url = server->url(server->new_database(), kUser);
  CHECK_THAT(folder.run({"list", "runs", "--db", url}), !Catch::Contains("infrawise"));
  CHECK_THAT(folder.run({"report", "1", "--db", url}, 2),
             Catch::Contains("no runs here; `micius run` makes"));
  const std::string said = folder.run(
      {"run", "infrawise", "./colours.json", "--model", "reference", "--limit", "12", "--db", url});
  CHECK_THAT(said, Catch::Contains("database: postgresql://postgres@/runs_"));
  folder.run({"run", "optiflow", "--model", "empty", "--limit", "2", "--repeats", "2", "-q", "--db", url});
  folder.run({"run", "infrawise", "--model", "replay:1", "--limit", "14", "-q", "--tag", "a=b", "--db", url},
             1);
  const auto report = [&](const std::string& db) {
    folder.run(
        {"report", "1,2,3,4", "--db", db, "--format", "json", "--allow-failed", "--stable", "-o", "report"});
    return read_file(folder.path() / "report");
  };
  CHECK(report(url) == report("micius.db"));
  folder.run({"resume", "--db", url}, 1);
  folder.run({"rescore", "1", "--db", url});
  folder.run({"baseline", "set", "main", "1", "--db", url});
  CHECK_THAT(folder.run({"list", "baselines", "--db", url}), Catch::Contains("main"));
  folder.run({"compare", "1", "4", "--db", url, "--force"});
}

TEST_CASE("what is there already is not imported again, and what is wrong not at all") {
  Folder folder;
  folder.run({"run", "infrawise", "--model", "reference", "--limit", "3", "-q"});
  folder.run({"export", "1", "-o", "run.micius"});
  CHECK_THAT(folder.run({"import", "run.micius"}),
             Catch::StartsWith("run 1: reference on infrawise,") && Catch::Contains("(was here already)"));
  CHECK_THAT(folder.run({"import", "run.micius", "--db", "b.db", "--format", "json"}),
             Catch::Contains("\"new\": true"));
  const std::string bytes = read_file(folder.path() / "run.micius");
  write_file_atomic(folder.path() / "cut.micius", bytes.substr(0, bytes.size() - 40));
  CHECK_THAT(
      folder.run({"import", "run.micius", "cut.micius", "--db", "c.db"}, 2),
      Catch::Contains("cut.micius:6: ") && Catch::Contains("nothing was imported: get the file again"));
  CHECK(folder.run({"list", "runs", "--db", "c.db", "--format", "json"}).find("run_id") == std::string::npos);
  CHECK_THAT(folder.run({"import", "none.micius", "--db", "d.db"}, 2), Catch::Contains("no such file"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "d.db"));
  folder.run({"import"}, 2);
  folder.run({"import", "--from", "micius.db"}, 2);
  folder.run({"report", "latest", "--db", "b.db"});
}

TEST_CASE("records for other tools") {
  Folder folder;
  make_runs(folder);
  std::size_t lines = 0;
  for_each_line(folder.run({"export", "1,2,4", "--format", "jsonl"}),
                [&](std::string_view line, std::size_t) {
                  const Json json = parse_json(line, "line");
                  CHECK(json.contains("input"));
                  CHECK(json.contains("verdict") != json.contains("failure"));
                  ++lines;
                });
  CHECK(lines == 12 + 2 + 14);
  folder.run({"export", "1", "2", "-o", "r.csv"});
  const std::string csv = read_file(folder.path() / "r.csv");
  CHECK_THAT(csv, Catch::StartsWith("run_id,task,model,sample_id,repeat,verdict,bench_accuracy,"));
  CHECK_THAT(csv, Catch::Contains("\r\n2,colours,reference,0,0,correct,"));
  CHECK_THAT(folder.run({"export", "1", "--format", "lm-eval"}, 2), Catch::Contains("-o"));
}

TEST_CASE("lm-evaluation-harness's files") {
  Folder folder;
  make_runs(folder);
  folder.run({"export", "1,2,4", "--format", "lm-eval", "-o", "results"});
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() / "results"))
    if (entry.is_regular_file())
      names.push_back(std::filesystem::relative(entry.path(), folder.path() / "results").string());
  std::sort(names.begin(), names.end());
  REQUIRE(names.size() == 5);
  CHECK_THAT(names[0],
             Catch::Matches("reference/results_\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\d\\.000000\\.json"));
  CHECK_THAT(names[1], Catch::StartsWith("reference/samples_colours_2"));
  const Json results = parse_json(read_file(folder.path() / "results" / names[0]), names[0]);
  CHECK(results.at("results").at("colours").at("acc,none") == 1.0);
  CHECK(results.at("n-shot").at("colours") == 0);
  CHECK(results.at("n-samples").at("infrawise") == Json{{"original", 960}, {"effective", 12}});
  const std::string samples = read_file(folder.path() / "results" / names[1]);
  const Json line = parse_json(samples.substr(0, samples.find('\n')), names[1]);
  CHECK(line.at("doc_id") == 0);
  CHECK(line.at("target") == "1");
  CHECK(line.at("arguments").at("gen_args_1") == Json{{"arg_0", "Sky?"}, {"arg_1", " blue"}});
  CHECK(line.at("resps")[1] == Json::array({Json::array({"0.0", "True"})}));
  CHECK(line.at("filtered_resps")[0] == Json::array({"-1000.0", "False"}));
  CHECK(line.at("filter") == "none");
  CHECK(line.at("metrics") == Json::array({"acc"}));
  CHECK(line.at("acc") == 1.0);
  const std::string infrawise = read_file(folder.path() / "results" / names[2]);
  const Json other = parse_json(infrawise.substr(0, infrawise.find('\n')), names[2]);
  CHECK(other.at("target").is_string());
  CHECK(other.at("metric_target") == 1.0);
}

}  // namespace micius
