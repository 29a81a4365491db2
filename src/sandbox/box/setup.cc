#include "sandbox/box/setup.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "sandbox/box/places.h"
#include "sandbox/served_socket.h"

namespace micius {
namespace {

constexpr unsigned long kPrivate = MS_NOSUID | MS_NODEV;
constexpr char kServiceFolder[] = "/run/micius";

void write_text(const char* path, const char* text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  const auto size = static_cast<ssize_t>(std::strlen(text));
  if (fd < 0 || ::write(fd, text, std::strlen(text)) != size) refuse(path);
  ::close(fd);
}

std::string folder_options(std::int64_t bytes) {
  return "mode=0755,nr_inodes=8192,size=" + std::to_string(bytes);
}

}  // namespace

void refuse(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

int fork_into_box() {
  return static_cast<int>(::syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, nullptr,
                                    nullptr, nullptr, 0));
}

void set_up_box() {
  ::prctl(PR_SET_DUMPABLE, 1);  // else these files are not ours to write
  write_text("/proc/self/setgroups", "deny");
  write_text("/proc/self/gid_map", "1000 1000 1");
  write_text("/proc/self/uid_map", "1000 1000 1");
  ::prctl(PR_SET_DUMPABLE, 0);
  for (const char* folder : kWritableFolders) {
    if (::mount("tmpfs", folder, "tmpfs", kPrivate, folder_options(16 << 20).c_str()) != 0) refuse(folder);
  }
  if (::mount("tmpfs", kServiceFolder, "tmpfs", kPrivate, "mode=0755,size=1m,nr_inodes=1024") != 0) {
    refuse(kServiceFolder);
  }
  if (::mount("tmpfs", kPythonFolder, "tmpfs", kPrivate | MS_RDONLY, "mode=0755,size=4k,nr_inodes=1") != 0) {
    refuse(kPythonFolder);
  }
  if (::mount("proc", "/proc", "proc", kPrivate | MS_NOEXEC, "subset=pid") != 0) refuse("/proc");
  if (::chdir("/job") != 0) refuse("/job");
}

void show_python() {
  if (::umount2(kPythonFolder, MNT_DETACH) != 0) refuse(kPythonFolder);
}

void size_folders(std::int64_t bytes) {
  for (const char* folder : kWritableFolders) {
    const std::string options = folder_options(bytes);
    if (::mount(nullptr, folder, nullptr, MS_REMOUNT | kPrivate, options.c_str()) != 0) refuse(folder);
  }
}

int open_served_socket(const std::vector<std::string>& names) {
  if (::mkdir(kServedFolder, 0755) != 0) refuse(kServedFolder);
  for (const std::string& name : names) {
    const std::string link = std::string(kServedFolder) + "/" + name;
    if (::symlink(kClientProgram, link.c_str()) != 0) refuse(link);
  }
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, kServedSocket, sizeof kServedSocket);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, kServedConnections) != 0) {
    refuse(kServedSocket);
  }
  return fd;
}

void keep_few_capabilities() {
  if (::mount(nullptr, kServiceFolder, nullptr, MS_REMOUNT | MS_RDONLY | kPrivate, nullptr) != 0) {
    refuse(kServiceFolder);
  }
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  const unsigned kept = 1u << CAP_DAC_OVERRIDE | 1u << CAP_SYS_PTRACE | 1u << CAP_KILL;
  data[0].effective = data[0].permitted = kept;
  if (::syscall(SYS_capset, &head, data) != 0) refuse("capset");
}

}  // namespace micius
