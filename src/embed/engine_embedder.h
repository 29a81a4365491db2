// The embedder that runs in the engine.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/embedder.h"
#include "embed/vector_cache.h"
#include "engine/encoder.h"

namespace micius {

// Each text is worked out once while the cache has room for it. Calls that come while a batch runs are the
// next batch together. On the CPU a text's vector is the same bits whatever is asked with it.
class EngineEmbedder final : public Embedder {
 public:
  // `folder`: an encoder's. Throws what Encoder throws.
  EngineEmbedder(const std::filesystem::path& folder, const EncoderOptions& options,
                 std::size_t cache_bytes = std::size_t{64} << 20);

  std::size_t dim() const override { return encoder_.info().dim; }
  std::vector<float> embed(std::span<const std::string> texts) override;
  std::size_t count_tokens(std::string_view text) const override { return encoder_.count_tokens(text); }
  std::size_t max_tokens() const override { return encoder_.info().max_tokens; }
  std::string identity() const override { return identity_; }  // "all-minilm-l6-v2@<SHA-256 of the weights>"

 private:
  struct Call;
  void run_batch(std::unique_lock<std::mutex>& lock);

  Encoder encoder_;  // of the thread that set busy_
  const std::string identity_;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  VectorCache cache_;
  std::vector<Call*> waiting_;
  bool busy_ = false;  // a thread runs a batch
};

}  // namespace micius
