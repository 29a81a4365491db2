// TransferBench: copies of one size between all devices, with settings from the environment.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/amd/devices_internal.h"
#include "emu/amd/rocm_tools.h"
#include "emu/amd/values.h"

namespace micius::emu {
namespace {

using amd::Devices;
using amd::rate_text;

constexpr std::string_view kPresets[] = {"a2a",   "a2asweep", "p2p",     "one2all",
                                         "sweep", "rsweep",   "scaling", "schmoo"};

struct Setting {
  const char *name, *value, *text;
};
constexpr Setting kSettings[] = {
    {"ALWAYS_VALIDATE", "0", "Validating after all iterations"},
    {"BLOCK_BYTES", "256", "Each CU gets a mulitple of @ bytes to copy"},
    {"BYTE_OFFSET", "0", "Using byte offset of @"},
    {"CU_MASK", "0", "All"},
    {"FILL_PATTERN", "0", "Element i = ((i * 517) modulo 383 + 31) * (srcBufferIdx + 1)"},
    {"GFX_BLOCK_ORDER", "0", "Thread block ordering: Sequential"},
    {"GFX_BLOCK_SIZE", "256", "Threadblock size of @"},
    {"GFX_SINGLE_TEAM", "1", "Combining CUs to work across entire data array"},
    {"GFX_UNROLL", "4", "Using GFX unroll factor of @"},
    {"GFX_WAVE_ORDER", "0", "Using GFX wave ordering of Unroll,Wavefront,CU"},
    {"GFX_WORD_SIZE", "4", "Using GFX word size of @ (DWORDx4)"},
    {"MIN_VAR_SUBEXEC", "1", "Using at least @ subexecutor(s) for variable subExec tranfers"},
    {"MAX_VAR_SUBEXEC", "0", "Using up to all available subexecutors for variable subExec transfers"},
    {"NUM_ITERATIONS", "10", "Running @  timed iteration(s)"},
    {"NUM_SUBITERATIONS", "1", "Running @ subiterations"},
    {"NUM_WARMUPS", "3", "Running @ warmup iteration(s) per Test"},
    {"SHOW_ITERATIONS", "0", "Hiding per-iteration timing"},
    {"USE_HIP_EVENTS", "1", "Using HIP events for GFX/DMA Executor timing"},
    {"USE_HSA_DMA", "0", "Using hipMemcpyAsync for DMA execution"},
    {"USE_INTERACTIVE", "0", "Running in non-interactive mode"},
    {"USE_SINGLE_STREAM", "1", "Using single stream per GFX device"},
    {"VALIDATE_DIRECT", "0", "Validate GPU destination memory via CPU staging buffer"},
    {"VALIDATE_SOURCE", "0", "Do not perform source validation after prep"},
};

std::string setting(Host& host, const char* name, const std::string& fallback) {
  const auto value = host.env(name);
  return value && amd::is_integer(*value) ? *value : fallback;
}

std::int64_t count_of(Host& host, const char* name, std::size_t most) {
  std::int64_t value = 0;
  const std::string text = setting(host, name, std::to_string(most));
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::clamp<std::int64_t>(value, 0, static_cast<std::int64_t>(most));
}

// "64M" as the tool reads it: a number, and K, M or G; up to 1 TiB.
std::optional<std::int64_t> bytes_of(const std::string& text) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit = lower_ascii({end, static_cast<std::size_t>(text.data() + text.size() - end)});
  if (code != std::errc() || number < 0 || number > kMost) return std::nullopt;
  const int shift = unit.empty() ? 0 : unit == "k" ? 10 : unit == "m" ? 20 : unit == "g" ? 30 : -1;
  if (shift < 0 || number > kMost >> shift) return std::nullopt;
  return number << shift;
}

class TransferBench {
 public:
  TransferBench(Host& host, std::int64_t bytes)
      : host_(host),
        devices_(host),
        bytes_(bytes),
        cpus_(count_of(host, "NUM_CPU_DEVICES", devices_.cpus())),
        gpus_(count_of(host, "NUM_GPU_DEVICES", host.gpu_count())) {
    percent_ = setting(host, "USE_FINE_GRAIN", "0") == "0" ? 100 : 82;
    if (setting(host, "GFX_UNROLL", "4") != "4") percent_ = percent_ * 97 / 100;
  }

  void head() {
    host_.print(
        "TransferBench v{}\n===============================================================\n"
        "[Common]                              (Suppress by setting HIDE_ENV=1)\n",
        host_.fact_or("packages.transferbench", ""));
    if (host_.env("HIDE_ENV").value_or("0") == "1") return;
    for (const Setting& row : kSettings) {
      const std::string value = setting(host_, row.name, row.value);
      host_.print("{:<20} = {:>12} : {}\n", row.name, value, replace_all(row.text, "@", value));
    }
    host_.out("\n");
  }

  void p2p() {
    const std::string mode = setting(host_, "P2P_MODE", "0");
    host_.out("[P2P Related]\n");
    const auto line = [&](const char* name, const std::string& value, const std::string& text) {
      host_.print("{:<20} = {:>12} : {}\n", name, value, text);
    };
    const std::string units = amd::fill(host_, 0, "{compute_units}");
    line("NUM_CPU_DEVICES", std::to_string(cpus_), fmt::format("Using {} CPUs", cpus_));
    line("NUM_CPU_SE", "4", "Using 4 CPU threads per Transfer");
    line("NUM_GPU_DEVICES", std::to_string(gpus_), fmt::format("Using {} GPUs", gpus_));
    line("NUM_GPU_SE", units, fmt::format("Using {} GPU subexecutors/CUs per Transfer", units));
    line("P2P_MODE", mode,
         mode == "1"   ? "Running Uni transfers"
         : mode == "2" ? "Running Bi transfers"
                       : "Running Uni + Bi transfers");
    const std::string fine = setting(host_, "USE_FINE_GRAIN", "0");
    line("USE_FINE_GRAIN", fine, fine == "0" ? "Using coarse-grained memory" : "Using fine-grained memory");
    line("USE_GPU_DMA", "0", "Using GPU-GFX as GPU executor");
    line("USE_REMOTE_READ", "0", "Using SRC as executor");
    host_.out("\n");
    host_.print("Bytes Per Direction {}\n", bytes_);
    if (mode != "2") one_way();
    if (mode != "1") both_ways();
  }

  void all_to_all(std::string_view preset) {
    host_.print(
        "[{}] {} GPUs, {} bytes a pair\n\nSummary: [{} bytes per "
        "Transfer]\n==========================================================\n",
        preset, gpus_, bytes_, bytes_);
    host_.out("SRC\\DST ");
    for (std::int64_t gpu = 0; gpu < gpus_; ++gpu) host_.print("   GPU {:02}   ", gpu);
    host_.out("   STotal\n");
    for (std::int64_t from = 0; from < gpus_; ++from) {
      host_.print("GPU {:02}  ", from);
      std::int64_t sum = 0;
      for (std::int64_t to = 0; to < gpus_; ++to) {
        const std::int64_t rate = from == to ? 0 : scaled(gpu_device(from), gpu_device(to)) * 92 / 100;
        sum += rate;
        host_.print(" {:>9} ", from == to ? "N/A" : rate_text(rate, 3));
      }
      host_.print(" {:>9}\n", rate_text(sum, 3));
    }
  }

 private:
  // The numbers that the devices have: first the processors', then the GPUs'.
  static std::size_t cpu_device(std::int64_t index) { return static_cast<std::size_t>(index); }
  std::size_t gpu_device(std::int64_t index) const {
    return static_cast<std::size_t>(index) + devices_.cpus();
  }
  std::int64_t scaled(std::size_t from, std::size_t to) const {
    const std::int64_t ns =
        6'000 + bytes_ * 100 / std::max<std::int64_t>(1, devices_.rate(from, to) * percent_ / 100);
    return ns == 0 ? 0 : bytes_ * 100 / ns;
  }
  std::vector<std::size_t> all() const {
    std::vector<std::size_t> list;
    for (std::int64_t i = 0; i < cpus_; ++i) list.push_back(cpu_device(i));
    for (std::int64_t i = 0; i < gpus_; ++i) list.push_back(gpu_device(i));
    return list;
  }
  std::string name(std::size_t device) const {
    return fmt::format("{} {:02}", devices_.is_cpu(device) ? "CPU" : "GPU",
                       devices_.is_cpu(device) ? device : devices_.gpu(device));
  }
  void heads(const char* first) {
    host_.print("{:>12}", first);
    bool gap = false;
    for (std::size_t to : all()) {
      if (!devices_.is_cpu(to) && !gap) host_.out("   ");
      gap = gap || !devices_.is_cpu(to);
      host_.print("    {}", name(to));
    }
    host_.out("\n");
  }
  void row(std::size_t from, const char* arrow, const std::vector<std::string>& cells) {
    host_.print("{:>8} {:<4}", name(from), arrow);
    for (std::size_t i = 0; i < cells.size(); ++i)
      host_.print("{}{:>10}", static_cast<std::int64_t>(i) == cpus_ ? "   " : "", cells[i]);
    host_.out("\n");
  }
  void averages(const char* what, const char* when, std::int64_t percent) {
    host_.print("                           CPU->CPU  CPU->GPU  GPU->CPU  GPU->GPU\n{} ({} {}):", what,
                "During", when);
    for (const auto& [first, second] :
         {std::pair{true, true}, {true, false}, {false, true}, {false, false}}) {
      std::int64_t sum = 0, count = 0;
      for (std::size_t from : all())
        for (std::size_t to : all())
          if (devices_.is_cpu(from) == first && devices_.is_cpu(to) == second &&
              (from != to || (first && percent == 100))) {
            sum += scaled(from, to) * percent / 100;
            ++count;
          }
      host_.print("{:>10}", count == 0 ? "N/A" : rate_text(sum / count, 2));
    }
    host_.out("\n\n");
  }
  void one_way() {
    host_.out("Unidirectional copy peak bandwidth GB/s [Local read / Remote write] (GPU-Executor: GFX)\n");
    heads("SRC+EXE\\DST");
    bool gap = false;
    for (std::size_t from : all()) {
      if (!devices_.is_cpu(from) && !gap) host_.out("\n");
      gap = gap || !devices_.is_cpu(from);
      std::vector<std::string> cells;
      for (std::size_t to : all()) cells.push_back(rate_text(scaled(from, to), 2));
      row(from, " ->", cells);
    }
    averages("Averages", "UniDir", 100);
  }
  void both_ways() {
    host_.out("Bidirectional copy peak bandwidth GB/s [Local read / Remote write] (GPU-Executor: GFX)\n");
    heads("SRC\\DST");
    for (std::size_t from : all()) {
      std::vector<std::string> out, in, sum;
      for (std::size_t to : all()) {
        const std::int64_t there = scaled(from, to) * 95 / 100, back = scaled(to, from) * 95 / 100;
        out.push_back(from == to ? "N/A" : rate_text(there, 2));
        in.push_back(from == to ? "N/A" : rate_text(back, 2));
        sum.push_back(from == to ? "N/A" : rate_text(there + back, 2));
      }
      row(from, " ->", out);
      row(from, "<-", in);
      row(from, "<->", sum);
      host_.out("\n");
    }
    averages("Averages", " BiDir", 95);
  }

  Host& host_;
  Devices devices_;
  std::int64_t bytes_, cpus_, gpus_, percent_ = 100;
};

}  // namespace

int run_transferbench(Host& host, const Args& args) {
  if (args.size() < 2) {
    amd::print_help(host, host.tool("TransferBench"), host.tool("TransferBench").root);
    return 0;
  }
  const std::string& what = args[1];
  const auto bytes = bytes_of(args.size() > 2 ? args[2] : "64M");
  if (!bytes || *bytes % 4 != 0) {
    host.print("[ERROR] numBytes must be a multiple of 4: {}\n", shorten(to_valid_utf8(args[2]), 100));
    return 1;
  }
  TransferBench bench(host, *bytes == 0 ? 64 << 20 : *bytes);
  const bool preset = std::find(std::begin(kPresets), std::end(kPresets), what) != std::end(kPresets);
  const std::string* config = preset || what == "cmdline" ? nullptr : host.file(what);
  if (!preset && what != "cmdline" && config == nullptr) {
    host.print("[ERROR] Unable to open transfer configuration file: [{}]\n",
               shorten(to_valid_utf8(what), 200));
    return 1;
  }
  bench.head();
  if (what == "p2p") {
    bench.p2p();
  } else if (preset) {
    bench.all_to_all(what);
  } else {
    std::vector<std::string> lines;
    if (config != nullptr)
      for (std::string_view line : split(*config, '\n')) lines.emplace_back(strip(line));
    else
      lines.push_back(args.size() > 3 ? join({args.begin() + 3, args.end()}, " ") : "");
    int number = 0;
    for (const std::string& line : lines) {
      if (line.empty() || line[0] == '#' || number > 1'000) continue;
      host.print("Test {}:\n Executor: GPU 00 |  {:>7.3f} GB/s | {:>9} bytes | {}\n", ++number, 48.914,
                 *bytes, shorten(to_valid_utf8(line), 200));
    }
  }
  host.advance(2'000'000'000);
  return 0;
}

}  // namespace micius::emu
