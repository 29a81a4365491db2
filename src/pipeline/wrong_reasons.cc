#include "pipeline/wrong_reasons.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "base/text.h"

namespace micius {
namespace {

constexpr std::size_t kMost = 8, kPartLength = 80;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// What stands in single quotes is "…"; an apostrophe within a word is none.
std::string without_quoted(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\'' || (i > 0 && is_word(text[i - 1]))) {
      result += text[i];
      continue;
    }
    std::size_t end = text.find('\'', i + 1);
    while (end != std::string_view::npos && end + 1 < text.size() && is_word(text[end + 1]))
      end = text.find('\'', end + 1);
    result += "…";
    if (end == std::string_view::npos) break;
    i = end;
  }
  return result;
}

std::string_view without_details(std::string_view part) {
  for (std::size_t colon = part.find(": "); colon != std::string_view::npos;
       colon = part.find(": ", colon + 1))
    if (part.substr(0, colon).find(' ') != std::string_view::npos) return part.substr(0, colon);
  return part;
}

std::string with_an_end(std::string_view part) {
  std::size_t end = 0;
  for (std::size_t n = 0; n < kPartLength && end < part.size(); ++n) next_code_point(part, end);
  return end == part.size() ? std::string(part) : std::string(part.substr(0, end)) + "…";
}

}  // namespace

std::vector<std::string> common_parts(std::string_view reason) {
  const std::string text = without_quoted(reason);
  std::set<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find("; ", begin), text.size());
    const std::string_view part = std::string_view(text).substr(begin, end - begin);
    if (!part.empty()) parts.insert(with_an_end(without_details(part)));
    begin = end + 2;
  }
  return {parts.begin(), parts.end()};
}

void WrongReasonsTally::add(const Score& score) {
  if (score.verdict == Verdict::kCorrect || score.verdict == Verdict::kUnscored) return;
  ++n_;
  for (std::string& part : common_parts(score.reason)) ++counts_[std::move(part)];
}

WrongAnswers WrongReasonsTally::wrong() const {
  std::vector<WrongReason> reasons;
  for (const auto& [words, n] : counts_)
    if (n > 1) reasons.push_back({words, n});
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const WrongReason& a, const WrongReason& b) { return a.n > b.n; });
  reasons.resize(std::min(reasons.size(), kMost));
  return {n_, std::move(reasons)};
}

}  // namespace micius
