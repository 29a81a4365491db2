// Tests that work with processes that die.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace micius {

// Runs `work` in a child, which ends with its result, or 99 if it threw. This process has no other thread
// then, or `work` allocates nothing: a lock that another thread holds (a sanitizer's allocator has one) stays
// held in the child for ever.
inline pid_t in_child(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child != 0) return child;
  int status = 99;
  try {
    status = work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "in a child: %s\n", error.what());  // the parent sees the status
  }
  _exit(status);
}

// Its exit status, or -1 if a signal ended it.
inline int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

inline int kill_after(pid_t child, useconds_t us) {
  usleep(us);
  kill(child, SIGKILL);
  return wait_for(child);
}

// A child that exists before this process has other threads, and works when it is given its word: the address
// of a server of ours, say.
class WaitingChild {
 public:
  explicit WaitingChild(const std::function<int(const std::string& word)>& work) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    child_ = in_child([&] {
      close(ends[1]);
      std::string word;
      for (char c = 0; read(ends[0], &c, 1) == 1 && c != 0;) word += c;
      return work(word);
    });
    close(ends[0]);
    word_ = ends[1];
  }
  ~WaitingChild() {
    close(word_);
    if (child_ > 0) kill_after(child_, 0);
  }
  WaitingChild(const WaitingChild&) = delete;
  WaitingChild& operator=(const WaitingChild&) = delete;

  void begin(const std::string& word) const {
    const auto bytes = static_cast<ssize_t>(word.size() + 1);
    if (write(word_, word.c_str(), word.size() + 1) != bytes) throw std::runtime_error("a child is gone");
  }
  // Its exit status, or -1 if a signal ended it; one of the two, once.
  int wait_for() { return micius::wait_for(std::exchange(child_, -1)); }
  int kill_now() { return kill_after(std::exchange(child_, -1), 0); }

 private:
  pid_t child_ = -1;
  int word_ = -1;
};

}  // namespace micius
