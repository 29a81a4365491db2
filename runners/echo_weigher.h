// Log-likelihoods from a server that echoes its prompt with log-probabilities.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/runner.h"
#include "net/api_queue.h"
#include "runners/api_link.h"

namespace micius {

// Each pair is a call of its own; a continuation's tokens are told from its context's by the count of the
// context's ids, where the server has /tokenize, else by their offsets in the text. White space at the
// context's end is the continuation's, as lm-eval has it.
class EchoWeigher {
 public:
  explicit EchoWeigher(ApiLink& link) : link_(link) {}
  EchoWeigher(const EchoWeigher&) = delete;
  EchoWeigher& operator=(const EchoWeigher&) = delete;

  // May the server have log-probabilities of a prompt, by its address? OpenAI's chat models have none.
  bool may_weigh() const;
  // Asks the server one fixed prompt, if it may have them. False, with a warning that says what gave it away,
  // where it gives no log-probabilities of a prompt. Throws Error{kIo} where it cannot be asked.
  bool probe(ApiQueue& queue);
  std::string how() const;  // "echo, split by ids" or "echo, split by offsets", once probe() was true

  // One call a pair of the request's LikelihoodInput. `sink` hears once, when the last has ended.
  void add_calls(const Request& request, CompletionSink& sink, std::vector<std::unique_ptr<ApiCall>>& calls);

  // Warns where a token belongs to a context and its continuation both, with their number so far. To be
  // called while nothing is under way.
  void report();

 private:
  class Call;
  class Probe;
  struct Weighing;
  enum class Split { kOffsets, kIds };

  std::string tokenize_url() const;

  ApiLink& link_;
  Split split_ = Split::kOffsets;
  // Of the queue's thread.
  std::size_t pairs_ = 0, straddles_ = 0;
  std::size_t reported_ = 0;
};

}  // namespace micius
