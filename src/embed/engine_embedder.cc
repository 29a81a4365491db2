#include "embed/engine_embedder.h"

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/files.h"
#include "base/hash.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

std::string identity_of(const fs::path& folder) {
  std::vector<fs::path> weights;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors") weights.push_back(entry.path());
  }
  std::sort(weights.begin(), weights.end());
  Sha256 hash;
  for (const fs::path& file : weights) hash.update(MappedFile(file).text());
  return fmt::format("{}@{}", fs::canonical(folder).filename().string(), hash.hex());
}

}  // namespace

// The texts of one embed() that the cache lacks, each once.
struct EngineEmbedder::Call {
  std::vector<std::string> texts;
  std::vector<std::vector<float>> vectors;  // of texts, once done
  std::exception_ptr failure;
  bool done = false;
};

EngineEmbedder::EngineEmbedder(const fs::path& folder, const EncoderOptions& options, std::size_t cache_bytes)
    : encoder_(folder, options), identity_(identity_of(folder)), cache_(cache_bytes) {}

std::vector<float> EngineEmbedder::embed(std::span<const std::string> texts) {
  std::vector<float> rows(texts.size() * dim());
  const auto put = [&](std::size_t row, const std::vector<float>& vector) {
    std::copy(vector.begin(), vector.end(), rows.begin() + static_cast<std::ptrdiff_t>(row * dim()));
  };
  Call call;
  std::map<std::string_view, std::size_t> places;            // in call.texts
  std::vector<std::pair<std::size_t, std::size_t>> missing;  // (row, place)
  std::unique_lock lock(mutex_);
  for (std::size_t row = 0; row < texts.size(); ++row) {
    if (const std::vector<float>* vector = cache_.find(texts[row])) {
      put(row, *vector);
      continue;
    }
    const auto [place, is_new] = places.emplace(texts[row], call.texts.size());
    if (is_new) call.texts.push_back(texts[row]);
    missing.emplace_back(row, place->second);
  }
  if (missing.empty()) return rows;
  waiting_.push_back(&call);
  while (!call.done) {
    if (busy_) {
      changed_.wait(lock);
    } else {
      run_batch(lock);
    }
  }
  if (call.failure) std::rethrow_exception(call.failure);
  for (const auto& [row, place] : missing) put(row, call.vectors[place]);
  return rows;
}

// Works out what is waiting; the lock is open meanwhile.
void EngineEmbedder::run_batch(std::unique_lock<std::mutex>& lock) {
  busy_ = true;
  const std::vector<Call*> batch = std::exchange(waiting_, {});
  lock.unlock();
  std::vector<std::string> texts;
  std::vector<float> rows;
  std::exception_ptr failure;
  try {  // what fails here fails in every call of the batch
    for (const Call* call : batch) texts.insert(texts.end(), call->texts.begin(), call->texts.end());
    rows = encoder_.embed(texts);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  try {  // and what fails here must wake those who wait as well
    const float* next = rows.data();
    for (Call* call : batch) {
      for (std::size_t i = 0; i < call->texts.size() && !failure; ++i, next += dim()) {
        cache_.put(call->texts[i], {next, next + dim()});
        call->vectors.emplace_back(next, next + dim());
      }
    }
  } catch (...) {
    failure = std::current_exception();
  }
  for (Call* call : batch) {
    call->failure = failure;
    call->done = true;
  }
  busy_ = false;
  changed_.notify_all();
}

}  // namespace micius
