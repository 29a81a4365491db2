#include "plan/machine.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"

namespace micius::plan {
namespace {

constexpr std::size_t kMostNodes = 128;
constexpr std::int64_t kPsPerNs = 1'000;
constexpr std::int64_t kLongestLatencyPs = 1'000'000'000'000;

std::string node_name(const std::vector<std::string>& nodes, int node) {
  return nodes[static_cast<std::size_t>(node)];
}

// The number at [row][column], absent for null.
std::optional<double> entry(const Json& matrix, std::size_t row, std::size_t column,
                            const std::string& place) {
  const Json& value = matrix.at(row).at(column);
  if (value.is_null()) return std::nullopt;
  if (!value.is_number()) {
    fail(ErrorCode::kInvalidData, "{}[{}][{}] must be a number or null, found {}", place, row, column,
         value.type_name());
  }
  const double number = value.get<double>();
  if (!std::isfinite(number) || number < 0 || number > 1e9) {
    fail(ErrorCode::kInvalidData, "{}[{}][{}] must be from 0 to 10^9, found {}", place, row, column,
         value.dump());
  }
  return number;
}

const Json& square(const JsonFields& fields, const char* name, std::size_t size) {
  const Json& matrix = fields.at(name);
  const auto is_row = [&](const Json& row) { return row.is_array() && row.size() == size; };
  if (!matrix.is_array() || matrix.size() != size || !std::all_of(matrix.begin(), matrix.end(), is_row)) {
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be {} lists of {} numbers, one for each node",
         fields.where(), name, size, size);
  }
  return matrix;
}

}  // namespace

Machine::Machine(int gpus, std::vector<std::string> nodes, std::vector<Link> links, const std::string& where)
    : gpus_(gpus), nodes_(std::move(nodes)), links_(std::move(links)) {
  if (nodes_.size() > kMostNodes) {
    fail(ErrorCode::kInvalidData, "{}: {} nodes, more than {}", where, nodes_.size(), kMostNodes);
  }
  if (gpus_ < 1 || static_cast<std::size_t>(gpus_) > nodes_.size()) {
    fail(ErrorCode::kInvalidData, "{}: field 'gpus' must be from 1 to the number of nodes, {}, found {}",
         where, nodes_.size(), gpus_);
  }
  std::set<std::pair<int, int>> seen;
  const int count = static_cast<int>(nodes_.size());
  for (const Link& link : links_) {
    if (std::min(link.from, link.to) < 0 || std::max(link.from, link.to) >= count || link.from == link.to ||
        !seen.insert({link.from, link.to}).second) {
      fail(ErrorCode::kInvalidData, "{}: a link from node {} to node {} cannot be, or is there twice", where,
           link.from, link.to);
    }
    if (link.mbps < 1 || link.latency_ps < 0 || link.latency_ps > kLongestLatencyPs) {
      fail(ErrorCode::kInvalidData, "{}: link {} -> {}: at least 1 MB/s and a latency of at most a second",
           where, node_name(nodes_, link.from), node_name(nodes_, link.to));
    }
  }
  find_routes();
}

Machine Machine::from_json(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  const std::int64_t gpus = fields.integer("gpus");
  std::vector<std::string> nodes = fields.strings_or("nodes", {});
  if (nodes.size() > kMostNodes || gpus < 1 || gpus > static_cast<std::int64_t>(nodes.size())) {
    fail(ErrorCode::kInvalidData, "{}: field 'nodes' must name from 'gpus' to {} nodes, found {} for {} GPUs",
         where, kMostNodes, nodes.size(), gpus);
  }
  const Json& latency = square(fields, "latency_us", nodes.size());
  const Json& bandwidth = square(fields, "bandwidth_gbps", nodes.size());
  std::vector<Link> links;
  for (std::size_t from = 0; from < nodes.size(); ++from) {
    for (std::size_t to = 0; to < nodes.size(); ++to) {
      if (from == to) continue;
      const auto us = entry(latency, from, to, where + ": latency_us");
      const auto gbps = entry(bandwidth, from, to, where + ": bandwidth_gbps");
      const std::int64_t mbps = std::llround(1000 * gbps.value_or(0));
      if (!us || mbps == 0) continue;
      links.push_back(
          {static_cast<int>(from), static_cast<int>(to), std::llround(1000 * *us) * kPsPerNs, mbps});
    }
  }
  return {static_cast<int>(gpus), std::move(nodes), std::move(links), where};
}

Machine Machine::from_links(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  const std::int64_t gpus = fields.integer("gpus");
  std::vector<std::string> nodes;
  for (std::int64_t gpu = 0; gpu < std::min<std::int64_t>(gpus, kMostNodes); ++gpu)
    nodes.push_back("GPU-" + std::to_string(gpu));
  for (std::string& name : fields.strings_or("forwarders", {})) nodes.push_back(std::move(name));
  std::vector<Link> links;
  for (const Json& row : fields.at("links")) {
    if (!row.is_array() || row.size() != 4)
      fail(ErrorCode::kInvalidData, "{}: field 'links' must hold lists of four", where);
    const Link link{row[0].get<int>(), row[1].get<int>(),
                    std::llround(1000 * row[2].get<double>()) * kPsPerNs,
                    std::llround(1000 * row[3].get<double>())};
    links.push_back(link);
    links.push_back({link.to, link.from, link.latency_ps, link.mbps});
  }
  return {static_cast<int>(std::min<std::int64_t>(gpus, kMostNodes + 1)), std::move(nodes), std::move(links),
          where};
}

Json Machine::to_json() const {
  const std::size_t count = nodes_.size();
  Json latency(count, Json(count, nullptr)), bandwidth(count, Json(count, 0));
  for (std::size_t i = 0; i < count; ++i) {
    latency[i][i] = 0;
    bandwidth[i][i] = nullptr;
  }
  // A whole number is written without a point.
  const auto thousandth = [](std::int64_t value) {
    return value % 1000 == 0 ? Json(value / 1000) : Json(static_cast<double>(value) / 1000);
  };
  for (const Link& link : links_) {
    latency[link.from][link.to] = thousandth(link.latency_ps / kPsPerNs);
    bandwidth[link.from][link.to] = thousandth(link.mbps);
  }
  return {{"gpus", gpus_}, {"nodes", nodes_}, {"latency_us", latency}, {"bandwidth_gbps", bandwidth}};
}

std::span<const int> Machine::route(int src, int dst) const {
  return routes_[static_cast<std::size_t>(src * gpus_ + dst)];
}

std::int64_t Machine::route_latency_ps(int src, int dst) const {
  const auto links = route(src, dst);
  return std::accumulate(links.begin(), links.end(), std::int64_t{0},
                         [&](std::int64_t sum, int link) { return sum + links_[link].latency_ps; });
}

std::int64_t Machine::route_mbps(int src, int dst) const {
  std::int64_t least = links_[route(src, dst).front()].mbps;
  for (const int link : route(src, dst)) least = std::min(least, links_[link].mbps);
  return least;
}

void Machine::find_routes() {
  std::vector<std::vector<int>> out(nodes_.size());  // links that leave each node
  for (std::size_t i = 0; i < links_.size(); ++i) out[links_[i].from].push_back(static_cast<int>(i));
  routes_.resize(static_cast<std::size_t>(gpus_ * gpus_));
  for (int src = 0; src < gpus_; ++src) find_routes_from(src, out);
}

// Level by level, so that the first level that reaches a node has its fewest links. Within a level the best
// way to a node continues the best way to one before it, as latencies add and node lists compare in order.
void Machine::find_routes_from(int src, const std::vector<std::vector<int>>& out) {
  struct Way {
    std::int64_t latency_ps = 0;
    std::vector<int> nodes, links;
    bool operator<(const Way& other) const {
      return std::tie(latency_ps, nodes) < std::tie(other.latency_ps, other.nodes);
    }
  };
  std::vector<std::optional<Way>> best(nodes_.size());
  best[src] = Way{};
  std::vector<int> level = {src};
  while (!level.empty()) {
    std::vector<std::optional<Way>> next(nodes_.size());
    for (const int node : level) {
      for (const int link : out[node]) {
        const int to = links_[link].to;
        if (best[to]) continue;
        Way way = *best[node];
        way.latency_ps += links_[link].latency_ps;
        way.nodes.push_back(to);
        way.links.push_back(link);
        if (!next[to] || way < *next[to]) next[to] = std::move(way);
      }
    }
    level.clear();
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      if (!next[node]) continue;
      best[node] = std::move(next[node]);
      const int number = static_cast<int>(node);
      if (number >= gpus_)
        level.push_back(number);
      else
        routes_[static_cast<std::size_t>(src * gpus_ + number)] = best[node]->links;
    }
  }
}

}  // namespace micius::plan
