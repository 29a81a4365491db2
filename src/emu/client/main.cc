// micius-emu: what stands behind every emulated program's name in the sandbox. Sends its words, environment
// and folder to the supervisor and does what the answer says. It knows nothing else.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/frames.h"
#include "base/variable.h"
#include "emu/wire.h"
#include "sandbox/served_socket.h"

namespace {

using micius::emu::Call;
using micius::emu::FileWrite;
using micius::emu::Outcome;

constexpr std::size_t kMaxFiles = std::size_t{1} << 19;  // of all files that one call sends
constexpr int kMaxQuestions = 8;

int connect_to_supervisor() {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, micius::kServedSocket, sizeof address.sun_path - 1);
  if (socket >= 0 && ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
    return socket;
  return -1;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// A regular file of at most `most` bytes; anything else is as good as absent.
std::optional<std::string> read_regular(const std::string& path, std::size_t most) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  struct stat status {};
  std::string content;
  const bool good = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                    static_cast<std::size_t>(status.st_size) <= most;
  if (good) {
    content.resize(static_cast<std::size_t>(status.st_size));
    std::size_t at = 0;
    for (ssize_t count = 1;
         count > 0 && at<content.size(); at += count> 0 ? static_cast<std::size_t>(count) : 0)
      count = ::read(fd, content.data() + at, content.size() - at);
    content.resize(at);
  }
  ::close(fd);
  return good ? std::optional(std::move(content)) : std::nullopt;
}

// The folders of a path that are not there yet.
void make_folders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    ::mkdir(path.substr(0, slash).c_str(), 0777);
}

bool write_file(const FileWrite& file) {
  make_folders(file.path);
  const int fd =
      ::open(file.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file.executable ? 0777 : 0666);
  if (fd < 0) return false;
  const bool good = write_all(fd, file.content);
  return ::close(fd) == 0 && good;
}

// A script whose first line names this program: its interpreter comes before it.
char** own_words(int argc, char** argv) {
  const std::string_view first = argc > 0 ? argv[0] : "";
  const std::string_view folder = micius::kServedFolder;
  if (argc < 2 || first.substr(0, folder.size()) != folder) return argv;
  const std::string_view script = argv[1];
  const bool same = script.find('/') != std::string_view::npos &&
                    script.substr(script.rfind('/') + 1) == first.substr(first.rfind('/') + 1);
  return same ? argv + 1 : argv;
}

Call call_of(int argc, char** argv, char** env) {
  Call call;
  for (char** word = own_words(argc, argv); *word != nullptr; ++word) call.argv.emplace_back(*word);
  for (; *env != nullptr; ++env)
    if (const auto variable = micius::read_variable(*env))
      call.env[std::string(variable->name)] = variable->value;
  if (char* folder = ::getcwd(nullptr, 0)) {
    call.cwd = folder;
    std::free(folder);
  }
  return call;
}

// Asks until the answer is an outcome. Absent where the supervisor does not answer.
std::optional<Outcome> ask(Call& call) {
  const int socket = connect_to_supervisor();
  std::size_t room = kMaxFiles;
  for (int question = 0; socket >= 0 && question < kMaxQuestions; ++question) {
    const std::string message = micius::emu::encode_call(call);
    if (message.size() > micius::kServedMessageBytes || !micius::write_frame(socket, message))
      return std::nullopt;
    const auto answer = micius::read_frame(socket, micius::kServedMessageBytes);
    auto outcome = answer ? micius::emu::decode_outcome(*answer) : std::nullopt;
    if (!outcome || outcome->needs.empty()) return outcome;
    for (const std::string& path : outcome->needs) {
      call.files[path] = read_regular(path, room);
      if (call.files[path]) room -= call.files[path]->size();
    }
  }
  return std::nullopt;
}

[[noreturn]] void become(const Outcome& outcome) {
  std::vector<char*> words;
  for (const std::string& word : outcome.exec) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  for (const auto& [name, value] : outcome.exec_env) ::setenv(name.c_str(), value.c_str(), 1);
  ::execvp(words[0], words.data());
  write_all(2, outcome.exec[0] + ": command not found\n");
  ::_exit(127);
}

}  // namespace

int main(int argc, char** argv, char** env) {
  if (argc == 0) return 126;
  Call call = call_of(argc, argv, env);
  const auto outcome = ask(call);
  if (!outcome) {
    write_all(2, call.argv[0] + ": no answer\n");
    return 126;
  }
  write_all(1, outcome->out);
  write_all(2, outcome->err);
  int exit = outcome->exit;
  for (const FileWrite& file : outcome->writes)
    if (!write_file(file)) {
      write_all(2, call.argv[0] + ": " + file.path + ": " + std::strerror(errno) + "\n");
      exit = 1;
    }
  if (!outcome->exec.empty()) become(*outcome);
  return exit;
}
