// What every kind of store does with limits that several workers keep to together.
#include "store/worker_limits.h"

#include <array>
#include <atomic>
#include <chrono>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/mman.h>

#include "base/rng.h"
#include "processes.h"
#include "store/example_records.h"
#include "store/queue_status.h"
#include "store/stores.h"

namespace micius {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLong{60'000};
constexpr std::int64_t kUsd = 1'000'000'000'000;

RunId queue_run(SqlStore& store, const ModelLimits& limits, std::int64_t batch = 1) {
  const RunId run = store.begin(example_spec(4), batch);
  const std::vector<WorkRange> ranges = {{0, 4, 10}};
  WorkQueue(store, kLong).add(run, {"m", ranges, {}, limits});
  return run;
}

ModelLimits dollars(double usd) { return {.account = "openai:m", .budget_usd = usd}; }

// One worker with a connection of its own.
struct One {
  One(const Place& place, RunId run, milliseconds lease_time = kLong)
      : store(place.open(OpenMode::kExisting)),
        queue(*store, lease_time),
        id(queue.enter("w")),
        limits(*store, id) {
    limits.use(run);
  }
  std::unique_ptr<SqlStore> store;
  WorkQueue queue;
  WorkerId id;
  WorkerLimits limits;
};

void check_no_limits(const Place& place) {
  const auto store = place.open();
  const RunId without = queue_run(*store, {}), other = queue_run(*store, {.account = "openai:m"});
  One one(place, without);
  for (const RunId run : {without, other}) {
    one.limits.use(run);
    CHECK_FALSE(one.limits.has_budget());
    CHECK_FALSE(one.limits.has_pace());
  }
}

void check_money_is_held_once(const Place& place) {
  const auto store = place.open();
  const RunId run = queue_run(*store, dollars(1));
  One a(place, run), b(place, run);
  REQUIRE(a.limits.has_budget());
  const MoneyHeld first = a.limits.hold({0, 0, kUsd / 100});
  CHECK(first.pico >= kUsd / 100);
  CHECK(first.pico <= kUsd / 2);  // others may come
  CHECK_FALSE(first.others_hold);
  const MoneyHeld second = b.limits.hold({0, 0, kUsd / 100});
  CHECK(second.others_hold);
  CHECK(first.pico + second.pico <= kUsd);
  // What is not there is not held, nor is anything else.
  const MoneyHeld none = b.limits.hold({0, kUsd / 100, kUsd});
  CHECK(none.pico == kUsd / 100);
  CHECK(none.others_hold);
  CHECK(a.limits.hold({kUsd / 200, 0, 0}).pico == 0);
  const MoneyHeld last = b.limits.hold({kUsd / 100, 0, kUsd - kUsd / 100 - kUsd / 200});
  CHECK(last.pico == kUsd - kUsd / 100 - kUsd / 200);
  CHECK(last.limit == kUsd);
  CHECK(last.spent == kUsd / 100 + kUsd / 200);
  CHECK_FALSE(last.others_hold);
  const Json budget = queue_status(*store).at("budgets").at(0);
  CHECK(budget.at("model") == "openai:m");
  CHECK(budget.at("spent_usd").get<double>() == Approx(0.015));
  CHECK(budget.at("held_usd").get<double>() == Approx(0.985));
}

void check_dead_have_spent(const Place& place) {
  const auto store = place.open();
  const RunId run = queue_run(*store, dollars(1));
  One dead(place, run, milliseconds(1)), alive(place, run);
  const std::int64_t lost = dead.limits.hold({0, 0, kUsd / 2}).pico;
  std::this_thread::sleep_for(milliseconds(20));
  const MoneyHeld none = alive.limits.hold({0, 0, kUsd});
  CHECK(none.pico == 0);
  CHECK_FALSE(none.others_hold);  // nobody will give it back
  CHECK(none.spent == lost);
  CHECK(alive.limits.hold({0, 0, kUsd - lost}).pico == kUsd - lost);
}

// A command's budget is of its runs, another command's its own; a new command's is new for a run as well.
void check_budgets_are_of_commands(const Place& place) {
  const auto store = place.open();
  const RunId a = queue_run(*store, dollars(1), 1), b = queue_run(*store, dollars(1), 1);
  const RunId other = queue_run(*store, dollars(2), 2);
  One one(place, a);
  one.limits.hold({kUsd / 2, 0, 0});
  one.limits.use(b);
  CHECK(one.limits.hold({0, 0, 0}).spent == kUsd / 2);
  one.limits.use(other);
  CHECK(one.limits.hold({0, 0, 0}).spent == 0);
  store->set_batch(a, 3);
  WorkQueue(*store, kLong).add(a, {"m", {}, {}, dollars(5)});
  one.limits.use(a);
  const MoneyHeld fresh = one.limits.hold({0, 0, 0});
  CHECK(fresh.spent == 0);
  CHECK(fresh.limit == 5 * kUsd);
  WorkQueue(*store, kLong).add(a, {"m", {}, {}, {.account = "openai:m"}});
  one.limits.use(a);
  CHECK_FALSE(one.limits.has_budget());
}

void check_limits_go_with_the_last_run(const Place& place) {
  const auto store = place.open();
  const RunId a = queue_run(*store, dollars(1)),
              b = queue_run(*store, {.account = "openai:m", .requests_per_minute = 60});
  WorkQueue queue(*store, kLong);
  One one(place, a);
  CHECK(one.limits.has_pace());  // the account's, whichever run it came with
  one.limits.hold({1, 0, 5});
  CHECK(queue.finish(a, std::nullopt));
  CHECK(place.count("SELECT count(*) FROM budgets") == 0);
  CHECK(place.count("SELECT count(*) FROM purses") == 0);
  CHECK(place.count("SELECT count(*) FROM rates") == 1);
  CHECK(one.limits.hold({1, 7, 5}).pico == 7);  // its lease was another's long ago
  CHECK(queue.finish(b, std::nullopt));
  CHECK(place.count("SELECT count(*) FROM rates") == 0);
}

void check_places_in_line(const Place& place) {
  const auto store = place.open();
  const RunId run =
      queue_run(*store, {.account = "openai:m", .requests_per_minute = 600, .tokens_per_minute = 60'000});
  One a(place, run), b(place, run);
  REQUIRE(a.limits.has_pace());
  const PaceGrant first = a.limits.draw(5, 100);
  CHECK(first.requests.first.count() < 0.002);
  CHECK(first.requests.each.count() == Approx(0.1));
  CHECK(first.tokens.each.count() == Approx(0.001));
  const PaceGrant second = b.limits.draw(1, 100);
  CHECK(second.requests.first.count() <= 0.5);
  CHECK(second.requests.first.count() > 0.3);
  CHECK(second.tokens.first.count() <= 0.1);
  // A new limit holds from the next draw on, the other one stays.
  WorkQueue(*store, kLong).add(run, {"m", {}, {}, {.account = "openai:m", .requests_per_minute = 60}});
  const PaceGrant third = b.limits.draw(1, 1);
  CHECK(third.requests.each.count() == Approx(1));
  CHECK(third.tokens.each.count() == Approx(0.001));
  CHECK(queue_status(*store).at("rates").at(0).at("requests_per_minute") == 60.0);
}

// Spends until nothing is left. `sent` is what has left all processes, whoever of them was killed since.
int spend(const Place& place, RunId run, std::uint64_t seed, std::atomic<std::int64_t>& sent) {
  One one(place, run, milliseconds(500));
  Rng rng(fmt::format("spender {}", seed));
  std::int64_t untold = 0, held = 0;
  while (true) {
    const auto wanted = static_cast<std::int64_t>(1 + rng.below(1000));
    if (untold + wanted > held) {
      one.queue.beat(one.id, std::nullopt, {});
      const MoneyHeld got = one.limits.hold({std::exchange(untold, 0), 0, wanted});
      held = got.pico;
      if (held < wanted && !got.others_hold) return 0;
      if (held < wanted) {
        std::this_thread::sleep_for(milliseconds(20));
        continue;
      }
    }
    const auto cost = static_cast<std::int64_t>(1 + rng.below(static_cast<std::uint64_t>(wanted)));
    sent += cost;
    untold += cost;
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
}

void check_processes_never_spend_more(const Place& place) {
  constexpr std::int64_t kBudget = 4'000'000;
  void* memory = mmap(nullptr, sizeof(std::atomic<std::int64_t>), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  auto& sent = *new (memory) std::atomic<std::int64_t>(0);
  const RunId run = queue_run(*place.open(), dollars(static_cast<double>(kBudget) / kUsd));
  std::vector<pid_t> children;
  for (std::uint64_t seed = 0; seed < 5; ++seed)
    children.push_back(in_child([&] { return spend(place, run, seed, sent); }));
  for (int i = 0; i < 2; ++i) CHECK(kill_after(children[static_cast<std::size_t>(i)], 100'000) == -1);
  for (std::size_t i = 2; i < children.size(); ++i) CHECK(wait_for(children[i]) == 0);
  INFO(sent << " of " << kBudget);
  CHECK(sent <= kBudget);
  // Two have died with a share of a quarter at most each.
  CHECK(sent >= kBudget / 2);
  munmap(memory, sizeof(std::atomic<std::int64_t>));
}

constexpr std::array<PlaceCase, 7> kCases = {{
    {"a run without limits has none", check_no_limits},
    {"money is held by one worker at a time", check_money_is_held_once},
    {"what a dead worker held is spent", check_dead_have_spent},
    {"a budget is of one command and model", check_budgets_are_of_commands},
    {"limits go with their last run", check_limits_go_with_the_last_run},
    {"workers stand in one line", check_places_in_line},
    {"processes that are killed never spend more together", check_processes_never_spend_more},
}};

}  // namespace

TEST_CASE("limits of all workers: SQLite") { check_on_sqlite(kCases); }

TEST_CASE("limits of all workers: PostgreSQL") { check_on_postgres(kCases); }

}  // namespace micius
