#include "embed/vector_cache.h"

#include <utility>

namespace micius {

std::size_t VectorCache::cost(std::string_view text, const std::vector<float>& vector) {
  constexpr std::size_t kOverhead = 160;  // of a list's and a map's node
  return text.size() + vector.size() * sizeof(float) + kOverhead;
}

const std::vector<float>* VectorCache::find(std::string_view text) {
  const auto place = places_.find(text);
  if (place == places_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, place->second);
  return &place->second->vector;
}

void VectorCache::put(std::string_view text, std::vector<float> vector) {
  const std::size_t needed = cost(text, vector);
  if (places_.count(text) != 0) return;
  while (room_ < needed && !entries_.empty()) {
    room_ += cost(entries_.back().text, entries_.back().vector);
    places_.erase(entries_.back().text);
    entries_.pop_back();
  }
  if (room_ < needed) return;
  room_ -= needed;
  entries_.push_front({std::string(text), std::move(vector)});
  places_.emplace(entries_.front().text, entries_.begin());
}

}  // namespace micius
