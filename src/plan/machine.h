// A machine of GPUs and of nodes that only forward (switches, host bridges, NICs), its links and its routes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"

namespace micius::plan {

// One direction.
struct Link {
  int from = 0, to = 0;         // node numbers
  std::int64_t latency_ps = 0;  // a whole number of ns
  std::int64_t mbps = 0;        // 10^6 bytes a second, > 0
};

// Nodes 0 to gpus() - 1 are the GPUs; the others forward and cannot be named in a plan. Immutable.
//
// Route from GPU to GPU: the direct link if there is one; else through forwarding nodes alone, never through
// a GPU: fewest links, then least latency, then the lexicographically smallest list of node numbers.
class Machine {
 public:
  // Throws Error{kInvalidData} naming `where` for no GPU, more than 128 nodes, or a link to itself, twice
  // between the same nodes, slower than 1 MB/s or with a latency that is negative or over a second.
  Machine(int gpus, std::vector<std::string> nodes, std::vector<Link> links, const std::string& where);

  // {"gpus": 2, "nodes": ["GPU-0", ..], "latency_us": [[0, 0.7, ..]], "bandwidth_gbps": [[null, 50, ..]]}:
  // square matrices over the nodes, row = from. A latency of null or a bandwidth of 0 or null is no link;
  // the diagonal and other keys are not read. Latencies are rounded to ns, bandwidths to MB/s.
  static Machine from_json(const Json& json, const std::string& where);
  // {"gpus": 2, "forwarders": ["NVSwitch"], "links": [[0, 2, 0.2, 450], ..]}: nodes by number, us and GB/s,
  // each link both ways. How published machines are listed.
  static Machine from_links(const Json& json, const std::string& where);
  // The first form, for the data sets; from_json(to_json()) is the same machine.
  Json to_json() const;

  int gpus() const { return gpus_; }
  const std::vector<std::string>& nodes() const { return nodes_; }
  const std::vector<Link>& links() const { return links_; }

  // The links (indices) of the route from GPU src to another GPU dst, in order; empty if there is none.
  std::span<const int> route(int src, int dst) const;
  bool connected(int src, int dst) const { return !route(src, dst).empty(); }
  // Of the route; there must be one.
  std::int64_t route_latency_ps(int src, int dst) const;
  std::int64_t route_mbps(int src, int dst) const;  // of its slowest link

 private:
  void find_routes();
  void find_routes_from(int src, const std::vector<std::vector<int>>& out);

  int gpus_;
  std::vector<std::string> nodes_;
  std::vector<Link> links_;
  std::vector<std::vector<int>> routes_;  // [src * gpus + dst]
};

}  // namespace micius::plan
