// A key that is planted everywhere a server can put it, and every byte that is left behind.
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "cli/program.h"
#include "net/fault_server.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

// Runs its arguments until forty questions were answered and something of them is on the disk, a minute at
// most.
constexpr const char* kRunUntilCut = R"(
ulimit -c $(ulimit -H -c)
"$@" &
for i in $(seq 600); do
  if [ -e asked ] && [ -s micius.db-wal ] && [ -s cache/answers.db-wal ]; then break; fi
  sleep 0.1
done
kill -ABRT $!
wait $!
)";

const std::string kKey = "sk-planted-0123456789abcdef";

std::string chat(const std::string& text) {
  return Json{
      {"model", "tiny " + kKey},
      {"system_fingerprint", kKey},
      {"choices", {{{"finish_reason", "stop"}, {"message", {{"role", "assistant"}, {"content", text}}}}}},
      {"usage", {{"prompt_tokens", 11}, {"completion_tokens", 2}}}}
      .dump();
}

// Files that hold it or, as servers repeat parts of keys, a half of it.
std::vector<std::string> files_with_key(const fs::path& folder) {
  std::vector<std::string> found;
  for (const auto& file : fs::recursive_directory_iterator(folder)) {
    if (!file.is_regular_file()) continue;
    const std::string bytes = read_file(file.path());
    for (const std::string& part : {kKey.substr(0, 14), kKey.substr(13)})
      if (bytes.find(part) != std::string::npos) found.push_back(file.path().filename().string());
  }
  return found;
}

}  // namespace

TEST_CASE("a key is in no file of a run that is cut down: database, logs, cache, output, core") {
  const TempDir folder;
  FaultServer server(
      [&](Exchange& exchange) {
        const int n = exchange.request.number;
        if (exchange.request.method == "GET")
          return exchange.answer(200, {}, Json{{"data", {{{"id", kKey}}}}}.dump());
        if (n > 40) {
          write_file_atomic(folder.path() / "asked", "");
          exchange.pause(60'000);  // until the program is gone
        }
        if (n % 5 == 1) return exchange.answer(500, {"x-request-id: " + kKey}, "no " + kKey);
        if (n % 5 == 2)
          return exchange.answer(429, {"Retry-After: 0"}, R"({"error": {"message": ")" + kKey + "\"}}");
        if (n % 5 == 3)
          return exchange.answer(400, {},
                                 R"({"error": {"message": "bad )" + kKey + R"(", "code": ")" + kKey + "\"}}");
        exchange.answer(200, {"x-request-id: " + kKey}, chat("ls, with " + kKey));
      },
      ModelList::kByHandler);
  const std::vector<std::string> environment = {"OPENAI_API_KEY=" + kKey, "no_proxy=127.0.0.1",
                                                "MICIUS_DB=micius.db", "MICIUS_CACHE_DIR=cache"};
  std::vector<std::string> killed = environment;
  killed.insert(killed.end(), {"sh", "-c", kRunUntilCut, "sh"});
  const Outcome outcome =
      run_micius(folder.path(), killed,
                 {"run", "infrawise", "--model", "openai:tiny@" + server.url("/v1"), "--cache", "on",
                  "--concurrency", "4", "--limit", "100", "--progress", "plain"});
  INFO(outcome.err);
  CHECK(outcome.exit_code == 128 + SIGABRT);
  CHECK(fs::file_size(folder.path() / "micius.db-wal") > 0);
  CHECK(fs::file_size(folder.path() / "cache/answers.db-wal") > 0);
  CHECK(files_with_key(folder.path()).empty());
  for (const char* name : {"report.html", "report.json", "report.md"})
    run_micius(folder.path(), environment, {"report", "latest", "--allow-failed", "-o", name});
  run_micius(folder.path(), environment, {"export", "latest", "--format", "micius", "-o", "run.jsonl"});
  run_micius(folder.path(), environment, {"show", "latest", "--samples", "--format", "jsonl"});
  CHECK(fs::exists(folder.path() / "report.html"));
  CHECK(fs::exists(folder.path() / "run.jsonl"));
  CHECK(files_with_key(folder.path()).empty());
}

}  // namespace micius
