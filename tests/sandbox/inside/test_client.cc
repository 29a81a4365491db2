// A served program for tests: sends "NAME ARG ...", prints the answer.
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/frames.h"
#include "sandbox/served_socket.h"

int main(int argc, char** argv) {
  std::string message(std::strrchr(argv[0], '/') != nullptr ? std::strrchr(argv[0], '/') + 1 : argv[0]);
  for (int i = 1; i < argc; ++i) message += std::string(" ") + argv[i];
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, micius::kServedSocket);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 2;
  if (!micius::write_frame(fd, message)) return 3;
  const std::optional<std::string> answer = micius::read_frame(fd, micius::kServedMessageBytes);
  if (!answer) return 4;
  std::puts(answer->c_str());
  return 0;
}
