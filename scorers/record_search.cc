#include "scorers/record_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr double kK1 = 1.2, kB = 0.75;
constexpr std::size_t kMostResults = 6;

std::vector<std::string> words_in(std::string_view text) {
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

}  // namespace

Json shown_record(const Json& record) {
  Json shown = Json::object();
  for (const char* key : {"hardware", "sku", "workload"}) shown[key] = record.at(key);
  for (const char* key : {"precision", "count", "nodes", "scenario"}) {
    const auto it = record.find(key);
    if (it != record.end() && !it->is_null()) shown[key] = *it;
  }
  Json results = Json::object();
  for (const auto& [metric, value] : record.at("results").items()) {
    if (results.size() == kMostResults) break;
    results[metric] = value;
  }
  shown["results"] = std::move(results);
  return shown;
}

RecordSearch::RecordSearch(const std::filesystem::path& pool) {
  std::vector<std::map<std::string, int>> counts;
  std::vector<double> lengths;
  for_each_line(read_file(pool), [&](std::string_view line, std::size_t number) {
    const std::string where = fmt::format("{}:{}", pool.string(), number);
    records_.push_back(parse_json(line, where));
    const JsonFields fields(records_.back(), where);
    const auto words = words_in(fields.string("hardware") + " " + fields.string_or("sku", "") + " " +
                                fields.string("workload"));
    auto& of_record = counts.emplace_back();
    for (const std::string& word : words) ++of_record[word];
    lengths.push_back(static_cast<double>(words.size()));
  });
  const double n = static_cast<double>(records_.size());
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

std::vector<std::size_t> RecordSearch::best(std::string_view query, std::size_t k) const {
  std::vector<double> scores(records_.size(), 0);
  const auto words = words_in(query);
  for (const std::string& word : std::set<std::string>(words.begin(), words.end())) {
    const auto it = postings_.find(word);
    if (it == postings_.end()) continue;
    for (const Posting& posting : it->second) scores[posting.record] += posting.weight;
  }
  std::vector<std::size_t> order(records_.size());
  std::iota(order.begin(), order.end(), 0);
  k = std::min(k, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
      [&](std::size_t a, std::size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  order.resize(k);
  return order;
}

}  // namespace micius
