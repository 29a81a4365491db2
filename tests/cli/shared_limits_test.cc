// Limits of a remote model that several workers keep to together.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/biller.h"
#include "cli/program.h"
#include "cli/remote_session.h"
#include "net/fault_server.h"
#include "postgres_server.h"
#include "temp_dir.h"

namespace micius {
namespace {

using Catch::Contains;
using std::chrono::milliseconds;

// A database of either kind, and workers on it.
struct Cluster {
  Cluster(const FaultServer& server, std::string database) : url(server.url("/v1")), db(std::move(database)) {
    write_prices(folder.path(), url);
  }

  Outcome run(std::vector<std::string> words) {
    words.insert(words.end(), {"--db", db});
    const std::filesystem::path out = folder.path() / fmt::format("out{}", ++outcomes);
    std::filesystem::create_directories(out);
    return run_micius(out,
                      {"-C", folder.path().string(), "-u", "OPENAI_API_KEY", "-u", "MICIUS_DB",
                       "no_proxy=127.0.0.1", "OPENAI_BASE_URL=" + url, "HOME=" + folder.path().string()},
                      words);
  }
  Outcome enqueue(std::vector<std::string> words) {
    words.insert(words.begin(), {"run", "./count.json", "--model", "openai:tiny", "--prices", "prices.json",
                                 "--enqueue", "--lease-tokens", "20000"});
    return run(words);
  }
  void work(int workers, const std::string& concurrency) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < workers; ++i) {
      threads.emplace_back([&] {
        const Outcome of = run({"worker", "--max-idle", "1", "--lease", "2", "--cache", "off", "--prices",
                                "prices.json", "--concurrency", concurrency});
        const std::lock_guard lock(mutex);
        worked.push_back(of);
      });
    }
  }
  Json status() { return parse_json(run({"status", "--format", "json"}).out, "status"); }

  TempDir folder;
  const std::string url, db;
  std::atomic<int> outcomes = 0;
  std::mutex mutex;
  std::vector<Outcome> worked;
};

// One of those that are at work, once so much is billed.
bool kill_a_worker(Cluster& cluster, const Biller& biller, std::int64_t after) {
  for (int i = 0; biller.billed < after; ++i) {
    if (i == 12'000) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  const Json workers = cluster.status().at("workers");
  if (workers.empty()) return false;
  const std::string name = workers.at(0).at("name").get<std::string>();  // host/process
  return kill(std::stoi(name.substr(name.rfind('/') + 1)), SIGKILL) == 0;
}

void check_budget(const std::string& db) {
  constexpr std::int64_t kBudget = 200'000;
  Biller biller(false);
  FaultServer server([&](Exchange& exchange) { biller(exchange); });
  Cluster cluster(server, db);
  write_counting_task(cluster.folder.path(), 1500);
  const Outcome queued = cluster.enqueue({"--budget", "0.2"});
  INFO(queued.err);
  REQUIRE(queued.exit_code == 0);
  bool has_killed = false;
  {
    const std::jthread killing([&] { has_killed = kill_a_worker(cluster, biller, kBudget / 4); });
    cluster.work(3, "20");
  }
  CHECK(has_killed);
  std::multiset<int> codes;
  for (const Outcome& of : cluster.worked) codes.insert(of.exit_code);
  CHECK(codes.count(137) == 1);
  CHECK(codes.count(1) >= 1);  // who stopped the run
  CHECK(biller.billed <= kBudget);
  CHECK(biller.billed >= kBudget / 2);  // one died with its part
  const Json status = cluster.status();
  CHECK(status.at("runs").at(0).at("status") == "stopped");
  CHECK_THAT(status.at("runs").at(0).at("reason").get<std::string>(), Contains("budget: --budget 0.2"));
  CHECK(status.at("budgets").at(0).at("spent_usd").get<double>() <= 0.2);
  // A new command, with its own money.
  const std::int64_t before = biller.billed;
  CHECK(cluster.enqueue({"--budget", "3"}).exit_code == 0);
  cluster.worked.clear();
  cluster.work(1, "20");
  CHECK(cluster.worked.at(0).exit_code == 0);
  CHECK(biller.billed > before);
  CHECK_THAT(cluster.run({"list", "runs"}).out, Contains("complete") && Contains("1500/1500"));
}

void check_rate(const std::string& db) {
  constexpr double kPerSecond = 40;
  std::mutex mutex;
  std::vector<double> times;
  FaultServer server([&](Exchange& exchange) {
    {
      const std::lock_guard lock(mutex);
      times.push_back(
          std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count());
    }
    exchange.answer(200, {}, chat("x"));
  });
  Cluster cluster(server, db);
  write_counting_task(cluster.folder.path(), 160);
  REQUIRE(cluster.enqueue({"--rpm", fmt::format("{}", 60 * kPerSecond)}).exit_code == 0);
  CHECK_THAT(cluster.run({"status"}).out, Contains("at most of openai:tiny") && Contains("2400.0 requests"));
  cluster.work(3, "8");
  for (const Outcome& of : cluster.worked) CHECK(of.exit_code == 0);
  REQUIRE(times.size() == 160);
  std::sort(times.begin(), times.end());
  // What the line lets go in the time and the second that a place is kept, and some time on the way.
  for (const double window : {0.5, 1.0, 2.0}) {
    std::size_t most = 0;
    for (std::size_t i = 0, j = 0; i < times.size(); ++i) {
      while (times[i] - times[j] > window) ++j;
      most = std::max(most, i - j + 1);
    }
    INFO(window << " s: " << most);
    CHECK(static_cast<double>(most) <= kPerSecond * (window + 1.1) + 1);
  }
  CHECK(times.back() - times.front() >= 159 / kPerSecond - 1.1);
}

}  // namespace

TEST_CASE("workers keep to one budget, also where one is killed: SQLite") { check_budget("queue.db"); }
TEST_CASE("workers keep to one rate: SQLite") { check_rate("queue.db"); }

TEST_CASE("workers keep to one budget, also where one is killed: PostgreSQL") {
  PostgresServer* server = shared_postgres();
  if (server != nullptr) check_budget(server->url(server->new_database()));
}

TEST_CASE("workers keep to one rate: PostgreSQL") {
  PostgresServer* server = shared_postgres();
  if (server != nullptr) check_rate(server->url(server->new_database()));
}

TEST_CASE("a worker without a price leaves a run with a budget to others") {
  FaultServer server([](Exchange& exchange) { exchange.answer(200, {}, chat("x")); });
  Cluster cluster(server, "queue.db");
  write_counting_task(cluster.folder.path(), 3);
  CHECK(cluster.enqueue({"--budget", "1"}).exit_code == 0);
  const Outcome refused = cluster.run({"worker", "--max-idle", "0", "--cache", "off"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("cannot be done by this worker") && Contains("--prices FILE"));
  CHECK(server.requests() == 0);
  cluster.work(1, "2");
  CHECK(server.requests() == 3);
}

}  // namespace micius
