// Programs that run another one: sudo, watch, timeout, docker, and sleep beside them.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "base/variable.h"
#include "emu/registry.h"
#include "emu/shim/shim.h"

namespace micius::emu {
namespace {

Parsed parse_wrapper(Host& host, const char* table, const Args& args, std::size_t from = 1) {
  return parse_options(host.tool(table), Engine::kWrapper, std::span(args).subspan(from));
}

// Takes "NAME=value" words off the front.
std::map<std::string, std::string> take_variables(Args& words) {
  std::map<std::string, std::string> env;
  auto word = words.begin();
  for (; word != words.end(); ++word) {
    const auto variable = read_variable(*word);
    if (!variable || variable->name.find('/') != std::string_view::npos) break;
    env[std::string(variable->name)] = variable->value;
  }
  words.erase(words.begin(), word);
  return env;
}

bool needs_shell(std::string_view text) {
  return text.find_first_of("|&;<>()$`\\\"'*?[]{}~#\n") != std::string_view::npos;
}

}  // namespace

int gnu_problem(Host& host, std::string_view program, const Parsed& parsed, int exit) {
  const std::string word = shorten(to_valid_utf8(parsed.culprit), 200);
  switch (parsed.problem) {
    case Problem::kMissingValue:
      host.print_error("{}: option '{}' requires an argument\n", program, word);
      break;
    case Problem::kUnexpectedValue:
      host.print_error("{}: option '{}' doesn't allow an argument\n", program, word);
      break;
    case Problem::kAmbiguous:
      host.print_error("{}: option '{}' is ambiguous\n", program, word);
      break;
    default:
      if (word.rfind("--", 0) == 0)
        host.print_error("{}: unrecognized option '{}'\n", program, word);
      else
        host.print_error("{}: invalid option -- '{}'\n", program, word.size() > 1 ? word.substr(1, 1) : word);
  }
  host.print_error("Try '{} --help' for more information.\n", program);
  return exit;
}

std::optional<std::int64_t> read_duration(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, number);
  if (code != std::errc() || !(number >= 0)) return std::nullopt;
  double unit = 1;
  if (end - at == 1) {
    switch (*at) {
      case 's':
        break;
      case 'm':
        unit = 60;
        break;
      case 'h':
        unit = 3'600;
        break;
      case 'd':
        unit = 86'400;
        break;
      default:
        return std::nullopt;
    }
  } else if (at != end) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(std::min(number * unit, 3.2e7) * 1e9);
}

int run_sudo(Host& host, const Args& args) {
  const Parsed parsed = parse_wrapper(host, "sudo", args);
  if (parsed.problem != Problem::kNone) {
    host.print_error("sudo: unrecognized option '{}'\nusage: sudo -h | -K | -k | -V\n",
                     shorten(to_valid_utf8(parsed.culprit), 200));
    return 1;
  }
  if (parsed.has("-V")) {
    host.out("Sudo version 1.9.9\n");
    return 0;
  }
  Args words = parsed.words;
  const auto env = take_variables(words);
  if (words.empty()) {
    if (parsed.has("-k") || parsed.has("-v") || parsed.has("-l")) return 0;
    host.error("usage: sudo -h | -K | -k | -V\n");
    return 1;
  }
  const std::string user = parsed.value_or("-u", "root");
  return host.run(words, {env, user == "root" || user == "#0"});
}

int run_sleep(Host& host, const Args& args) {
  std::int64_t total = 0;
  if (args.size() < 2) {
    host.error("sleep: missing operand\nTry 'sleep --help' for more information.\n");
    return 1;
  }
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (args[i] == "infinity" || args[i] == "inf") {
      host.unbounded();
      continue;
    }
    const auto duration = read_duration(args[i]);
    if (!duration) {
      host.print_error("sleep: invalid time interval '{}'\nTry 'sleep --help' for more information.\n",
                       shorten(to_valid_utf8(args[i]), 200));
      return 1;
    }
    total = std::min<std::int64_t>(total + *duration, 31'536'000LL * 1'000'000'000);
  }
  host.advance(total);
  return 0;
}

int run_timeout(Host& host, const Args& args) {
  const Parsed parsed = parse_wrapper(host, "timeout", args);
  if (parsed.problem != Problem::kNone) return gnu_problem(host, "timeout", parsed, 125);
  if (parsed.words.size() < 2) {
    host.error("timeout: missing operand\nTry 'timeout --help' for more information.\n");
    return 125;
  }
  const auto limit = read_duration(parsed.words[0]);
  if (!limit) {
    host.print_error("timeout: invalid time interval '{}'\n", shorten(to_valid_utf8(parsed.words[0]), 200));
    return 125;
  }
  const bool before = host.is_unbounded();
  const std::int64_t start = host.now_ns();
  const int exit = host.run({parsed.words.begin() + 1, parsed.words.end()}, {});
  const bool ran_out = *limit > 0 && ((host.is_unbounded() && !before) || host.now_ns() - start > *limit);
  if (!ran_out) return exit;
  if (!before) host.bounded();
  host.advance(std::max<std::int64_t>(0, *limit - (host.now_ns() - start)));
  return parsed.has("--preserve-status") ? 143 : 124;
}

int run_watch(Host& host, const Args& args) {
  const Parsed parsed = parse_wrapper(host, "watch", args);
  if (parsed.problem != Problem::kNone) return gnu_problem(host, "watch", parsed);
  if (parsed.words.empty()) {
    host.error("Usage:\n watch [options] command\n");
    return 1;
  }
  const auto interval = read_duration(parsed.value_or("-n", "2"));
  if (!interval) {
    host.print_error("watch: failed to parse argument: '{}'\n",
                     shorten(to_valid_utf8(parsed.value_or("-n", "")), 100));
    return 1;
  }
  const std::string command = join(parsed.words, " ");
  Args child = parsed.words;
  if (!parsed.has("-x") && needs_shell(command)) {
    child = {"bash", "-c", command};
  } else if (child.size() == 1) {
    child.clear();
    for (std::string_view word : split_words(command)) child.emplace_back(word);
  }
  int exit = 0;
  for (int round = 0; round < 3; ++round) {
    if (round > 0) host.advance(std::max<std::int64_t>(*interval, 100'000'000));
    if (!parsed.has("-t"))
      host.print("Every {:.1f}s: {}    {}: {}\n\n", static_cast<double>(*interval) / 1e9, command,
                 host.fact_or("hostname", ""), host.time("%a %b %e %H:%M:%S %Y"));
    exit = host.run(child, {});
    if (parsed.has("-e") && exit != 0) return 8;
    if (!child.empty() && find_program(child[0], host.profile().platform) == nullptr) break;
  }
  host.unbounded();
  return exit;
}

namespace {

// The devices of "--gpus all", "2", "device=0,1", "\"device=0\"".
std::string gpu_request(std::string text, std::size_t count) {
  text.erase(std::remove(text.begin(), text.end(), '"'), text.end());
  text.erase(std::remove(text.begin(), text.end(), '\''), text.end());
  if (text.rfind("device=", 0) == 0) return text.substr(7);
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number == 0) return "all";
  std::string list = "0";
  for (std::size_t gpu = 1; gpu < std::min(number, count); ++gpu) list += "," + std::to_string(gpu);
  return list;
}

bool has_gpu(Host& host, const Parsed& parsed, std::map<std::string, std::string>& env) {
  bool kfd = false, runtime = false;
  for (const Given& given : parsed.options) {
    const std::string value = given.values.empty() ? "" : given.values.front();
    if (given.option->name == "--gpus" && host.profile().platform == "nvidia") {
      env["NVIDIA_VISIBLE_DEVICES"] = gpu_request(value, host.gpu_count());
      return true;
    }
    if (given.option->name == "--device" && value.rfind("/dev/kfd", 0) == 0) kfd = true;
    if (given.option->name == "--runtime" && value == "nvidia") runtime = true;
    if (given.option->name == "--privileged") kfd = true;
  }
  return host.profile().platform == "amd" ? kfd : runtime && env.count("NVIDIA_VISIBLE_DEVICES") == 1;
}

int docker_run(Host& host, const Args& args) {
  const Parsed parsed = parse_wrapper(host, "docker-gpu", args, 2);
  if (parsed.problem != Problem::kNone) {
    host.print_error("unknown flag: {}\nSee 'docker run --help'.\n",
                     shorten(to_valid_utf8(parsed.culprit), 200));
    return 125;
  }
  if (parsed.words.empty()) {
    host.error("\"docker run\" requires at least 1 argument.\nSee 'docker run --help'.\n");
    return 1;
  }
  std::map<std::string, std::string> env;
  for (const Given& given : parsed.options)
    if (given.option->name == "-e" && !given.values.empty()) {
      if (const auto variable = read_variable(given.values[0]))
        env[std::string(variable->name)] = variable->value;
    }
  env["container"] = "docker";
  const bool gpu = has_gpu(host, parsed, env);
  const Args child(parsed.words.begin() + 1, parsed.words.end());
  if (child.empty()) return 0;
  const Program* program = find_program(child[0], host.profile().platform);
  if (program != nullptr && program->platform != Platform::kBoth && !gpu) {
    host.print_error(
        "docker: Error response from daemon: failed to create task for container: exec: \"{}\": executable "
        "file not "
        "found in $PATH: unknown.\n",
        child[0]);
    return 127;
  }
  return host.run(child, {env, true});
}

}  // namespace

int run_docker(Host& host, const Args& args) {
  const std::string verb = args.size() > 1 ? args[1] : "";
  if (verb == "run") return docker_run(host, args);
  if (verb == "ps" || (verb == "container" && args.size() > 2 && args[2] == "ls")) {
    host.out("CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n");
    return 0;
  }
  if (verb == "images") {
    host.out("REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n");
    return 0;
  }
  if (verb == "--version" || verb == "version") {
    host.out("Docker version 27.4.1, build b9d17ea\n");
    return 0;
  }
  host.print_error("docker: '{}' is not a docker command.\nSee 'docker --help'\n",
                   shorten(to_valid_utf8(verb), 100));
  return 1;
}

}  // namespace micius::emu
