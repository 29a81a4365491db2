// All is allowed but what a program that computes and prints has no need of, and what has opened sandboxes
// before: a list of denials, since the tools of a machine are many and the namespaces hold the rest.
#include <array>
#include <cerrno>
#include <memory>
#include <seccomp.h>

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "sandbox/filter_internal.h"

namespace micius {
namespace {

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

// Denied whatever the arguments. A name that libseccomp or the machine does not know is passed over.
constexpr std::array kDenied = {
    // into other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise",
    "migrate_pages", "move_pages",
    // namespaces and mounts
    "unshare", "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree",
    "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "name_to_handle_at", "open_by_handle_at",
    "sethostname", "setdomainname", "quotactl", "quotactl_fd", "swapon", "swapoff", "sysfs", "ustat",
    // the kernel itself
    "bpf", "perf_event_open", "userfaultfd", "init_module", "finit_module", "delete_module", "create_module",
    "kexec_load", "kexec_file_load", "reboot", "syslog", "acct", "iopl", "ioperm", "modify_ldt", "uselib",
    "personality", "lookup_dcookie", "fanotify_init", "vhangup", "nfsservctl", "io_uring_setup",
    "io_uring_enter", "io_uring_register",
    // keys and clocks
    "keyctl", "add_key", "request_key", "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "stime",
    // memory that no limit of a process counts, and what outlives a process
    "memfd_create", "memfd_secret", "shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl",
    "semget", "semop", "semtimedop", "semctl", "mq_open", "mbind", "set_mempolicy", "get_mempolicy"};

void check(int error, const char* what) {
  if (error != 0) fail(ErrorCode::kIo, "seccomp: {}: error {}", what, -error);
}

void deny(const Filter& filter, const char* name, int error) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) return;
  check(seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(static_cast<unsigned>(error)), number, 0), name);
}

void deny_if(const Filter& filter, const char* name, int error, scmp_arg_cmp condition) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) return;
  check(seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(static_cast<unsigned>(error)), number, 1,
                               &condition),
        name);
}

// The kernel reads 32 bits of these arguments, so the upper half must not hide a value.
scmp_arg_cmp low_half_is(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, 0xffffffff, value};
}

void deny_by_argument(const Filter& filter) {
  constexpr std::array<std::uint64_t, 7> kSpaces = {
      CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET};
  for (const std::uint64_t space : kSpaces) {
    deny_if(filter, "clone", EPERM, {0, SCMP_CMP_MASKED_EQ, space, space});
  }
  deny(filter, "clone3",
       ENOSYS);  // its flags lie in memory, where no filter sees them; the C library then takes clone
  for (const char* call : {"socket", "socketpair"})
    deny_if(filter, call, EACCES, {0, SCMP_CMP_NE, AF_UNIX, 0});
  for (const std::uint64_t request : {std::uint64_t{TIOCSTI}, std::uint64_t{0x541c /* TIOCLINUX */}}) {
    deny_if(filter, "ioctl", EPERM, low_half_is(1, request));
  }
  // Limits and priorities of oneself only: the first process of the box has the same user.
  for (const char* call :
       {"prlimit64", "sched_setscheduler", "sched_setparam", "sched_setattr", "sched_setaffinity"}) {
    deny_if(filter, call, EPERM, {0, SCMP_CMP_GT, 0, 0});
  }
  constexpr std::uint64_t kOneProcess = 1;  // IOPRIO_WHO_PROCESS; the others are groups and all of a user's
  deny_if(filter, "setpriority", EPERM, {0, SCMP_CMP_NE, PRIO_PROCESS, 0});
  deny_if(filter, "ioprio_set", EPERM, {0, SCMP_CMP_NE, kOneProcess, 0});
  for (const char* call : {"setpriority", "ioprio_set"}) deny_if(filter, call, EPERM, {1, SCMP_CMP_GT, 0, 0});
}

}  // namespace

std::string seccomp_filter() {
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW), &seccomp_release);
  if (!filter) fail(ErrorCode::kIo, "seccomp: no filter can be made");
  for (const char* name : kDenied) deny(filter, name, EPERM);
  deny_by_argument(filter);

  const int memory = ::memfd_create("micius-filter", MFD_CLOEXEC);
  if (memory < 0) fail(ErrorCode::kIo, "seccomp: no memory for the filter");
  const int error = seccomp_export_bpf(filter.get(), memory);
  std::string bytes(static_cast<std::size_t>(::lseek(memory, 0, SEEK_END)), '\0');
  const ssize_t n = ::pread(memory, bytes.data(), bytes.size(), 0);
  ::close(memory);
  check(error, "export");
  if (n != static_cast<ssize_t>(bytes.size())) fail(ErrorCode::kIo, "seccomp: the filter cannot be read");
  return bytes;
}

}  // namespace micius
