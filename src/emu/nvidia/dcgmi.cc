// dcgmi: discovery, groups, health, diagnostics, monitoring over the profile's GPUs.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/nvidia/dcgmi_internal.h"
#include "emu/nvidia/tools.h"
#include "emu/nvidia/values.h"

namespace micius::emu {
namespace dcgm {

void row(Host& host, std::string_view left, std::string_view right) {
  host.print("| {:<25} | {:<56} |\n", left, right);
}

int error(Host& host, const std::string& text, int exit) {
  host.print("Error: {}\n", text);
  return exit;
}

std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

namespace {

// Groups beside the two that are always there: "2:name:0,1;3:other:".
struct Group {
  std::int64_t id;
  std::string name, gpus;
};

std::vector<Group> groups_of(const Host& host) {
  std::vector<std::string> all;
  for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu) all.push_back(std::to_string(gpu));
  std::vector<Group> groups{{0, "DCGM_ALL_SUPPORTED_GPUS", join(all, ",")},
                            {1, "DCGM_ALL_SUPPORTED_NVSWITCHES", ""}};
  const std::string stored = host.value("dcgm.groups").value_or("");
  for (std::string_view part : split(stored, ';')) {
    const std::vector<std::string_view> fields = split(part, ':');
    if (fields.size() == 3)
      groups.push_back(
          {number(std::string(fields[0])).value_or(2), std::string(fields[1]), std::string(fields[2])});
  }
  return groups;
}

void store_groups(Host& host, const std::vector<Group>& groups) {
  std::string text;
  for (const Group& group : groups)
    if (group.id >= 2)
      text += fmt::format("{}{}:{}:{}", text.empty() ? "" : ";", group.id, group.name, group.gpus);
  host.set_value("dcgm.groups", text.empty() ? std::nullopt : std::optional(text));
}

}  // namespace

std::optional<std::vector<std::size_t>> chosen(const Command& command, const char* group_option,
                                               const char* entity_option) {
  Host& host = command.host;
  std::string ids;
  if (const auto entity = command.parsed.value(entity_option)) {
    ids = *entity == "*" ? "" : replace_all(*entity, "gpu:", "");
    if (ids.empty()) return select_gpus(host, std::nullopt);
  } else if (const auto group = command.parsed.value(group_option)) {
    const std::vector<Group> groups = groups_of(host);
    const auto found = std::find_if(groups.begin(), groups.end(),
                                    [&](const Group& other) { return std::to_string(other.id) == *group; });
    if (found == groups.end()) {
      error(host, fmt::format("Unable to retrieve group {}. Return: Not configured.",
                              shorten(to_valid_utf8(*group), 40)));
      return std::nullopt;
    }
    ids = found->gpus;
    if (ids.empty()) return std::vector<std::size_t>{};
  } else {
    return select_gpus(host, std::nullopt);
  }
  auto gpus = select_gpus(host, ids);
  if (!gpus) error(host, "Bad parameter passed to function.");
  return gpus;
}

namespace {

int discovery(const Command& command) {
  Host& host = command.host;
  if (!command.parsed.has("-l") && !command.parsed.has("-c") && !command.parsed.has("-i"))
    return error(host, "One of --list, --compute-hierarchy or --info is required.");
  const std::string rule =
      "+--------+----------------------------------------------------------------------+\n";
  if (command.parsed.has("-c")) {
    host.out(
        "+-------------------+--------------------------------------------------------------------+\n| "
        "Instance Hierarchy                                                                     |\n"
        "+===================+====================================================================+\n");
    for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu)
      host.print("| {:<17} | {:<66} |\n", fmt::format("GPU {}", gpu),
                 fmt::format("GPU {} (EntityID: {})", gpu_uuid(host, gpu), gpu));
    host.out("+-------------------+--------------------------------------------------------------------+\n");
    return 0;
  }
  const auto gpus = chosen(command, "-g", "--gpuid");
  if (!gpus) return 1;
  host.print("{} GPU{} found.\n{}| GPU ID | {:<68} |\n{}", gpus->size(), gpus->size() == 1 ? "" : "s", rule,
             "Device Information", rule);
  for (std::size_t gpu : *gpus) {
    host.print("| {:<6} | {:<68} |\n| {:<6} | {:<68} |\n| {:<6} | {:<68} |\n{}", gpu,
               "Name: " + gpu_name(host), "", "PCI Bus ID: " + bus_id(host, gpu), "",
               "Device UUID: " + gpu_uuid(host, gpu), rule);
  }
  if (!command.parsed.has("-l")) return 0;
  const Json* switches = host.json("nvswitch.bus");
  const std::size_t count = switches == nullptr ? 0 : switches->size();
  host.print("{} NvSwitches found.\n+-----------+\n| Switch ID |\n+-----------+\n", count);
  for (std::size_t i = 0; i < count; ++i) host.print("| {:<9} |\n", i);
  if (count > 0) host.out("+-----------+\n");
  return 0;
}

int group(const Command& command) {
  Host& host = command.host;
  std::vector<Group> groups = groups_of(host);
  if (const auto name = command.parsed.value("-c")) {
    if (name->find_first_of(":;") != std::string::npos || name->size() > 64)
      return error(host, "Bad parameter passed to function.");
    const std::int64_t id = std::max<std::int64_t>(2, groups.back().id + 1);
    const std::string gpus =
        command.parsed.value_or("-a", command.parsed.has("--default") ? groups[0].gpus : "");
    if (!gpus.empty() && !select_gpus(host, gpus)) return error(host, "Bad parameter passed to function.");
    groups.push_back({id, *name, gpus});
    store_groups(host, groups);
    host.print("Successfully created group \"{}\" with a group ID of {}\n", *name, id);
    if (!gpus.empty()) host.out("Specified entity ids are successfully added to the group\n");
    return 0;
  }
  const std::string id = command.parsed.value_or("-d", command.parsed.value_or("-g", ""));
  if (command.parsed.has("-d") || command.parsed.has("-g")) {
    const auto found = std::find_if(groups.begin(), groups.end(),
                                    [&](const Group& other) { return std::to_string(other.id) == id; });
    if (found == groups.end())
      return error(
          host, fmt::format("Cannot find group {}. Return: Not configured.", shorten(to_valid_utf8(id), 40)));
    if (command.parsed.has("-d")) {
      if (found->id < 2) return error(host, "The default groups cannot be removed.");
      host.print("Successfully removed group {}\n", found->id);
      groups.erase(found);
    } else if (const auto add = command.parsed.value("-a")) {
      if (!select_gpus(host, *add)) return error(host, "Bad parameter passed to function.");
      found->gpus += (found->gpus.empty() ? "" : ",") + *add;
      host.out("Add to group operation successful.\n");
    } else if (const auto remove = command.parsed.value("-r")) {
      std::vector<std::string> left;
      const std::vector<std::string_view> gone = split(*remove, ',');
      for (std::string_view gpu : split(found->gpus, ','))
        if (std::find(gone.begin(), gone.end(), gpu) == gone.end()) left.emplace_back(gpu);
      found->gpus = join(left, ",");
      host.out("Remove from group operation successful.\n");
    } else {
      groups = {*found};
    }
  }
  if (command.parsed.has("-l") || command.parsed.has("-i")) {
    const std::string rule =
        "+-------------------+----------------------------------------------------------+\n";
    host.print("{}| {:<76} |\n| {:<76} |\n{}", rule, "GROUPS",
               fmt::format("{} group{} found.", groups.size(), groups.size() == 1 ? "" : "s"),
               replace_all(rule, "-", "="));
    for (const Group& each : groups)
      host.print(
          "| {:<17} | {:<56} |\n|    -> {:<11} | {:<56} |\n|    -> {:<11} | {:<56} |\n|    -> {:<11} | "
          "{:<56} |\n{}",
          "Groups", "", "Group ID", each.id, "Group Name", each.name, "Entities",
          each.gpus.empty() ? "None" : "GPU " + replace_all(each.gpus, ",", ", GPU "), rule);
    return 0;
  }
  store_groups(host, groups);
  return 0;
}

struct Field {
  int id;
  const char* name;
  const char* unit;
  const char* field;
};
constexpr Field kFields[] = {{50, "NAME", "", "name"},
                             {54, "UUID", "", "uuid"},
                             {57, "PCBID", "", "pci.bus_id"},
                             {60, "PWLIM", "W", "power.limit"},
                             {100, "SMCLK", "MHz", "clocks.current.sm"},
                             {101, "MMCLK", "MHz", "clocks.current.memory"},
                             {140, "MMTMP", "C", "temperature.memory"},
                             {150, "TMPTR", "C", "temperature.gpu"},
                             {155, "POWER", "W", "power.draw"},
                             {156, "TOTEC", "mJ", ""},
                             {202, "PCIRP", "", "pcie.replays"},
                             {203, "GPUTL", "", "utilization.gpu"},
                             {204, "MCUTL", "", "utilization.memory"},
                             {206, "ENCUT", "", "utilization.encoder"},
                             {207, "DECUT", "", "utilization.decoder"},
                             {230, "XIDER", "", ""},
                             {250, "FBTTL", "", "memory.total"},
                             {251, "FBFRE", "", "memory.free"},
                             {252, "FBUSD", "", "memory.used"},
                             {310, "SBVTL", "", "ecc.errors.corrected.volatile.total"},
                             {311, "DBVTL", "", "ecc.errors.uncorrected.volatile.total"},
                             {312, "SBATL", "", "ecc.errors.corrected.aggregate.total"},
                             {313, "DBATL", "", "ecc.errors.uncorrected.aggregate.total"},
                             {390, "RPSBE", "", "retired_pages.single_bit_ecc.count"},
                             {391, "RPDBE", "", "retired_pages.double_bit.count"},
                             {409, "NVCFT", "", ""},
                             {449, "NVBWT", "", ""},
                             {1001, "GRACT", "", "activity"},
                             {1002, "SMACT", "", "activity"},
                             {1003, "SMOCC", "", "activity"},
                             {1004, "TENSO", "", "activity"},
                             {1005, "DRAMA", "", "activity"},
                             {1006, "FP64A", "", ""},
                             {1007, "FP32A", "", "activity"},
                             {1008, "FP16A", "", "activity"},
                             {1009, "PCITX", "", "pcie.tx_throughput"},
                             {1010, "PCIRX", "", "pcie.rx_throughput"},
                             {1011, "NVLTX", "", ""},
                             {1012, "NVLRX", "", ""},
                             {240, "PVIOL", "", ""},
                             {241, "TVIOL", "", ""}};

std::string field_value(const Host& host, std::size_t gpu, const Field& field) {
  if (std::string_view(field.field) == "activity") {
    const std::int64_t thousandths = host.gpu_number(gpu, "utilization.gpu") * (10 - field.id % 7);
    return fmt::format("0.{:03}", std::min<std::int64_t>(thousandths, 999));
  }
  if (*field.field == 0) return "0";
  std::string value = gpu_field(host, gpu, field.field).value_or("N/A");
  if (field.id == 155 || field.id == 60) return value + (value.find('.') == std::string::npos ? ".000" : "0");
  return value;
}

constexpr std::int64_t kMostDelay = 86'400'000;  // milliseconds

int dmon(const Command& command) {
  Host& host = command.host;
  const ToolSpec& tool = host.tool("dcgmi");
  if (command.parsed.has("-l")) {
    for (const auto& [id, text] : tool.facts["field_ids"].items())
      host.print("{:<8}{}\n", id, text.get<std::string>());
    return 0;
  }
  std::vector<const Field*> fields;
  const std::string list = command.parsed.value_or("-e", "");
  if (list.empty() && !command.parsed.has("-f"))
    return error(host, "Either of fieldIds or fieldGroupId is required to run dmon.");
  for (std::string_view id : split(list, ',')) {
    const auto* found = std::find_if(std::begin(kFields), std::end(kFields), [&](const Field& field) {
      return std::to_string(field.id) == strip(id);
    });
    if (found == std::end(kFields))
      return error(host,
                   fmt::format("Unable to get field: {}. Unknown field.", shorten(to_valid_utf8(id), 40)));
    if (fields.size() < 64) fields.push_back(found);
  }
  const auto gpus = chosen(command, "-g", "-i");
  if (!gpus) return 1;
  const auto count =
      command.parsed.has("-c") ? number(command.parsed.value_or("-c", "")) : std::optional<std::int64_t>(0);
  const auto delay = number(command.parsed.value_or("-d", "1000"));
  if (!count || *count < 0 || !delay || *delay < 1) return error(host, "Bad parameter passed to function.");
  if (*count == 0) host.unbounded();
  host.out("#Entity   ");
  for (const Field* field : fields) host.print("{:<21}", field->name);
  host.out("\nID        ");
  for (const Field* field : fields) host.print("{:<21}", field->unit);
  host.out("\n");
  for (std::int64_t round = 0; round < (*count == 0 ? 3 : std::min<std::int64_t>(*count, 2'000)); ++round) {
    if (round > 0) host.advance(std::min(*delay, kMostDelay) * 1'000'000);
    for (std::size_t gpu : *gpus) {
      host.print("{:<10}", fmt::format("GPU {}", gpu));
      for (const Field* field : fields) host.print("{:<21}", field_value(host, gpu, *field));
      host.out("\n");
    }
  }
  return 0;
}

int nvlink(const Command& command) {
  Host& host = command.host;
  if (command.parsed.has("-e")) {
    const auto gpus = chosen(command, "", "-g");
    if (!gpus) return 1;
    const std::string rule = "+------------------------------+------------------------------+\n";
    for (std::size_t gpu : *gpus) {
      host.print("{}| {:<59} |\n{}", rule, fmt::format("GPU {} NVLINK Error Counts", gpu), rule);
      for (std::int64_t link = 0; link < host.gpu_number(gpu, "nvlink.count"); ++link)
        for (const char* kind : {"CRC FLIT Error", "CRC Data Error", "Replay Error", "Recovery Error"})
          host.print("| {:<28} | {:<28} |\n", fmt::format("Link {} {}", link, kind), 0);
      host.out(rule);
    }
    return 0;
  }
  if (!command.parsed.has("-s")) return error(host, "One of --errors or --link-status is required.");
  host.out("+----------------------+\n|  NvLink Link Status  |\n+----------------------+\nGPUs:\n");
  for (std::size_t gpu = 0; gpu < host.gpu_count(); ++gpu) {
    std::string links;
    for (std::int64_t link = 0; link < std::max<std::int64_t>(1, host.gpu_number(gpu, "nvlink.count"));
         ++link)
      links += host.gpu_number(gpu, "nvlink.count") == 0 ? "_ " : "U ";
    host.print("    gpuId {}:\n        {}\n", gpu, strip_right(links));
  }
  host.out("NvSwitches:\n");
  const Json* switches = host.json("nvswitch.bus");
  if (switches == nullptr)
    host.out("    No NvSwitches found.\n");
  else
    for (std::size_t i = 0; i < switches->size(); ++i)
      host.print("    physicalId {}:\n        U U U U U U U U U U U U U U U U\n", i);
  host.out("\nKey: Up=U, Down=D, Disabled=X, Not Supported=_\n");
  return 0;
}

int config(const Command& command) {
  Host& host = command.host;
  const auto gpus = chosen(command, "-g", "");
  if (!gpus) return 1;
  if (command.parsed.has("--set")) {
    if (!host.root())
      return error(host, "Unable to set the configuration for group. Return: Insufficient permissions.", 4);
    for (std::size_t gpu : *gpus) {
      if (const auto watts = command.parsed.value("-P")) {
        const auto value = number(*watts);
        if (!value || *value < host.gpu_number(gpu, "power.min_limit") ||
            *value > host.gpu_number(gpu, "power.max_limit"))
          return error(host, "Bad parameter passed to function.");
        for (const char* field : {"power.limit", "enforced.power.limit"})
          host.set_gpu(gpu, field, *watts + ".00");
      }
      if (const auto mode = command.parsed.value("-c"))
        host.set_gpu(gpu, "compute_mode",
                     *mode == "0"   ? "Default"
                     : *mode == "1" ? "Prohibited"
                                    : "Exclusive_Process");
      if (const auto on = command.parsed.value("-e"))
        host.set_gpu(gpu, "ecc.mode.pending", *on == "1" ? "Enabled" : "Disabled");
      if (const auto clocks = command.parsed.value("-a")) host.set_gpu(gpu, "dcgm.app_clocks", *clocks);
      if (const auto sync = command.parsed.value("-s")) host.set_gpu(gpu, "dcgm.sync_boost", *sync);
    }
    host.out("Configuration successfully set.\n");
    return 0;
  }
  if (command.parsed.has("--enforce")) {
    host.out("Configuration successfully enforced.\n");
    return 0;
  }
  if (!command.parsed.has("--get")) return error(host, "One of --set, --get or --enforce is required.");
  for (std::size_t gpu : *gpus) {
    host.print("{}| {:<84} |\n{}", kTwoColumns, fmt::format("GPU {}: {}", gpu, gpu_name(host)),
               replace_all(kTwoColumns, "-", "="));
    row(host, "Compute Mode", host.gpu(gpu, "compute_mode").value_or("N/A"));
    row(host, "ECC Mode", host.gpu(gpu, "ecc.mode.current").value_or("N/A"));
    row(host, "Sync Boost", host.gpu(gpu, "dcgm.sync_boost").value_or("Not Configured"));
    row(host, "Memory Application Clock", host.gpu(gpu, "dcgm.app_clocks").value_or("Not Configured"));
    row(host, "Power Limit", host.gpu(gpu, "power.limit").value_or("N/A"));
    host.out(kTwoColumns);
  }
  return 0;
}

int topo(const Command& command) {
  Host& host = command.host;
  const std::size_t gpu =
      static_cast<std::size_t>(number(command.parsed.value_or("--gpuid", "0")).value_or(-1));
  if (gpu >= host.gpu_count()) return error(host, "Bad parameter passed to function.");
  host.print("{}| {:<84} |\n{}", kTwoColumns, "Topology Information", replace_all(kTwoColumns, "-", "="));
  row(host, command.parsed.has("--gpuid") ? fmt::format("GPU ID: {}", gpu) : "Group", "");
  row(host, "CPU Core Affinity", host.fact_or("numa." + host.gpu(gpu, "numa").value_or("0") + ".cpus", ""));
  if (command.parsed.has("--gpuid"))
    for (std::size_t other = 0; other < host.gpu_count(); ++other)
      if (other != gpu)
        row(host, fmt::format("To GPU {}", other),
            "Connected via " + host.fact_or(fmt::format("links.{}.{}", gpu, other), ""));
  host.out(kTwoColumns);
  return 0;
}

// The subsystems that print a state or remember a setting and no more.
int plain(const Command& command) {
  Host& host = command.host;
  const std::string& name = command.parsed.command->name;
  if (command.parsed.options.empty()) return error(host, fmt::format("{}: no action given", name));
  std::vector<std::string> words;
  for (const Given& given : command.parsed.options)
    words.push_back(given.option->flags.back() + (given.values.empty() ? "" : "=" + given.values.front()));
  if (name == "modules" || name == "profile" || name == "introspect" || command.parsed.has("-l") ||
      command.parsed.has("--get") || command.parsed.has("-i")) {
    host.print("{}| {:<84} |\n{}", kTwoColumns, name, replace_all(kTwoColumns, "-", "="));
    if (name == "modules")
      for (const char* module :
           {"Core", "NvSwitch", "VGPU", "Introspection", "Health", "Policy", "Config", "Diag", "Profiling"})
        row(host, module, std::string_view(module) == "Core" ? "Loaded" : "Not loaded");
    else
      row(host, "Request", shorten(to_valid_utf8(join(words, " ")), 56));
    host.out(kTwoColumns);
    return 0;
  }
  host.set_value("dcgm." + name, shorten(to_valid_utf8(join(words, " ")), 400));
  host.print("Successfully completed: {}.\n", name);
  return 0;
}

}  // namespace
}  // namespace dcgm

int run_dcgmi(Host& host, const Args& args) {
  const Parsed parsed = parse_options(host.tool("dcgmi"), Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone || !parsed.words.empty()) {
    host.print_error(
        "PARSE ERROR: Argument: {}\n             Couldn't find match for argument\n",
        shorten(to_valid_utf8(parsed.words.empty() || parsed.problem != Problem::kNone ? parsed.culprit
                                                                                       : parsed.words[0]),
                200));
    return 1;
  }
  if (parsed.path.empty() || parsed.has("-h")) {
    if (parsed.has("-v") || parsed.has("--version")) {
      host.print("Version : {}\nBuild ID : 42\n", host.fact_or("packages.dcgm", ""));
      return 0;
    }
    host.print("Usage: {}\n", parsed.command->synopsis);
    for (const OptionSpec& option : parsed.command->options)
      host.print("  {:<30} {}\n", join(option.flags, "  "), option.help);
    for (const CommandSpec& child : parsed.command->subcommands) host.print("  {}\n", child.synopsis);
    return 0;
  }
  using dcgm::Command;
  const Command command{host, parsed};
  static constexpr std::pair<std::string_view, int (*)(const Command&)> kParts[] = {
      {"discovery", dcgm::discovery}, {"group", dcgm::group}, {"health", dcgm::health},
      {"diag", dcgm::diag},           {"dmon", dcgm::dmon},   {"nvlink", dcgm::nvlink},
      {"config", dcgm::config},       {"topo", dcgm::topo}};
  for (const auto& [name, part] : kParts)
    if (name == parsed.command->name) return part(command);
  return dcgm::plain(command);
}

}  // namespace micius::emu
