#include "emu/host.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>

#include "base/text.h"
#include "emu/registry.h"

namespace micius::emu {
namespace {

// An outcome fits in one message of 1 MiB.
constexpr std::size_t kMaxOut = 640 << 10, kMaxError = 64 << 10, kMaxWritten = 256 << 10;
constexpr int kMaxDepth = 16, kMaxChildren = 2'000;
constexpr std::size_t kMaxWords = 128 << 10;  // bytes of a real program's words, as Linux has it for one word
constexpr std::size_t kMaxWork = 16 << 20;  // bytes that one call's programs are given, read, print and write
constexpr std::size_t kMaxValue = 4'096;    // bytes of what is remembered in one place
constexpr std::int64_t kStart = 1'736'935'200;  // 2025-01-15T10:00:00Z, every profile's clock

void append(std::string& text, std::string_view more, std::size_t most) {
  text.append(more.substr(0, most - std::min(most, text.size())));
}

// What a program's words and environment take.
std::size_t size_of(const Args& argv, const std::map<std::string, std::string>& env) {
  std::size_t bytes = 0;
  for (const std::string& word : argv) bytes += sizeof(word) + word.size();
  for (const auto& [name, value] : env) bytes += sizeof(name) + name.size() + sizeof(value) + value.size();
  return bytes;
}

std::string gpu_key(std::size_t index, std::string_view key) { return fmt::format("gpu{}.{}", index, key); }

}  // namespace

std::string state_diff(const State& state) {
  Json json = Json::object();
  for (const auto& [key, value] : state.values) json[key] = value;
  return dump_json(json);
}

Host::Host(const Profile& profile, State& state, const Call& call)
    : profile_(&profile),
      call_(&call),
      state_(state),
      was_unbounded_(state.unbounded),
      env_(call.env),
      root_(call.root || std::any_of(call.lineage.begin(), call.lineage.end(),
                                     [&](int process) { return state.root_processes.count(process) != 0; })) {
  if (const Json* gpus = json("gpus"); gpus != nullptr && gpus->is_array()) gpu_count_ = gpus->size();
}

void Host::out(std::string_view text) {
  work_ += text.size();
  append(outcome_.out, text, kMaxOut);
}

void Host::error(std::string_view text) {
  work_ += text.size();
  append(outcome_.err, text, kMaxError);
}

bool Host::is_full() const { return outcome_.out.size() >= kMaxOut; }

std::optional<std::string> Host::fact(std::string_view path) const {
  const Json* found = json(path);
  return found == nullptr ? std::nullopt : scalar_text(*found);
}

std::string Host::fact_or(std::string_view path, std::string fallback) const {
  return fact(path).value_or(std::move(fallback));
}

std::optional<std::string> Host::gpu(std::size_t index, std::string_view key) const {
  if (const auto it = state_.values.find(gpu_key(index, key)); it != state_.values.end()) return it->second;
  if (index >= gpu_count_) return std::nullopt;
  const std::string name(key);
  const Json& own = profile_->data["gpus"][index];
  if (const auto it = own.find(name); it != own.end()) return scalar_text(*it);
  if (const Json* defaults = json("gpu_defaults"); defaults != nullptr)
    if (const auto it = defaults->find(name); it != defaults->end()) return scalar_text(*it);
  return std::nullopt;
}

std::int64_t Host::gpu_number(std::size_t index, std::string_view key) const {
  const std::string text = gpu(index, key).value_or("");
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void Host::change(const std::string& key, std::optional<std::string> value) {
  before_.try_emplace(key, this->value(key));
  if (!value) {
    state_.values.erase(key);
    return;
  }
  value->resize(std::min(value->size(), kMaxValue));
  state_.values[key] = std::move(*value);
}

void Host::set_gpu(std::size_t index, std::string_view key, std::string value) {
  const std::string name = gpu_key(index, key);
  change(name, std::nullopt);
  if (gpu(index, key).value_or("") != value) change(name, std::move(value));
}

std::optional<std::string> Host::value(std::string_view key) const {
  const auto it = state_.values.find(std::string(key));
  return it == state_.values.end() ? std::nullopt : std::optional(it->second);
}

void Host::set_value(std::string_view key, std::optional<std::string> value) {
  change(std::string(key), std::move(value));
}

std::optional<std::string> Host::env(std::string_view name) {
  const auto it = env_.find(std::string(name));
  if (it == env_.end()) return std::nullopt;
  for (std::string_view prefix : {"NCCL_", "RCCL_", "HIP_", "CUDA_", "ROCR_", "HSA_"})
    if (name.substr(0, prefix.size()) == prefix)
      env_read_.insert((it->first + "=" + it->second).substr(0, kMaxValue));
  return it->second;
}

void Host::report_columns(std::string_view fields) { columns_.emplace(fields.substr(0, kMaxValue)); }

std::string Host::path(std::string_view path) const {
  const std::filesystem::path given(path);
  return (given.is_absolute() ? given : std::filesystem::path(call_->cwd) / given)
      .lexically_normal()
      .string();
}

const std::string* Host::file(std::string_view name) {
  const std::string full = path(name);
  for (auto it = outcome_.writes.rbegin(); it != outcome_.writes.rend(); ++it)
    if (it->path == full) return &it->content;
  const auto it = call_->files.find(full);
  if (it != call_->files.end()) {
    if (!it->second) return nullptr;
    work_ += it->second->size();
    return &*it->second;
  }
  if (std::find(outcome_.needs.begin(), outcome_.needs.end(), full) == outcome_.needs.end() &&
      outcome_.needs.size() < 256)
    outcome_.needs.push_back(full);
  return nullptr;
}

void Host::write(std::string_view name, std::string content) {
  add_write(name, std::move(content), FileMode::kPlain);
}

void Host::write_program(std::string_view name, std::string content) {
  add_write(name, std::move(content), FileMode::kExecutable);
}

void Host::add_write(std::string_view name, std::string content, FileMode mode) {
  work_ += content.size();
  std::string full = path(name);
  if (written_ + full.size() >= kMaxWritten || outcome_.writes.size() == 4'096) return;
  written_ += full.size();
  content.resize(std::min(content.size(), kMaxWritten - written_));
  written_ += content.size();
  outcome_.writes.push_back({std::move(full), std::move(content), mode == FileMode::kExecutable});
}

std::int64_t Host::now_ns() const { return kStart * 1'000'000'000 + state_.virtual_ns; }

std::string Host::time(const char* format) const {
  const std::time_t seconds = now_ns() / 1'000'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[256];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

std::string Host::timestamp() const {
  return fmt::format("{}.{:03}", time("%Y/%m/%d %H:%M:%S"), now_ns() / 1'000'000 % 1000);
}

void Host::advance(std::int64_t nanoseconds) {
  constexpr std::int64_t kLimit = 366LL * 86'400 * 1'000'000'000;  // a year is past every limit
  nanoseconds = std::clamp<std::int64_t>(nanoseconds, 0, kLimit);
  nanoseconds = std::min(nanoseconds, kLimit - std::min(kLimit, state_.virtual_ns));
  state_.virtual_ns += nanoseconds;
  outcome_.advance_ns += nanoseconds;
}

int Host::run(const Args& argv, const Child& child) {
  if (argv.empty()) return 0;
  const Program* program = find_program(argv[0], profile_->platform);
  if (program == nullptr && argv[0].find('/') != std::string::npos) {
    const std::string* content = file(argv[0]);
    if (content != nullptr && content->rfind(kAppLine, 0) == 0) {
      Args words{"gpu-app"};
      words.insert(words.end(), argv.begin(), argv.end());
      return run(words, child);
    }
  }
  if (program == nullptr) {
    std::size_t bytes = 0;
    for (const std::string& word : argv) bytes += word.size();
    if (bytes > kMaxWords) {
      print_error("{}: Argument list too long\n", shorten(to_valid_utf8(argv[0]), 200));
      return 126;
    }
    if (outcome_.exec.empty()) {
      outcome_.exec = argv;
      outcome_.exec_env = child.env;
      exec_is_root_ = root_ || child.root;
    }
    return 0;
  }
  work_ += size_of(argv, env_);
  if (depth_ >= kMaxDepth || ++children_ > kMaxChildren || work_ > kMaxWork) {
    print_error("{}: too many programs inside each other\n", program->name);
    return 1;
  }
  const auto env = env_;
  const bool was_root = root_;
  for (const auto& [name, value] : child.env) env_[name] = value;
  root_ = root_ || child.root;
  ++depth_;
  const int exit = program->run(*this, argv);
  --depth_;
  env_ = env;
  root_ = was_root;
  ++runs_[std::string(program->name)];
  return exit;
}

std::string Host::take_output(std::size_t from) {
  from = std::min(from, outcome_.out.size());
  std::string taken = outcome_.out.substr(from);
  outcome_.out.resize(from);
  return taken;
}

void Host::take_back() {
  for (auto& [key, value] : before_) {
    if (value)
      state_.values[key] = std::move(*value);
    else
      state_.values.erase(key);
  }
  state_.virtual_ns -= outcome_.advance_ns;
  state_.unbounded = was_unbounded_;
}

Outcome Host::finish(int exit) && {
  if (!outcome_.needs.empty()) {
    take_back();
    Outcome again;
    again.needs = std::move(outcome_.needs);
    return again;
  }
  outcome_.exit = exit;
  state_.env_read.merge(env_read_);
  state_.columns.merge(columns_);
  for (const auto& [name, count] : runs_) state_.runs[name] += count;
  if (exec_is_root_ && !call_->lineage.empty()) state_.root_processes.insert(call_->lineage.front());
  return std::move(outcome_);
}

}  // namespace micius::emu
