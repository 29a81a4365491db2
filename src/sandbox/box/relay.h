// Carries the messages of served programs to the harness and the answers back, one at a time, and never waits
// for a program.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <poll.h>
#include <string>
#include <vector>

namespace micius {

class Relay {
 public:
  // `listener` is from open_served_socket(), `lane` leads to the harness.
  Relay(int listener, int lane) : listener_(listener), lane_(lane) {}

  void add_to(std::vector<pollfd>& waits) const;
  void handle(const pollfd& event);      // one that add_to() made; others are passed over
  void answer(const std::string& text);  // what the harness said to the message that is out
  void ask_no_more() { queue_.clear(); }
  bool is_waiting() const { return asked_ != 0; }  // for the harness

 private:
  struct Connection {
    int fd;
    int process;  // that connected
    std::string in, out;
    bool queued = false;
  };
  using Connections = std::map<std::uint64_t, Connection>;

  void accept_all();
  Connections::iterator close(Connections::iterator connection);
  void receive(Connections::iterator connection);
  void send(Connections::iterator connection);
  void ask_next();

  int listener_, lane_;
  Connections connections_;
  std::deque<std::uint64_t> queue_;  // those whose message is whole
  std::uint64_t last_ = 0, asked_ = 0;
  int calls_ = 0;
};

}  // namespace micius
