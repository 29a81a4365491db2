// The store in a database, whichever kind it is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/store.h"
#include "store/run_file.h"

namespace micius {

class Database;

enum class OpenMode {
  kCreate,    // what is not there is made
  kExisting,  // what is not there is Error{kNotFound}
};

// A run that came from elsewhere. `is_new`: it was not there yet.
struct ImportedRun {
  RunId id{};
  bool is_new = true;
};

// Holds all that is the same for every kind of database. It is opened as one of them.
class SqlStore : public Store {
 public:
  ~SqlStore() override;

  [[nodiscard]] RunId begin(const RunSpec& spec, std::int64_t batch) override;
  void set_batch(RunId run, std::int64_t batch) override;
  void append(RunId run, const Record& record, std::int64_t wall_ns = 0) override;
  void append_all(RunId run, std::span<const Record> records, std::int64_t wall_ns) override;
  void finish(RunId run, RunStatus status, std::int64_t wall_ns,
              const std::optional<Estimate>& primary) override;
  [[nodiscard]] Run run(RunId run) const override;
  [[nodiscard]] std::vector<Run> runs() const override;
  [[nodiscard]] Json overview() const override;
  [[nodiscard]] DoneSet done(RunId run) const override;
  // Reads ahead in pages, so `fn` may use this store, also to append.
  void for_each(RunId run, const std::function<void(const Record&)>& fn) const override;
  void for_each_score(RunId run, const std::function<void(const Record&)>& fn) const override;

  // What messages call the database: a path, or a URL without its password.
  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] Database& database() const;  // for what else is kept in it

  // RunSpec::notes, in place of those that are there.
  void set_notes(RunId run, const std::vector<std::string>& notes);

  // Takes the runs that fill(sink) hands over, each under a new number and in batch 0; a run that is there
  // already, to the last byte, is not taken again. All of them are there once this returns, none where it
  // throws. `primary` gives the estimate that finish() would be given; it may read this store.
  std::vector<ImportedRun> take_runs(const std::function<void(RunSink&)>& fill,
                                     const std::function<std::optional<Estimate>(RunId)>& primary);

  // Named reference runs. A name that is there gets the new runs; one that is not is Error{kNotFound} with
  // the nearest.
  void set_baseline(const std::string& name, const std::vector<RunId>& runs);
  [[nodiscard]] std::vector<RunId> baseline(const std::string& name) const;
  void remove_baseline(const std::string& name);
  [[nodiscard]] std::vector<std::string> baselines() const;  // in alphabetical order

 protected:
  // A database whose schema is up to date. `clock` must outlive the store.
  SqlStore(std::unique_ptr<Database> database, const Clock& clock);

 private:
  void add_wall(RunId run, std::int64_t wall_ns);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace micius
