// What a program sees of the machine it runs on: values of the profile with the sandbox's changes over them,
// the clock, files, output, and other programs. Made anew for each call.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/json.h"
#include "emu/call.h"
#include "emu/catalog.h"

namespace micius::emu {

using Args = std::vector<std::string>;  // argv of a program

class Host {
 public:
  // `state` is the call's until finish(), and outlives it.
  Host(const Profile& profile, State& state, const Call& call);

  template <typename... T>
  void print(fmt::format_string<T...> format, T&&... args) {
    out(fmt::format(format, std::forward<T>(args)...));
  }
  template <typename... T>
  void print_error(fmt::format_string<T...> format, T&&... args) {
    error(fmt::format(format, std::forward<T>(args)...));
  }
  void out(std::string_view text);    // cut at 640 KiB a call
  void error(std::string_view text);  // at 64 KiB
  bool is_full() const;               // out() prints nothing any more

  const Profile& profile() const { return *profile_; }
  const ToolSpec& tool(std::string_view name) const { return profile_->catalog->tool(name); }
  // A value of the profile at a dotted path ("packages.nccl") as text; absent if it is not there.
  std::optional<std::string> fact(std::string_view path) const;
  std::string fact_or(std::string_view path, std::string fallback) const;
  const Json* json(std::string_view path) const { return find_json(profile_->data, path); }

  // Devices: the profile's `gpus[index]`, then its `gpu_defaults`, below what the sandbox changed.
  std::size_t gpu_count() const { return gpu_count_; }
  std::optional<std::string> gpu(std::size_t index, std::string_view key) const;
  std::int64_t gpu_number(std::size_t index, std::string_view key) const;  // its leading integer, else 0
  void set_gpu(std::size_t index, std::string_view key, std::string value);

  // Other remembered values, under a name of the program's own ("dcgm.groups").
  std::optional<std::string> value(std::string_view key) const;
  void set_value(std::string_view key, std::optional<std::string> value);

  bool root() const { return root_; }
  // A variable of the environment; the supervisor learns that it was read if its name begins with NCCL_,
  // RCCL_, HIP_, CUDA_, ROCR_, HSA_.
  std::optional<std::string> env(std::string_view name);
  const std::map<std::string, std::string>& environment() const { return env_; }

  std::string path(std::string_view path) const;  // absolute and without "." and ".."
  // The content of a file, or null if there is none. A file that the caller did not send is asked for: the
  // call is then made again, so what a program does with the null does not matter.
  const std::string* file(std::string_view path);
  void write(std::string_view path, std::string content);  // cut at 256 KiB a call, paths included
  void write_program(std::string_view path, std::string content);
  std::size_t writes() const { return outcome_.writes.size(); }

  std::int64_t now_ns() const;                 // virtual time, nanoseconds since 1970 in UTC
  std::string time(const char* format) const;  // strftime
  std::string timestamp() const;               // 2025/01/15 10:00:00.000
  void advance(std::int64_t nanoseconds);
  void unbounded() { state_.unbounded = true; }  // this program would never end; it stops after three rounds
  void bounded() { state_.unbounded = false; }   // what was said so was ended by another program
  bool is_unbounded() const { return state_.unbounded; }
  void report_columns(std::string_view fields);  // this program prints CSV of these fields

  struct Child {
    std::map<std::string, std::string> env;  // added to the program's own
    bool root = false;                       // stays root where the parent was
  };
  // Runs another command line: an emulated program here and now, any other as Outcome::exec. At most 16 deep,
  // 2,000 in a call, and none any more once all of them have been given, read, printed and written 16 MiB.
  int run(const Args& argv, const Child& child);
  // The text that the commands between printed: for programs that log or filter what they run.
  std::string take_output(std::size_t from);
  std::size_t output_size() const { return outcome_.out.size(); }

  // Ends the call: what it did. Where files are asked for, the state is again as it was.
  Outcome finish(int exit) &&;

 private:
  enum class FileMode : std::uint8_t { kPlain, kExecutable };
  void add_write(std::string_view path, std::string content, FileMode mode);
  void change(const std::string& key, std::optional<std::string> value);
  void take_back();

  const Profile* profile_;
  const Call* call_;
  State& state_;
  // What the call did to the state beside its clock: the values before it, and what was not there.
  std::map<std::string, std::optional<std::string>> before_;
  std::set<std::string> env_read_, columns_;
  std::map<std::string, std::size_t> runs_;
  bool was_unbounded_;
  Outcome outcome_;
  std::map<std::string, std::string> env_;
  bool root_, exec_is_root_ = false;
  std::size_t gpu_count_ = 0;
  int depth_ = 0, children_ = 0;
  std::size_t written_ = 0, work_ = 0;  // bytes
};

}  // namespace micius::emu
