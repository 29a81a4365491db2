// mpirun of Open MPI 4: one program on the hosts that the profile reaches. Collective tests are run once and
// told how many processes there are; any other program runs once a rank.
#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "base/files.h"
#include "base/text.h"
#include "base/variable.h"
#include "emu/registry.h"
#include "emu/shim/shim.h"

namespace micius::emu {
namespace {

constexpr std::int64_t kMaxRanks = 1'024;

struct Slot {
  std::string host;
  std::int64_t count;
};

std::int64_t number(std::string_view text, std::int64_t fallback) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size()
             ? std::clamp<std::int64_t>(value, 0, kMaxRanks)
             : fallback;
}

// "node1:8,node2:8", or a file with "node1 slots=8" a line. False: the file is not there.
bool read_slots(Host& host, const Parsed& parsed, std::vector<Slot>& slots) {
  std::map<std::string, std::size_t, std::less<>> places;
  const auto add = [&](std::string_view name, std::int64_t count) {
    const auto [place, is_new] = places.emplace(name, slots.size());
    if (is_new) slots.push_back({std::string(name), 0});
    slots[place->second].count += count;
  };
  const std::string list = parsed.value_or("-H", "");
  if (!list.empty())
    for (std::string_view part : split(list, ',')) {
      const std::size_t colon = part.find(':');
      add(part.substr(0, colon), colon == std::string_view::npos ? 1 : number(part.substr(colon + 1), 1));
    }
  if (const auto path = parsed.value("-hostfile")) {
    const std::string* file = host.file(*path);
    if (file == nullptr) {
      host.print_error(
          "Open RTE was unable to open the hostfile:\n    {}\nCheck to make sure the path and filename are "
          "correct.\n",
          *path);
      return false;
    }
    for (std::string_view line : split(*file, '\n')) {
      const std::vector<std::string_view> words = split_words(line.substr(0, line.find('#')));
      if (words.empty()) continue;
      std::int64_t count = 1;
      for (std::string_view word : words)
        if (word.substr(0, 6) == "slots=") count = number(word.substr(6), 1);
      add(words[0], count);
    }
  }
  if (slots.empty())
    slots.push_back({host.fact_or("hostname", "localhost"),
                     std::max<std::int64_t>(8, static_cast<std::int64_t>(host.gpu_count()))});
  return true;
}

bool reaches(const Host& host, const std::string& name) {
  if (name == "localhost" || name == "127.0.0.1" || name == host.fact_or("hostname", "")) return true;
  const Json* peers = host.json("peers");
  return peers != nullptr && std::find(peers->begin(), peers->end(), name) != peers->end();
}

std::map<std::string, std::string> exported(Host& host, const Parsed& parsed) {
  std::map<std::string, std::string> env;
  for (const Given& given : parsed.options) {
    if (given.option->name != "-x" || given.values.empty()) continue;
    const std::string& word = given.values.front();
    if (const auto variable = read_variable(word))
      env[std::string(variable->name)] = variable->value;
    else if (const auto value = host.env(word))
      env[word] = *value;
  }
  return env;
}

bool is_collective(std::string_view word) {
  const std::string_view name = word.substr(word.rfind('/') + 1);
  return name.size() > 5 && name.substr(name.size() - 5) == "_perf";
}

// The host of each rank. Empty after saying what is wrong.
std::vector<std::string> place_ranks(Host& host, const Parsed& parsed) {
  std::vector<Slot> slots;
  if (!read_slots(host, parsed, slots)) return {};
  std::int64_t total = 0;
  for (Slot& slot : slots) {
    if (!reaches(host, slot.host)) {
      host.print_error(
          "ssh: Could not resolve hostname {}: Name or service not known\nORTE was unable to reliably start "
          "one or more daemons.\n",
          shorten(to_valid_utf8(slot.host), 100));
      return {};
    }
    if (const auto per_host = parsed.value("-N"))
      slot.count = std::max<std::int64_t>(1, number(*per_host, slot.count));
    total += slot.count;
  }
  const std::int64_t wanted =
      parsed.has("-np") ? number(parsed.value_or("-np", ""), 0) : std::min(total, kMaxRanks);
  if (wanted <= 0) {
    host.error("mpirun: Error: the number of processes must be a positive number.\n");
    return {};
  }
  if (total <= 0 || (wanted > total && !parsed.has("--oversubscribe"))) {
    host.print_error(
        "There are not enough slots available in the system to satisfy the {}\nslots that were requested by "
        "the application:\n\n  {}\n",
        wanted, shorten(to_valid_utf8(parsed.words[0]), 200));
    return {};
  }
  std::vector<std::string> ranks;
  for (std::size_t i = 0; static_cast<std::int64_t>(ranks.size()) < wanted; i = (i + 1) % slots.size())
    for (std::int64_t n = 0; n < slots[i].count && static_cast<std::int64_t>(ranks.size()) < wanted; ++n)
      ranks.push_back(slots[i].host);
  return ranks;
}

// One run a rank, each with its place in the environment.
int run_ranks(Host& host, const Parsed& parsed, std::map<std::string, std::string> env,
              const std::vector<std::string>& ranks) {
  int worst = 0;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    env["OMPI_COMM_WORLD_RANK"] = std::to_string(rank);
    env["OMPI_COMM_WORLD_LOCAL_RANK"] = std::to_string(rank % std::max<std::size_t>(1, host.gpu_count()));
    const std::size_t from = host.output_size();
    worst = std::max(worst, host.run(parsed.words, {env}));
    if (parsed.has("--tag-output")) {
      const std::string text = host.take_output(from);
      for_each_line(
          text, [&](std::string_view line, std::size_t) { host.print("[1,{}]<stdout>:{}\n", rank, line); });
    }
    if (find_program(parsed.words[0], host.profile().platform) == nullptr)
      break;  // a real program: the client's turn
  }
  return worst;
}

}  // namespace

int run_mpirun(Host& host, const Args& args) {
  const Parsed parsed = parse_options(host.tool("mpirun"), Engine::kWrapper, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) {
    host.print_error("mpirun: Error: unknown option \"{}\"\nType 'mpirun --help' for usage.\n",
                     shorten(to_valid_utf8(parsed.culprit), 200));
    return 1;
  }
  if (parsed.has("-V")) {
    host.print("mpirun (Open MPI) {}\n", host.fact_or("packages.openmpi", "4.1.7"));
    return 0;
  }
  if (parsed.words.empty()) {
    host.error("mpirun could not find anything to do.\n");
    return 1;
  }
  if (host.root() && !parsed.has("--allow-run-as-root")) {
    host.error("mpirun has detected an attempt to run as root. Use --allow-run-as-root to override.\n");
    return 1;
  }
  const std::vector<std::string> ranks = place_ranks(host, parsed);
  if (ranks.empty()) return 1;
  std::map<std::string, std::string> env = exported(host, parsed);
  std::vector<std::string> used = ranks;
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  env["OMPI_COMM_WORLD_SIZE"] = std::to_string(ranks.size());
  env["OMPI_EMU_HOSTS"] = std::to_string(used.size());
  if (parsed.has("--display-map"))
    for (const std::string& name : used)
      host.print(" Data for node: {}\tNum procs: {}\n", name, std::count(ranks.begin(), ranks.end(), name));
  if (parsed.has("--report-bindings"))
    for (std::size_t rank = 0; rank < ranks.size(); ++rank)
      host.print_error("[{}:27410] MCW rank {} bound to socket {}\n", ranks[rank], rank, rank % 2);
  if (is_collective(parsed.words[0])) {
    env["OMPI_COMM_WORLD_RANK"] = "0";
    return host.run(parsed.words, {env});
  }
  return run_ranks(host, parsed, std::move(env), ranks);
}

}  // namespace micius::emu
