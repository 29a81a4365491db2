// The paper's two tables of DiffQKV's gain (arXiv 2501.13629, CEET and KET) on this machine: Sigma-1.5B
// against STD, its baseline. Parts are measured for random weights and put together here; norms, RoPE and
// sampling, which are the same for both, are left out.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace micius {

// Seconds of one layer at measured contexts; in between, and behind the last, on straight lines.
struct Curve {
  std::vector<std::size_t> contexts;  // rising, two at least
  std::vector<double> seconds;

  double at(std::size_t context) const;
  // Of `tokens` tokens generated behind `prefix`.
  double sum(std::size_t prefix, std::size_t tokens) const;
};

struct PaperModel {
  Curve attention;         // in place
  Curve copy;              // what torch.cat copies
  Curve copied_attention;  // of what was copied just now
  double augmented_q = 0;  // seconds a layer and token; 0 for STD
  double linear = 0;       // the layer's other matrices
};

struct PaperTimes {
  std::size_t layers = 0;
  double head = 0;  // seconds a token
  PaperModel sigma, standard;
};

enum class KvCost { kInPlace, kCopied };
enum class PaperSum { kAttentionLayer, kWholeStep };  // the first: KV cache, attention and AugQ

// Seconds of all layers for one token at each measured context.
Curve paper_curve(const PaperTimes& times, const PaperModel& model, KvCost cost, PaperSum sum);
// The context from which on `sigma` is not above `standard` at any measured context: on the line between two,
// or on that behind the last. Absent if the lines part.
std::optional<double> crossing(const Curve& sigma, const Curve& standard);
// The tables as Markdown.
std::string paper_text(const PaperTimes& times);

std::unique_ptr<Command> make_bench_paper_command();

}  // namespace micius
