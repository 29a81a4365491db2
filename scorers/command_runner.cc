#include "scorers/command_runner.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "emu/registry.h"
#include "emu/wire.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxOutput = 1 << 20;   // as the sandbox cuts
constexpr std::size_t kMaxRemembered = 4096;  // effects
constexpr std::size_t kMaxRememberedBytes = 64 << 20;
constexpr int kMaxQuestions = 8;  // of one emulated call for files
// What takes longer is for the sandbox, which ends it. No reference and no sensible answer comes near.
constexpr std::chrono::seconds kMostTimeHere{5};
constexpr const char* kStart = "/job";

using Files = std::map<std::string, std::string>;

std::string absolute(std::string_view path) {
  return (fs::path(kStart) / fs::path(path)).lexically_normal().generic_string();
}

bool is_writable(const std::string& path) {
  for (const std::string_view folder : {"/job/", "/tmp/", "/home/user/"})
    if (path.substr(0, folder.size()) == folder) return path.size() > folder.size() && path.back() != '/';
  return false;
}

void put(std::string& to, std::string_view text, bool& truncated) {
  const std::size_t room = kMaxOutput - std::min(kMaxOutput, to.size());
  truncated = truncated || text.size() > room;
  to += text.substr(0, room);
}

// What changed, and how far the virtual clock went: it alone tells `-d 4` from `-d 5`.
Json state_of(const emu::State& state) {
  Json changed = parse_json(emu::state_diff(state), "state of the machine");
  const std::int64_t milliseconds = state.virtual_ns / 1'000'000;
  if (milliseconds > 0) changed["clock"] = fmt::format("+{} ms", milliseconds);
  return changed;
}

std::set<std::string> programs_of(const emu::State& state) {
  std::set<std::string> names;
  for (const auto& [name, count] : state.runs) names.insert(name);
  return names;
}

// Where a file descriptor's text goes.
struct Sink {
  enum class To { kOut, kErr, kFile, kNowhere } to;
  std::string path;
};

// One command line run without a shell.
class Here {
 public:
  Here(const emu::Profile& profile, const std::vector<ExecFile>& fixture)
      : profile_(profile), deadline_(std::chrono::steady_clock::now() + kMostTimeHere) {
    for (const ExecFile& file : fixture) {
      const std::string path = absolute(file.path);
      files_[path] = file.content;
      if (file.executable) programs_.insert(path);
      for (fs::path folder = fs::path(path).parent_path(); folder != "/"; folder = folder.parent_path())
        folders_.insert(folder);
    }
  }

  std::optional<Effect> run(const std::vector<Pipeline>& pipelines) {
    for (const Pipeline& pipeline : pipelines) {
      const bool skip =
          (pipeline.joint == "&&" && effect_.exit != 0) || (pipeline.joint == "||" && effect_.exit == 0);
      if (skip) continue;
      if (pipeline.commands.size() != 1 || !call(pipeline.commands[0])) return std::nullopt;
    }
    effect_.state = state_of(state_);
    effect_.programs = programs_of(state_);
    effect_.env = state_.env_read;
    effect_.columns = state_.columns;
    effect_.unbounded = state_.unbounded;
    for (const std::string& path : changed_) effect_.files[path] = files_[path];
    return std::move(effect_);
  }

 private:
  bool is_simple(const SimpleCommand& command) const {
    if (command.words.empty()) return false;
    const auto plain = [](const ShellWord& word) { return word.plain(); };
    if (!std::all_of(command.words.begin(), command.words.end(), plain)) return false;
    for (const auto& [name, value] : command.assignments)
      if (value.expands || value.value.find('~') != std::string::npos) return false;
    return !argv_of(command).empty();
  }

  // The words of the emulated program; empty for any other. A file whose first line names one is it.
  std::vector<std::string> argv_of(const SimpleCommand& command) const {
    std::vector<std::string> argv;
    for (const ShellWord& word : command.words) argv.push_back(word.value);
    std::string program = argv[0];
    if (program.find('/') != std::string::npos) {
      const std::string path = absolute(program);
      const auto file = files_.find(path);
      const std::string mark = std::string("#!") + kServedFolder + "/";
      if (programs_.count(path) == 0 || file == files_.end() || file->second.rfind(mark, 0) != 0) return {};
      const std::string served = file->second.substr(mark.size(), file->second.find('\n') - mark.size());
      if (served != program.substr(program.rfind('/') + 1)) argv.insert(argv.begin(), served);
      program = served;
    }
    if (emu::find_program(program, profile_.platform) == nullptr) return {};
    return argv;
  }

  bool redirect(const SimpleCommand& command, Sink& out, Sink& err) {
    for (const Redirection& one : command.redirections) {
      if (one.mark == "2>&1") {
        err = out;
        continue;
      }
      if (one.mark == "1>&2") {
        out = err;
        continue;
      }
      if (one.mark[0] == '<' || !one.target.plain()) return false;
      Sink sink{Sink::To::kNowhere, absolute(one.target.value)};
      if (sink.path != "/dev/null") {
        sink.to = Sink::To::kFile;
        if (!open(sink.path, one.mark.find(">>") != std::string::npos)) return false;
      }
      if (one.mark[0] == '2') {
        err = sink;
      } else {
        out = sink;
        if (one.mark[0] == '&') err = sink;
      }
    }
    return true;
  }

  bool open(const std::string& path, bool append) {
    const std::string folder = fs::path(path).parent_path();
    const bool there =
        folder == "/tmp" || folder == "/home/user" || folder == kStart || folders_.count(folder) != 0;
    if (!is_writable(path) || !there || folders_.count(path) != 0) return false;
    if (!append) files_[path].clear();
    files_[path];
    changed_.insert(path);
    return true;
  }

  void write(const Sink& sink, const std::string& text) {
    if (sink.to == Sink::To::kOut) put(effect_.out, text, effect_.truncated);
    if (sink.to == Sink::To::kErr) put(effect_.err, text, effect_.truncated);
    if (sink.to == Sink::To::kFile) put(files_[sink.path], text, effect_.truncated);
  }

  // False where only a shell can do it.
  bool call(const SimpleCommand& command) {
    if (!is_simple(command)) return false;
    Sink out{Sink::To::kOut, ""}, err{Sink::To::kErr, ""};
    if (!redirect(command, out, err)) return false;
    emu::Call call;
    call.cwd = kStart;
    call.env = {{"HOME", "/home/user"}, {"LANG", "C.UTF-8"}, {"TZ", "UTC"}};
    call.argv = argv_of(command);
    for (const auto& [name, value] : command.assignments) call.env[name] = value.value;
    emu::Outcome outcome;
    for (int question = 0; question <= kMaxQuestions; ++question) {
      for (const std::string& path : outcome.needs) {
        const auto it = files_.find(path);
        call.files[path] = it == files_.end() ? std::nullopt : std::optional(it->second);
      }
      if (++calls_ > kServedCalls || std::chrono::steady_clock::now() > deadline_) return false;
      outcome = emu::run(profile_, state_, call);
      if (outcome.needs.empty()) break;
    }
    if (!outcome.needs.empty() || !outcome.exec.empty()) return false;
    for (const emu::FileWrite& file : outcome.writes) {
      if (!is_writable(file.path) || folders_.count(file.path) != 0) return false;
      files_[file.path] = file.content;
      if (file.executable) programs_.insert(file.path);
      for (fs::path folder = fs::path(file.path).parent_path(); folder != "/"; folder = folder.parent_path())
        folders_.insert(folder);
      changed_.insert(file.path);
    }
    write(out, outcome.out);
    write(err, outcome.err);
    effect_.exit = outcome.exit;
    return true;
  }

  const emu::Profile& profile_;
  const std::chrono::steady_clock::time_point deadline_;
  int calls_ = 0;
  emu::State state_;
  Files files_;
  std::set<std::string> programs_, folders_, changed_;
  Effect effect_;
};

std::size_t size_of(const Effect& effect) {
  std::size_t bytes = effect.out.size() + effect.err.size();
  for (const auto& [path, content] : effect.files) bytes += path.size() + content.size();
  return bytes;
}

}  // namespace

CommandRunner::CommandRunner(const emu::Catalog& catalog, fs::path folder,
                             std::vector<std::string> fixture_programs, Services* services)
    : catalog_(catalog),
      folder_(std::move(folder)),
      fixture_programs_(std::move(fixture_programs)),
      services_(services) {}

void CommandRunner::add_files(const std::string& name, std::vector<ExecFile>& files) const {
  const fs::path root = folder_ / "fixtures" / name;
  if (!fs::is_directory(root))
    fail(ErrorCode::kNotFound, "{}: no such fixture; the case names a folder that is not there",
         root.string());
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    std::string content = read_file(entry.path());
    const bool executable = content.rfind("#!", 0) == 0;
    files.push_back({fs::relative(entry.path(), root).generic_string(), std::move(content), executable});
  }
  for (const std::string& path : fixture_programs_) {
    const std::string program = path.substr(path.rfind('/') + 1);
    files.push_back({path, fmt::format("#!{}/{}\n", kServedFolder, program), true});
  }
  std::sort(files.begin(), files.end(), [](const ExecFile& a, const ExecFile& b) { return a.path < b.path; });
}

const std::vector<ExecFile>& CommandRunner::fixture(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto [it, made] = fixtures_.try_emplace(name);
  if (made) {
    try {
      add_files(name, it->second);
    } catch (...) {
      fixtures_.erase(it);
      throw;
    }
  }
  return it->second;
}

std::optional<Effect> CommandRunner::here(std::string_view command, const Machine& machine) const {
  const auto pipelines = read_shell(command);
  if (!pipelines) return std::nullopt;
  return Here(catalog_.profile(machine.profile), fixture(machine.fixture)).run(*pipelines);
}

Effect CommandRunner::inside(std::string_view command, const Machine& machine, Sandbox& sandbox) const {
  const emu::Profile& profile = catalog_.profile(machine.profile);
  emu::State state;
  ExecRequest request;
  request.argv = {"bash", "--noprofile", "--norc", "-c", std::string(command)};
  request.files = fixture(machine.fixture);
  request.served =
      ServedPrograms{emu::program_names(profile.platform), [&](const ServedCall& asked) {
                       auto call = emu::decode_call(asked.message);
                       if (call) call->lineage = asked.lineage;
                       return call ? emu::encode_outcome(emu::run(profile, state, *call)) : std::string();
                     }};
  ExecResult result = sandbox.run(request);
  Effect effect;
  effect.exit = result.exit_code;
  effect.out = std::move(result.out);
  effect.err = std::move(result.err);
  for (ExecFile& file : result.files) effect.files[file.path] = std::move(file.content);
  effect.state = state_of(state);
  effect.programs = programs_of(state);
  effect.env = state.env_read;
  effect.columns = state.columns;
  effect.unbounded = state.unbounded;
  effect.timed_out = result.timed_out || result.out_of_memory;
  effect.truncated = result.truncated;
  return effect;
}

std::optional<Effect> CommandRunner::run(std::string_view command, const Machine& machine,
                                         std::string& why_not) const {
  if (auto effect = here(command, machine)) return effect;
  const Offer<Sandbox> offer =
      services_ == nullptr ? Offer<Sandbox>{nullptr, "no sandbox was lent"} : services_->sandbox();
  if (offer.service == nullptr) {
    why_not = "the command needs a sandbox: " + offer.why_not;
    return std::nullopt;
  }
  return inside(command, machine, *offer.service);
}

std::optional<Effect> CommandRunner::remembered(const std::string& command, const Machine& machine,
                                                std::string& why_not) const {
  const std::string key = machine.profile + '\0' + machine.fixture + '\0' + command;
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = effects_.find(key); it != effects_.end()) return it->second;
  }
  std::optional<Effect> effect = run(command, machine, why_not);
  if (!effect) return effect;
  const std::lock_guard lock(mutex_);
  if (effects_.size() >= kMaxRemembered || bytes_ > kMaxRememberedBytes) {
    effects_.clear();
    bytes_ = 0;
  }
  if (effects_.try_emplace(key, *effect).second) bytes_ += size_of(*effect);
  return effect;
}

}  // namespace micius
