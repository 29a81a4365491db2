// Vectors of texts, the last used ones.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace micius {

// For one thread.
class VectorCache {
 public:
  // Keeps at most about `bytes` of texts and vectors.
  explicit VectorCache(std::size_t bytes) : room_(bytes) {}
  VectorCache(const VectorCache&) = delete;
  VectorCache& operator=(const VectorCache&) = delete;

  // Null if it is not there; else valid until the next put().
  const std::vector<float>* find(std::string_view text);
  // Does nothing for a text that is there or needs more than all the room.
  void put(std::string_view text, std::vector<float> vector);

  std::size_t size() const { return places_.size(); }  // texts

 private:
  struct Entry {
    std::string text;
    std::vector<float> vector;
  };
  static std::size_t cost(std::string_view text, const std::vector<float>& vector);

  std::size_t room_;                                                         // bytes that are left
  std::list<Entry> entries_;                                                 // the last used one first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> places_;  // keys are views of entries_
};

}  // namespace micius
