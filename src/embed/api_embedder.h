// The embedder behind an API: OpenAI's /embeddings, whoever serves it.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/embedder.h"
#include "embed/vector_cache.h"
#include "net/api_queue.h"
#include "net/http.h"

namespace micius {

struct ApiEmbedderOptions {
  std::string url = {};  // with /v1
  std::string model = {};
  std::string key = {};  // sent as a bearer token; in no message
  std::size_t concurrency = 4;
  int retries = 7;
  std::chrono::seconds timeout{600};  // of one attempt
  std::chrono::milliseconds first_wait{500};
  std::size_t max_tokens = 8191;
  std::size_t cache_bytes = std::size_t{64} << 20;
  std::string user_agent = "micius", ca_file = {};
};

// Each text is asked for once while the cache has room for it, in requests of at most 2,048 texts.
class ApiEmbedder final : public Embedder {
 public:
  // Asks for the vector of one word, to know how long vectors are. Throws Error{kIo} as embed() does.
  explicit ApiEmbedder(const ApiEmbedderOptions& options);

  std::size_t dim() const override { return dim_; }
  std::vector<float> embed(std::span<const std::string> texts) override;
  // An estimate from the bytes, mostly too high: the tokens of the server are not known here.
  std::size_t count_tokens(std::string_view text) const override { return (text.size() + 2) / 3; }
  std::size_t max_tokens() const override { return options_.max_tokens; }
  std::string identity() const override { return options_.model + "@" + options_.url; }

 private:
  class Call;

  std::vector<std::vector<float>> ask(const std::vector<std::string>& texts);
  HttpRequest request_for(std::span<const std::string> texts) const;

  const ApiEmbedderOptions options_;
  std::size_t dim_ = 0;
  bool takes_base64_ = true;  // of the queue's thread

  std::mutex mutex_;  // of the cache
  VectorCache cache_;
  HttpClient client_;
  ApiQueue queue_;  // the last: its thread uses what is above
};

}  // namespace micius
