#include "core/manifest.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kVersion = 1;

ManifestSource parse_source(const JsonFields& fields) {
  fields.only({"url", "pip", "member", "user"});
  if (fields.has("url")) return UrlSource{fields.string("url")};
  if (fields.has("pip")) return PipSource{fields.string("pip"), fields.string("member")};
  if (fields.has("user")) return UserSource{fields.string("user")};
  fail(ErrorCode::kInvalidData, "{}: expected 'url', 'pip' with 'member', or 'user'", fields.where());
}

bool stays_below(const fs::path& path) {
  return !path.empty() && path.is_relative() && std::find(path.begin(), path.end(), "..") == path.end();
}

std::string parse_path(const JsonFields& fields) {
  std::string path = fields.string("path");
  if (stays_below(path)) return path;
  fail(ErrorCode::kInvalidData, "{}: path '{}' must be relative and stay below its folder", fields.where(),
       path);
}

std::optional<std::uint64_t> parse_bytes(const JsonFields& fields) {
  if (!fields.has("bytes")) return std::nullopt;
  const std::int64_t bytes = fields.integer("bytes");
  if (bytes < 0) fail(ErrorCode::kInvalidData, "{}: field 'bytes' is negative", fields.where());
  return static_cast<std::uint64_t>(bytes);
}

std::string parse_hash(const JsonFields& fields) {
  std::string hash = fields.string("sha256");
  if (hash.size() == 64 && hash.find_first_not_of("0123456789abcdef") == std::string::npos) return hash;
  fail(ErrorCode::kInvalidData, "{}: field 'sha256' must be 64 lower-case hex digits", fields.where());
}

std::vector<OtherForm> parse_others(const JsonFields& fields) {
  std::vector<OtherForm> others;
  if (!fields.has("or")) return others;
  for (const Json& json : fields.at("or")) {
    const JsonFields other(json, fmt::format("{}: field 'or'", fields.where()));
    other.only({"path", "bytes", "sha256"});
    others.push_back({parse_path(other), parse_bytes(other), std::nullopt});
    if (other.has("sha256")) others.back().sha256 = parse_hash(other);
  }
  return others;
}

ManifestFile parse_file(const JsonFields& fields, const std::optional<ManifestSource>& of_entry) {
  fields.only({"path", "bytes", "sha256", "source", "or"});
  ManifestFile file;
  file.path = parse_path(fields);
  file.bytes = parse_bytes(fields);
  file.sha256 = parse_hash(fields);
  file.others = parse_others(fields);
  if (fields.has("source")) {
    file.source = parse_source(fields.object("source"));
  } else if (of_entry) {
    file.source = *of_entry;
  } else {
    fail(ErrorCode::kInvalidData, "{}: neither the file nor its entry has a 'source'", fields.where());
  }
  return file;
}

ManifestEntry parse_entry(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  fields.only({"name", "licence", "licence_url", "source", "note", "files"});
  ManifestEntry entry;
  entry.name = fields.string("name");
  const std::string place = fmt::format("{}: entry '{}'", where, entry.name);
  const JsonFields named(json, place);
  entry.licence = named.string("licence");
  entry.licence_url = named.string_or("licence_url", "");
  entry.note = named.string_or("note", "");
  std::optional<ManifestSource> source;
  if (named.has("source")) source = parse_source(named.object("source"));
  const Json& files = named.at("files");
  if (!files.is_array() || files.empty())
    fail(ErrorCode::kInvalidData, "{}: field 'files' must be a list of at least one file", place);
  for (const Json& file : files)
    entry.files.push_back(
        parse_file(JsonFields(file, fmt::format("{}: file {}", place, entry.files.size() + 1)), source));
  return entry;
}

std::vector<std::string> paths_of(const ManifestFile& file) {
  std::vector<std::string> paths = {file.path};
  for (const OtherForm& other : file.others) paths.push_back(other.path);
  return paths;
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// Of the file and its other forms the first that is there; the file itself where none is.
OtherForm form_of(const ManifestFile& file, const fs::path& folder) {
  OtherForm own{file.path, file.bytes, file.sha256};
  if (is_file(folder / file.path)) return own;
  for (const OtherForm& other : file.others) {
    if (is_file(folder / other.path)) return other;
  }
  return own;
}

// What to do about a file that is missing or wrong.
std::string remedy(const ManifestFile& file, const fs::path& path, std::string_view fetch) {
  if (const auto* user = std::get_if<UserSource>(&file.source))
    return fmt::format("{}; put it at {}", user->instruction, path.string());
  return fmt::format("`{}` gets it", fetch);
}

FileCheck check_file(const ManifestEntry& entry, const ManifestFile& file, const fs::path& folder,
                     std::string_view fetch) {
  const OtherForm form = form_of(file, folder);
  FileCheck check{entry.name, folder / form.path, FileState::kGood, ""};
  const std::string path = check.path.string();
  if (!is_file(check.path)) {
    check.state = FileState::kMissing;
    check.message = fmt::format("{}: not there; {}", path, remedy(file, check.path, fetch));
  } else if (const std::uint64_t bytes = fs::file_size(check.path); form.bytes && bytes != *form.bytes) {
    check.state = FileState::kWrongSize;
    check.message = fmt::format("{}: has {} bytes, expected {}; {}", path, bytes, *form.bytes,
                                remedy(file, check.path, fetch));
  } else if (!form.sha256) {
    check.state = FileState::kUnknown;
    check.message = fmt::format("{}: no SHA-256 is known of this form", path);
  } else if (const std::string hash = sha256_file(check.path); hash != *form.sha256) {
    check.state = FileState::kWrongHash;
    check.message = fmt::format("{}: SHA-256 is {}, expected {}; {}", path, hash, *form.sha256,
                                remedy(file, check.path, fetch));
  }
  return check;
}

}  // namespace

const ManifestEntry* Manifest::find(std::string_view name) const {
  const auto it =
      std::find_if(entries.begin(), entries.end(), [&](const ManifestEntry& e) { return e.name == name; });
  return it == entries.end() ? nullptr : &*it;
}

const ManifestEntry& Manifest::get(std::string_view name, std::string_view noun) const {
  if (const ManifestEntry* entry = find(name)) return *entry;
  std::vector<std::string> names;
  for (const ManifestEntry& entry : entries) names.push_back(entry.name);
  fail(ErrorCode::kUsage, "unknown {} '{}'{}; `micius {} list` shows what there is", noun, name,
       did_you_mean(name, names), noun);
}

Manifest parse_manifest(std::string_view text, const std::string& where) {
  const Json json = parse_json(text, where);
  const JsonFields fields(json, where);
  fields.only({"micius_manifest", "entries"});
  if (const std::int64_t version = fields.integer("micius_manifest"); version != kVersion) {
    fail(ErrorCode::kInvalidData, "{}: manifest version {}, this program reads {}", where, version, kVersion);
  }
  const Json& entries = fields.at("entries");
  if (!entries.is_array()) fail(ErrorCode::kInvalidData, "{}: field 'entries' must be a list", where);
  Manifest manifest;
  std::set<std::string> names, paths;
  for (const Json& json_entry : entries) {
    ManifestEntry entry = parse_entry(json_entry, where);
    if (!names.insert(entry.name).second)
      fail(ErrorCode::kInvalidData, "{}: entry '{}' is there twice", where, entry.name);
    for (const ManifestFile& file : entry.files) {
      for (const std::string& path : paths_of(file)) {
        if (!paths.insert(path).second)
          fail(ErrorCode::kInvalidData, "{}: entry '{}': path '{}' is there twice", where, entry.name, path);
      }
    }
    manifest.entries.push_back(std::move(entry));
  }
  return manifest;
}

Manifest read_manifest(const fs::path& path) { return parse_manifest(read_file(path), path.string()); }

bool is_published(const Manifest& manifest, std::string_view path, std::string_view sha256) {
  const auto is_it = [&](std::string_view listed, const std::optional<std::string>& hash) {
    const bool packed = listed.size() == path.size() + 3 && listed.ends_with(".gz");
    return hash == sha256 && (packed ? listed.starts_with(path) : listed == path);
  };
  for (const ManifestEntry& entry : manifest.entries) {
    for (const ManifestFile& file : entry.files) {
      if (is_it(file.path, file.sha256)) return true;
      for (const OtherForm& other : file.others)
        if (is_it(other.path, other.sha256)) return true;
    }
  }
  return false;
}

std::vector<FileCheck> verify(const ManifestEntry& entry, const fs::path& folder, std::string_view fetch) {
  std::vector<FileCheck> checks;
  for (const ManifestFile& file : entry.files) checks.push_back(check_file(entry, file, folder, fetch));
  return checks;
}

bool is_there(const ManifestEntry& entry, const fs::path& folder) {
  return std::all_of(entry.files.begin(), entry.files.end(), [&](const ManifestFile& file) {
    const OtherForm form = form_of(file, folder);
    std::error_code error;
    const std::uintmax_t bytes = fs::file_size(folder / form.path, error);
    return !error && (!form.bytes || bytes == *form.bytes);
  });
}

}  // namespace micius
