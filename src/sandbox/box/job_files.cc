#include "sandbox/box/job_files.h"

#include <algorithm>
#include <dirent.h>
#include <map>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/box/places.h"
#include "sandbox/box/setup.h"

namespace micius {
namespace {

constexpr int kDeepest = 64;
constexpr std::size_t kLongestPath = 4000;

std::string absolute(const std::string& path) {
  return !path.empty() && path[0] == '/' ? path : "/job/" + path;
}

struct Found {
  std::string path;
  std::size_t size;
  bool executable;
};

class Walk {
 public:
  // Takes `folder` over.
  void into(int folder, const std::string& path, int depth) {
    DIR* stream = folder < 0 ? nullptr : ::fdopendir(folder);
    if (stream == nullptr) {
      whole = false;
      return;
    }
    while (const dirent* entry = ::readdir(stream)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") look_at(folder, name, path + "/" + name, depth);
    }
    ::closedir(stream);
  }

  std::vector<Found> found;
  bool whole = true;

 private:
  void look_at(int folder, const std::string& name, const std::string& path, int depth) {
    struct stat status;
    if (path.size() > kLongestPath || ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      whole = false;
    } else if (S_ISREG(status.st_mode)) {
      found.push_back({path, static_cast<std::size_t>(status.st_size), (status.st_mode & S_IXUSR) != 0});
    } else if (S_ISDIR(status.st_mode)) {
      if (depth == kDeepest) {
        whole = false;
        return;
      }
      into(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), path, depth + 1);
    }
  }
};

std::optional<std::string> content_of(const Found& file) {
  const int fd = ::open(file.path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string content(file.size, '\0');
  std::size_t had = 0;
  while (had < content.size()) {
    const ssize_t n = ::read(fd, content.data() + had, content.size() - had);
    if (n <= 0) break;
    had += static_cast<std::size_t>(n);
  }
  ::close(fd);
  if (had < content.size()) return std::nullopt;
  return content;
}

bool is_same(const Found& file, const ExecFile& laid) {
  return file.size == laid.content.size() && file.executable == laid.executable &&
         content_of(file) == laid.content;
}

}  // namespace

void lay_files(const std::vector<ExecFile>& files) {
  for (const ExecFile& file : files) {
    const std::string path = absolute(file.path);
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
      ::mkdir(path.substr(0, at).c_str(), 0755);  // where it fails, so does the open
    }
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                          file.executable ? 0755 : 0644);
    if (fd < 0) refuse(path);
    const ssize_t written = ::write(fd, file.content.data(), file.content.size());
    if (written != static_cast<ssize_t>(file.content.size())) refuse(path);
    ::close(fd);
  }
}

ChangedFiles changed_files(const std::vector<ExecFile>& laid, std::int64_t most) {
  Walk walk;
  for (const char* folder : kWritableFolders) {
    walk.into(::open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), folder, 0);
  }
  std::sort(walk.found.begin(), walk.found.end(),
            [](const Found& a, const Found& b) { return a.path < b.path; });
  std::map<std::string, const ExecFile*> before;
  for (const ExecFile& file : laid) before[absolute(file.path)] = &file;

  ChangedFiles changed;
  changed.whole = walk.whole;
  auto left = static_cast<std::size_t>(std::max<std::int64_t>(0, most));
  for (const Found& file : walk.found) {
    const auto known = before.find(file.path);
    if (known != before.end() && is_same(file, *known->second)) continue;
    std::optional<std::string> content;
    const std::size_t cost = file.path.size() + file.size;
    if (cost <= left) content = content_of(file);
    if (!content) {
      changed.whole = false;
      continue;
    }
    left -= cost;
    changed.files.push_back({file.path, std::move(*content), file.executable});
  }
  return changed;
}

}  // namespace micius
