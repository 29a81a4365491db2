#include "tasks/optiflow_case.h"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "base/error.h"
#include "base/files.h"

namespace micius {
namespace {

constexpr std::size_t kMostNodes = 128;
// What a planner reads that was made for other numbers.
constexpr const char* kRenumberedBandwidth =
    "NODES = NUMBERS + list(range(len(NUMBERS), len(BANDWIDTH)))\n"
    "BANDWIDTH = [[BANDWIDTH[a][b] for b in NODES] for a in NODES]\n";

bool linked(const Json& machine, std::size_t from, std::size_t to) {
  return from != to && !machine.at("latency_us")[from][to].is_null() &&
         machine.at("bandwidth_gbps")[from][to] != 0;
}

// The GPUs that `src` can exchange data with, directly or through nodes that forward, in order.
std::vector<std::size_t> reached(const Json& machine, std::size_t src) {
  const auto gpus = machine.at("gpus").get<std::size_t>();
  std::vector<bool> seen(machine.at("nodes").size(), false);
  std::vector<std::size_t> ways = {src}, found;
  seen[src] = true;
  for (std::size_t i = 0; i < ways.size(); ++i) {
    for (std::size_t to = 0; to < seen.size(); ++to) {
      if (seen[to] || !linked(machine, ways[i], to)) continue;
      seen[to] = true;
      (to < gpus ? found : ways).push_back(to);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string list_text(const std::vector<std::size_t>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ", "));
}

// Who can exchange data with whom, as a Python dictionary.
std::string links_text(const Json& machine) {
  const auto gpus = machine.at("gpus").get<std::size_t>();
  std::vector<std::string> rows;
  bool all = true;
  for (std::size_t src = 0; src < gpus; ++src) {
    const std::vector<std::size_t> others = reached(machine, src);
    all = all && others.size() + 1 == gpus;
    rows.push_back(fmt::format("{}: {}", src, list_text(others)));
  }
  if (all) return "{a: [b for b in range(GPU_COUNT) if b != a] for a in range(GPU_COUNT)}";
  return fmt::format("{{{}}}", fmt::join(rows, ", "));
}

// Numbers and lists of numbers as Python writes them; a list in a list is a tuple.
std::string python(const Json& value, bool inside = false) {
  if (!value.is_array()) return value.dump();
  std::vector<std::string> parts;
  for (const Json& part : value) parts.push_back(python(part, true));
  if (!inside) return fmt::format("[{}]", fmt::join(parts, ", "));
  return fmt::format("({}{})", fmt::join(parts, ", "), parts.size() == 1 ? "," : "");
}

// The program of a recipe on its way.
class Draft {
 public:
  Draft(std::string text, std::string where) : text_(std::move(text)), where_(std::move(where)) {}

  // Sets the constant of the line `NAME = ...`, up to its comment.
  void set(const std::string& name, const std::string& value) {
    const std::string mark = "\n" + name + " = ";
    const std::size_t at = ("\n" + text_).find(mark);
    if (at == std::string::npos)
      fail(ErrorCode::kInvalidData, "{}: a program without '{} = ..'", where_, name);
    const std::size_t begin = at + mark.size() - 1;
    const std::size_t end = std::min(text_.find("  # ", begin), text_.find('\n', begin));
    text_.replace(begin, end - begin, value);
  }

  void put_in_place_of(const std::string& old, const std::string& text) {
    const std::size_t at = text_.rfind(old);
    if (at == std::string::npos) fail(ErrorCode::kInvalidData, "{}: a program without '{}'", where_, old);
    text_.replace(at, old.size(), text);
  }

  std::string text() && { return std::move(text_); }

 private:
  std::string text_, where_;
};

}  // namespace

Json short_machine(const Json& machine) {
  const auto gpus = machine.at("gpus").get<std::size_t>();
  const Json &nodes = machine.at("nodes"), &latency = machine.at("latency_us"),
             &bandwidth = machine.at("bandwidth_gbps");
  Json groups[2] = {Json::array(), Json::array()};  // both ways, one way
  for (std::size_t from = 0; from < nodes.size(); ++from) {
    for (std::size_t to = 0; to < nodes.size(); ++to) {
      if (!linked(machine, from, to)) continue;
      const bool both = linked(machine, to, from) && latency[from][to] == latency[to][from] &&
                        bandwidth[from][to] == bandwidth[to][from];
      if (both && from > to) continue;
      Json& rows = groups[both ? 0 : 1];
      auto row = std::find_if(rows.begin(), rows.end(), [&](const Json& one) {
        return one[0] == latency[from][to] && one[1] == bandwidth[from][to];
      });
      if (row == rows.end()) {
        rows.push_back({latency[from][to], bandwidth[from][to], Json::array()});
        row = rows.end() - 1;
      }
      (*row)[2].push_back(from);
      (*row)[2].push_back(to);
    }
  }
  Json result = Json::object();
  if (nodes.size() > gpus) result["forwarders"] = std::vector<Json>(nodes.begin() + gpus, nodes.end());
  result["links"] = std::move(groups[0]);
  if (!groups[1].empty()) result["one_way"] = std::move(groups[1]);
  return result;
}

Json long_machine(const Json& machine, std::int64_t gpus, const std::string& where) {
  const JsonFields fields(machine, where);
  fields.only({"forwarders", "links", "one_way"});
  const std::vector<std::string> forwarders = fields.strings_or("forwarders", {});
  const std::size_t count = static_cast<std::size_t>(std::max<std::int64_t>(gpus, 0)) + forwarders.size();
  if (gpus < 1 || count > kMostNodes)
    fail(ErrorCode::kInvalidData, "{}: from 1 to {} nodes, found {}", where, kMostNodes, count);
  Json nodes = Json::array(), latency(count, Json(count, nullptr)), bandwidth(count, Json(count, 0));
  for (std::int64_t gpu = 0; gpu < gpus; ++gpu) nodes.push_back(fmt::format("GPU-{}", gpu));
  for (const std::string& name : forwarders) nodes.push_back(name);
  for (std::size_t i = 0; i < count; ++i) latency[i][i] = 0, bandwidth[i][i] = nullptr;
  for (const char* name : {"links", "one_way"}) {
    if (!fields.has(name)) continue;
    for (const Json& row : fields.at(name)) {
      const bool good = row.is_array() && row.size() == 3 && row[0].is_number() && row[1].is_number() &&
                        row[2].is_array() && row[2].size() % 2 == 0;
      if (!good)
        fail(ErrorCode::kInvalidData, "{}: field '{}' must hold [us, GB/s, [node, node, ..]]", where, name);
      for (std::size_t i = 0; i < row[2].size(); i += 2) {
        const Json &a = row[2][i], &b = row[2][i + 1];
        if (!a.is_number_unsigned() || !b.is_number_unsigned() || a == b || a >= count || b >= count)
          fail(ErrorCode::kInvalidData, "{}: field '{}' links what is no pair of nodes", where, name);
        const auto from = a.get<std::size_t>(), to = b.get<std::size_t>();
        latency[from][to] = row[0], bandwidth[from][to] = row[1];
        if (name == std::string_view("links")) latency[to][from] = row[0], bandwidth[to][from] = row[1];
      }
    }
  }
  return {{"gpus", gpus}, {"nodes", nodes}, {"latency_us", latency}, {"bandwidth_gbps", bandwidth}};
}

const std::string& OptiflowPrograms::text(const std::string& name, const std::string& where) {
  std::call_once(read_, [&] {
    for (const char* file : {"naive", "direct", "ring", "doubling", "hierarchical", "greedy", "greedy_links",
                             "moves", "renumber"})
      texts_[file] = read_file(folder_ / (std::string(file) + ".py"));
  });
  const auto place = texts_.find(name);
  if (place == texts_.end()) fail(ErrorCode::kInvalidData, "{}: unknown planner '{}'", where, name);
  return place->second;
}

std::string OptiflowPrograms::program(const Json& recipe, const Json& machine, std::int64_t chunks,
                                      const std::string& where) {
  const JsonFields fields(recipe, where);
  fields.only({"by", "list", "ring", "group", "order", "first", "budget", "wait", "numbers", "moves"});
  const std::string by = fields.string("by");
  const bool only_gpus = machine.at("nodes").size() == machine.at("gpus").get<std::size_t>();
  Draft draft(text(by == "greedy" && only_gpus ? "greedy_links" : by, where), where);
  draft.set("GPU_COUNT", machine.at("gpus").dump());
  draft.set("CHUNKS_PER_GPU", std::to_string(chunks));
  if (by == "naive") draft.set("LINKS", links_text(machine));
  for (const auto& [field, name] :
       {std::pair("ring", "RING"), {"group", "GROUP"}, {"order", "ORDER"}, {"first", "FIRST"}}) {
    if (fields.has(field)) draft.set(name, python(fields.at(field)));
  }
  if (fields.has("budget")) {
    const Json& budget = fields.at("budget");
    if (!budget.is_array() || budget.size() != 2)
      fail(ErrorCode::kInvalidData, "{}: field 'budget' must be [chunks, GB/s]", where);
    draft.set("BUDGET", budget[0].dump() + " / " + budget[1].dump());
  }
  if (fields.boolean_or("wait", false)) draft.set("WAIT", "True");
  if (fields.boolean_or("list", false))
    draft.put_in_place_of("    return plan\n", "    return [step for steps in plan for step in steps]\n");
  if (fields.has("moves")) {
    draft.put_in_place_of("print(plan)\n", "\n\n" + text("moves", where) + "print(plan)\n");
    draft.set("MOVES", python(fields.at("moves")));
  }
  if (!fields.has("numbers")) return std::move(draft).text();
  draft.put_in_place_of("print(plan)\n", "\n\n" + text("renumber", where) + "print(plan)\n");
  return fmt::format("NUMBERS = {}\n{}{}", python(fields.at("numbers")),
                     by == "greedy" ? kRenumberedBandwidth : "", std::move(draft).text());
}

}  // namespace micius
