#include "emu/catalog.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace micius::emu {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(const fs::path& folder, std::string_view extension) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == extension) files.push_back(entry.path());
  if (error || files.empty())
    fail(ErrorCode::kNotFound, "{}: no {} files; the data of the emulated hosts is part of the repository",
         folder.string(), extension);
  std::sort(files.begin(), files.end());
  return files;
}

// "  Total | {memory.total} MiB | total": two blanks a level; '@SECTION' and '?condition' may follow the tag.
LayoutLine read_line(std::string_view line, const std::string& where) {
  LayoutLine result;
  std::size_t blanks = 0;
  while (blanks < line.size() && line[blanks] == ' ') ++blanks;
  result.depth = blanks / 2;
  const std::vector<std::string_view> parts = split(line, '|');
  if (parts.size() != 3) fail(ErrorCode::kInvalidData, "{}: want 'label | value | tag'", where);
  result.label = strip(parts[0]);
  result.value = strip(parts[1]);
  for (std::string_view word : split_words(parts[2])) {
    if (word[0] == '@')
      result.section = word.substr(1);
    else if (word[0] == '?')
      result.condition = word.substr(1);
    else
      result.tag = word;
  }
  return result;
}

std::vector<LayoutLine> read_layout(const fs::path& path) {
  std::vector<LayoutLine> lines;
  std::vector<std::string> sections;  // of the open headings, by depth
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    if (strip(line).empty() || line[0] == '#') return;
    LayoutLine read = read_line(line, path.string() + ":" + std::to_string(number));
    if (read.depth > sections.size())
      fail(ErrorCode::kInvalidData, "{}:{}: indented too far", path.string(), number);
    sections.resize(read.depth);
    if (read.section.empty() && !sections.empty()) read.section = sections.back();
    sections.push_back(read.section);
    lines.push_back(std::move(read));
  });
  return lines;
}

template <typename Map>
const typename Map::mapped_type& named(const Map& map, std::string_view name, std::string_view what) {
  const auto it = map.find(name);
  if (it != map.end()) return it->second;
  std::vector<std::string> names;
  for (const auto& entry : map) names.push_back(entry.first);
  fail(ErrorCode::kUsage, "no {} '{}' of the emulated hosts{}", what, name, did_you_mean(name, names));
}

template <typename Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> names;
  for (const auto& entry : map) names.push_back(entry.first);
  return names;
}

}  // namespace

Catalog::Catalog(const fs::path& folder) {
  for (const fs::path& path : files_of(folder / "tools", ".json")) {
    const Json json = parse_json(read_file(path), path.string());
    ToolSpec tool = read_tool(json, path.string());
    if (path.stem() == "kernel-tools" || path.stem() == "shims") {  // files of several small programs
      for (const CommandSpec& command : tool.root.subcommands)
        tools_.emplace(command.name, ToolSpec{command, tool.version, Json::object()});
    }
    tools_.emplace(path.stem().string(), std::move(tool));
  }
  for (const fs::path& path : files_of(folder / "profiles", ".json")) {
    Json json = parse_json(read_file(path), path.string());
    const JsonFields fields(json, path.string());
    Profile profile{fields.string("name"), fields.string("title"), fields.string("platform"), {}, this};
    profile.data = std::move(json);
    profiles_.emplace(profile.name, std::move(profile));
  }
  for (const fs::path& path : files_of(folder / "layouts", ".txt"))
    layouts_.emplace(path.stem().string(), read_layout(path));
}

const ToolSpec& Catalog::tool(std::string_view name) const { return named(tools_, name, "option table"); }
const Profile& Catalog::profile(std::string_view name) const { return named(profiles_, name, "profile"); }
const std::vector<LayoutLine>& Catalog::layout(std::string_view name) const {
  return named(layouts_, name, "layout");
}
std::vector<std::string> Catalog::tool_names() const { return keys_of(tools_); }
std::vector<std::string> Catalog::profile_names() const { return keys_of(profiles_); }

}  // namespace micius::emu
