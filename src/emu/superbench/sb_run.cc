// sb deploy, run, exec and node info: what they write under outputs/ and remember.
#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "emu/nccl/model.h"
#include "emu/superbench/sb_internal.h"

namespace micius::emu::superbench {
namespace {

constexpr std::size_t kMostBenchmarks = 64;

// The hosts of -l or of an inventory file: words before "=" or blank, sections left out. Empty after saying
// why.
std::vector<std::string> hosts_of(const Command& command) {
  Host& host = command.host;
  std::vector<std::string> hosts;
  if (const auto list = command.parsed.value("--host-list")) {
    for (std::string_view name : split(*list, ',')) hosts.emplace_back(strip(name));
  } else if (command.parsed.has("--host-file")) {
    const std::string* file = need_file(command, "--host-file", "host_file");
    if (file == nullptr) return {};
    for (std::string_view line : split(*file, '\n')) {
      line = strip(line.substr(0, line.find('#')));
      if (line.empty() || line[0] == '[') continue;
      hosts.emplace_back(split_words(line)[0]);
    }
  } else {
    fail(host, "Must specify one of host_file or host_list.");
    return {};
  }
  const Json* peers = host.json("peers");
  for (const std::string& name : hosts) {
    const bool known = name == "localhost" || name == host.fact_or("hostname", "") ||
                       (peers != nullptr && std::find(peers->begin(), peers->end(), name) != peers->end());
    if (!known) {
      fail(host, fmt::format("{} | UNREACHABLE! => Failed to connect to the host via ssh.",
                             shorten(to_valid_utf8(name), 100)));
      return {};
    }
  }
  if (hosts.size() > 256) hosts.resize(256);
  return hosts;
}

bool credentials_complete(const Command& command) {
  if (command.parsed.has("--docker-username") == command.parsed.has("--docker-password")) return true;
  fail(command.host, "Must specify both docker_username and docker_password if authentication is needed.");
  return false;
}

std::string image_of(const Command& command) {
  return command.parsed.value_or("--docker-image", "superbench/superbench");
}

void log(Host& host, std::string_view text) {
  host.print("[{},{:03} {}:18211][INFO] {}\n", host.time("%Y-%m-%d %H:%M:%S"), 0,
             host.fact_or("hostname", ""), text);
}

Json system_info(Host& host) {
  Json info = Json::object();
  info["hostname"] = host.fact_or("hostname", "");
  info["kernel"] = host.fact_or("kernel", "");
  info["os"] = host.fact_or("os", "");
  info["cpu"] = host.fact_or("cpu.model", "");
  info["gpu_count"] = host.gpu_count();
  info["gpu"] = host.fact_or("gpu_name", "");
  info["driver"] = host.fact_or("driver", host.fact_or("rocm", ""));
  Json uuids = Json::array();
  for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu)
    uuids.push_back(host.gpu(gpu, "uuid").value_or(""));
  info["gpu_uuid"] = uuids;
  if (const Json* nics = host.json("nics")) info["nics"] = nics->size();
  return info;
}

// The benchmarks to run: -C superbench.enable, else the keys below `benchmarks:` of the configuration.
std::vector<std::string> enabled(const Command& command, const std::string& config) {
  std::vector<std::string> names;
  for (const Given& given : command.parsed.options) {
    if (given.option->name != "--config-override") continue;
    for (const std::string& word : given.values)
      if (word.rfind("superbench.enable=", 0) == 0)
        for (std::string_view name : split(std::string_view(word).substr(18), ',')) {
          while (!name.empty() && (name.front() == '[' || name.front() == '\'' || name.front() == '"'))
            name.remove_prefix(1);
          while (!name.empty() && (name.back() == ']' || name.back() == '\'' || name.back() == '"'))
            name.remove_suffix(1);
          if (!name.empty() && names.size() < kMostBenchmarks) names.emplace_back(name);
        }
  }
  if (!names.empty()) return names;
  bool inside = false;
  std::size_t depth = std::string::npos;
  for (std::string_view line : split(config, '\n')) {
    const std::size_t indent = line.find_first_not_of(' ');
    const std::string_view text = strip(line.substr(0, line.find('#')));
    if (text.empty()) continue;
    if (text == "benchmarks:" || (inside && indent == 0)) {
      inside = text == "benchmarks:";
      depth = std::string::npos;
    } else if (inside && text.back() == ':') {
      if (depth == std::string::npos) depth = indent;
      if (indent == depth && names.size() < kMostBenchmarks)
        names.emplace_back(text.substr(0, text.size() - 1));
    }
  }
  return names;
}

bool known(const Host& host, const std::string& name) {
  const Json& list = host.tool("sb").facts["benchmarks"];
  const std::string base = name.substr(0, name.find(':'));
  return std::any_of(list.begin(), list.end(), [&](const Json& other) { return other == base; });
}

void measure(Host& host, const std::string& name, Json& row) {
  row[name + "/return_code"] = 0;
  const std::string base = name.substr(0, name.find(':'));
  if (base == "nccl-bw" || base == "rccl-bw") {
    const auto ranks = static_cast<std::int64_t>(host.gpu_count());
    const BandwidthModel model(host, collective_of("all_reduce_perf", ranks), ranks, 1);
    for (std::int64_t size : {std::int64_t{8} << 20, std::int64_t{8} << 30}) {
      const std::int64_t ns = model.time_ns(size);
      row[fmt::format("{}/allreduce_{}_time:0", name, size)] = static_cast<double>(ns / 10) / 100;
      row[fmt::format("{}/allreduce_{}_busbw:0", name, size)] =
          static_cast<double>(static_cast<std::int64_t>(model.bus_bandwidth(size, ns) * 100)) / 100;
    }
    return;
  }
  const auto seed = static_cast<int>(sha256_hex(base + host.profile().name)[1] % 16);
  for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu) {
    if (base == "kernel-launch") {
      row[fmt::format("{}/event_overhead:{}", name, gpu)] =
          0.0055 + 0.0001 * static_cast<double>((gpu + static_cast<std::size_t>(seed)) % 8);
      row[fmt::format("{}/wall_overhead:{}", name, gpu)] = 0.0101 + 0.0001 * static_cast<double>(gpu % 4);
    } else if (base == "mem-bw") {
      row[fmt::format("{}/h2d_bw:{}", name, gpu)] = 24.3 + 0.1 * static_cast<double>(gpu % 5);
      row[fmt::format("{}/d2h_bw:{}", name, gpu)] = 25.6 + 0.1 * static_cast<double>(gpu % 5);
    } else {
      row[fmt::format("{}/score:{}", name, gpu)] = 1000 + 10 * seed + static_cast<int>(gpu);
    }
  }
}

std::string overrides(const Command& command) {
  std::vector<std::string> words;
  for (const Given& given : command.parsed.options)
    if (given.option->name == "--config-override")
      words.insert(words.end(), given.values.begin(), given.values.end());
  std::sort(words.begin(), words.end());
  return join(words, "\n");
}

int get_info(const Command& command, const std::vector<std::string>& hosts, const std::string& folder) {
  for (const std::string& name : hosts) {
    Json info = system_info(command.host);
    info["hostname"] = name;
    command.host.write(fmt::format("{}/nodes/{}/sys_info.json", folder, name), info.dump(2) + "\n");
  }
  log(command.host, fmt::format("System information written to {}.", folder));
  return 0;
}

}  // namespace

int deploy(const Command& command) {
  Host& host = command.host;
  if (!credentials_complete(command)) return 1;
  const std::vector<std::string> hosts = hosts_of(command);
  if (hosts.empty()) return 1;
  const std::string folder = output_folder(command), image = image_of(command);
  log(host, fmt::format("Preparing SuperBench environment on {} node(s).", hosts.size()));
  if (!command.parsed.has("--no-image-pull")) log(host, fmt::format("Pulling {}.", image));
  log(host, "Run playbook deploy.yaml ...");
  log(host, "Run succeed.");
  host.set_value("sb.deployed", image + " on " + join(hosts, ","));
  host.write(folder + "/sb-run.log",
             fmt::format("deploy {} pull={}\n", image, command.parsed.has("--no-image-pull") ? "no" : "yes"));
  host.advance(184'000'000'000);
  return 0;
}

int run(const Command& command) {
  Host& host = command.host;
  const bool local = command.parsed.path == "exec";
  if (!local && !credentials_complete(command)) return 1;
  const std::vector<std::string> hosts =
      local ? std::vector<std::string>{host.fact_or("hostname", "")} : hosts_of(command);
  if (hosts.empty()) return 1;
  std::string config =
      "version: v0.12\nsuperbench:\n  benchmarks:\n    kernel-launch:\n    mem-bw:\n    nccl-bw:default:\n";
  if (command.parsed.has("--config-file")) {
    const std::string* file = need_file(command, "--config-file", "config_file");
    if (file == nullptr) return 1;
    config = *file;
  }
  const std::string folder = output_folder(command);
  if (command.parsed.has("--get-info")) return get_info(command, hosts, folder);
  const std::vector<std::string> names = enabled(command, config);
  for (const std::string& name : names)
    if (!known(host, name))
      return fail(host, fmt::format("Benchmark {} does not exist.", shorten(to_valid_utf8(name), 100)));
  log(host, fmt::format("Runner uses config: {} benchmark(s) on {} node(s){}.", names.size(), hosts.size(),
                        local                               ? ""
                        : command.parsed.has("--no-docker") ? " without docker"
                                                            : " in " + image_of(command)));
  std::string summary;
  for (const std::string& node : hosts) {
    Json row = {{"node", node}};
    for (const std::string& name : names) measure(host, name, row);
    const std::string results = dump_json(row) + "\n";
    summary += results;
    for (const std::string& name : names) {
      log(host, fmt::format("Executor is going to execute {} on {}.", name, node));
      if (!local)
        host.write(fmt::format("{}/nodes/{}/benchmarks/{}/rank0/results.json", folder, node,
                               replace_all(name, ":", "_")),
                   results);
    }
  }
  log(host, "Run succeed.");
  host.write(folder + "/sb.config.yaml",
             config + (overrides(command).empty() ? "" : "# overrides\n" + overrides(command) + "\n"));
  host.write(folder + (local ? "/sb-exec.log" : "/sb-run.log"),
             fmt::format("{} benchmark(s)\n", names.size()));
  if (!local) host.write(folder + "/results-summary.jsonl", summary);
  host.advance(static_cast<std::int64_t>(names.size()) * 63'000'000'000);
  return 0;
}

int node_info(const Command& command) {
  Host& host = command.host;
  const Json info = system_info(host);
  if (command.parsed.has("--output-dir")) {
    host.write(output_folder(command) + "/sys_info.json", info.dump(2) + "\n");
    return 0;
  }
  return print(command, info);
}

}  // namespace micius::emu::superbench
