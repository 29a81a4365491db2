#include "optiflow_topology.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"

namespace micius::aimicius::optiflow {
namespace {

using plan::Link;
using plan::Machine;

constexpr double kPsPerUs = 1e6, kMbpsPerGbps = 1e3;

// Collects nodes and links of a machine; links go both ways unless it says otherwise.
class Fabric {
 public:
  explicit Fabric(int gpus) : gpus_(gpus) {
    for (int gpu = 0; gpu < gpus; ++gpu) names_.push_back(fmt::format("GPU-{}", gpu));
  }

  int forwarder(std::string name) {
    names_.push_back(std::move(name));
    return static_cast<int>(names_.size()) - 1;
  }

  void one_way(int from, int to, double latency_us, double gbps) {
    links_.push_back({from, to, std::llround(latency_us * kPsPerUs), std::llround(gbps * kMbpsPerGbps)});
  }
  void link(int a, int b, double latency_us, double gbps) {
    one_way(a, b, latency_us, gbps);
    one_way(b, a, latency_us, gbps);
  }
  bool has(int a, int b) const {
    return std::any_of(links_.begin(), links_.end(), [&](const Link& l) { return l.from == a && l.to == b; });
  }

  // Removes a pair of links (`keep` 0) or slows it down.
  void damage(Rng& rng, double keep) {
    const Link hit = links_[rng.below(links_.size())];
    const auto same = [&](const Link& l) {
      return std::minmax(l.from, l.to) == std::minmax(hit.from, hit.to);
    };
    if (keep == 0) {
      std::erase_if(links_, same);
      return;
    }
    for (Link& l : links_) {
      if (same(l)) l.mbps = std::llround(static_cast<double>(l.mbps) * keep);
    }
  }

  void renumber_gpus(Rng& rng) {
    std::vector<int> number(names_.size());
    std::iota(number.begin(), number.end(), 0);
    std::vector<int> gpus(number.begin(), number.begin() + gpus_);
    rng.shuffle(gpus);
    std::copy(gpus.begin(), gpus.end(), number.begin());
    for (Link& l : links_) l = {number[l.from], number[l.to], l.latency_ps, l.mbps};
  }

  std::vector<Link>& links() { return links_; }
  Machine machine() const { return {gpus_, names_, links_, "generated machine"}; }

 private:
  int gpus_;
  std::vector<std::string> names_;
  std::vector<Link> links_;
};

// Draws values from the lists of a family.
class Draw {
 public:
  Draw(const Json& family, Split split, Rng& rng)
      : family_(family), tuning_(split == Split::kTuning), rng_(rng) {}

  const Json& pick(const std::string& key) {
    const std::string larger = "tuning_" + key;
    const Json& list = tuning_ && family_.contains(larger) ? family_.at(larger) : family_.at(key);
    return list.at(rng_.below(list.size()));
  }
  double number(const std::string& key) { return pick(key).get<double>(); }
  int integer(const std::string& key) { return pick(key).get<int>(); }
  bool chance(std::size_t one_in) { return rng_.below(one_in) == 0; }
  bool tuning() const { return tuning_; }
  Rng& rng() { return rng_; }

 private:
  const Json& family_;
  bool tuning_;
  Rng& rng_;
};

Machine one_switch(Draw& draw) {
  const int gpus = draw.integer("gpus");
  Fabric fabric(gpus);
  const int hub = fabric.forwarder("NVSwitch");
  const double latency = draw.number("latency_us"), gbps = draw.number("gbps");
  for (int gpu = 0; gpu < gpus; ++gpu) fabric.link(gpu, hub, latency, gbps);
  return fabric.machine();
}

Machine mesh(Draw& draw) {
  const int gpus = draw.integer("gpus");
  Fabric fabric(gpus);
  const double latency = draw.number("latency_us"), gbps = draw.number("gbps");
  for (int a = 0; a < gpus; ++a) {
    for (int b = a + 1; b < gpus; ++b) fabric.link(a, b, latency, gbps);
  }
  for (int i = draw.integer("damage"); i > 0; --i) fabric.damage(draw.rng(), draw.chance(3) ? 0.5 : 0);
  return fabric.machine();
}

Machine like_named(Draw& draw, const Machine& base) {
  Fabric fabric(base.gpus());
  const double latency = draw.number("latency_us"), scale = draw.number("scale");
  fabric.links() = base.links();
  for (Link& link : fabric.links()) {
    link.latency_ps = std::llround(latency * kPsPerUs);
    link.mbps = std::llround(static_cast<double>(link.mbps) * scale);
  }
  for (int i = draw.integer("damage"); i > 0; --i) fabric.damage(draw.rng(), 0);
  fabric.renumber_gpus(draw.rng());
  return fabric.machine();
}

Machine ring(Draw& draw) {
  const int gpus = draw.integer("gpus");
  Fabric fabric(gpus);
  const double latency = draw.number("latency_us"), gbps = draw.number("gbps");
  const bool both_ways = !draw.chance(4);
  for (int gpu = 0; gpu < gpus; ++gpu) {
    const int next = (gpu + 1) % gpus;
    if (both_ways)
      fabric.link(gpu, next, latency, gbps);
    else
      fabric.one_way(gpu, next, latency, gbps);
  }
  for (int i = draw.integer("chords"); i > 0; --i) {
    const int a = static_cast<int>(draw.rng().below(gpus)), b = static_cast<int>(draw.rng().below(gpus));
    if (a != b && !fabric.has(a, b) && !fabric.has(b, a)) fabric.link(a, b, latency, draw.number("gbps"));
  }
  if (draw.chance(2)) fabric.renumber_gpus(draw.rng());
  return fabric.machine();
}

Machine torus(Draw& draw) {
  const Json dims = draw.pick("dims");
  const int rows = dims.at(0), columns = dims.at(1);
  Fabric fabric(rows * columns);
  const double latency = draw.number("latency_us"), along = draw.number("gbps");
  const double across = draw.chance(2) ? along : draw.number("gbps");
  const bool wraps = !draw.chance(3);
  const auto join = [&](int a, int b, double gbps) {
    if (a != b && !fabric.has(a, b)) fabric.link(a, b, latency, gbps);
  };
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      const int gpu = row * columns + column;
      if (wraps || column + 1 < columns) join(gpu, row * columns + (column + 1) % columns, along);
      if (wraps || row + 1 < rows) join(gpu, (row + 1) % rows * columns + column, across);
    }
  }
  return fabric.machine();
}

Machine pcie(Draw& draw) {
  const int gpus = draw.integer("gpus");
  int bridges = draw.integer("bridges");
  while (gpus % bridges != 0 || gpus == bridges) bridges = draw.integer("bridges");
  Fabric fabric(gpus);
  const double latency = draw.number("latency_us"), gbps = draw.number("gbps");
  const double between = draw.number("socket_gbps");
  std::vector<int> hubs;
  for (int i = 0; i < bridges; ++i)
    hubs.push_back(fabric.forwarder(bridges == 1 ? "HB" : fmt::format("HB-{}", i)));
  for (int gpu = 0; gpu < gpus; ++gpu) fabric.link(gpu, hubs[gpu / (gpus / bridges)], latency, gbps);
  for (int a = 0; a < bridges; ++a) {
    for (int b = a + 1; b < bridges; ++b) fabric.link(hubs[a], hubs[b], latency, between);
  }
  if (gpus % 2 == 0 && gpus > 2 && draw.chance(3)) {
    const double bridge = draw.number("bridge_gbps");
    for (int gpu = 0; gpu < gpus; gpu += 2) fabric.link(gpu, gpu + 1, 0.7, bridge);
  }
  return fabric.machine();
}

Machine multinode(Draw& draw) {
  constexpr int kMostGpus = 16, kMostTuningGpus = 24, kMostNodes = 40;
  while (true) {
    const int hosts = draw.integer("hosts"), each = draw.integer("gpus");
    const int per_nic = std::min(draw.integer("gpus_per_nic"), each), gpus = hosts * each;
    if (gpus > (draw.tuning() ? kMostTuningGpus : kMostGpus) ||
        gpus + hosts + gpus / per_nic + 1 > kMostNodes)
      continue;
    Fabric fabric(gpus);
    const double latency = draw.number("latency_us"), gbps = draw.number("gbps");
    const double nic_latency = draw.number("nic_latency_us"), nic_gbps = draw.number("nic_gbps");
    for (int host = 0; host < hosts; ++host) {
      const int hub = fabric.forwarder(fmt::format("NVSwitch-{}", host));
      for (int i = 0; i < each; ++i) fabric.link(host * each + i, hub, latency, gbps);
    }
    std::vector<int> nics;
    for (int i = 0; i < gpus / per_nic; ++i) {
      nics.push_back(fabric.forwarder(fmt::format("NIC-{}", i)));
      for (int k = 0; k < per_nic; ++k) fabric.link(i * per_nic + k, nics.back(), 0.5, 55);
    }
    const int net = fabric.forwarder("IB");
    for (const int nic : nics) fabric.link(nic, net, nic_latency, nic_gbps);
    return fabric.machine();
  }
}

Machine random_graph(Draw& draw) {
  const int gpus = draw.integer("gpus");
  Fabric fabric(gpus);
  const bool both_ways = draw.chance(2);
  const auto add = [&](int a, int b) {
    if (a == b || fabric.has(a, b)) return;
    fabric.one_way(a, b, draw.number("latency_us"), draw.number("gbps"));
    if (both_ways && !fabric.has(b, a)) fabric.one_way(b, a, draw.number("latency_us"), draw.number("gbps"));
  };
  for (int gpu = 0; gpu < gpus; ++gpu) add(gpu, (gpu + 1) % gpus);
  for (std::size_t i = draw.rng().below(2 * gpus); i > 0; --i) {
    const int a = static_cast<int>(draw.rng().below(gpus));
    add(a, static_cast<int>(draw.rng().below(gpus)));
  }
  fabric.renumber_gpus(draw.rng());
  return fabric.machine();
}

Machine islands(Draw& draw) {
  const int count = draw.integer("islands"), each = draw.integer("gpus"), gpus = count * each;
  Fabric fabric(gpus);
  const double latency = draw.number("latency_us"), gbps = draw.number("gbps");
  const double bridge_latency = draw.number("bridge_latency_us"), bridge_gbps = draw.number("bridge_gbps");
  for (int island = 0; island < count; ++island) {
    for (int a = 0; a < each; ++a) {
      for (int b = a + 1; b < each; ++b) fabric.link(island * each + a, island * each + b, latency, gbps);
    }
  }
  const int bridges = static_cast<int>(1 + draw.rng().below(2));
  for (int island = 0; island < count; ++island) {
    if (count == 2 && island == 1) break;
    for (int i = 0; i < std::min(bridges, each); ++i)
      fabric.link(island * each + i, (island + 1) % count * each + each - 1 - i, bridge_latency, bridge_gbps);
  }
  return fabric.machine();
}

NamedMachine read_named(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  return {fields.string("name"), fields.string("family"), Machine::from_links(json, where)};
}

// To two digits, half up.
std::string rounded(std::int64_t value) {
  int zeros = 0;
  for (; value >= 100; ++zeros) value = (value + 5) / 10;
  return fmt::format("{}e{}", value, zeros);
}

}  // namespace

Topologies::Topologies(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Json json = parse_json(read_file(path), where);
  const JsonFields file(json, where);
  if (file.integer("micius_optiflow_families") != 1)
    fail(ErrorCode::kInvalidData, "{}: unknown version", where);
  families_ = file.at("families");
  chunks_ = file.at("chunks").get<std::vector<int>>();
  for (const Json& machine : file.at("named")) named_.push_back(read_named(machine, where + ": named"));
}

const Json& Topologies::family(const std::string& name) const {
  for (const Json& one : families_) {
    if (one.at("name") == name) return one;
  }
  fail(ErrorCode::kInvalidData, "families.json has no family '{}'", name);
}

const Machine& Topologies::named(const std::string& name) const {
  for (const NamedMachine& one : named_) {
    if (one.name == name) return one.machine;
  }
  fail(ErrorCode::kInvalidData, "families.json has no named machine '{}'", name);
}

std::vector<std::string> Topologies::families() const {
  std::vector<std::string> names;
  for (const Json& one : families_) names.push_back(one.at("name"));
  return names;
}

double Topologies::share(const std::string& name) const { return family(name).at("share"); }

Machine Topologies::draw(const std::string& name, Split split, Rng& rng) const {
  Draw draw(family(name), split, rng);
  const std::string shape = family(name).at("shape");
  if (shape == "switch") return one_switch(draw);
  if (shape == "mesh") return mesh(draw);
  if (shape == "named") return like_named(draw, named(draw.pick("base").get<std::string>()));
  if (shape == "ring") return ring(draw);
  if (shape == "torus") return torus(draw);
  if (shape == "pcie") return pcie(draw);
  if (shape == "multinode") return multinode(draw);
  if (shape == "random") return random_graph(draw);
  if (shape == "islands") return islands(draw);
  fail(ErrorCode::kInvalidData, "families.json: unknown shape '{}' of family '{}'", shape, name);
}

std::string graph_hash(const Machine& machine) {
  const std::size_t nodes = machine.nodes().size();
  std::vector<std::string> weight;
  for (const plan::Link& link : machine.links()) {
    constexpr std::int64_t kTenth = 100'000;  // of a microsecond
    weight.push_back(fmt::format("{}/{}", (link.latency_ps + kTenth / 2) / kTenth, rounded(link.mbps)));
  }
  std::vector<std::string> colour(nodes);
  for (std::size_t i = 0; i < nodes; ++i)
    colour[i] = i < static_cast<std::size_t>(machine.gpus()) ? "g" : "f";
  std::size_t classes = 0;
  while (true) {
    std::vector<std::vector<std::string>> seen(nodes);
    for (std::size_t i = 0; i < weight.size(); ++i) {
      const plan::Link& link = machine.links()[i];
      seen[link.from].push_back("out " + weight[i] + colour[link.to]);
      seen[link.to].push_back("in " + weight[i] + colour[link.from]);
    }
    for (std::size_t i = 0; i < nodes; ++i) {
      std::sort(seen[i].begin(), seen[i].end());
      Sha256 hash;
      hash.update(colour[i]);
      for (const std::string& one : seen[i]) hash.update("|" + one);
      colour[i] = hash.hex();
    }
    std::vector<std::string> sorted = colour;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t now =
        static_cast<std::size_t>(std::unique(sorted.begin(), sorted.end()) - sorted.begin());
    if (now == classes) break;
    classes = now;
  }
  std::sort(colour.begin(), colour.end());
  Sha256 hash;
  for (const std::string& one : colour) hash.update(one);
  return hash.hex().substr(0, 16);
}

}  // namespace micius::aimicius::optiflow
