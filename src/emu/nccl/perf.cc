// Common part of nccl-tests and rccl-tests: options, sizes, rows.
#include "emu/nccl/perf.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"

namespace micius::emu {
namespace {

constexpr std::int64_t kMaxRows = 8'192;
constexpr std::int64_t kMaxSize = std::int64_t{1} << 42;

struct ElementType {
  std::string_view name;
  std::int64_t bytes;
};
constexpr ElementType kTypes[] = {{"int8", 1},   {"uint8", 1}, {"int32", 4}, {"uint32", 4}, {"int64", 8},
                                  {"uint64", 8}, {"half", 2},  {"float", 4}, {"double", 8}, {"bfloat16", 2}};
constexpr std::string_view kOperations[] = {"sum", "prod", "max", "min", "avg", "mulsum"};

// "1.5G", "128MB", "8": what sscanf("%lf %1s") reads. Absent for another unit.
std::optional<std::int64_t> read_size(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, number);
  if (code != std::errc() || !(number >= 0)) return std::nullopt;
  const std::string_view unit = strip({at, static_cast<std::size_t>(end - at)});
  double scale = 1;
  if (!unit.empty()) {
    switch (unit[0]) {
      case 'G':
      case 'g':
        scale = 1 << 30;
        break;
      case 'M':
      case 'm':
        scale = 1 << 20;
        break;
      case 'K':
      case 'k':
        scale = 1 << 10;
        break;
      default:
        return std::nullopt;
    }
  }
  return static_cast<std::int64_t>(std::min(number * scale, static_cast<double>(kMaxSize)));
}

std::int64_t read_count(const Parsed& parsed, const char* option, std::int64_t fallback) {
  const auto text = parsed.value(option);
  if (!text) return fallback;
  std::int64_t number = 0;  // strtol: what is no number counts as 0
  std::from_chars(text->data(), text->data() + text->size(), number, text->rfind("0x", 0) == 0 ? 16 : 10);
  return std::clamp<std::int64_t>(number, -1, 1'000'000'000);
}

bool read_sizes(Host& host, const Parsed& parsed, PerfPlan& plan) {
  for (const auto& [option, name, target] :
       {std::tuple{"-b", "minbytes", &plan.min_bytes}, std::tuple{"-e", "maxbytes", &plan.max_bytes},
        std::tuple{"-i", "stepbytes", &plan.step_bytes}}) {
    const auto text = parsed.value(option);
    if (!text) continue;
    const auto size = read_size(*text);
    if (!size) {
      host.print_error("invalid size specified for '{}'\n", name);
      return false;
    }
    *target = *size;
  }
  if (plan.min_bytes > plan.max_bytes) {
    host.print_error("invalid sizes for 'minbytes' and 'maxbytes': {} > {}\n", plan.min_bytes,
                     plan.max_bytes);
    return false;
  }
  return true;
}

std::vector<std::string> names_of(const std::string& word, std::span<const std::string_view> all) {
  if (word != "all") return {word};
  return {all.begin(), all.end()};
}

void read_places(Host& host, PerfPlan& plan) {
  const auto number = [&](const char* name, std::int64_t fallback) {
    const auto text = host.env(name);
    std::int64_t value = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), value);
    return value > 0 ? std::min<std::int64_t>(value, 4096) : fallback;
  };
  plan.processes = number("OMPI_COMM_WORLD_SIZE", 1);
  plan.hosts = std::min(plan.processes, number("OMPI_EMU_HOSTS", 1));
}

bool read_plan(Host& host, const Parsed& parsed, const PerfFlavour& flavour, PerfPlan& plan) {
  if (!read_sizes(host, parsed, plan)) return false;
  plan.threads = std::clamp<std::int64_t>(read_count(parsed, "-t", 1), 1, 4096);
  plan.gpus = std::clamp<std::int64_t>(read_count(parsed, "-g", 1), 1, 4096);
  plan.step_factor = parsed.has("-f") ? read_count(parsed, "-f", 1) : 1;
  plan.iterations = read_count(parsed, "-n", 20);
  plan.aggregated = read_count(parsed, "-m", 1);
  plan.warmup = read_count(parsed, "-w", flavour.warmup);
  plan.cycles = read_count(parsed, "-N", 1);
  plan.check = read_count(parsed, "-c", 1);
  plan.graph = read_count(parsed, "-G", 0);
  plan.unalign = read_count(parsed, "-u", 0);
  plan.root = parsed.value("-r") == "all" ? -1 : read_count(parsed, "-r", 0);
  plan.output_file = parsed.value_or("-J", "");
  plan.timestamps = read_count(parsed, "-S", 0) != 0;
  plan.memory = read_count(parsed, "-M", 0) != 0;
  plan.per_iteration = read_count(parsed, "-I", 0) != 0;
  std::vector<std::string_view> types;
  for (const ElementType& type : kTypes) types.push_back(type.name);
  types.push_back(flavour.type_8_3);
  types.push_back(flavour.type_8_2);
  plan.types = names_of(parsed.value_or("-d", "float"), types);
  plan.operations = names_of(parsed.value_or("-o", "sum"), kOperations);
  for (const std::string& type : plan.types)
    if (std::find(types.begin(), types.end(), type) == types.end()) {
      host.print_error("invalid type '{}'; sum is used\n", shorten(to_valid_utf8(type), 60));
      return false;
    }
  for (const std::string& operation : plan.operations)
    if (std::find(std::begin(kOperations), std::end(kOperations), operation) == std::end(kOperations)) {
      host.print_error("invalid operation '{}'\n", shorten(to_valid_utf8(operation), 60));
      return false;
    }
  read_places(host, plan);
  return true;
}

std::int64_t type_bytes(const std::string& name) {
  for (const ElementType& type : kTypes)
    if (type.name == name) return type.bytes;
  return 1;  // the 8 bit floats
}

// A number as wide as its column: two decimals where they fit, else one, else none, else an exponent.
std::string fitted(double value, int width) {
  int digits = 0;
  for (double power = 1; value >= power && digits < 20; power *= 10) ++digits;
  if (digits < width - 2) return fmt::format("{:{}.2f}", value, width);
  if (digits < width - 1) return fmt::format("{:{}.1f}", value, width);
  if (digits < width + 1) return fmt::format("{:{}.0f}", value, width);
  return fmt::format("{:{}.1e}", value, width);
}

class Sweep {
 public:
  Sweep(Host& host, const PerfPlan& plan, int wrong_width)
      : host_(host),
        plan_(plan),
        wrong_width_(wrong_width),
        collective_(collective_of(plan.program, plan.ranks())),
        model_(host, collective_, plan.ranks(), plan.hosts) {}

  double run() {
    const std::int64_t cycles = plan_.cycles == 0 ? 3 : std::min<std::int64_t>(plan_.cycles, 1'000);
    if (plan_.cycles == 0) host_.unbounded();
    for (std::int64_t cycle = 0; cycle < cycles && rows_ < kMaxRows; ++cycle)
      for (const std::string& type : plan_.types)
        for (const std::string& operation :
             collective_.has_op ? plan_.operations : std::vector<std::string>{"none"})
          roots(type, operation);
    if (!plan_.output_file.empty()) write_json();
    return measured_ == 0 ? 0 : sum_ / static_cast<double>(measured_);
  }

 private:
  void roots(const std::string& type, const std::string& operation) {
    const std::int64_t first = !collective_.has_root ? -1 : std::max<std::int64_t>(plan_.root, 0);
    const std::int64_t last = collective_.has_root && plan_.root < 0 ? plan_.ranks() - 1 : first;
    for (std::int64_t root = first; root <= last; ++root) sizes(type, operation, root);
  }

  void sizes(const std::string& type, const std::string& operation, std::int64_t root) {
    for (std::int64_t size = plan_.min_bytes; size <= plan_.max_bytes && rows_ < kMaxRows; ++rows_) {
      row(size, type, operation, root);
      if (plan_.step_factor > 1) {
        if (size > kMaxSize / plan_.step_factor) break;
        size = std::max<std::int64_t>(size * plan_.step_factor, 1);
      } else {
        if (plan_.step_bytes <= 0) break;
        size += plan_.step_bytes;
      }
    }
  }

  void row(std::int64_t size, const std::string& type, const std::string& operation, std::int64_t root) {
    const std::int64_t bytes = type_bytes(type), parts = collective_.divided ? plan_.ranks() : 1;
    const std::int64_t count = size / bytes / parts, moved = count * parts * bytes;
    const std::int64_t out = model_.time_ns(moved) * plan_.time_percent / 100, in = out - out / 64;
    if (plan_.timestamps) host_.print("{} ", host_.time("%Y-%m-%d %H:%M:%S"));
    host_.print("{:>12}  {:>12}  {:>8}  {:>6}  {:>6}", moved, count, type, operation, root);
    for (std::int64_t ns : {out, in}) {
      const double bus = model_.bus_bandwidth(moved, ns);
      host_.print("  {}  {}  {}  {:>{}}", fitted(static_cast<double>(ns) / 1000, 7),
                  fitted(model_.algorithm_bandwidth(moved, ns), 6), fitted(bus, 6),
                  plan_.check == 0 ? "N/A" : "0", wrong_width_);
      sum_ += bus;
      ++measured_;
      const std::int64_t most = std::numeric_limits<std::int64_t>::max() / std::max<std::int64_t>(ns, 1);
      host_.advance(ns * std::clamp<std::int64_t>(plan_.iterations + plan_.warmup, 1, most));
    }
    if (plan_.per_iteration)
      host_.print("  {}  {}  {}", fitted(static_cast<double>(out) / 1000, 7),
                  fitted(static_cast<double>(out) / 1000, 7), fitted(static_cast<double>(out) / 1000, 7));
    host_.out("\n");
    if (!plan_.output_file.empty())
      results_.push_back({{"size", moved},
                          {"count", count},
                          {"type", type},
                          {"redop", operation},
                          {"root", root},
                          {"out_of_place_time_ns", out},
                          {"in_place_time_ns", in}});
  }

  void write_json() {
    Json json = {{"program", plan_.program},
                 {"ranks", plan_.ranks()},
                 {"iterations", plan_.iterations},
                 {"results", results_}};
    host_.write(plan_.output_file, json.dump(2) + "\n");
  }

  Host& host_;
  const PerfPlan& plan_;
  int wrong_width_;
  Collective collective_;
  BandwidthModel model_;
  Json results_ = Json::array();
  double sum_ = 0;
  std::int64_t measured_ = 0, rows_ = 0;
};

// How many GPUs CUDA_VISIBLE_DEVICES and its kin leave.
std::size_t visible_gpus(Host& host) {
  std::size_t count = host.gpu_count();
  for (const char* name : {"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"})
    if (const auto list = host.env(name))
      count = std::min(count, list->empty() ? std::size_t{0} : split(*list, ',').size());
  return count;
}

int usage(Host& host, const ToolSpec& tool, const std::string& program) {
  host.print("USAGE: {} \n\t", program);
  for (const OptionSpec& option : tool.root.options) {
    host.print("[{}{}] \n\t", join(option.flags, ","),
               option.arg.empty() ? "" : " <" + lower_ascii(option.arg) + ">");
  }
  host.out("\n");
  return 0;
}

}  // namespace

RankPlace rank_place(Host& host, const PerfPlan& plan, std::int64_t rank) {
  const std::int64_t per_process = plan.threads * plan.gpus, process = rank / per_process;
  const std::int64_t local = std::max<std::int64_t>(1, (plan.processes + plan.hosts - 1) / plan.hosts);
  std::string name = host.fact_or("hostname", "localhost");
  if (plan.hosts > 1) name = host.fact_or(fmt::format("peers.{}", process / local), name);
  return {name, process % local * per_process + rank % per_process};
}

int run_perf(Host& host, const Args& args, const PerfFlavour& flavour) {
  const ToolSpec& tool = host.tool(flavour.table);
  PerfPlan plan;
  plan.program = args[0].substr(args[0].rfind('/') + 1);
  const Parsed parsed = parse_options(tool, Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) {
    const bool missing = parsed.problem == Problem::kMissingValue;
    host.print_error("{}: {} '{}'\n", args[0],
                     missing ? "option requires an argument --" : "unrecognized option",
                     shorten(to_valid_utf8(parsed.culprit), 200));
    host.out("invalid option '?'\n");
    return usage(host, tool, plan.program);
  }
  if (parsed.has("-h")) return usage(host, tool, plan.program);
  if (!read_plan(host, parsed, flavour, plan)) return 255;
  if (flavour.adjust != nullptr) flavour.adjust(parsed, plan);
  const std::int64_t local = (plan.processes + plan.hosts - 1) / plan.hosts * plan.threads * plan.gpus;
  const std::size_t there = visible_gpus(host);
  if (local > static_cast<std::int64_t>(there)) {
    host.error(flavour.too_many_gpus(local, there));
    return 1;
  }
  flavour.head(host, plan);
  host.out(replace_all(flavour.columns, "@", plan.per_iteration ? "      min      max      p99" : ""));
  flavour.log(host, plan);
  const double average = Sweep(host, plan, flavour.wrong_width).run();
  flavour.foot(host, plan, average);
  return 0;
}

}  // namespace micius::emu
