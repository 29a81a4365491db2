#include "store/batch_ledger.h"

#include <optional>
#include <utility>

#include "store/open_store.h"
#include "store/sql_internal.h"

namespace micius {
namespace {

class SqlBatchLedger final : public BatchLedger {
 public:
  SqlBatchLedger(std::unique_ptr<SqlStore> store, RunId run, const Clock& clock)
      : store_(std::move(store)),
        database_(store_->database()),
        run_(static_cast<std::int64_t>(run)),
        clock_(clock) {}

  std::vector<SentBatch> sent() const override {
    std::vector<SentBatch> batches;
    Statement row(database_,
                  "SELECT batch_ref, token, batch_id, sent_at, requests, question FROM batches JOIN "
                  "batch_questions USING (batch_ref) WHERE run_id = ? ORDER BY batch_ref, question");
    row.bind(run_);
    while (row.step()) {
      if (batches.empty() || batches.back().ref != row.integer(0)) {
        batches.push_back({row.integer(0),
                           row.text(1),
                           row.is_null(2) ? std::nullopt : std::optional(row.text(2)),
                           row.text(3),
                           static_cast<std::size_t>(row.integer(4)),
                           {}});
      }
      batches.back().questions.push_back(row.text(5));
    }
    return batches;
  }

  std::int64_t add(const std::string& token, const std::vector<std::string>& questions) override {
    std::int64_t ref = 0;
    database_.transact([&] {
      Statement batch(database_,
                      "INSERT INTO batches (run_id, token, sent_at, requests) VALUES (?, ?, ?, ?) "
                      "RETURNING batch_ref");
      batch.bind(run_, token, format_utc(clock_.utc()), questions.size());
      batch.step();
      ref = batch.integer(0);
      batch.reset();
      Statement add(database_, "INSERT INTO batch_questions (batch_ref, question) VALUES (?, ?)");
      for (const std::string& question : questions) add.run(ref, question);
    });
    return ref;
  }

  void name(std::int64_t ref, const std::string& batch_id) override {
    database_.transact([&] {
      Statement(database_, "UPDATE batches SET batch_id = ? WHERE batch_ref = ?").run(batch_id, ref);
    });
  }

  void forget(std::int64_t ref, const std::vector<std::string>& questions) override {
    database_.transact([&] {
      Statement drop(database_, "DELETE FROM batch_questions WHERE batch_ref = ? AND question = ?");
      for (const std::string& question : questions) drop.run(ref, question);
    });
  }

 private:
  const std::unique_ptr<SqlStore> store_;
  Database& database_;
  const std::int64_t run_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<BatchLedger> open_batch_ledger(const std::string& database, RunId run, const Clock& clock,
                                               Log* log) {
  return std::make_unique<SqlBatchLedger>(open_store(database, OpenMode::kExisting, clock, log), run, clock);
}

}  // namespace micius
