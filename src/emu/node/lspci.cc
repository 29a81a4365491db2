// lspci: GPUs, switches and network cards of the profile.
#include <algorithm>

#include "base/text.h"
#include "emu/node/node.h"

namespace micius::emu {
namespace {

struct Device {
  std::string bus;  // "0000:1b:00.0"
  std::string class_name, class_id, vendor, vendor_id, name, device_id, subsystem_id, revision, driver,
      modules;
  std::string link;  // "Speed 32GT/s, Width x16"; empty: no PCIe line
  int numa = 0;
};

std::string vendor_name(const Host& host) {
  return host.profile().platform == "amd" ? "Advanced Micro Devices, Inc. [AMD/ATI]" : "NVIDIA Corporation";
}

std::string gpu_link(const Host& host, std::size_t gpu) {
  static constexpr const char* kSpeeds[] = {"2.5GT/s", "5GT/s", "8GT/s", "16GT/s", "32GT/s"};
  const std::int64_t generation = std::clamp<std::int64_t>(host.gpu_number(gpu, "pcie.link.gen.max"), 1, 5);
  return fmt::format("Speed {}, Width x{}", kSpeeds[generation - 1],
                     host.gpu(gpu, "pcie.link.width.max").value_or("16"));
}

std::vector<Device> devices_of(const Host& host) {
  std::vector<Device> devices;
  const bool amd = host.profile().platform == "amd";
  devices.push_back({"0000:00:00.0", "Host bridge", "0600", "Intel Corporation", "8086", "Device 09a2",
                     "09a2", "8086:0000", "04", "", "", "", 0});
  for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu) {
    if (host.gpu(gpu, "partition_id").value_or("0") != "0") continue;  // no PCI function of its own
    const std::string bus = lower_ascii(host.gpu(gpu, "bus_id").value_or("00000000:00:00.0"));
    devices.push_back(
        {bus.size() > 12 ? bus.substr(bus.size() - 12) : bus, host.fact_or("pci.class", "3D controller"),
         host.fact_or("pci.class_id", "0302"), vendor_name(host), amd ? "1002" : "10de",
         host.fact_or("pci.name", ""), host.fact_or("pci.id", ""),
         (amd ? "1002:" : "10de:") + host.fact_or("pci.subsystem", "16c1"), host.fact_or("pci.rev", "a1"),
         amd ? "amdgpu" : "nvidia", amd ? "amdgpu" : "nvidiafb, nouveau, nvidia_drm, nvidia",
         gpu_link(host, gpu), static_cast<int>(host.gpu_number(gpu, "numa"))});
  }
  if (const Json* switches = host.json("nvswitch"))
    for (const Json& bus : (*switches)["bus"])
      devices.push_back({bus.get<std::string>(), "Bridge", "0680", "NVIDIA Corporation", "10de",
                         switches->value("name", std::string()), switches->value("pci_id", std::string()),
                         "10de:1796", "a1", "nvidia-nvswitch", "nvidia", "Speed 16GT/s, Width x2", 0});
  if (const Json* nics = host.json("nics"))
    for (const Json& nic : *nics)
      devices.push_back(
          {nic["bus_id"].get<std::string>(), "Infiniband controller", "0207", "Mellanox Technologies", "15b3",
           "MT28908 Family [" + nic["kind"].get<std::string>() + "]", nic["pci_id"].get<std::string>(),
           "15b3:0040", "", "mlx5_core", "mlx5_core", "Speed 32GT/s, Width x16", nic["numa"].get<int>()});
  std::sort(devices.begin(), devices.end(), [](const Device& a, const Device& b) { return a.bus < b.bus; });
  return devices;
}

bool hex_fits(std::string_view wanted, std::string_view actual) {
  return wanted.empty() || wanted == "*" || lower_ascii(wanted) == actual;
}

// "10de:", "10de:2330", "::0302"
bool id_fits(const std::string& filter, const Device& device) {
  const std::vector<std::string_view> parts = split(filter, ':');
  return hex_fits(parts[0], device.vendor_id) && (parts.size() < 2 || hex_fits(parts[1], device.device_id)) &&
         (parts.size() < 3 || hex_fits(parts[2], device.class_id));
}

// "[[domain:]bus:][slot][.[function]]"
bool slot_fits(const std::string& filter, const Device& device) {
  const std::string text = lower_ascii(filter);
  const std::size_t colon = text.rfind(':');
  const std::string place = colon == std::string::npos ? "" : text.substr(0, colon);
  const std::string slot = colon == std::string::npos ? text : text.substr(colon + 1);
  const std::string bus = device.bus.substr(0, device.bus.rfind(':')),
                    own = device.bus.substr(device.bus.rfind(':') + 1);
  const bool place_fits = place.empty() || place == bus || place == bus.substr(bus.find(':') + 1);
  const std::size_t dot = slot.find('.');
  const std::string number = slot.substr(0, dot),
                    function = dot == std::string::npos ? "" : slot.substr(dot + 1);
  return place_fits &&
         (number.empty() || number == own.substr(0, own.find('.')) ||
          "0" + number == own.substr(0, own.find('.'))) &&
         (function.empty() || function == own.substr(own.find('.') + 1));
}

struct Style {
  int numbers = 0, verbose = 0, machine = 0;
  bool kernel = false, domain = false, tree = false;
};

Style style_of(const Parsed& parsed, const std::vector<Device>& devices) {
  Style style;
  for (const Given& given : parsed.options) {
    const std::string& name = given.option->name;
    if (name == "-n") ++style.numbers;
    if (name == "-nn") style.numbers = 2;
    if (name[1] == 'v') style.verbose += static_cast<int>(name.size()) - 1;
    if (name[1] == 'm') style.machine += static_cast<int>(name.size()) - 1;
    if (name == "-k") style.kernel = true;
    if (name == "-D") style.domain = true;
    if (name == "-t") style.tree = true;
  }
  style.domain = style.domain || std::any_of(devices.begin(), devices.end(), [](const Device& device) {
                   return device.bus.rfind("0000:", 0) != 0;
                 });
  return style;
}

void print_device(Host& host, const Device& device, const Style& style) {
  const std::string bus = style.domain ? device.bus : device.bus.substr(5);
  if (style.machine > 0) {
    host.print("{} \"{}\" \"{}\" \"{}\"{} \"\" \"\"\n", bus, device.class_name, device.vendor, device.name,
               device.revision.empty() ? "" : " -r" + device.revision);
    return;
  }
  const std::string revision = device.revision.empty() ? "" : fmt::format(" (rev {})", device.revision);
  if (style.numbers == 1)
    host.print("{} {}: {}:{}{}\n", bus, device.class_id, device.vendor_id, device.device_id, revision);
  else if (style.numbers >= 2)
    host.print("{} {} [{}]: {} {} [{}:{}]{}\n", bus, device.class_name, device.class_id, device.vendor,
               device.name, device.vendor_id, device.device_id, revision);
  else
    host.print("{} {}: {} {}{}\n", bus, device.class_name, device.vendor, device.name, revision);
  if (style.verbose > 0 || style.kernel)
    host.print("\tSubsystem: {} Device {}\n", device.vendor, device.subsystem_id.substr(5));
  if (style.verbose > 0) {
    host.print(
        "\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- "
        "DisINTx+\n");
    host.print("\tNUMA node: {}\n", device.numa);
    if (style.verbose > 1 && !device.link.empty())
      host.print("\tCapabilities: {}\n\t\tLnkCap:\tPort #0, {}, ASPM not supported\n\t\tLnkSta:\t{}\n",
                 host.root() ? "[60] Express Endpoint" : "<access denied>", device.link,
                 replace_all(device.link, ",", " (ok),") + " (ok)");
  }
  if ((style.verbose > 0 || style.kernel) && !device.driver.empty())
    host.print("\tKernel driver in use: {}\n\tKernel modules: {}\n", device.driver, device.modules);
  if (style.verbose > 0) host.out("\n");
}

}  // namespace

int run_lspci(Host& host, const Args& args) {
  const Parsed parsed = parse_options(host.tool("lspci"), Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone || !parsed.words.empty()) {
    const std::string word = shorten(to_valid_utf8(parsed.culprit), 100);
    if (parsed.problem == Problem::kUnknownOption)
      host.print_error("lspci: invalid option -- '{}'\n", word.size() > 1 ? word.substr(1, 1) : word);
    host.error("Usage: lspci [<switches>]\n");
    return 1;
  }
  if (parsed.has("--version")) {
    host.out("lspci version 3.7.0\n");
    return 0;
  }
  const std::vector<Device> devices = devices_of(host);
  const Style style = style_of(parsed, devices);
  if (style.tree) host.out("-[0000:00]-\n");
  for (const Device& device : devices) {
    const auto id = parsed.value("-d"), slot = parsed.value("-s");
    if ((id && !id_fits(*id, device)) || (slot && !slot_fits(*slot, device))) continue;
    if (style.tree)
      host.print("           +-{}\n", device.bus.substr(5));
    else
      print_device(host, device, style);
  }
  return 0;
}

}  // namespace micius::emu
