#include "store/run_file.h"

#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/text.h"
#include "store/example_records.h"
#include "store/sqlite_store.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

const SystemClock kClock;

class Stores {
 public:
  SqliteStore& open(const std::string& name) {
    stores_.push_back(std::make_unique<SqliteStore>(path(name), OpenMode::kCreate, kClock));
    return *stores_.back();
  }
  fs::path path(const std::string& name) const { return dir_.path() / name; }

 private:
  TempDir dir_;
  std::vector<std::unique_ptr<SqliteStore>> stores_;
};

RunId add_run(SqliteStore& store, std::size_t samples, int repeats, const std::string& seed) {
  RunSpec spec = example_spec(samples, repeats);
  spec.tags = {{"seed", seed}};
  const RunId run = store.begin(spec, 3);
  for (std::size_t i = 0; i < samples; ++i)
    for (int repeat = 0; repeat < repeats; ++repeat) store.append(run, random_record(i, repeat, seed));
  store.finish(run, RunStatus::kComplete, 12345, std::nullopt);
  return run;
}

std::string file_of(const Store& store, const std::vector<RunId>& runs) {
  std::string bytes;
  write_run_file(store, runs, [&](std::string_view part) { bytes += part; });
  return bytes;
}

std::vector<ImportedRun> import_text(SqliteStore& store, const fs::path& path, const std::string& bytes) {
  write_file_atomic(path, bytes);
  return store.take_runs([&](RunSink& sink) { read_run_file(path, sink); },
                         [](RunId) { return std::optional<Estimate>(); });
}

// "" where it is imported.
std::string problem(SqliteStore& store, const fs::path& path, const std::string& bytes) {
  try {
    import_text(store, path, bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string all_of(const Store& store, RunId id) {
  const Run run = store.run(id);
  std::string text =
      fmt::format("{} {} {} {}", dump_json(to_json(run.spec)), run.started, run.finished, run.wall_ns);
  store.for_each(id, [&](const Record& record) { text += all_of(record) + "\n"; });
  return text;
}

// The lines of a run with `change` made in them, hashed anew: what somebody writes who knows the format.
std::string forged(const std::string& text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  std::string body, all;
  std::size_t records = 0;
  for_each_line(replace_all(text, from, to), [&](std::string_view line, std::size_t number) {
    if (line.starts_with("{\"end\"")) return;
    all += std::string(line) + "\n";
    if (number == 1) return;
    body += std::string(line) + "\n";
    records += line.starts_with("{\"record\"");
  });
  return all + dump_json({{"end", {{"records", records}, {"sha256", sha256_hex(body)}}}}) + "\n";
}

std::string example_file() {
  Stores stores;
  SqliteStore& store = stores.open("a.db");
  const RunId run = store.begin(example_spec(2), 1);
  for (std::size_t i = 0; i < 2; ++i) store.append(run, example_record(i));
  store.finish(run, RunStatus::kComplete, 5, std::nullopt);
  return file_of(store, {run});
}

}  // namespace

TEST_CASE("a run in a file is the run, in any store") {
  Stores stores;
  SqliteStore &a = stores.open("a.db"), &b = stores.open("b.db");
  const RunId first = add_run(a, 20, 2, "first"), second = add_run(a, 300, 1, "second");
  add_run(b, 3, 1, "other");
  const std::string bytes = file_of(a, {second, first});
  const auto imported = import_text(b, stores.path("runs.micius"), bytes);
  REQUIRE(imported.size() == 2);
  CHECK(imported[0].is_new);
  CHECK(all_of(b, imported[0].id) == all_of(a, second));
  CHECK(all_of(b, imported[1].id) == all_of(a, first));
  CHECK(b.run(imported[0].id).batch == 0);
  CHECK(file_of(b, {imported[0].id, imported[1].id}) == bytes);
  CHECK(run_sha256(b, imported[1].id) == run_sha256(a, first));
}

TEST_CASE("a small file is text, a large one is packed") {
  Stores stores;
  SqliteStore& store = stores.open("a.db");
  const std::string small = file_of(store, {add_run(store, 3, 1, "x")});
  CHECK(small.starts_with("{\"micius_export\":1,\"runs\":1}\n{\"run\":"));
  const RunId run = store.begin(example_spec(400), 1);
  for (std::size_t i = 0; i < 400; ++i) store.append(run, example_record(i));
  const std::string large = file_of(store, {run});
  CHECK(large.starts_with("\x1f\x8b"));
  CHECK(large.size() < 100'000);  // of 5 MB
  CHECK(import_text(stores.open("b.db"), stores.path("f"), large).front().is_new);
}

TEST_CASE("a run that is there is recognised") {
  Stores stores;
  SqliteStore &a = stores.open("a.db"), &b = stores.open("b.db");
  const RunId run = add_run(a, 30, 1, "once");
  const std::string bytes = file_of(a, {run, run});
  const auto twice = import_text(b, stores.path("f"), bytes);
  CHECK(twice[0].is_new);
  CHECK_FALSE(twice[1].is_new);
  CHECK(twice[0].id == twice[1].id);
  CHECK_FALSE(import_text(b, stores.path("f"), bytes)[0].is_new);
  CHECK_FALSE(import_text(a, stores.path("f"), bytes)[0].is_new);
  CHECK(b.runs().size() == 1);
  CHECK(a.runs().size() == 1);
  CHECK(add_run(b, 2, 1, "later") == RunId{2});  // no number was lost
}

TEST_CASE("a run between two stores") {
  Stores stores;
  SqliteStore &a = stores.open("a.db"), &b = stores.open("b.db");
  const RunId run = add_run(a, 30, 2, "copied");
  const auto imported = b.take_runs([&](RunSink& sink) { read_run(a, run, sink); },
                                    [](RunId) { return Estimate{0.5, 0.25, 0.75, 0.1, 2, {}, {}}; });
  CHECK(all_of(b, imported.front().id) == all_of(a, run));
  CHECK(b.overview()[0].at("primary_value") == 0.5);
}

TEST_CASE("no damage is imported, whole or in part") {
  Stores stores;
  SqliteStore &a = stores.open("a.db"), &b = stores.open("b.db");
  const RunId small = add_run(a, 12, 1, "small"), other = add_run(a, 3, 1, "other");
  const RunId big = a.begin(example_spec(200), 1);
  for (std::size_t i = 0; i < 200; ++i) a.append(big, random_record(i, 0, "big"));
  a.finish(big, RunStatus::kComplete, 5, std::nullopt);
  const fs::path path = stores.path("f");
  Rng rng("damage");
  for (const std::string& good : {file_of(a, {other, small}), file_of(a, {other, big})}) {
    for (int i = 0; i < 30; ++i) {
      std::string cut = good.substr(0, rng.below(good.size()));
      CHECK(problem(b, path, cut) != "");
      std::string flipped = good;
      const std::size_t at = rng.below(good.size());
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << rng.below(8)));
      // Some bytes of a gzip header say nothing of what is in it.
      if (problem(b, path, flipped).empty()) CHECK((good[0] == '\x1f' && at < 10));
    }
  }
  for (const Run& run : b.runs()) CHECK(run.status != RunStatus::kUnfinished);  // whole, of a changed header
}

TEST_CASE("a file that is wrong is named with line and field") {
  const std::string good = example_file();
  struct Case {
    const char *from, *to, *message;
  };
  const Case cases[] = {
      {"\"micius_export\":1", "\"micius_export\":2", "f:1: an export of version 2, and this program reads 1"},
      {"\"micius_export\":1", "\"micius_exprot\":1", "f:1: no export of"},
      {"\"micius_export\":1", "\"micius_export\":\"1\"", "f:1: field 'micius_export' must be"},
      {"\"runs\":1", "\"runs\":2", "f:6: the file ends before its 'run'"},
      {"\"runs\":1", "\"runs\":0", "f:1: field 'runs'"},
      {"\"status\":\"complete\"", "\"status\":\"completed\"", "f:2.run: unknown run status 'completed'"},
      {"\"wall_ns\":5", "\"wall_ns\":-5", "f:2.run: field 'wall_ns' must be 0 to"},
      {"\"wall_ns\":5", "\"wall_ms\":5", "f:2.run: field 'wall_ns' is missing"},
      {"\"repeats\":1", "\"repeats\":4294967297", "f:2.run: field 'run.spec.repeats' is unknown here or out"},
      {"\"repeats\":1", "\"repeats\":0", "f:2.run.spec: field 'repeats' must be 1"},
      {"\"tags\":{}", "\"tags\":[]", "f:2.run.spec.tags: must be an object"},
      {"\"model_options\":{}", "\"model_options\":{\"numerics\":3}", "field 'numerics' must be a string"},
      {"\"sample_ids\":[\"s0\",\"s1\"]", "\"sample_ids\":[\"s0\",\"s0\"]", "'s0' stands there twice"},
      {"\"sample_ids\":[\"s0\",\"s1\"]", "\"sample_ids\":[\"s0\",\"s2\"]",
       "f:4.record.sample: field 'id': 's1'"},
      {"\"sample_ids\":[\"s0\",\"s1\"]", "\"sample_ids\":[\"s1\",\"s0\"]", "f:4.record: sample 's1'"},
      {"\"sample_ids\":[\"s0\",\"s1\"]", "\"sample_ids\":[\"s0\",\"s1\",\"s2\"]", "complete, but has 2 of 3"},
      {"\"repeat\":0", "\"repeat\":1", "f:3.record: field 'repeat' must be below"},
      {"\"verdict\":\"correct\"", "\"verdict\":\"korrect\"", "did you mean 'correct'"},
      {"[\"acc\",1.0]", "[\"acc\"]", "f:3.record: field 'values' must be a list of [metric, number]"},
      {"\"prompt_tokens\":1200", "\"prompt_tokens\":-1",
       "f:3.record.turns.0: field 'prompt_tokens' must be 0"},
      {"\"prompt_tokens\":1200", "\"prompt_tokens\":4294967296",
       "turns.0: field 'prompt_tokens' must be 0 to"},
      {"\"prompt_tokens\":1200", "\"prompt_tokens\":1200,\"cost\":1",
       "field 'record.turns.0.cost' is unknown"},
      {"\"stop_reason\":\"stop\"", "\"stop_reason\":7", "f:3.record.turns.0: field 'stop_reason' must be a"},
      {"\"latency_ns\":0", "\"latency_ns\":9000000000000000000", "field 'latency_ns' must be 0 to"},
      {"\"messages\":[", "\"messages\":[7,", "f:3.record.turns.0.prompt: expected an object"},
  };
  Stores stores;
  SqliteStore& store = stores.open("b.db");
  const fs::path path = stores.path("f");
  REQUIRE(problem(store, path, forged(good, "s0", "s0")) == "");
  for (const Case& c : cases) {
    INFO(c.from << " -> " << c.to);
    CHECK_THAT(problem(store, path, forged(good, c.from, c.to)), Catch::Contains(c.message));
  }
  CHECK_THAT(problem(store, path, good + "{}\n"), Catch::Contains("f:6: more lines"));
  CHECK_THAT(problem(store, path, replace_all(good, "yes", "yea")),
             Catch::Contains("f:5.end: field 'sha256'"));
  CHECK_THAT(problem(store, path, ""), Catch::Contains("f:1: the file ends before its 'micius_export'"));
  CHECK(store.runs().size() == 1);
}

TEST_CASE("hostile lines end in an error, at once") {
  Stores stores;
  SqliteStore& store = stores.open("b.db");
  const fs::path path = stores.path("f");
  const std::string head = "{\"micius_export\":1,\"runs\":1}\n", many(10'000'000, '[');
  CHECK_THAT(problem(store, path, head + many + "\n"), Catch::Contains("f:2: JSON nested deeper than 512"));
  CHECK_THAT(problem(store, path, head + "{\"run\":\"" + std::string(10'000'000, 'x') + "\"}\n"),
             Catch::Contains("f:2.run: expected an object"));
  CHECK_THAT(problem(store, path, head + std::string(70'000'000, ' ')),
             Catch::Contains("f:2: a line of more than 64 MiB"));
  CHECK_THAT(problem(store, path, head + "{\"run\":{\"status\":\"\xff\"}}\n"),
             Catch::Contains("f:2: column"));
  CHECK_THAT(problem(store, path, std::string("\x1f\x8b\x08\x00zzzzzz", 10)), Catch::Contains("f:1"));
  CHECK_THAT(problem(store, stores.path("none"), "x\n"), Catch::Contains("none:1: column 1: not valid JSON"));
  CHECK(store.runs().empty());
}

}  // namespace micius
