// Asks a batch API one thing and waits for the answer.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <variant>

#include "net/api_queue.h"
#include "net/http.h"
#include "runners/api_link.h"

namespace micius {

// What was asked for, or why the asking ended without it: ApiEnd::next is kFail or kStop.
template <typename T>
using BatchStep = std::variant<T, ApiEnd>;

struct WireAnswer {
  int status = 200;  // of GET also 404
  std::string body;
};

// The link is its queues' while a call waits, and the caller's between calls. For one thread, but for
// cancel().
class BatchWire {
 public:
  // `link` must outlive it.
  explicit BatchWire(ApiLink& link);

  BatchStep<WireAnswer> get(const std::string& path);
  struct Content {
    std::string type, bytes;
  };
  enum class Tries {
    kMany,  // as any request
    kOne,   // what asks for work is not repeated blindly
  };
  BatchStep<WireAnswer> post(const std::string& path, const Content& content, Tries tries);

  // Ends what is under way, and what is asked before resume(), with kFail and "cancelled", soon. From any
  // thread, both.
  void cancel();
  void resume();

 private:
  class Call;
  BatchStep<WireAnswer> ask(HttpRequest request, Tries tries);

  ApiQueue& queue_for(Tries tries);

  ApiLink& link_;
  HttpClient client_;
  ApiQueue queue_;
  std::atomic<bool> is_cancelled_ = false;
  std::mutex mutex_;  // of the next two against cancel()
  // Made anew for each use: libcurl sends again what dies on a used connection.
  std::unique_ptr<HttpClient> careful_client_;
  std::unique_ptr<ApiQueue> careful_queue_;
};

// The JSON object of an answer. What is none is kFail and "bad_response".
BatchStep<Json> object_of(const BatchStep<WireAnswer>& answer);

// The text at a key that goes into an address: letters, digits, - and _ alone. kFail and "bad_response" for
// anything else.
BatchStep<std::string> id_at(const Json& json, const char* key);

}  // namespace micius
