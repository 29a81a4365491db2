// Search by words among short texts.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

// Runs of ASCII letters and digits, in lower case.
std::vector<std::string> search_words(std::string_view text);

// BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009; k1 1.2, b 0.75, the idf that is
// never negative: ln(1 + (N - n + 0.5) / (n + 0.5))). Keeps no text. Safe to call from several threads.
class Bm25 {
 public:
  explicit Bm25(std::span<const std::string> documents);

  // The k best documents, best first; equal scores in their order. Fewer only where there are fewer. A word
  // of the query counts once.
  std::vector<std::size_t> best(std::string_view query, std::size_t k) const;

 private:
  struct Posting {
    std::size_t document;
    double weight;  // the word's part of the document's score
  };

  std::size_t documents_;
  std::map<std::string, std::vector<Posting>, std::less<>> postings_;
};

}  // namespace micius
