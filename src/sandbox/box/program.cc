#include "sandbox/box/program.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/box/places.h"
#include "sandbox/box/setup.h"
#include "sandbox/served_socket.h"

namespace micius {
namespace {

struct Pipe {
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) refuse("pipe");
  }
  int ends[2];
};

void never_block(int fd) { ::fcntl(fd, F_SETFL, O_NONBLOCK); }

std::vector<std::string> environment_of(const ExecRequest& request) {
  std::vector<std::pair<std::string, std::string>> all = {
      {"HOME", "/home/user"}, {"LANG", "C.UTF-8"}, {"PATH", "/usr/bin:/bin"}, {"TZ", "UTC"}};
  if (request.served) all[2].second = std::string(kServedFolder) + ":" + all[2].second;
  if (request.python) all[2].second += std::string(":") + kPythonFolder + "/bin";
  for (const auto& given : request.env) {
    const auto same =
        std::find_if(all.begin(), all.end(), [&](auto& one) { return one.first == given.first; });
    if (same == all.end()) {
      all.push_back(given);
    } else {
      same->second = given.second;
    }
  }
  std::vector<std::string> lines;
  for (const auto& [name, value] : all) lines.push_back(name + "=" + value);
  return lines;
}

// The paths at which argv[0] may be, in the order of PATH.
std::vector<std::string> places_of(const std::string& name, const std::vector<std::string>& environment) {
  if (name.find('/') != std::string::npos) return {name};
  std::vector<std::string> places;
  for (const std::string& line : environment) {
    if (line.rfind("PATH=", 0) != 0) continue;
    for (std::size_t at = 5; at <= line.size();) {
      const std::size_t end = std::min(line.find(':', at), line.size());
      places.push_back(line.substr(at, end - at) + "/" + name);
      at = end + 1;
    }
  }
  return places;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

void limit(int resource, std::int64_t value) {
  const auto which = static_cast<__rlimit_resource>(resource);
  rlimit both{};
  if (::getrlimit(which, &both) != 0) refuse("getrlimit");
  both.rlim_max = both.rlim_cur = std::min(both.rlim_max, static_cast<rlim_t>(value));  // none can be raised
  if (::setrlimit(which, &both) != 0) refuse("setrlimit");
}

void set_limits(const ExecLimits& limits) {
  limit(RLIMIT_AS, limits.memory_bytes);
  limit(RLIMIT_NPROC, limits.processes + 1);  // the first process of the box counts as well
  limit(RLIMIT_NOFILE, limits.open_files);
  limit(RLIMIT_FSIZE, limits.file_bytes);
  limit(RLIMIT_CPU, limits.cpu.count() / 1000 + 1);  // the sum over all processes is watched from outside
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_MEMLOCK, 64 << 10);
  limit(RLIMIT_MSGQUEUE, 0);
  limit(RLIMIT_SIGPENDING, 256);
  limit(RLIMIT_NICE, 0);
  limit(RLIMIT_RTPRIO, 0);
}

void forget_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// If the kernel runs out of memory, the program goes before the one that watches it.
void go_first() {
  ::prctl(PR_SET_DUMPABLE, 1);  // else the file is not ours to write; what is executed is so anyway
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (::write(fd, "1000", 4) != 4) refuse("oom_score_adj");
  ::close(fd);
}

void drop_everything(const std::string& filter) {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2]{};
  if (::syscall(SYS_capset, &head, none) != 0) refuse("capset");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) refuse("no_new_privs");
  const sock_fprog program{static_cast<unsigned short>(filter.size() / sizeof(sock_filter)),
                           reinterpret_cast<sock_filter*>(const_cast<char*>(filter.data()))};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) refuse("seccomp");
}

[[noreturn]] void become(const ExecRequest& request, const std::string& filter, int in, int out, int err) {
  std::vector<std::string> arguments = request.argv;
  std::vector<std::string> environment = environment_of(request);
  const std::vector<std::string> places = places_of(arguments[0], environment);
  const std::vector<char*> argv = pointers(arguments), env = pointers(environment);
  ::setsid();
  go_first();
  if (::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) refuse("dup2");
  if (::syscall(SYS_close_range, 3u, ~0u, 0u) != 0) refuse("close_range, which Linux 5.9 and newer have");
  forget_signals();
  set_limits(request.limits);
  drop_everything(filter);
  int error = ENOENT;
  for (const std::string& place : places) {
    ::execve(place.c_str(), argv.data(), env.data());
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
  }
  const std::string words =
      arguments[0] + (error == ENOENT ? ": command not found" : std::string(": ") + std::strerror(error)) +
      "\n";
  if (::write(2, words.data(), words.size()) < 0) ::_exit(126);
  ::_exit(error == ENOENT ? 127 : 126);
}

}  // namespace

Program start_program(const ExecRequest& request, const std::string& filter) {
  const Pipe out, err;
  int in[2] = {-1, -1};
  if (request.stdin_text.empty()) {
    in[0] = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  } else if (::pipe2(in, O_CLOEXEC) != 0) {
    refuse("pipe");
  }
  const int pid = ::fork();
  if (pid < 0) refuse("fork");
  if (pid == 0) {
    try {
      become(request, filter, in[0], out.ends[1], err.ends[1]);
    } catch (const std::exception& error) {
      // A program that could not be put under all limits does not run; 125 as docker, env and timeout have
      // it.
      if (::write(2, error.what(), std::strlen(error.what())) < 0) ::_exit(125);
      ::_exit(125);
    }
  }
  ::close(in[0]);
  ::close(out.ends[1]);
  ::close(err.ends[1]);
  for (const int fd : {in[1], out.ends[0], err.ends[0]}) never_block(fd);
  return {pid, in[1], out.ends[0], err.ends[0]};
}

}  // namespace micius
