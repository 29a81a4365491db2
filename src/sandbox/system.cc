#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string_view>

#include <unistd.h>

#include "sandbox/box/places.h"
#include "sandbox/sandbox.h"
#include "sandbox/system_internal.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

fs::path real_path(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  return error ? fs::path() : real;
}

class Arguments {
 public:
  void add(std::initializer_list<std::string> words) { list.insert(list.end(), words); }
  void show(const fs::path& host, const fs::path& inside) { add({"--ro-bind", host, inside}); }
  void program(int descriptor, const char* inside) {
    add({"--perms", "0555", "--ro-bind-data", std::to_string(descriptor), inside});
  }

  std::vector<std::string> list;
};

void add_tools(Arguments& arguments, const std::vector<std::string>& tools) {
  for (const std::string& tool : tools) {
    for (const char* folder : {"/usr/bin", "/bin"}) {
      const fs::path program = real_path(fs::path(folder) / tool);
      if (!is_program(program)) continue;
      arguments.show(program, "/usr/bin/" + tool);
      break;
    }
  }
}

// The folder where the dynamic loader and with it the C library lies, and what leads there.
void add_libraries(Arguments& arguments) {
  for (const char* link : {"/lib", "/lib64", "/bin"}) {
    std::error_code error;
    const fs::path target = fs::read_symlink(link, error);
    if (!error) arguments.add({"--symlink", target, link});
  }
  for (const char* loader : {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"}) {
    const fs::path real = real_path(loader);
    if (real.empty()) continue;
    const fs::path home = real.parent_path();
    arguments.show(home, home);
    const fs::path named = real_path(fs::path(loader).parent_path());
    if (named != home && named != "/usr/lib") arguments.show(named, named);
  }
  if (fs::exists("/usr/lib/locale/C.utf8"))
    arguments.show("/usr/lib/locale/C.utf8", "/usr/lib/locale/C.utf8");
}

void add_python(Arguments& arguments) {
  const std::optional<fs::path> python = find_python();
  if (!python) return;
  const fs::path prefix = python->parent_path().parent_path();
  const std::string name = python->filename();
  const fs::path home = kPythonFolder;
  arguments.show(*python, home / "bin" / name);
  arguments.show(prefix / "lib" / name, home / "lib" / name);
  arguments.add({"--symlink", name, home / "bin/python3"});
  for (const char* suffix : {".so", ".so.1.0"}) {
    const fs::path library = prefix / "lib" / ("lib" + name + suffix);
    if (prefix != "/usr" && fs::exists(library)) arguments.show(library, library);
  }
}

void add_devices(Arguments& arguments) {
  arguments.add({"--perms", "0755", "--tmpfs", "/dev"});
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}) {
    arguments.add({"--dev-bind", device, device});
  }
  arguments.add({"--symlink", "/proc/self/fd", "/dev/fd", "--symlink", "/proc/self/fd/0", "/dev/stdin",
                 "--symlink", "/proc/self/fd/1", "/dev/stdout", "--symlink", "/proc/self/fd/2", "/dev/stderr",
                 "--remount-ro", "/dev"});
}

}  // namespace

std::vector<std::string> default_tools() {
  return {"bash", "sh",   "cat",  "cut",    "grep",  "egrep", "sed",  "awk",      "sort",    "uniq",
          "head", "tail", "tr",   "wc",     "tee",   "xargs", "find", "ls",       "echo",    "printf",
          "test", "seq",  "diff", "column", "paste", "nl",    "rev",  "basename", "dirname", "mkdir",
          "cp",   "mv",   "rm",   "touch",  "chmod", "ln",    "true", "false",    "env"};
}

std::optional<fs::path> find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string_view folders = path == nullptr ? "" : path;
  while (!folders.empty()) {
    const std::size_t end = std::min(folders.find(':'), folders.size());
    const fs::path place = fs::path(folders.substr(0, end)) / name;
    if (is_program(place)) return fs::absolute(place);
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return std::nullopt;
}

std::optional<fs::path> find_python() {
  for (const char* place : {"/usr/bin/python3", "/usr/local/bin/python3"}) {
    const fs::path real = real_path(place);
    if (!is_program(real)) continue;
    if (fs::is_directory(real.parent_path().parent_path() / "lib" / real.filename())) return real;
  }
  return std::nullopt;
}

bool counts_in_all_namespaces(std::string_view release) {
  constexpr int kMajor = 5, kMinor = 14;  // the first that counts in each user namespace
  const std::size_t dot = release.find('.');
  int major = 0, minor = 0;
  std::from_chars(release.data(), release.data() + std::min(dot, release.size()), major);
  if (dot != std::string_view::npos)
    std::from_chars(release.data() + dot + 1, release.data() + release.size(), minor);
  return major < kMajor || (major == kMajor && minor < kMinor);
}

int threads_of(uid_t user) {
  int threads = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string number = entry.path().filename();
    if (number.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "status");
    bool is_theirs = false;
    for (std::string name; file >> name;) {
      std::int64_t value = 0;
      if (name == "Uid:" && file >> value) is_theirs = value == std::int64_t{user};
      if (name == "Threads:" && file >> value) threads += is_theirs ? static_cast<int>(value) : 0;
      file.clear();
      file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
  }
  return threads;
}

std::vector<std::string> bubblewrap_arguments(const fs::path& bubblewrap,
                                              const std::vector<std::string>& tools, int box, int client) {
  Arguments arguments;
  arguments.add({bubblewrap, "--unshare-user", "--uid", "1000", "--gid", "1000", "--unshare-ipc",
                 "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try", "--hostname",
                 "localhost", "--die-with-parent", "--new-session", "--as-pid-1"});
  for (const char* folder : {"/usr", "/usr/bin", "/usr/lib", "/home", "/opt", "/opt/micius", "/run",
                             "/opt/python", "/opt/python/bin", "/opt/python/lib"}) {
    arguments.add({"--perms", "0755", "--dir", folder});
  }
  for (const char* folder : kWritableFolders) arguments.add({"--dir", folder});
  arguments.add({"--dir", "/run/micius", "--proc", "/proc"});
  add_devices(arguments);
  add_libraries(arguments);
  add_tools(arguments, tools);
  add_python(arguments);
  arguments.program(box, kBoxProgram);
  if (client >= 0) arguments.program(client, kClientProgram);
  arguments.add({"--remount-ro", "/", "--chdir", "/", "--", kBoxProgram});
  return arguments.list;
}

}  // namespace micius
