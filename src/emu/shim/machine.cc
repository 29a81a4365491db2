// Programs that describe the machine: date, hostname, nproc, lscpu, free, uname.
#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/text.h"
#include "emu/shim/shim.h"

namespace micius::emu {
namespace {

std::optional<Parsed> parse_gnu(Host& host, const char* table, const Args& args) {
  Parsed parsed = parse_options(host.tool(table), Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem == Problem::kNone) return parsed;
  gnu_problem(host, table, parsed);
  return std::nullopt;
}

std::int64_t cpu_count(const Host& host) {
  std::int64_t count = 1;
  for (const char* part : {"cpu.sockets", "cpu.cores_per_socket", "cpu.threads_per_core"}) {
    const Json* value = host.json(part);
    if (value != nullptr && value->is_number_integer()) count *= value->get<std::int64_t>();
  }
  return count;
}

int help_of(Host& host, const char* table) {
  const CommandSpec& spec = host.tool(table).root;
  host.print("Usage: {}\n\n", spec.synopsis);
  for (const OptionSpec& option : spec.options)
    host.print("  {:<28}{}\n", join(option.flags, ", "), option.help);
  return 0;
}

// What strftime does not know (%N), or takes from this machine's time zone (%Z, %s), filled in.
std::string gnu_format(const Host& host, std::string_view format) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::string filled;
  for (std::size_t i = 0; i < format.size(); ++i) {
    filled += format[i];
    if (format[i] != '%' || i + 1 == format.size()) continue;
    const char letter = format[++i];
    const std::string text = letter == 'N'   ? fmt::format("{:09}", host.now_ns() % kSecond)
                             : letter == 's' ? std::to_string(host.now_ns() / kSecond)
                             : letter == 'Z' ? "UTC"
                                             : "";
    if (text.empty()) {
      filled += letter;
    } else {
      filled.replace(filled.size() - 1, 1, text);
    }
  }
  return filled;
}

}  // namespace

int run_date(Host& host, const Args& args) {
  const auto parsed = parse_gnu(host, "date", args);
  if (!parsed) return 1;
  if (parsed->has("--help")) return help_of(host, "date");
  if (parsed->has("-s")) {
    host.error("date: cannot set date: Operation not permitted\n");
    return 1;
  }
  std::string format =
      parsed->has("-R") ? "%a, %d %b %Y %H:%M:%S +0000"
      : parsed->has("-I")
          ? (parsed->value_or("-I", "date") == "date" ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%S+00:00")
      : parsed->has("--rfc-3339") ? "%Y-%m-%d %H:%M:%S+00:00"
                                  : "%a %b %e %H:%M:%S UTC %Y";
  for (const std::string& word : parsed->words) {
    if (word.empty() || word[0] != '+') {
      host.print_error("date: invalid date '{}'\n", shorten(to_valid_utf8(word), 100));
      return 1;
    }
    format = gnu_format(host, std::string_view(word).substr(1));
  }
  if (format.size() > 1'000) return 1;
  host.out(host.time(format.c_str()) + "\n");
  return 0;
}

int run_hostname(Host& host, const Args& args) {
  const auto parsed = parse_gnu(host, "hostname", args);
  if (!parsed) return 1;
  if (!parsed->words.empty()) {
    host.error("hostname: you must be root to change the host name\n");
    return 1;
  }
  const std::string name = host.value("hostname").value_or(host.fact_or("hostname", "localhost"));
  if (parsed->has("-i") || parsed->has("-I"))
    host.out("10.0.0.1\n");
  else if (parsed->has("-f") || parsed->has("-A"))
    host.print("{}.cluster.local\n", name);
  else if (parsed->has("-d"))
    host.out("cluster.local\n");
  else
    host.print("{}\n", name);
  return 0;
}

int run_nproc(Host& host, const Args& args) {
  const auto parsed = parse_gnu(host, "nproc", args);
  if (!parsed) return 1;
  if (parsed->has("--help")) return help_of(host, "nproc");
  std::int64_t ignore = 0;
  const std::string text = parsed->value_or("--ignore", "0");
  std::from_chars(text.data(), text.data() + text.size(), ignore);
  host.print("{}\n",
             std::max<std::int64_t>(1, cpu_count(host) - std::clamp<std::int64_t>(ignore, 0, 1 << 20)));
  return 0;
}

namespace {

std::vector<std::pair<std::string, std::string>> cpu_lines(const Host& host) {
  const std::int64_t cpus = cpu_count(host);
  std::vector<std::pair<std::string, std::string>> lines = {
      {"Architecture", "x86_64"},
      {"CPU op-mode(s)", "32-bit, 64-bit"},
      {"Address sizes", "52 bits physical, 57 bits virtual"},
      {"Byte Order", "Little Endian"},
      {"CPU(s)", std::to_string(cpus)},
      {"On-line CPU(s) list", fmt::format("0-{}", cpus - 1)},
      {"Vendor ID", host.fact_or("cpu.vendor", "")},
      {"Model name", host.fact_or("cpu.model", "")},
      {"CPU family", host.fact_or("cpu.family", "")},
      {"Model", host.fact_or("cpu.model_number", "")},
      {"Thread(s) per core", host.fact_or("cpu.threads_per_core", "")},
      {"Core(s) per socket", host.fact_or("cpu.cores_per_socket", "")},
      {"Socket(s)", host.fact_or("cpu.sockets", "")},
      {"Stepping", host.fact_or("cpu.stepping", "")},
      {"CPU max MHz", host.fact_or("cpu.mhz_max", "")},
      {"CPU min MHz", host.fact_or("cpu.mhz_min", "")},
  };
  if (const Json* nodes = host.json("numa")) {
    lines.emplace_back("NUMA node(s)", std::to_string(nodes->size()));
    for (const Json& node : *nodes)
      lines.emplace_back(fmt::format("NUMA node{} CPU(s)", node["node"].get<int>()),
                         node["cpus"].get<std::string>());
  }
  return lines;
}

}  // namespace

int run_lscpu(Host& host, const Args& args) {
  const auto parsed = parse_gnu(host, "lscpu", args);
  if (!parsed) return 1;
  if (parsed->has("-h")) return help_of(host, "lscpu");
  const std::int64_t cpus = cpu_count(host);
  const std::int64_t cores =
      cpus / std::max<std::int64_t>(1, host.json("cpu.threads_per_core")->get<std::int64_t>());
  const std::int64_t per_socket = host.json("cpu.cores_per_socket")->get<std::int64_t>();
  if (parsed->has("-p") || parsed->has("-e")) {
    const bool table = parsed->has("-e");
    host.out(table ? "CPU NODE SOCKET CORE ONLINE\n" : "# CPU,Core,Socket,Node\n");
    for (std::int64_t cpu = 0; cpu < cpus; ++cpu) {
      const std::int64_t core = cpu % cores, socket = core / per_socket;
      if (table)
        host.print("{:>3} {:>4} {:>6} {:>4}    yes\n", cpu, socket, socket, core);
      else
        host.print("{},{},{},{}\n", cpu, core, socket, socket);
    }
    return 0;
  }
  const auto lines = cpu_lines(host);
  if (parsed->has("-J")) {
    Json list = Json::array();
    for (const auto& [field, data] : lines) list.push_back({{"field", field + ":"}, {"data", data}});
    host.out(Json{{"lscpu", list}}.dump(3) + "\n");
    return 0;
  }
  for (const auto& [field, data] : lines) host.print("{:<33}{}\n", field + ":", data);
  return 0;
}

namespace {

std::string memory_text(std::int64_t mib, const Parsed& parsed) {
  if (parsed.has("-h")) {
    if (mib >= 10 * 1024 * 1024) return fmt::format("{}Ti", mib / (1024 * 1024));
    if (mib >= 1024 * 1024)
      return fmt::format("{}.{}Ti", mib / (1024 * 1024), mib % (1024 * 1024) * 10 / (1024 * 1024));
    if (mib >= 10 * 1024) return fmt::format("{}Gi", mib / 1024);
    if (mib >= 1024) return fmt::format("{}.{}Gi", mib / 1024, mib % 1024 * 10 / 1024);
    return fmt::format("{}Mi", mib);
  }
  const std::int64_t bytes = mib << 20;
  if (parsed.has("-b")) return std::to_string(bytes);
  if (parsed.has("-m")) return std::to_string(mib);
  if (parsed.has("-g")) return std::to_string(mib >> 10);
  if (parsed.has("--mega")) return std::to_string(bytes / 1'000'000);
  if (parsed.has("--giga")) return std::to_string(bytes / 1'000'000'000);
  return std::to_string(bytes >> 10);
}

}  // namespace

int run_free(Host& host, const Args& args) {
  const auto parsed = parse_gnu(host, "free", args);
  if (!parsed) return 1;
  if (parsed->has("--help")) return help_of(host, "free");
  std::int64_t total = 0, free = 0;
  if (const Json* nodes = host.json("numa"))
    for (const Json& node : *nodes) {
      total += node["size_mb"].get<std::int64_t>();
      free += node["free_mb"].get<std::int64_t>();
    }
  const std::int64_t shared = total / 400, cache = (total - free) / 2, used = total - free - cache;
  const auto row = [&](const char* name, std::initializer_list<std::int64_t> numbers) {
    host.print("{:<8}", name);
    for (std::int64_t number : numbers) host.print("{:>12}", memory_text(number, *parsed));
    host.out("\n");
  };
  std::int64_t rounds = 1;
  if (const auto count = parsed->value("-c"))
    std::from_chars(count->data(), count->data() + count->size(), rounds);
  const auto period = read_duration(parsed->value_or("-s", "1")).value_or(1'000'000'000);
  if (parsed->has("-s") && !parsed->has("-c")) {
    rounds = 3;
    host.unbounded();
  }
  rounds = std::clamp<std::int64_t>(rounds, 1, 1'000);
  for (std::int64_t round = 0; round < rounds; ++round) {
    if (round > 0) host.advance(period);
    host.out("               total        used        free      shared  buff/cache   available\n");
    row("Mem:", {total, used, free, shared, cache, free + cache - shared});
    row("Swap:", {0, 0, 0});
    if (parsed->has("-t")) row("Total:", {total, used, free});
    if (rounds > 1) host.out("\n");
  }
  return 0;
}

int run_uname(Host& host, const Args& args) {
  const auto parsed = parse_gnu(host, "uname", args);
  if (!parsed) return 1;
  if (parsed->has("--help")) return help_of(host, "uname");
  if (!parsed->words.empty()) {
    host.print_error("uname: extra operand '{}'\nTry 'uname --help' for more information.\n",
                     shorten(to_valid_utf8(parsed->words[0]), 100));
    return 1;
  }
  const std::pair<const char*, std::string> kParts[] = {
      {"-s", "Linux"},
      {"-n", host.fact_or("hostname", "")},
      {"-r", host.fact_or("kernel", "")},
      {"-v", "#140-Ubuntu SMP Wed Dec 18 17:59:53 UTC 2024"},
      {"-m", "x86_64"},
      {"-p", "x86_64"},
      {"-i", "x86_64"},
      {"-o", "GNU/Linux"}};
  std::vector<std::string> words;
  for (const auto& [option, text] : kParts)
    if (parsed->has("-a") || parsed->has(option)) words.push_back(text);
  host.out((words.empty() ? "Linux" : join(words, " ")) + "\n");
  return 0;
}

}  // namespace micius::emu
