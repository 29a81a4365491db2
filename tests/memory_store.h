// A store in memory: runs and records as they were put in.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "core/store.h"

namespace micius {

class MemoryStore : public Store {
 public:
  RunId begin(const RunSpec& spec, std::int64_t batch) override {
    Run run;
    run.id = static_cast<RunId>(runs_.size() + 1);
    run.spec = spec;
    run.batch = batch;
    run.started = "2026-01-02T03:04:05Z";
    runs_.push_back(std::move(run));
    records_.emplace_back();
    return runs_.back().id;
  }
  void set_batch(RunId run, std::int64_t batch) override { runs_.at(index(run)).batch = batch; }
  void append(RunId run, const Record& record, std::int64_t = 0) override {
    records_.at(index(run)).push_back(record);
  }
  void finish(RunId run, RunStatus status, std::int64_t wall_ns, const std::optional<Estimate>&) override {
    runs_.at(index(run)).status = status;
    runs_.at(index(run)).wall_ns += wall_ns;
    runs_.at(index(run)).finished = "2026-01-02T03:05:05Z";
  }
  Run run(RunId run) const override { return runs_.at(index(run)); }
  std::vector<Run> runs() const override { return runs_; }
  Json overview() const override { return Json::array(); }
  DoneSet done(RunId run) const override {
    DoneSet set;
    for (const Record& record : records_.at(index(run)))
      if (!record.failure) set.emplace(record.sample.id, record.repeat);
    return set;
  }
  void for_each(RunId run, const std::function<void(const Record&)>& fn) const override {
    for (const Record& record : records_.at(index(run))) fn(record);
  }

 private:
  static std::size_t index(RunId run) { return static_cast<std::size_t>(run) - 1; }

  std::vector<Run> runs_;
  std::vector<std::vector<Record>> records_;
};

}  // namespace micius
