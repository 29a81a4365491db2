// The data of the emulated hosts: option tables, machine profiles and output layouts, read once from
// datasets/aimicius/cmdgen. Immutable afterwards, so it may be shared by threads.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "emu/options.h"

namespace micius::emu {

class Catalog;

// One machine: `data` is its file.
struct Profile {
  std::string name, title, platform;  // "h100x8", "8 NVIDIA H100 GPUs", "nvidia" or "amd"
  Json data;
  const Catalog* catalog = nullptr;  // outlives the profile
};

// One line of a report such as `nvidia-smi -q`: where it stands and what it says.
struct LayoutLine {
  std::size_t depth;
  std::string label;
  std::string value;      // text with {field} holes; empty: a heading
  std::string tag;        // its XML element
  std::string section;    // the value of -d that keeps it; inherited from its heading
  std::string condition;  // "mig", "!mig": printed only then
};

class Catalog {
 public:
  // Throws Error{kNotFound | kInvalidData} that names the file.
  explicit Catalog(const std::filesystem::path& folder);
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  // These throw Error{kUsage} for a name that is not there, with the nearest one.
  const ToolSpec& tool(std::string_view name) const;
  const Profile& profile(std::string_view name) const;
  const std::vector<LayoutLine>& layout(std::string_view name) const;

  std::vector<std::string> tool_names() const;
  std::vector<std::string> profile_names() const;

 private:
  std::map<std::string, ToolSpec, std::less<>> tools_;
  std::map<std::string, Profile, std::less<>> profiles_;
  std::map<std::string, std::vector<LayoutLine>, std::less<>> layouts_;
};

}  // namespace micius::emu
