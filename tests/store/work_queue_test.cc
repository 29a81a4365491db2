// What every kind of store does with work that several processes share.
#include "store/work_queue.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/rng.h"
#include "processes.h"
#include "store/example_records.h"
#include "store/lease_store.h"
#include "store/queue_status.h"
#include "store/stores.h"

namespace micius {
namespace {

using std::chrono::milliseconds;

const SystemClock kClock;
constexpr milliseconds kLong{60'000};

// A run of `samples` samples in leases of `size`.
RunId queue_run(SqlStore& store, std::size_t samples, std::size_t size, const std::string& model = "m") {
  const RunId run = store.begin(example_spec(samples), 1);
  std::vector<WorkRange> ranges;
  for (std::size_t i = 0; i < samples; i += size) ranges.push_back({i, std::min(samples, i + size), 10});
  std::vector<Sample> made;
  for (std::size_t i = 0; i < samples; ++i) made.push_back(example_record(i).sample);
  std::vector<const Sample*> borrowed;
  for (const Sample& sample : made) borrowed.push_back(&sample);
  WorkQueue(store, kLong).add(run, {model, ranges, borrowed});
  return run;
}

std::vector<Record> records_of(const Lease& lease) {
  std::vector<Record> records;
  for (std::size_t i = lease.first; i < lease.end; ++i) records.push_back(example_record(i));
  return records;
}

std::size_t total(const Place& place) {
  return static_cast<std::size_t>(place.count("SELECT count(*) FROM records"));
}

void check_lease_by_lease(const Place& place) {
  const auto store = place.open();
  const RunId run = queue_run(*store, 10, 4);
  CHECK(place.count("SELECT count(*) FROM samples") == 10);
  WorkQueue queue(*store, kLong);
  const WorkerId a = queue.enter("a"), b = queue.enter("b");
  REQUIRE(queue.open_runs().size() == 1);
  CHECK(queue.open_runs().at(0).model == "m");
  const RunSpec spec = store->run(run).spec;
  const Lease first = queue.take(a, run).value(), second = queue.take(b, run).value();
  const Lease third = queue.take(a, run).value();
  CHECK(first.first == 0);
  CHECK(first.end == 4);
  CHECK(second.first == 4);
  CHECK(third.end == 10);
  CHECK_FALSE(queue.take(b, run));
  CHECK(queue.open_runs().empty());
  queue.give_back(third);
  CHECK(queue.take(b, run).value().first == 8);
  CHECK_FALSE(queue.beat(a, third, {run, "m", 1}));
  for (const Lease& lease : {first, second}) {
    const Kept kept = queue.keep(a, lease, {spec, records_of(lease), LeaseEnd::kDone});
    CHECK(kept.records == 4);
    CHECK(kept.late == 0);
    CHECK(kept.is_ours);
  }
  CHECK(queue.exhausted().empty());
  Lease last = third;
  ++last.taken;
  queue.keep(b, last, {spec, records_of(last), LeaseEnd::kDone});
  REQUIRE(queue.exhausted() == std::vector<RunId>{run});
  CHECK(store->run(run).status == RunStatus::kUnfinished);
  CHECK(queue.finish(run, std::nullopt));
  CHECK_FALSE(queue.finish(run, std::nullopt));
  CHECK(store->run(run).status == RunStatus::kComplete);
  CHECK(queued_runs(*store).empty());
  CHECK(total(place) == 10);
  CHECK(place.count("SELECT sum(records) FROM workers") == 10);
}

void check_late_results(const Place& place) {
  const auto store = place.open();
  const RunId run = queue_run(*store, 6, 6);
  WorkQueue hasty(*store, milliseconds(1)), queue(*store, kLong);
  const RunSpec spec = store->run(run).spec;
  const WorkerId slow = hasty.enter("slow"), fast = queue.enter("fast");
  const Lease lost = hasty.take(slow, run).value();
  std::this_thread::sleep_for(milliseconds(20));
  const Lease taken = queue.take(fast, run).value();
  CHECK(taken.id == lost.id);
  CHECK(taken.taken == lost.taken + 1);
  std::vector<Record> records = records_of(taken);
  // The slow one is first with two samples, the fast one with the others.
  const Kept early = queue.keep(slow, lost, {spec, std::span(records).first(2)});
  CHECK_FALSE(early.is_ours);
  CHECK(early.records == 2);
  CHECK(queue.done(taken).size() == 2);
  const Kept rest = queue.keep(fast, taken, {spec, records, LeaseEnd::kDone});
  CHECK(rest.is_ours);
  CHECK(rest.records == 4);
  CHECK(rest.late == 2);
  const Kept late = queue.keep(slow, lost, {spec, records, LeaseEnd::kDone});
  CHECK_FALSE(late.is_ours);
  CHECK(late.late == 6);
  CHECK(total(place) == 6);
  CHECK(place.count("SELECT count(*) FROM turns") == 12);
  CHECK(place.count("SELECT sum(late) FROM workers") == 8);
  CHECK_FALSE(queue.beat(slow, lost, {}));
}

void check_renewed(const Place& place) {
  const auto store = place.open();
  const RunId run = queue_run(*store, 2, 2);
  WorkQueue queue(*store, milliseconds(400));
  const WorkerId a = queue.enter("a"), b = queue.enter("b");
  const Lease lease = queue.take(a, run).value();
  for (int i = 0; i < 6; ++i) {
    std::this_thread::sleep_for(milliseconds(100));
    CHECK(queue.beat(a, lease, {run, "m", 2.5}));
    CHECK_FALSE(queue.take(b, run));
  }
}

void check_failed_are_replaced(const Place& place) {
  const auto store = place.open();
  const RunId run = queue_run(*store, 3, 3);
  WorkQueue queue(*store, kLong);
  const RunSpec spec = store->run(run).spec;
  const WorkerId worker = queue.enter("a");
  const Lease lease = queue.take(worker, run).value();
  const std::vector<Record> failed = {failed_record(0), example_record(1), failed_record(2)};
  CHECK(queue.keep(worker, lease, {spec, failed}).records == 3);
  CHECK(queue.done(lease) == DoneSet{{"s1", 0}});
  const std::vector<Record> again = {example_record(0), example_record(1), example_record(2)};
  const Kept kept = queue.keep(worker, lease, {spec, again});
  CHECK(kept.records == 2);
  CHECK(kept.late == 1);
  CHECK(store->done(run).size() == 3);
  std::size_t seen = 0;
  queue.for_each_score({0, 0, run, 1, 2}, [&](const Record& record) {
    CHECK(record.sample.id == "s1");
    ++seen;
  });
  CHECK(seen == 1);
}

void check_stopped(const Place& place) {
  const auto store = place.open();
  const RunId run = queue_run(*store, 4, 2);
  WorkQueue queue(*store, kLong);
  queue.stop(run, "auth: no");
  CHECK(queue.open_runs().empty());
  const WorkerId worker = queue.enter("a");
  CHECK_FALSE(queue.take(worker, run));
  CHECK(queue_status(*store).at("runs").at(0).at("reason") == "auth: no");
  queue.add(run, {"m", {}, {}});
  CHECK(queue.open_runs().size() == 1);
  CHECK(queue.take(worker, run));
  CHECK(place.count("SELECT count(*) FROM leases") == 2);
}

void check_holders(const Place& place) {
  const auto store = place.open();
  queue_run(*store, 2, 2, "one");
  queue_run(*store, 2, 2, "two");
  WorkQueue queue(*store, kLong);
  const WorkerId worker = queue.enter("a");
  queue.beat(worker, std::nullopt, {std::nullopt, "two", 0});
  REQUIRE(queue.open_runs().size() == 2);
  CHECK(queue.open_runs().at(0).holders == 0);
  CHECK(queue.open_runs().at(1).holders == 1);
  queue.leave(worker);
  CHECK(queue.open_runs().at(1).holders == 0);
}

void check_status(const Place& place) {
  const auto store = place.open();
  const RunId run = queue_run(*store, 100, 10);
  WorkQueue queue(*store, kLong), hasty(*store, milliseconds(1));
  const RunSpec spec = store->run(run).spec;
  const WorkerId worker = queue.enter("node1/7");
  const Lease lease = queue.take(worker, run).value();
  queue.keep(worker, lease, {spec, records_of(lease), LeaseEnd::kDone});
  queue.beat(worker, std::nullopt, {run, "m", 4.5});
  static_cast<void>(hasty.take(hasty.enter("dead"), run));
  std::this_thread::sleep_for(milliseconds(20));
  const Json status = queue_status(*store);
  CHECK(status.at("runs").at(0).at("done") == 10);
  CHECK(status.at("runs").at(0).at("leases") == 9);
  CHECK(status.at("runs").at(0).at("eta_s") == 20.0);
  CHECK(status.at("eta_s") == 20.0);
  REQUIRE(status.at("workers").size() == 1);
  CHECK(status.at("workers").at(0).at("name") == "node1/7");
  CHECK(status.at("workers").at(0).at("records") == 10);
  REQUIRE(status.at("stuck").size() == 1);
  CHECK(status.at("stuck").at(0).at("worker") == "dead");
}

// evaluate() sees the lease alone.
void check_lease_store(const Place& place) {
  const auto store = place.open();
  const RunId run = queue_run(*store, 6, 3);
  WorkQueue queue(*store, kLong);
  const RunSpec spec = store->run(run).spec;
  const WorkerId worker = queue.enter("a");
  store->append(run, example_record(0));
  store->append(run, example_record(4));
  const Lease lease = queue.take(worker, run).value();
  int lost = 0;
  const LeaseContext context{*store, queue, worker, spec, kClock, [&] { ++lost; }, {}};
  LeaseStore leased(context);
  CHECK(leased.add(lease) == DoneSet{{"s0", 0}});
  CHECK(leased.done(run) == DoneSet{{"s0", 0}});
  leased.append(run, example_record(1), 7);
  CHECK(total(place) == 2);  // it waits for others
  leased.append(run, example_record(2), 7);
  leased.finish(run, RunStatus::kComplete, 1, std::nullopt);
  CHECK(total(place) == 4);
  CHECK(leased.leases() == 1);
  CHECK(store->run(run).wall_ns == 15);
  CHECK(store->run(run).status == RunStatus::kUnfinished);
  const Lease next = queue.take(worker, run).value();
  LeaseStore given(context);
  given.add(next);
  given.append(run, example_record(3));
  given.finish(run, RunStatus::kUnfinished, 1, std::nullopt);
  CHECK(total(place) == 5);
  CHECK(given.leases() == 0);
  CHECK(queue.take(worker, run).value().taken == next.taken + 1);
  CHECK(lost == 0);
  given.append(run, example_record(5));
  given.finish(run, RunStatus::kComplete, 1, std::nullopt);
  CHECK(lost == 1);
}

// Leases that a worker has at the same time end each with its last record.
void check_leases_in_a_row(const Place& place) {
  const auto store = place.open();
  const RunId run = queue_run(*store, 6, 3);
  WorkQueue queue(*store, kLong);
  const RunSpec spec = store->run(run).spec;
  const WorkerId worker = queue.enter("a");
  std::vector<std::int64_t> ended;
  LeaseStore leased({*store, queue, worker, spec, kClock, [] { FAIL("not lost"); },
                     [&](const Lease& lease) { ended.push_back(lease.id); }});
  const Lease first = queue.take(worker, run).value(), second = queue.take(worker, run).value();
  CHECK(leased.add(first).empty());
  leased.append(run, example_record(0));
  leased.append(run, example_record(1));
  CHECK(leased.add(second).empty());
  leased.append(run, example_record(3), 5);
  CHECK(place.count("SELECT count(*) FROM leases") == 2);
  leased.append(run, example_record(2));
  CHECK(ended == std::vector<std::int64_t>{first.id});
  CHECK(place.count("SELECT count(*) FROM leases") == 1);
  CHECK(total(place) == 4);
  leased.append(run, example_record(5));
  leased.finish(run, RunStatus::kUnfinished, 2, std::nullopt);
  CHECK(leased.leases() == 1);
  CHECK(leased.records() == 5);
  CHECK(store->run(run).wall_ns == 7);
  CHECK(queue.take(worker, run).value().id == second.id);  // it was given back
  CHECK(queue.done(second).size() == 2);
}

// Takes and does leases until there is none. Some die in the middle of one.
int work_until_done(const Place& place, RunId run, std::uint64_t seed) {
  const auto store = place.open(OpenMode::kExisting);
  WorkQueue queue(*store, milliseconds(500));
  const RunSpec spec = store->run(run).spec;
  const WorkerId worker = queue.enter(fmt::format("child {}", seed));
  Rng rng(fmt::format("worker {}", seed));
  while (place.open(OpenMode::kExisting)->run(run).status == RunStatus::kUnfinished) {
    const std::optional<Lease> lease = queue.take(worker, run);
    if (!lease) {
      for (const RunId done : queue.exhausted()) queue.finish(done, std::nullopt);
      std::this_thread::sleep_for(milliseconds(20));
      continue;
    }
    const std::vector<Record> records = records_of(*lease);
    queue.keep(worker, *lease, {spec, std::span(records).first(records.size() / 2)});
    if (rng.below(8) == 0) return 7;
    queue.keep(worker, *lease,
               {spec, std::span(records).last(records.size() - records.size() / 2), LeaseEnd::kDone});
  }
  return 0;
}

void check_processes_share(const Place& place) {
  constexpr std::size_t kSamples = 400;
  const RunId run = queue_run(*place.open(), kSamples, 7);
  std::vector<pid_t> children;
  std::uint64_t seed = 0;
  const auto begin_one = [&] {
    const std::uint64_t mine = seed++;
    children.push_back(in_child([&] { return work_until_done(place, run, mine); }));
  };
  for (int i = 0; i < 4; ++i) begin_one();
  for (std::size_t i = 0; i < children.size(); ++i) {
    const int status = wait_for(children[i]);
    CHECK((status == 0 || status == 7));
    if (status == 7) begin_one();
  }
  const auto store = place.open(OpenMode::kExisting);
  CHECK(store->run(run).status == RunStatus::kComplete);
  CHECK(store->done(run).size() == kSamples);
  CHECK(total(place) == kSamples);
  CHECK(place.count("SELECT count(*) FROM turns") == 2 * kSamples);
  CHECK(place.count("SELECT sum(records) FROM workers") == kSamples);
  CHECK(place.count("SELECT count(*) FROM leases") == 0);
}

constexpr std::array<PlaceCase, 10> kCases = {{
    {"a run is done lease by lease, and finished once", check_lease_by_lease},
    {"of two holders of a lease the first result is kept, late ones are counted", check_late_results},
    {"a lease lasts while it is renewed", check_renewed},
    {"failed records make room, good ones do not", check_failed_are_replaced},
    {"a stopped run waits until it is added again", check_stopped},
    {"who has which model is known", check_holders},
    {"the status tells what is left, how fast, and what is stuck", check_status},
    {"the store of a lease", check_lease_store},
    {"leases in a row", check_leases_in_a_row},
    {"processes that die share a run, and every record is there once", check_processes_share},
}};

}  // namespace

TEST_CASE("a queue of work: SQLite") { check_on_sqlite(kCases); }

TEST_CASE("a queue of work: PostgreSQL") { check_on_postgres(kCases); }

}  // namespace micius
