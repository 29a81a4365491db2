#include "emu/amd/values.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace micius::emu::amd {
namespace {

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string unique_hex(const Host& host, std::size_t gpu) {
  std::string id = host.gpu(gpu, "unique_id").value_or("0x0");
  id = id.substr(2);
  return std::string(16 - std::min<std::size_t>(16, id.size()), '0') + id;
}

// A GPU's UUID is its unique id and device id in the form of RFC 4122.
std::string uuid(const Host& host, std::size_t gpu) {
  const std::string id = unique_hex(host, gpu);
  const std::string partition = host.gpu(gpu, "partition_id").value_or("0");
  return fmt::format("{}ff{}-{:0>4}-1000-80{}-{}", id.substr(0, 2),
                     host.gpu(gpu, "device_id").value_or("0x0").substr(2), partition, id.substr(2, 2),
                     id.substr(4));
}

std::optional<std::string> clock_field(const Host& host, std::size_t gpu, std::string_view name) {
  const auto found = clock(host, gpu, std::string(name));
  if (!found || found->current >= found->steps.size()) return std::nullopt;
  const std::string& step = found->steps[found->current];
  return step.substr(0, step.find("Mhz"));
}

// "vram.used" in MiB; "vram.free" is what is left of the total.
std::optional<std::string> megabytes(const Host& host, std::size_t gpu, std::string_view key) {
  constexpr std::int64_t kMiB = 1'048'576;
  if (key.size() > 5 && key.substr(key.size() - 5) == ".free") {
    const std::string kind(key.substr(0, key.size() - 5));
    return std::to_string(host.gpu_number(gpu, kind + ".total") / kMiB -
                          host.gpu_number(gpu, kind + ".used") / kMiB);
  }
  const auto bytes = host.gpu(gpu, key);
  return bytes ? std::optional(std::to_string(number_of(*bytes) / kMiB)) : std::nullopt;
}

std::optional<std::string> computed(const Host& host, std::size_t gpu, std::string_view key) {
  if (key == "gpu") return std::to_string(gpu);
  if (key == "driver" || key == "rocm") return host.fact(key);
  if (key == "bdf") return host.gpu(gpu, "bus_id");
  if (key == "bus_upper") return upper(host.gpu(gpu, "bus_id").value_or(""));
  if (key == "uuid") return uuid(host, gpu);
  if (key == "asic_serial") return "0x" + upper(unique_hex(host, gpu));
  if (key == "hip_uuid") return "GPU-" + unique_hex(host, gpu);
  if (key.substr(0, 4) == "clk.") return clock_field(host, gpu, key.substr(4));
  if (key == "vram_percent") {
    const std::int64_t total = host.gpu_number(gpu, "vram.total");
    return std::to_string(total == 0 ? 0 : host.gpu_number(gpu, "vram.used") * 100 / total);
  }
  if (key == "pcie.gen") return host.gpu(gpu, "pcie.speed") == "16" ? "4" : "5";
  if (key == "perf_level.upper") return upper(host.gpu(gpu, "perf_level").value_or("auto"));
  if (key == "energy.j") {
    const std::string energy = host.gpu(gpu, "energy.uj").value_or("0");
    return std::to_string(number_of(energy) / 1'000'000);
  }
  if (key.size() > 3 && key.substr(key.size() - 3) == ".mb")
    return megabytes(host, gpu, key.substr(0, key.size() - 3));
  if (key.size() > 4 && key.substr(key.size() - 4) == ".int") {  // "43.0" -> "43"
    const auto text = host.gpu(gpu, key.substr(0, key.size() - 4));
    if (text) return text->substr(0, text->find('.'));
  }
  if (key == "sku") {
    const std::string vbios = host.gpu(gpu, "vbios").value_or("");
    const std::vector<std::string_view> parts = split(vbios, '-');
    return parts.size() == 3 ? std::string(parts[1]) : "N/A";
  }
  return std::nullopt;
}

std::string usage(const ToolSpec& tool, const CommandSpec& command) {
  std::string text = "usage: " + tool.root.name;
  if (&command != &tool.root) text += " " + command.name;
  for (const OptionSpec& option : command.options)
    text += " [" + option.flags.front() + (option.arg.empty() ? "" : " " + option.arg) + "]";
  return text + "\n";
}

}  // namespace

std::optional<std::string> field(const Host& host, std::size_t gpu, std::string_view key) {
  if (auto value = host.gpu(gpu, key)) return value;
  return computed(host, gpu, key);
}

std::string fill(const Host& host, std::size_t gpu, std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find('{', at);
    const std::size_t close = open == std::string_view::npos ? open : text.find('}', open);
    if (close == std::string_view::npos) return result + std::string(text.substr(at));
    result += text.substr(at, open - at);
    const auto value = field(host, gpu, text.substr(open + 1, close - open - 1));
    if (!value) return "N/A";
    result += *value;
    at = close + 1;
  }
  return result;
}

bool holds(const Host& host, std::size_t gpu, std::string_view condition) {
  if (condition.empty()) return true;
  if (condition[0] == '!') return !field(host, gpu, condition.substr(1));
  return field(host, gpu, condition).has_value();
}

std::string Clock::name_of(std::size_t step) const {
  if (!sleeps) return std::to_string(step);
  return step == 0 ? "S" : std::to_string(step - 1);
}

std::optional<Clock> clock(const Host& host, std::size_t gpu, const std::string& name) {
  const Json* table = host.json("clocks." + name);
  if (table == nullptr) return std::nullopt;
  Clock clock;
  if (const auto it = table->find("mhz"); it != table->end())
    for (const Json& step : *it) clock.steps.push_back(scalar_text(step).value_or("0") + "Mhz");
  if (const auto it = table->find("speeds"); it != table->end())
    for (const Json& step : *it) clock.steps.push_back(scalar_text(step).value_or(""));
  if (clock.steps.empty()) return std::nullopt;
  clock.sleeps = table->contains("sleep");
  const std::size_t top = clock.steps.size() - 1;
  clock.current = std::min(top, static_cast<std::size_t>(host.gpu_number(gpu, "level." + name)));
  const std::string level = host.gpu(gpu, "perf_level").value_or("auto");
  if (level == "high") clock.current = top;
  if (level == "low") clock.current = clock.sleeps ? std::min<std::size_t>(1, top) : 0;
  if (const auto mask = host.gpu(gpu, "mask." + name)) {
    const std::int64_t bits = number_of(*mask);
    for (std::size_t bit = 0; bit <= top && bit < 63; ++bit)
      if ((bits >> bit & 1) != 0) {
        clock.current = bit;
        break;
      }
  }
  return clock;
}

std::int64_t link_weight(const Host& host, std::size_t from, std::size_t to) {
  const Json* weight = host.json("links.weight");
  if (from == to || weight == nullptr) return 0;
  if (weight->is_number_integer()) return weight->get<std::int64_t>();
  return from < weight->size() && to < (*weight)[from].size() ? (*weight)[from][to].get<std::int64_t>() : 0;
}

std::vector<Process> processes(const Host& host) {
  std::vector<Process> found;
  const Json* list = host.json("processes");
  if (list == nullptr) return found;
  for (const Json& json : *list) {
    const JsonFields fields(json, "processes");
    found.push_back({fields.integer("pid"), fields.string("name"),
                     static_cast<std::size_t>(fields.integer("gpu")), fields.integer("vram"),
                     fields.integer("gtt"), fields.integer("cpu"), fields.integer("sdma"),
                     fields.integer("cu")});
  }
  return found;
}

bool busy(const Host& host, std::size_t gpu) {
  for (const Process& process : processes(host))
    if (process.gpu == gpu) return true;
  return false;
}

namespace {

void write_python(const Json& value, int indent, int depth, std::string& text) {
  const auto new_line = [&](int level) {
    if (indent > 0) text += "\n" + std::string(static_cast<std::size_t>(indent * level), ' ');
  };
  if (!value.is_structured()) {
    text += dump_json(value);
    return;
  }
  const bool object = value.is_object();
  text += object ? '{' : '[';
  bool first = true;
  for (auto it = value.begin(); it != value.end(); ++it) {
    if (!first) text += indent > 0 ? "," : ", ";
    first = false;
    new_line(depth + 1);
    if (object) text += dump_json(Json(it.key())) + ": ";
    write_python(*it, indent, depth + 1, text);
  }
  if (!first) new_line(depth);
  text += object ? '}' : ']';
}

}  // namespace

std::string python_json(const Json& value, int indent) {
  std::string text;
  write_python(value, indent, 0, text);
  return text;
}

bool is_integer(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return !text.empty() && text.size() < 18 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string folder(const Host& host) {
  const std::string path = host.path(".");
  return path.size() > 1 && path.back() == '/' ? path.substr(0, path.size() - 1) : path;
}

int usage_error(Host& host, const ToolSpec& tool, const CommandSpec& command, std::string_view message) {
  host.error(usage(tool, command));
  host.print_error("{}{}{}: error: {}\n", tool.root.name, &command == &tool.root ? "" : " ",
                   &command == &tool.root ? "" : command.name, message);
  return 2;
}

int usage_error(Host& host, const ToolSpec& tool, const Parsed& parsed) {
  const std::string culprit = shorten(to_valid_utf8(parsed.culprit), 200);
  const std::string flags = parsed.about == nullptr ? "" : join(parsed.about->flags, "/");
  std::string message = "unrecognized arguments: " + culprit;
  switch (parsed.problem) {
    case Problem::kMissingValue:
      message = fmt::format("argument {}: expected {}", flags,
                            parsed.about->max_values == kMany ? "at least one argument"
                            : parsed.about->min_values == 1
                                ? "one argument"
                                : fmt::format("{} arguments", parsed.about->min_values));
      break;
    case Problem::kUnexpectedValue:
      message = fmt::format("argument {}: ignored explicit argument", flags);
      break;
    case Problem::kBadChoice:
      message = fmt::format("argument {}: invalid choice: '{}' (choose from '{}')", flags, culprit,
                            join(parsed.about->values, "', '"));
      break;
    case Problem::kAmbiguous:
      message = fmt::format("ambiguous option: {} could match several", culprit);
      break;
    default:
      break;
  }
  return usage_error(host, tool, *parsed.command, message);
}

void print_help(Host& host, const ToolSpec& tool, const CommandSpec& command) {
  host.out(usage(tool, command));
  host.print("\n{}\n\noptions:\n", command.synopsis);
  for (const OptionSpec& option : command.options)
    host.print("  {:<46}  {}\n", join(option.flags, ", ") + (option.arg.empty() ? "" : " " + option.arg),
               option.help);
  if (!command.subcommands.empty()) host.out("\ncommands:\n");
  for (const CommandSpec& child : command.subcommands) host.print("  {:<20}{}\n", child.name, child.synopsis);
}

}  // namespace micius::emu::amd
