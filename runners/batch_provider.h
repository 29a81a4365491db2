// How a provider takes many questions at once and gives their answers later.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "core/batch_ledger.h"
#include "runners/api_shape.h"
#include "runners/batch_wire.h"

namespace micius {

struct BatchState {
  enum class Stage {
    kGoing,
    kEnded,      // what was answered, failed and expired is there
    kCancelled,  // by somebody: some of it is there
    kFailed,     // nothing of it was asked
    kGone,       // the provider does not know it, or does not any more
  };
  Stage stage = Stage::kGoing;
  std::string message = {};               // of kFailed
  std::vector<std::string> results = {};  // where they are
};

// What became of one question.
struct BatchOutcome {
  enum class Kind { kRead, kExpired, kCancelled };
  std::string id = {};
  Kind kind = Kind::kRead;
  ApiReading reading = ApiReply{};  // of kRead
  int status = 200;                 // as of HTTP
  std::string request_id = {};
  std::size_t bytes = 0;
};

// What became of a request to make a batch.
struct BatchMaking {
  enum class Kind {
    kMade,
    kNotMade,
    kUnknown,  // it may have been made without its id being heard
  };
  Kind kind = Kind::kMade;
  std::string id = {};  // of kMade
  ApiEnd why = {};      // of the others
};

struct BatchLimits {
  std::size_t rows = 0, bytes = 0;  // of one batch
};

// Its steps wait for the network. For one thread.
class BatchProvider {
 public:
  virtual ~BatchProvider() = default;
  virtual BatchLimits limits() const = 0;
  // A question as a batch holds it, in one line without its end. `id`: up to 64 of A-Z a-z 0-9 - _
  virtual std::string row(const std::string& id, const Json& body) const = 0;
  virtual BatchMaking create(const std::vector<std::string>& rows, const std::string& token) = 0;
  // Ids of batches that may be this one, which was made, or not, without its id being heard. None only where
  // the provider's list was read to its end.
  virtual BatchStep<std::vector<std::string>> find(const SentBatch& batch) = 0;
  virtual BatchStep<BatchState> state(const std::string& batch_id) = 0;
  // Calls `fn` for what became of each question, in any order; lines that are none are left out. Absent ones
  // at the end are nobody's.
  using OnOutcome = std::function<void(BatchOutcome outcome)>;
  virtual BatchStep<std::monostate> results(const BatchState& state, const OnOutcome& fn) = 0;
};

// Both must outlive it. Azure's is OpenAI's but for a path.
std::unique_ptr<BatchProvider> openai_batches(BatchWire& wire, const ApiShape& shape, ApiKind kind,
                                              const Clock& clock);
std::unique_ptr<BatchProvider> anthropic_batches(BatchWire& wire, const ApiShape& shape, const Clock& clock);

// What the answer to a request to make a batch says.
BatchMaking making_of(const BatchStep<WireAnswer>& answer);

// Calls `fn` for the batches of the list at `path` until it says false. kStop and "batch" for a list that
// cannot be read to its end: what is not seen in it may still be there. `after`: the parameter that asks for
// the next page.
using OnListed = std::function<bool(const std::string& id, const Json& batch)>;
BatchStep<std::monostate> for_each_listed(BatchWire& wire, const std::string& path, const char* after,
                                          const OnListed& fn);

// The lines of a results file that are JSON objects, with their sizes.
void for_each_row(const std::string& body, const std::function<void(const Json&, std::size_t)>& fn);

}  // namespace micius
