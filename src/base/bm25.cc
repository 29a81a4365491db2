#include "base/bm25.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "base/text.h"

namespace micius {
namespace {

constexpr double kK1 = 1.2, kB = 0.75;

}  // namespace

std::vector<std::string> search_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : lower_ascii(text) + " ") {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

Bm25::Bm25(std::span<const std::string> documents) : documents_(documents.size()) {
  std::vector<std::map<std::string, int>> counts;
  std::vector<double> lengths;
  for (const std::string& document : documents) {
    const std::vector<std::string> words = search_words(document);
    auto& of_document = counts.emplace_back();
    for (const std::string& word : words) ++of_document[word];
    lengths.push_back(static_cast<double>(words.size()));
  }
  const double n = static_cast<double>(documents_);
  const double mean_length = std::accumulate(lengths.begin(), lengths.end(), 0.0) / std::max(1.0, n);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (const auto& [word, times] : counts[i]) {
      const double norm = kK1 * (1 - kB + kB * lengths[i] / mean_length);
      postings_[word].push_back({i, times * (kK1 + 1) / (times + norm)});
    }
  }
  for (auto& [word, postings] : postings_) {
    const double df = static_cast<double>(postings.size());
    for (Posting& posting : postings) posting.weight *= std::log(1 + (n - df + 0.5) / (df + 0.5));
  }
}

std::vector<std::size_t> Bm25::best(std::string_view query, std::size_t k) const {
  std::vector<double> scores(documents_, 0);
  const auto words = search_words(query);
  for (const std::string& word : std::set<std::string>(words.begin(), words.end())) {
    const auto it = postings_.find(word);
    if (it == postings_.end()) continue;
    for (const Posting& posting : it->second) scores[posting.document] += posting.weight;
  }
  std::vector<std::size_t> order(documents_);
  std::iota(order.begin(), order.end(), 0);
  k = std::min(k, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
      [&](std::size_t a, std::size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  order.resize(k);
  return order;
}

}  // namespace micius
