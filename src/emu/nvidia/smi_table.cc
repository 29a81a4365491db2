// The summary table of nvidia-smi without words, 91 columns as drivers since 550 print it.
#include "base/text.h"
#include "emu/nvidia/smi_internal.h"

namespace micius::emu::smi {
namespace {

constexpr const char* kRule =
    "+-----------------------------------------------------------------------------------------+\n";
constexpr const char* kGpuRule =
    "+-----------------------------------------+------------------------+----------------------+\n";
constexpr const char* kMigRule =
    "+------------------+----------------------------------+-----------+-----------------------+\n";

std::string whole(const std::string& number) { return number.substr(0, number.find('.')); }

std::string fit(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : "..." + text.substr(text.size() - (width - 3));
}

std::string short_compute_mode(const std::string& mode) {
  return mode == "Exclusive_Process" ? "E. Process" : mode == "Exclusive_Thread" ? "E. Thread" : mode;
}

void gpu_rows(Host& host, std::size_t gpu) {
  const auto value = [&](std::string_view field) { return gpu_field(host, gpu, field).value_or("N/A"); };
  const bool mig = mig_enabled(host, gpu);
  const std::string ecc = mig ? "On"
                          : value("ecc.mode.current") == "Enabled"
                              ? value("ecc.errors.uncorrected.volatile.total")
                          : value("ecc.mode.current") == "Disabled" ? "Off"
                                                                    : "N/A";
  host.print("|{:>4}  {:<31}{:<3} |   {:<16} {:<3} |{:>21} |\n", gpu, gpu_name(host),
             value("persistence_mode") == "Enabled" ? "On" : "Off", bus_id(host, gpu),
             value("display_active") == "Enabled" ? "On" : "Off", ecc);
  const std::string util = value("utilization.gpu");
  host.print("| {:>3}  {:>3}C    {:<3}{:>15} / {:>5} |{:>11} / {:>9} |{:>8}{:>13} |\n", value("fan.speed"),
             value("temperature.gpu"), value("pstate"), whole(value("power.draw")) + "W",
             whole(value("enforced.power.limit")) + "W", value("memory.used") + "MiB",
             value("memory.total") + "MiB", util == "N/A" ? util : util + "%",
             short_compute_mode(value("compute_mode")));
  host.print("|{:41}|{:24}|{:>21} |\n", "", "", value("mig.mode.current"));
  host.out(kGpuRule);
}

bool mig_header(Host& host, const std::vector<std::size_t>& gpus) {
  for (std::size_t gpu : gpus)
    if (!mig_devices(host, gpu).empty()) {
      host.out("\n");
      host.out(kRule);
      host.print("| {:<88}|\n", "MIG devices:");
      host.out(kMigRule);
      host.out(
          "| GPU  GI  CI  MIG |              Shared Memory-Usage |        Vol|        Shared         |\n");
      host.out(
          "|      ID  ID  Dev |                Shared BAR1-Usage | SM     Unc| CE ENC  DEC  OFA  JPG |\n");
      host.out(
          "|                  |                                  |        ECC|                       |\n");
      host.out(
          "|==================+==================================+===========+=======================|\n");
      return true;
    }
  return false;
}

void mig_rows(Host& host, const std::vector<std::size_t>& gpus) {
  if (!mig_header(host, gpus)) return;
  for (std::size_t gpu : gpus) {
    int number = 0;
    for (const MigDevice& device : mig_devices(host, gpu)) {
      host.print("|{:>3}{:>5}{:>4}{:>4}  |{:>19} / {:>8}    |{:>3}{:>7} |{:>3}{:>4}{:>5}{:>5}{:>5} |\n", gpu,
                 device.instance.id, device.compute.id, number++, fmt::format("{}MiB", device.used_mib),
                 fmt::format("{:>5}MiB", device.memory_mib), device.sm, 0, device.copy_engines,
                 device.encoders, device.decoders, device.ofa, device.jpeg);
      host.print("|{:18}|{:>19} / {:>8}    |{:11}|{:23}|\n", "", "0MiB",
                 fmt::format("{:>5}MiB", device.bar1_mib), "", "");
      host.out(kMigRule);
    }
  }
}

void process_rows(Host& host, const std::vector<std::size_t>& gpus) {
  host.out("\n");
  host.out(kRule);
  host.print("| {:<88}|\n", "Processes:");
  host.out("|  GPU   GI   CI              PID   Type   Process name                        GPU Memory |\n");
  host.out("|        ID   ID                                                               Usage      |\n");
  host.out("|=========================================================================================|\n");
  bool any = false;
  for (std::size_t gpu : gpus)
    for (const GpuProcess& process : gpu_processes(host, gpu)) {
      any = true;
      host.print("|{:>5}{:>6}{:>5}{:>16}{:>7}   {:<36}{:>10} |\n", gpu, process.gi, process.ci, process.pid,
                 process.type, fit(process.name, 35), process.memory_mib + "MiB");
    }
  if (!any) host.print("|  {:<87}|\n", "No running processes found");
  host.out(kRule);
}

}  // namespace

int table(const Command& command) {
  Host& host = command.host;
  host.print("{}       \n", host.time("%a %b %e %H:%M:%S %Y"));
  host.out(kRule);
  host.print("| NVIDIA-SMI {:<23}Driver Version: {:<15}CUDA Version: {:<9}|\n", host.fact_or("driver", ""),
             host.fact_or("driver", ""), host.fact_or("cuda", ""));
  host.out(kGpuRule);
  host.out("| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |\n");
  host.out("| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |\n");
  host.out("|                                         |                        |               MIG M. |\n");
  host.out("|=========================================+========================+======================|\n");
  for (std::size_t gpu : command.gpus) gpu_rows(host, gpu);
  mig_rows(host, command.gpus);
  process_rows(host, command.gpus);
  return kOk;
}

}  // namespace micius::emu::smi
