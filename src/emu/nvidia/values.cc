#include "emu/nvidia/values.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "base/text.h"

namespace micius::emu {
namespace {

// "00000000:1B:00.0" -> domain, bus, device
std::string pci_part(const std::string& bus, std::size_t from, std::size_t size) {
  return bus.size() >= 16 ? "0x" + bus.substr(from, size) : "0x0";
}

std::optional<std::string> computed(const Host& host, std::size_t gpu, std::string_view field) {
  if (field == "timestamp") return host.timestamp();
  if (field == "count") return std::to_string(host.gpu_count());
  if (field == "index") return std::to_string(gpu);
  if (field == "name") return gpu_name(host);
  if (field == "driver_version" || field == "kmd_version") return host.fact("driver");
  if (field == "gsp.version") return host.gpu(gpu, "gsp.mode.current") ? host.fact("driver") : std::nullopt;
  const std::string bus = host.gpu(gpu, "bus_id").value_or("");
  if (field == "pci.bus_id") return bus;
  if (field == "pci.domain") return pci_part(bus, 4, 4);
  if (field == "pci.bus") return pci_part(bus, 9, 2);
  if (field == "pci.device") return pci_part(bus, 12, 2);
  if (field == "board_id" && bus.size() >= 16) {
    unsigned number = 0;
    std::from_chars(bus.data() + 9, bus.data() + 11, number, 16);
    return fmt::format("0x{:x}", number << 8);
  }
  if (field == "memory.free")
    return std::to_string(host.gpu_number(gpu, "memory.total") - host.gpu_number(gpu, "memory.reserved") -
                          host.gpu_number(gpu, "memory.used"));
  if (field == "bar1.free")
    return std::to_string(host.gpu_number(gpu, "bar1.total") - host.gpu_number(gpu, "bar1.used"));
  if (mig_enabled(host, gpu) &&
      (field.substr(0, 12) == "utilization." ||
       (field.substr(0, 14) == "remapped_rows." && field.substr(0, 24) != "remapped_rows.histogram.")))
    return std::nullopt;
  return host.gpu(gpu, field);
}

std::optional<std::string> number_text(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it == json.end() ? std::nullopt : scalar_text(*it);
}

bool same_bus(std::string_view id, const std::string& bus) {
  std::string text(id);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (text.size() < 4 || text.size() > bus.size()) return false;
  return bus == text || (bus.substr(bus.size() - text.size()) == text && text.find(':') != std::string::npos);
}

}  // namespace

std::optional<std::string> gpu_field(const Host& host, std::size_t gpu, std::string_view field) {
  return computed(host, gpu, field);
}

bool mig_enabled(const Host& host, std::size_t gpu) { return host.gpu(gpu, "mig.mode.current") == "Enabled"; }
std::string bus_id(const Host& host, std::size_t gpu) { return host.gpu(gpu, "bus_id").value_or(""); }
std::string gpu_uuid(const Host& host, std::size_t gpu) { return host.gpu(gpu, "uuid").value_or(""); }
std::string gpu_name(const Host& host) { return host.fact_or("gpu_name", ""); }

std::string stable_uuid(std::string_view name) {
  const std::string hex = sha256_hex("aimicius-1/" + std::string(name));
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20, 12));
}

std::vector<GpuProcess> gpu_processes(const Host& host, std::size_t gpu) {
  std::vector<GpuProcess> found;
  const Json* list = host.json("processes");
  if (list == nullptr) return found;
  for (const Json& json : *list) {
    const JsonFields fields(json, "processes");
    if (fields.integer("gpu") != static_cast<std::int64_t>(gpu)) continue;
    GpuProcess process{static_cast<int>(fields.integer("pid")),
                       fields.string_or("user", "root"),
                       fields.string("name"),
                       fields.string_or("type", "C"),
                       gpu,
                       number_text(json, "memory_mib").value_or("0"),
                       number_text(json, "sm"),
                       number_text(json, "mem"),
                       number_text(json, "enc")};
    process.gi = number_text(json, "gi").value_or("N/A");
    process.ci = number_text(json, "ci").value_or("N/A");
    found.push_back(std::move(process));
  }
  return found;
}

std::optional<std::vector<std::size_t>> select_gpus(const Host& host, const std::optional<std::string>& ids) {
  std::vector<std::size_t> chosen;
  if (!ids) {
    for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu) chosen.push_back(gpu);
    return chosen;
  }
  if (ids->size() > 4096) return std::nullopt;
  for (std::string_view id : split(*ids, ',')) {
    id = strip(id);
    std::optional<std::size_t> match;
    for (std::size_t gpu = 0; gpu < host.gpu_count() && !match; ++gpu)
      if (id == std::to_string(gpu) || id == gpu_uuid(host, gpu) || id == host.gpu(gpu, "serial") ||
          same_bus(id, bus_id(host, gpu)))
        match = gpu;
    if (!match) return std::nullopt;
    if (std::find(chosen.begin(), chosen.end(), *match) == chosen.end()) chosen.push_back(*match);
  }
  return chosen;
}

}  // namespace micius::emu
