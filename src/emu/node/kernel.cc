// modinfo, lsmod and dmesg of a machine with the driver loaded.
#include <algorithm>

#include "base/text.h"
#include "emu/node/node.h"
#include "emu/shim/shim.h"

namespace micius::emu {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::optional<Fields> module_fields(const Host& host, const std::string& name) {
  const std::string kernel = host.fact_or("kernel", "");
  const bool nvidia = host.profile().platform == "nvidia";
  const std::string version = host.fact_or("driver", "");
  if (nvidia && (name == "nvidia" || name == "nvidia_uvm" || name == "nvidia_drm" ||
                 name == "nvidia_modeset" || name == "nvidia_peermem")) {
    Fields fields{
        {"filename", fmt::format("/lib/modules/{}/updates/dkms/{}.ko", kernel, replace_all(name, "_", "-"))}};
    if (name == "nvidia") fields.emplace_back("alias", "char-major-195-*");
    fields.insert(fields.end(), {{"version", version},
                                 {"supported", "external"},
                                 {"license", "Dual MIT/GPL"},
                                 {"srcversion", "5D6EF5D54F0C1F0B4FF28D7"},
                                 {"depends", name == "nvidia" ? "" : "nvidia"},
                                 {"name", name},
                                 {"vermagic", kernel + " SMP mod_unload modversions "}});
    if (name == "nvidia") fields.emplace_back("parm", "NVreg_ModifyDeviceFiles:int");
    return fields;
  }
  if (!nvidia && name == "amdgpu")
    return Fields{{"filename", fmt::format("/lib/modules/{}/updates/dkms/amdgpu.ko", kernel)},
                  {"version", version},
                  {"license", "GPL and additional rights"},
                  {"description", "AMD GPU"},
                  {"author", "AMD linux driver team"},
                  {"srcversion", "A1B2C3D4E5F60718293A4B5"},
                  {"depends", "amdttm,amdkcl"},
                  {"name", "amdgpu"},
                  {"vermagic", kernel + " SMP mod_unload modversions "}};
  if (name == "mlx5_core" || name == "mlx5_ib" || name == "ib_core")
    return Fields{{"filename", fmt::format("/lib/modules/{}/updates/dkms/{}.ko", kernel, name)},
                  {"version", host.fact_or("packages.ofed", "")},
                  {"license", "Dual BSD/GPL"},
                  {"depends", ""},
                  {"name", name},
                  {"vermagic", kernel + " SMP mod_unload modversions "}};
  return std::nullopt;
}

}  // namespace

int run_modinfo(Host& host, const Args& args) {
  const Parsed parsed = parse_options(host.tool("modinfo"), Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) return gnu_problem(host, "modinfo", parsed);
  if (parsed.words.empty()) {
    host.error("modinfo: ERROR: missing module or filename.\n");
    return 1;
  }
  std::string only = parsed.value_or("-F", "");
  for (const auto& [option, field] :
       {std::pair{"-a", "author"}, std::pair{"-d", "description"}, std::pair{"-l", "license"},
        std::pair{"-p", "parm"}, std::pair{"-n", "filename"}})
    if (parsed.has(option)) only = field;
  int exit = 0;
  for (const std::string& word : parsed.words) {
    const auto fields = module_fields(host, replace_all(word, "-", "_"));
    if (!fields) {
      host.print_error("modinfo: ERROR: Module {} not found.\n", shorten(to_valid_utf8(word), 100));
      exit = 1;
      continue;
    }
    for (const auto& [name, value] : *fields) {
      if (only.empty())
        host.print("{:<16}{}\n", name + ":", value);
      else if (name == only)
        host.print("{}\n", value);
    }
  }
  return exit;
}

int run_lsmod(Host& host, const Args& args) {
  if (args.size() > 1) {
    host.error("Usage: lsmod\n");
    return 1;
  }
  host.out("Module                  Size  Used by\n");
  const auto row = [&](const char* name, int size, int users, const char* by) {
    host.print("{:<20}{:>8}  {}{}{}\n", name, size, users, *by == 0 ? "" : " ", by);
  };
  if (host.profile().platform == "amd") {
    row("amdgpu", 19'628'032, 64, "");
    row("amddrm_ttm_helper", 16'384, 1, "amdgpu");
    row("amdttm", 131'072, 2, "amdgpu,amddrm_ttm_helper");
    row("amdkcl", 32'768, 2, "amdgpu,amdttm");
  } else {
    row("nvidia_uvm", 1'957'888, 4, "");
    row("nvidia_drm", 122'880, 0, "");
    row("nvidia_modeset", 1'814'528, 1, "nvidia_drm");
    if (host.json("nics.0") != nullptr) row("nvidia_peermem", 16'384, 0, "");
    row("nvidia", 104'144'896, 215, "nvidia_uvm,nvidia_modeset");
  }
  if (host.json("nics.0") != nullptr) {
    row("mlx5_ib", 491'520, 0, "");
    row("mlx5_core", 2'187'264, 1, "mlx5_ib");
    row("ib_core", 446'464, 8, "rdma_cm,ib_ipoib,iw_cm,ib_umad,rdma_ucm,ib_uverbs,mlx5_ib,ib_cm");
  }
  row("drm", 622'592, 4, "");
  return 0;
}

namespace {

struct Message {
  double seconds;
  const char* level;
  std::string text;
};

std::vector<Message> messages(const Host& host) {
  std::vector<Message> list{{0.0, "notice", fmt::format("Linux version {}", host.fact_or("kernel", ""))},
                            {1.204411, "info", "pci_bus 0000:00: root bus resource [bus 00-fe]"}};
  const bool nvidia = host.profile().platform == "nvidia";
  if (nvidia) {
    list.push_back({12.310045, "warn", "nvidia: loading out-of-tree module taints kernel."});
    list.push_back(
        {12.402210, "info",
         fmt::format("NVRM: loading NVIDIA UNIX x86_64 Kernel Module  {}", host.fact_or("driver", ""))});
  } else {
    list.push_back({12.310045, "info", "[drm] amdgpu kernel modesetting enabled."});
    for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu)
      if (host.gpu(gpu, "partition_id").value_or("0") == "0")
        list.push_back({12.5 + 0.1 * static_cast<double>(gpu), "info",
                        fmt::format("amdgpu {}: amdgpu: SMU is initialized successfully!",
                                    lower_ascii(host.gpu(gpu, "bus_id").value_or("")))});
  }
  if (host.json("nics.0") != nullptr)
    list.push_back({14.118820, "info",
                    "mlx5_core 0000:18:00.0: firmware version: " + host.fact_or("nics.0.firmware", "")});
  if (const Json* log = host.json("ras_log"))
    for (const Json& entry : *log)
      list.push_back({entry["seconds"].get<double>(), "info",
                      fmt::format("amdgpu {}: amdgpu: {}",
                                  host.gpu(entry["gpu"].get<std::size_t>(), "bus_id").value_or(""),
                                  entry["text"].get<std::string>())});
  if (const Json* log = host.json("xid_log"))
    for (const Json& entry : *log) {
      const std::string bus = lower_ascii(host.gpu(entry["gpu"].get<std::size_t>(), "bus_id").value_or(""));
      list.push_back({entry["seconds"].get<double>(), "err",
                      fmt::format("NVRM: Xid (PCI:{}): {}, {}", bus.size() > 14 ? bus.substr(4, 10) : bus,
                                  entry["xid"].get<int>(), entry["text"].get<std::string>())});
    }
  return list;
}

}  // namespace

int run_dmesg(Host& host, const Args& args) {
  const Parsed parsed = parse_options(host.tool("dmesg"), Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) return gnu_problem(host, "dmesg", parsed);
  if (!host.root()) {
    host.error("dmesg: read kernel buffer failed: Operation not permitted\n");
    return 1;
  }
  const std::string levels = "," + parsed.value_or("-l", "") + ",",
                    form = parsed.value_or("--time-format", "");
  const bool calendar = parsed.has("-T") || form == "ctime" || form == "iso";
  if (!host.value("dmesg.cleared") && !parsed.has("-C"))
    for (const Message& message : messages(host)) {
      if (parsed.has("-l") && levels.find(fmt::format(",{},", message.level)) == std::string::npos) continue;
      if (parsed.has("-x")) host.print("kern  :{:<6}: ", message.level);
      const auto whole = static_cast<std::int64_t>(message.seconds);
      if (calendar)
        host.print("[Tue Jan 14 {:02}:{:02}:{:02} 2025] {}\n", whole / 3600 % 24, whole / 60 % 60, whole % 60,
                   message.text);
      else if (form == "notime")
        host.print("{}\n", message.text);
      else
        host.print("[{:>12.6f}] {}\n", message.seconds, message.text);
    }
  if (parsed.has("-C") || parsed.has("-c")) host.set_value("dmesg.cleared", "1");
  if (parsed.has("-w") || parsed.has("-W")) host.unbounded();
  return 0;
}

}  // namespace micius::emu
