#include "sandbox/box/usage.h"

#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <functional>
#include <string>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace micius {
namespace {

std::string read_small(const std::string& path) {
  char buffer[8192];
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t n = ::read(fd, buffer, sizeof buffer);
  ::close(fd);
  return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
}

void for_each_process(const std::function<void(const std::string& folder)>& visit) {
  DIR* stream = ::opendir("/proc");
  if (stream == nullptr) return;
  const std::string self = std::to_string(::getpid());
  while (const dirent* entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name[0] >= '0' && name[0] <= '9' && name != self) visit("/proc/" + name);
  }
  ::closedir(stream);
}

// The sum of the "Name:   123 kB" lines that begin with one of `names`, in bytes.
std::int64_t sum_kilobytes(const std::string& text, std::initializer_list<const char*> names) {
  std::int64_t sum = 0;
  for (const char* name : names) {
    const std::size_t at = text.find(std::string("\n") + name + ":");
    if (at != std::string::npos) sum += std::atoll(text.c_str() + at + std::strlen(name) + 2) * 1024;
  }
  return sum;
}

std::int64_t resident_bytes(const std::string& folder) {
  return sum_kilobytes(read_small(folder + "/status"), {"RssAnon", "RssShmem"});
}

// /proc/PID/stat from its field `number` on, or "". The name in field 2 may hold anything.
std::string stat_from(const std::string& folder, int number) {
  const std::string text = read_small(folder + "/stat");
  std::size_t at = text.rfind(')');
  if (at == std::string::npos) return {};
  for (int field = 2; field < number && at != std::string::npos; ++field) at = text.find(' ', at + 1);
  return at == std::string::npos ? std::string() : text.substr(at + 1);
}

// Ticks of a process and of the children it waited for.
std::int64_t ticks(const std::string& folder) {
  const std::string fields = stat_from(folder, 14);
  std::int64_t sum = 0;
  const char* next = fields.c_str();
  for (int i = 0; i < 4; ++i) {
    char* end = nullptr;
    sum += std::strtoll(next, &end, 10);
    next = end;
  }
  return sum;
}

std::chrono::milliseconds milliseconds_of(const timeval& time) {
  return std::chrono::milliseconds(std::int64_t{time.tv_sec} * 1000 + time.tv_usec / 1000);
}

}  // namespace

Usage usage_of_all() {
  Usage usage;
  std::int64_t sum = 0;
  for_each_process([&](const std::string& folder) {
    usage.memory_bytes += resident_bytes(folder);
    sum += ticks(folder);
  });
  rusage dead{};
  ::getrusage(RUSAGE_CHILDREN, &dead);
  usage.cpu = std::chrono::milliseconds(sum * 1000 / ::sysconf(_SC_CLK_TCK)) +
              milliseconds_of(dead.ru_utime) + milliseconds_of(dead.ru_stime);
  return usage;
}

std::vector<int> lineage_of(int process) {
  constexpr std::size_t kDeepest = 256;
  std::vector<int> lineage;
  while (process > 0 && lineage.size() < kDeepest) {
    const std::string parent = stat_from("/proc/" + std::to_string(process), 4);
    if (parent.empty()) break;
    lineage.push_back(process);
    process = std::atoi(parent.c_str());
  }
  return lineage;
}

std::int64_t exact_memory_of_all() {
  std::int64_t sum = 0;
  for_each_process([&](const std::string& folder) {
    const std::string text = read_small(folder + "/smaps_rollup");
    sum += text.empty() ? resident_bytes(folder) : sum_kilobytes(text, {"Pss_Anon", "Pss_Shmem"});
  });
  return sum;
}

}  // namespace micius
