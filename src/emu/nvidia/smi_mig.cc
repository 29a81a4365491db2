// MIG: the instances of a GPU, and the `mig` subcommand that lists, makes and destroys them.
#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.h"
#include "emu/nvidia/smi_internal.h"

namespace micius::emu::smi {
namespace {

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::int64_t profile_number(const Json& profile, const char* key) { return profile[key].get<std::int64_t>(); }

int slices_of(const Json& profile) { return number(profile["name"].get_ref<const std::string&>()); }

}  // namespace

std::vector<GpuInstance> mig_instances(const Host& host, std::size_t gpu) {
  std::vector<GpuInstance> instances;
  if (!mig_enabled(host, gpu)) return instances;
  const std::string text = host.gpu(gpu, "mig.instances").value_or("");
  for (std::string_view part : split(text, ';')) {
    const std::vector<std::string_view> fields = split(part, ':');
    if (fields.size() != 4) continue;
    GpuInstance instance{number(fields[0]), number(fields[1]), number(fields[2]), {}};
    for (std::string_view compute : split(fields[3], ','))
      if (const std::size_t slash = compute.find('/'); slash != std::string_view::npos)
        instance.compute.push_back({number(compute.substr(0, slash)), number(compute.substr(slash + 1))});
    instances.push_back(std::move(instance));
  }
  return instances;
}

const Json* mig_profile(const Host& host, int id) {
  const Json* list = host.json("mig_profiles");
  if (list != nullptr)
    for (const Json& profile : *list)
      if (profile["id"] == id) return &profile;
  return nullptr;
}

std::vector<MigDevice> mig_devices(const Host& host, std::size_t gpu) {
  std::vector<MigDevice> devices;
  for (const GpuInstance& instance : mig_instances(host, gpu)) {
    const Json* profile = mig_profile(host, instance.profile);
    if (profile == nullptr) continue;
    const int slices = slices_of(*profile);
    std::int64_t used = 5 + 6 * slices;
    for (const GpuProcess& process : gpu_processes(host, gpu))
      if (process.gi == std::to_string(instance.id)) used += number(process.memory_mib);
    for (const ComputeInstance& compute : instance.compute) {
      MigDevice device{instance,
                       compute,
                       (*profile)["name"].get<std::string>(),
                       {},
                       profile_number(*profile, "sm"),
                       profile_number(*profile, "copy_engines"),
                       profile_number(*profile, "encoders"),
                       profile_number(*profile, "decoders"),
                       profile_number(*profile, "jpeg"),
                       profile_number(*profile, "ofa"),
                       profile_number(*profile, "memory_mib"),
                       profile_number(*profile, "bar1_mib"),
                       used};
      if (compute.slices > 0 && compute.slices < slices) {
        device.name = fmt::format("{}c.{}", compute.slices, device.name);
        device.sm = device.sm * compute.slices / slices;
      }
      device.uuid =
          "MIG-" + stable_uuid(fmt::format("{}/{}/{}", gpu_uuid(host, gpu), instance.id, compute.id));
      devices.push_back(std::move(device));
    }
  }
  return devices;
}

namespace {

void store(Host& host, std::size_t gpu, std::vector<GpuInstance> instances) {
  std::sort(instances.begin(), instances.end(),
            [](const GpuInstance& a, const GpuInstance& b) { return a.id < b.id; });
  std::string text;
  for (const GpuInstance& instance : instances) {
    text +=
        fmt::format("{}{}:{}:{}:", text.empty() ? "" : ";", instance.profile, instance.start, instance.id);
    for (std::size_t i = 0; i < instance.compute.size(); ++i)
      text += fmt::format("{}{}/{}", i == 0 ? "" : ",", instance.compute[i].id, instance.compute[i].slices);
  }
  host.set_gpu(gpu, "mig.instances", text);
}

bool overlaps(const Host& host, const std::vector<GpuInstance>& instances, int start, int size) {
  return std::any_of(instances.begin(), instances.end(), [&](const GpuInstance& other) {
    const Json* profile = mig_profile(host, other.profile);
    const int end = other.start + (profile == nullptr ? 0 : (*profile)["size"].get<int>());
    return start < end && other.start < start + size;
  });
}

// The free places of a profile; the larger half profiles fill the upper half first, as the driver does.
std::vector<int> free_places(const Host& host, const std::vector<GpuInstance>& instances,
                             const Json& profile) {
  std::vector<int> places;
  for (const Json& start : profile["starts"])
    if (!overlaps(host, instances, start.get<int>(), profile["size"].get<int>()))
      places.push_back(start.get<int>());
  if (profile["size"] == 4) std::reverse(places.begin(), places.end());
  return places;
}

std::size_t free_count(const Host& host, std::vector<GpuInstance> instances, const Json& profile) {
  std::size_t count = 0;
  const auto total = profile["total"].get<std::size_t>();
  for (std::vector<int> places = free_places(host, instances, profile); !places.empty() && count < total;
       places = free_places(host, instances, profile)) {
    instances.push_back({profile["id"].get<int>(), places.front(), 0, {}});
    ++count;
  }
  return count;
}

int instance_id(const Json& profile, int start) {
  switch (profile["size"].get<int>()) {
    case 8:
      return 0;
    case 4:
      return start == 0 ? 1 : 2;
    case 2:
      return 3 + start / 2;
    default:
      return 7 + start;
  }
}

// A compute profile is named by its number of slices: 1 -> 0, 2 -> 1, 3 -> 2, 4 -> 3, 7 -> 4.
constexpr int kComputeSlices[] = {1, 2, 3, 4, 7};

int compute_profile_id(int slices) {
  return static_cast<int>(std::find(std::begin(kComputeSlices), std::end(kComputeSlices), slices) -
                          std::begin(kComputeSlices));
}

std::vector<std::size_t> enabled_gpus(const Command& command) {
  std::vector<std::size_t> gpus;
  for (std::size_t gpu : command.gpus)
    if (mig_enabled(command.host, gpu)) gpus.push_back(gpu);
  return gpus;
}

void list_profiles(Host& host, const std::vector<std::size_t>& gpus) {
  const std::string rule = "+" + std::string(79, '-') + "+\n";
  host.out(rule);
  host.print("| {:<78}|\n", "GPU instance profiles:");
  host.print("|{:<79}|\n", " GPU   Name               ID    Instances   Memory     P2P    SM    DEC   ENC");
  host.print("|{:<79}|\n", "                                Free/Total   GiB              CE    JPEG  OFA");
  host.print("|{}|\n", std::string(79, '='));
  for (std::size_t gpu : gpus) {
    const std::vector<GpuInstance> instances = mig_instances(host, gpu);
    for (const Json& profile : *host.json("mig_profiles")) {
      const auto counts =
          fmt::format("{}/{}", free_count(host, instances, profile), profile["total"].get<int>());
      host.print("|{:>4}  MIG {:<16}{:>3}     {:<11}{:<11}No{:>7}{:>6}{:>6}   |\n", gpu,
                 profile["name"].get<std::string>(), profile["id"].get<int>(), counts,
                 profile["memory_gib"].get<std::string>(), profile_number(profile, "sm"),
                 profile_number(profile, "decoders"), profile_number(profile, "encoders"));
      host.print("|{:>64}{:>6}{:>6}   |\n", profile_number(profile, "copy_engines"),
                 profile_number(profile, "jpeg"), profile_number(profile, "ofa"));
      host.out(rule);
    }
  }
}

void list_placements(Host& host, const std::vector<std::size_t>& gpus) {
  for (std::size_t gpu : gpus)
    for (const Json& profile : *host.json("mig_profiles")) {
      std::vector<std::string> starts;
      for (const Json& start : profile["starts"]) starts.push_back(std::to_string(start.get<int>()));
      host.print("GPU {:>2} Profile ID {:>2} Placement{}: {{{}}}:{}\n", gpu, profile["id"].get<int>(),
                 starts.size() > 1 ? "s" : " ", join(starts, ","), profile["size"].get<int>());
    }
}

// Chosen by -gi and -ci; all without them.
bool chosen(const Command& command, const char* option, int id) {
  const auto ids = command.parsed.value(option);
  if (!ids) return true;
  const std::vector<std::string_view> list = split(*ids, ',');
  return std::find(list.begin(), list.end(), std::to_string(id)) != list.end();
}

int list_instances(const Command& command, const std::vector<std::size_t>& gpus) {
  Host& host = command.host;
  std::string rows;
  const std::string rule = "+" + std::string(57, '-') + "+\n";
  for (std::size_t gpu : gpus)
    for (const GpuInstance& instance : mig_instances(host, gpu)) {
      if (!chosen(command, "-gi", instance.id)) continue;
      const Json* profile = mig_profile(host, instance.profile);
      rows += fmt::format("|{:>4}  MIG {:<16}{:>4}{:>9}{:>11}:{:<6}|\n", gpu,
                          (*profile)["name"].get<std::string>(), instance.profile, instance.id,
                          instance.start, (*profile)["size"].get<int>()) +
              rule;
    }
  if (rows.empty()) {
    host.out("No GPU instances found: Not Found\n");
    return kNotFound;
  }
  host.print("{}| {:<56}|\n", rule, "GPU instances:");
  host.print("|{:<57}|\n", " GPU   Name               Profile  Instance   Placement");
  host.print("|{:<57}|\n", "                            ID       ID       Start:Size");
  host.print("|{}|\n", std::string(57, '='));
  host.out(rows);
  return kOk;
}

int list_compute(const Command& command, const std::vector<std::size_t>& gpus) {
  Host& host = command.host;
  std::string rows;
  const std::string rule = "+" + std::string(68, '-') + "+\n";
  for (std::size_t gpu : gpus)
    for (const GpuInstance& instance : mig_instances(host, gpu)) {
      if (!chosen(command, "-gi", instance.id)) continue;
      const Json* profile = mig_profile(host, instance.profile);
      const std::string name = (*profile)["name"].get<std::string>();
      int start = 0;
      for (const ComputeInstance& compute : instance.compute) {
        const int slices = compute.slices == 0 ? slices_of(*profile) : compute.slices;
        if (chosen(command, "-ci", compute.id))
          rows += fmt::format("|{:>4}{:>7}       MIG {:<16}{:>3}{:>10}{:>11}:{:<6}|\n", gpu, instance.id,
                              slices < slices_of(*profile) ? fmt::format("{}c.{}", slices, name) : name,
                              compute_profile_id(slices), compute.id, start, slices) +
                  rule;
        start += slices;
      }
    }
  if (rows.empty()) {
    host.out("No compute instances found: Not Found\n");
    return kNotFound;
  }
  host.print("{}| {:<67}|\n", rule, "Compute instances:");
  host.print("|{:<68}|\n", " GPU     GPU       Name             Profile   Instance   Placement");
  host.print("|{:<68}|\n", "       Instance                       ID        ID       Start:Size");
  host.print("|{:<68}|\n", "         ID");
  host.print("|{}|\n", std::string(68, '='));
  host.out(rows);
  return kOk;
}

enum class Listed { kProfiles, kPlacements };

int list_compute_profiles(const Command& command, const std::vector<std::size_t>& gpus, Listed listed) {
  Host& host = command.host;
  const bool placements = listed == Listed::kPlacements;
  std::string rows;
  const std::string rule = "+" + std::string(86, '-') + "+\n";
  for (std::size_t gpu : gpus)
    for (const GpuInstance& instance : mig_instances(host, gpu)) {
      if (!chosen(command, "-gi", instance.id)) continue;
      const Json* profile = mig_profile(host, instance.profile);
      const int all = slices_of(*profile);
      int used = 0;
      for (const ComputeInstance& compute : instance.compute)
        used += compute.slices == 0 ? all : compute.slices;
      for (int slices : kComputeSlices) {
        if (slices > all || (slices == 3 && all == 7)) continue;
        const std::string name = (*profile)["name"].get<std::string>();
        if (placements) {
          std::vector<std::string> starts;
          for (int start = 0; start + slices <= all; start += slices) starts.push_back(std::to_string(start));
          rows += fmt::format("GPU {:>2} GI {:>2} Profile ID {:>2} Placements: {{{}}}:{}\n", gpu, instance.id,
                              compute_profile_id(slices), join(starts, ","), slices);
          continue;
        }
        rows += fmt::format("|{:>4}{:>7}       MIG {:<15}{:>3}{}{:>7}/{:<9}{:>4}{:>9}{:>6}{:>6}   |\n", gpu,
                            instance.id, slices < all ? fmt::format("{}c.{}", slices, name) : name,
                            compute_profile_id(slices), slices == all ? "*" : " ", (all - used) / slices,
                            all / slices, profile_number(*profile, "sm") * slices / all,
                            profile_number(*profile, "decoders"), profile_number(*profile, "encoders"),
                            profile_number(*profile, "ofa"));
        rows += fmt::format("|{:>71}{:>6}{:9}|\n", profile_number(*profile, "copy_engines"),
                            profile_number(*profile, "jpeg"), "") +
                rule;
      }
    }
  if (rows.empty()) {
    host.out("No GPU instances found: Not Found\n");
    return kNotFound;
  }
  if (!placements) {
    host.print("{}| {:<85}|\n", rule, "Compute instance profiles:");
    host.print("|{:<86}|\n",
               " GPU     GPU       Name             Profile  Instances   Exclusive       Shared");
    host.print("|{:<86}|\n",
               "       Instance                       ID     Free/Total     SM       DEC   ENC   OFA");
    host.print("|{:<86}|\n",
               "         ID                                                          CE    JPEG");
    host.print("|{}|\n", std::string(86, '='));
  }
  host.out(rows);
  return kOk;
}

// "9", "3g.40gb", "MIG 3g.40gb", each perhaps with ":start".
const Json* find_profile(const Host& host, std::string_view word, std::optional<int>& start) {
  if (const std::size_t colon = word.find(':'); colon != std::string_view::npos) {
    start = number(word.substr(colon + 1));
    word = word.substr(0, colon);
  }
  word = strip(word);
  if (word.substr(0, 4) == "MIG ") word.remove_prefix(4);
  const Json* list = host.json("mig_profiles");
  for (const Json& profile : *list)
    if (word == std::to_string(profile["id"].get<int>()) ||
        word == profile["name"].get_ref<const std::string&>())
      return &profile;
  return nullptr;
}

int create_one(const Command& command, std::size_t gpu, std::string_view word) {
  Host& host = command.host;
  std::optional<int> start;
  const Json* profile = find_profile(host, word, start);
  if (profile == nullptr) {
    host.print("Unable to parse GPU instance profile \"{}\": Invalid Argument\n",
               shorten(to_valid_utf8(word), 100));
    return kInvalid;
  }
  const int id = (*profile)["id"];
  if (!host.root()) {
    host.print(
        "Unable to create a GPU instance on GPU {:>2} using profile {}: Insufficient Permissions\n"
        "Failed to create GPU instances: Insufficient Permissions\n",
        gpu, id);
    return kNoPermission;
  }
  std::vector<GpuInstance> instances = mig_instances(host, gpu);
  const std::vector<int> places = free_places(host, instances, *profile);
  const auto place = start ? std::find(places.begin(), places.end(), *start) : places.begin();
  if (place == places.end() || free_count(host, instances, *profile) == 0) {
    host.print(
        "Unable to create a GPU instance on GPU {:>2} using profile {}: Insufficient Resources\n"
        "Failed to create GPU instances: Insufficient Resources\n",
        gpu, id);
    return 19;
  }
  GpuInstance made{id, *place, instance_id(*profile, *place), {}};
  const std::string name = (*profile)["name"];
  host.print("Successfully created GPU instance ID {:>2} on GPU {:>2} using profile MIG {} (ID {:>2})\n",
             made.id, gpu, name, id);
  if (command.parsed.has("-C")) {
    made.compute.push_back({0, 0});
    host.print(
        "Successfully created compute instance ID  0 on GPU {:>2} GPU instance ID {:>2} using profile MIG {} "
        "(ID {:>2})\n",
        gpu, made.id, name, compute_profile_id(slices_of(*profile)));
  }
  instances.push_back(std::move(made));
  store(host, gpu, std::move(instances));
  return kOk;
}

int create(const Command& command, const std::vector<std::size_t>& gpus) {
  const std::string words = *command.parsed.value("-cgi");
  for (std::size_t gpu : gpus)
    for (std::string_view word : split(words, ','))
      if (const int exit = create_one(command, gpu, word); exit != kOk) return exit;
  return kOk;
}

int create_compute(const Command& command, const std::vector<std::size_t>& gpus) {
  Host& host = command.host;
  const auto wanted = command.parsed.value("-cci");
  bool any = false;
  for (std::size_t gpu : gpus) {
    std::vector<GpuInstance> instances = mig_instances(host, gpu);
    for (GpuInstance& instance : instances) {
      if (!chosen(command, "-gi", instance.id)) continue;
      const Json* profile = mig_profile(host, instance.profile);
      const int all = slices_of(*profile);
      std::vector<int> sizes;
      if (!wanted)
        sizes.push_back(all);
      else
        for (std::string_view word : split(*wanted, ',')) {
          const int id = number(word);
          const bool named = word.find('c') != std::string_view::npos;
          sizes.push_back(named ? id : id >= 0 && id < 5 ? kComputeSlices[id] : 0);
        }
      for (int slices : sizes) {
        int used = 0;
        for (const ComputeInstance& compute : instance.compute)
          used += compute.slices == 0 ? all : compute.slices;
        if (slices <= 0 || used + slices > all) {
          host.print(
              "Unable to create a compute instance on GPU {:>2} GPU instance ID {:>2}: Insufficient "
              "Resources\n",
              gpu, instance.id);
          return 19;
        }
        const int id = instance.compute.empty() ? 0 : instance.compute.back().id + 1;
        instance.compute.push_back({id, slices == all ? 0 : slices});
        const std::string name = (*profile)["name"];
        host.print(
            "Successfully created compute instance ID {:>2} on GPU {:>2} GPU instance ID {:>2} using profile "
            "MIG {} (ID {:>2})\n",
            id, gpu, instance.id, slices == all ? name : fmt::format("{}c.{}", slices, name),
            compute_profile_id(slices));
        any = true;
      }
    }
    store(host, gpu, std::move(instances));
  }
  if (!any) host.out("No GPU instances found: Not Found\n");
  return any ? kOk : kNotFound;
}

enum class Instances { kGpu, kCompute };

int destroy(const Command& command, const std::vector<std::size_t>& gpus, Instances instances) {
  const bool compute_only = instances == Instances::kCompute;
  Host& host = command.host;
  bool any = false;
  for (std::size_t gpu : gpus) {
    std::vector<GpuInstance> kept;
    for (GpuInstance& instance : mig_instances(host, gpu)) {
      if (!chosen(command, "-gi", instance.id)) {
        kept.push_back(std::move(instance));
        continue;
      }
      if (compute_only) {
        std::vector<ComputeInstance> left;
        for (const ComputeInstance& compute : instance.compute) {
          if (!chosen(command, "-ci", compute.id)) {
            left.push_back(compute);
            continue;
          }
          any = true;
          host.print(
              "Successfully destroyed compute instance ID {:>2} from GPU {:>2} GPU instance ID {:>2}\n",
              compute.id, gpu, instance.id);
        }
        instance.compute = std::move(left);
        kept.push_back(std::move(instance));
      } else if (!instance.compute.empty()) {
        host.print(
            "Unable to destroy GPU instance ID {:>2} from GPU {:>2}: In use by another client\n"
            "Failed to destroy GPU instances: In use by another client\n",
            instance.id, gpu);
        return 19;
      } else {
        any = true;
        host.print("Successfully destroyed GPU instance ID {:>2} from GPU {:>2}\n", instance.id, gpu);
      }
    }
    store(host, gpu, std::move(kept));
  }
  if (!any) host.print("No {} instances found: Not Found\n", compute_only ? "compute" : "GPU");
  return any ? kOk : kNotFound;
}

}  // namespace

int mig(const Command& command) {
  Host& host = command.host;
  const Parsed& parsed = command.parsed;
  if (host.json("mig_profiles") == nullptr) {
    host.out("No MIG-supported devices found.\n");
    return kNotFound;
  }
  const std::vector<std::size_t> gpus = enabled_gpus(command);
  if (gpus.empty()) {
    host.out("No MIG-enabled devices found.\n");
    return kNotFound;
  }
  if (parsed.has("-lgip")) return list_profiles(host, gpus), kOk;
  if (parsed.has("-lgipp")) return list_placements(host, gpus), kOk;
  if (parsed.has("-cgi")) return create(command, gpus);
  if (!host.root() && parsed.options.size() > (parsed.has("-i") ? 1U : 0U)) {
    host.out("Insufficient Permissions\n");
    return kNoPermission;
  }
  if (parsed.has("-lgi")) return list_instances(command, gpus);
  if (parsed.has("-lci")) return list_compute(command, gpus);
  if (parsed.has("-lcip")) return list_compute_profiles(command, gpus, Listed::kProfiles);
  if (parsed.has("-lcipp")) return list_compute_profiles(command, gpus, Listed::kPlacements);
  if (parsed.has("-cci")) return create_compute(command, gpus);
  if (parsed.has("-dci")) return destroy(command, gpus, Instances::kCompute);
  if (parsed.has("-dgi")) return destroy(command, gpus, Instances::kGpu);
  return invalid(host);
}

}  // namespace micius::emu::smi
