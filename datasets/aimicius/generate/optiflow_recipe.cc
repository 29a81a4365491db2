#include "optiflow_recipe.h"

#include <utility>

#include <fmt/ranges.h>

#include "base/error.h"
#include "base/files.h"
#include "plan/baselines.h"

namespace micius::aimicius::optiflow {
namespace {

using plan::Machine;
using plan::Plan;

const char* word_of(Method method) {
  switch (method) {
    case Method::kNaive:
      return "naive";
    case Method::kDirect:
      return "direct";
    case Method::kRing:
      return "ring";
    case Method::kDoubling:
      return "doubling";
    case Method::kHierarchical:
      return "hierarchical";
    case Method::kGreedy:
      return "greedy";
  }
  return "";
}

std::optional<Plan> rounds_of(const Recipe& recipe, const Machine& machine, int chunks) {
  switch (recipe.method) {
    case Method::kNaive:
      return plan::naive_plan(machine, chunks);
    case Method::kDirect:
      return plan::direct_plan(machine, chunks);
    case Method::kRing:
      return plan::ring_plan(recipe.ring, chunks);
    case Method::kDoubling:
      return plan::doubling_plan(machine, chunks);
    case Method::kHierarchical:
      return plan::hierarchical_plan(machine, chunks, recipe.group);
    case Method::kGreedy:
      return plan::greedy_plan(machine, chunks, recipe.greedy);
  }
  return std::nullopt;
}

// Sets the constant of the line `NAME = ...`, up to its comment.
void set(std::string& program, const std::string& name, const std::string& value) {
  const std::string mark = "\n" + name + " = ";
  const std::size_t at = ("\n" + program).find(mark);
  if (at == std::string::npos) fail(ErrorCode::kInvalidData, "baselines: a program without '{} = ...'", name);
  const std::size_t begin = at + mark.size() - 1;
  const std::size_t end = std::min(program.find("  # ", begin), program.find('\n', begin));
  program.replace(begin, end - begin, value);
}

std::string list_text(const std::vector<int>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ", "));
}

// Who can exchange data with whom, as a Python dictionary.
std::string links_text(const Machine& machine) {
  std::vector<std::string> rows;
  bool all = true;
  for (int src = 0; src < machine.gpus(); ++src) {
    std::vector<int> others;
    for (int dst = 0; dst < machine.gpus(); ++dst) {
      if (machine.connected(src, dst))
        others.push_back(dst);
      else
        all = all && src == dst;
    }
    rows.push_back(fmt::format("{}: {}", src, list_text(others)));
  }
  if (all) return "{a: [b for b in range(GPU_COUNT) if b != a] for a in range(GPU_COUNT)}";
  return fmt::format("{{{}}}", fmt::join(rows, ", "));
}

std::string gbps_text(std::int64_t mbps) {
  return mbps % 1000 == 0 ? std::to_string(mbps / 1000) : fmt::format("{}", static_cast<double>(mbps) / 1000);
}

void set_greedy(std::string& program, const plan::GreedyOptions& options) {
  if (!options.order.empty()) set(program, "ORDER", list_text(options.order));
  if (options.first) set(program, "FIRST", std::to_string(*options.first));
  if (options.most_chunks > 0)
    set(program, "BUDGET", fmt::format("{} / {}", options.most_chunks, gbps_text(options.most_mbps)));
  if (options.wait) set(program, "WAIT", "True");
}

std::string moves_text(const std::vector<Move>& moves) {
  std::vector<std::string> texts;
  for (const Move& move : moves) {
    switch (move.kind) {
      case Move::Kind::kSwap:
        texts.push_back(
            fmt::format("({}, {}, {}, {})", move.round, move.step, move.other_round, move.other_step));
        break;
      case Move::Kind::kSource:
        texts.push_back(fmt::format("({}, {}, {})", move.round, move.step, move.source));
        break;
      case Move::Kind::kSplit:
        texts.push_back(fmt::format("({}, {})", move.round, move.step));
        break;
      case Move::Kind::kMerge:
        texts.push_back(fmt::format("({},)", move.round));
    }
  }
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

}  // namespace

std::string name_of(const Recipe& recipe) {
  const std::string word = word_of(recipe.method);
  return word + (recipe.as_list && recipe.method != Method::kNaive ? "/list" : "") +
         (recipe.moves.empty() ? "" : "+moves");
}

std::optional<Plan> plan_of(const Recipe& recipe, const Machine& machine, int chunks) {
  std::optional<Plan> plan = rounds_of(recipe, machine, chunks);
  if (plan && recipe.as_list) plan = plan::as_list(*std::move(plan));
  if (plan && !recipe.moves.empty()) return changed(*plan, recipe.moves);
  return plan;
}

Programs::Programs(const std::filesystem::path& folder) {
  for (const char* name :
       {"naive", "direct", "ring", "doubling", "hierarchical", "greedy", "greedy_links", "moves"})
    texts_[name] = read_file(folder / (std::string(name) + ".py"));
}

std::string Programs::program_of(const Recipe& recipe, const Machine& machine, int chunks) const {
  const bool only_gpus = machine.nodes().size() == static_cast<std::size_t>(machine.gpus());
  const bool links = recipe.method == Method::kGreedy && only_gpus;
  std::string program = texts_.at(links ? "greedy_links" : word_of(recipe.method));
  set(program, "GPU_COUNT", std::to_string(machine.gpus()));
  set(program, "CHUNKS_PER_GPU", std::to_string(chunks));
  if (recipe.method == Method::kNaive) set(program, "LINKS", links_text(machine));
  if (recipe.method == Method::kRing) set(program, "RING", list_text(recipe.ring));
  if (recipe.method == Method::kHierarchical) set(program, "GROUP", std::to_string(recipe.group));
  if (recipe.method == Method::kGreedy) set_greedy(program, recipe.greedy);
  if (recipe.as_list && recipe.method != Method::kNaive) {
    const std::string rounds = "    return plan\n";
    program.replace(program.find(rounds), rounds.size(),
                    "    return [step for steps in plan for step in steps]\n");
  }
  if (!recipe.moves.empty()) {
    const std::string print = "print(plan)\n";
    program.replace(program.rfind(print), print.size(), "\n\n" + texts_.at("moves") + print);
    set(program, "MOVES", moves_text(recipe.moves));
  }
  return program;
}

}  // namespace micius::aimicius::optiflow
