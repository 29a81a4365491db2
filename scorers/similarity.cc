#include "scorers/similarity.h"

#include <algorithm>
#include <vector>

#include "base/files.h"

namespace micius {
namespace {

constexpr std::size_t kMaxWindowBytes = 8192;  // a window of more is no text that a reference has

double cosine(const float* a, const float* b, std::size_t dim) {
  double sum = 0;
  for (std::size_t i = 0; i < dim; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return std::clamp(sum, 0.0, 1.0);
}

std::vector<std::string> windows_of(Embedder& embedder, std::string_view text) {
  const std::size_t most = embedder.max_tokens();
  std::vector<std::string> windows(1);
  std::size_t used = 0;
  for_each_line(text, [&](std::string_view line, std::size_t) {
    line = line.substr(0, kMaxWindowBytes);
    const std::size_t tokens = embedder.count_tokens(line);
    if (!windows.back().empty() && used + tokens > most) {
      windows.emplace_back();
      used = 0;
    }
    windows.back() += line;
    windows.back() += '\n';
    used += tokens;
  });
  return windows;
}

}  // namespace

double cosine_of(Embedder& embedder, const std::string& a, const std::string& b) {
  if (a == b) return 1;
  const std::vector<std::string> texts = {a, b};
  const std::vector<float> vectors = embedder.embed(texts);
  const std::size_t dim = embedder.dim();
  return cosine(vectors.data(), vectors.data() + dim, dim);
}

double long_similarity(Embedder& embedder, std::string_view a, std::string_view b) {
  if (a == b) return 1;
  const std::vector<std::string> left = windows_of(embedder, a), right = windows_of(embedder, b);
  double sum = 0;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (left[i] == right[i]) {
      sum += 1;
    } else {
      texts.push_back(left[i]);
      texts.push_back(right[i]);
    }
  }
  const std::vector<float> vectors = texts.empty() ? std::vector<float>() : embedder.embed(texts);
  const std::size_t dim = embedder.dim();
  for (std::size_t i = 0; i + 1 < texts.size(); i += 2)
    sum += cosine(vectors.data() + i * dim, vectors.data() + (i + 1) * dim, dim);
  return sum / static_cast<double>(std::max(left.size(), right.size()));
}

}  // namespace micius
