// The server as a user starts and stops it.
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "base/json.h"
#include "cli/program.h"
#include "engine/tiny_model.h"
#include "processes.h"
#include "serve/raw_client.h"
#include "source_tree.h"
#include "temp_dir.h"

namespace micius {
namespace {

using Catch::Contains;

// A server of its own; ends with the object.
class ServedModel {
 public:
  explicit ServedModel(const std::vector<std::string>& flags) {
    const std::string log = (folder_.path() / "stderr").string();
    write_file_atomic(log, "");
    child_ = fork();
    if (child_ == 0) {
      const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(file, STDERR_FILENO);
      ::setenv("MICIUS_TEST_KEY", "sk-planted-0123", 1);
      std::vector<std::string> words = {built_micius().string(),
                                        "serve",
                                        "--model",
                                        model_.path().string(),
                                        "--port",
                                        "0",
                                        "--threads",
                                        "1",
                                        "--model-dir",
                                        folder_.path().string()};
      words.insert(words.end(), flags.begin(), flags.end());
      std::vector<char*> argv;
      for (std::string& word : words) argv.push_back(word.data());
      argv.push_back(nullptr);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    constexpr std::string_view kPlace = "http://127.0.0.1:";
    for (int i = 0; i < 2000 && port_ == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      const std::string text = read_file(log);
      const std::size_t at = text.find(kPlace);
      if (at != std::string::npos && text.ends_with("\n"))
        port_ = std::atoi(text.c_str() + at + kPlace.size());
    }
  }
  ~ServedModel() {
    if (child_ > 0) kill_after(child_, 0);
  }
  int port() const { return port_; }
  void signal(int number) const { ::kill(child_, number); }
  int wait() { return wait_for(std::exchange(child_, -1)); }
  std::string log() const { return read_file(folder_.path() / "stderr"); }
  std::string name() const { return model_.path().stem().string(); }

 private:
  TinyModel model_;
  TempDir folder_;
  pid_t child_ = -1;
  int port_ = 0;
};

}  // namespace

TEST_CASE("a served model answers, and SIGTERM lets what runs end") {
  ServedModel served({});
  REQUIRE(served.port() != 0);
  const Json models = parse_json(ask(served.port(), "GET /v1/models HTTP/1.1\r\n\r\n").body, "models");
  CHECK(models.at("data").at(0).at("id") == served.name());
  CHECK(ask(served.port(), post("/v1/embeddings", R"({"input": "x"})")).status == 501);
  RawClient client(served.port());
  client.send(post(
      "/v1/chat/completions",
      R"({"messages": [{"role": "user", "content": "x"}], "max_tokens": 100, "stream": true, "n": 10})"));
  client.read_until("data: ");
  served.signal(SIGTERM);
  CHECK_THAT(client.read_all(), Contains("data: [DONE]"));
  CHECK(served.wait() == 0);
}

TEST_CASE("a served model asks for the key that a variable holds, and does not tell it") {
  ServedModel served({"--api-key-env", "MICIUS_TEST_KEY"});
  REQUIRE(served.port() != 0);
  CHECK(ask(served.port(), "GET /v1/models HTTP/1.1\r\n\r\n").status == 401);
  CHECK(
      ask(served.port(), "GET /v1/models HTTP/1.1\r\nAuthorization: Bearer sk-planted-0123\r\n\r\n").status ==
      200);
  served.signal(SIGINT);
  CHECK(served.wait() == 0);
  CHECK(served.log().find("planted") == std::string::npos);
}

TEST_CASE("a server that cannot start says why") {
  const TempDir folder;
  const TinyModel model;
  const std::string path = model.path().string();
  const Outcome no_key =
      run_micius(folder.path(), {}, {"serve", "--model", path, "--api-key-env", "MICIUS_NO_KEY"});
  CHECK(no_key.exit_code == 2);
  CHECK_THAT(no_key.err, Contains("MICIUS_NO_KEY is not set"));
  const Outcome no_host = run_micius(folder.path(), {}, {"serve", "--model", path, "--host", "192.0.2.1"});
  CHECK(no_host.exit_code == 2);
  CHECK_THAT(no_host.err, Contains("cannot listen on 192.0.2.1"));
  CHECK(run_micius(folder.path(), {}, {"serve", "--model", path, "--port", "70000"}).exit_code == 2);
}

}  // namespace micius
