// `data fetch` and `model fetch` against a server of the test's own.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "cli/program.h"
#include "net/fault_server.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

const std::string kGood(50'000, 'g');

// A share folder with manifests whose files the server has, or says it has.
class Share {
 public:
  Share() {
    const auto file = [](const std::string& path, const Json& source) {
      return Json{{"path", path}, {"bytes", kGood.size()}, {"sha256", sha256_hex(kGood)}, {"source", source}};
    };
    const auto url = [&](const std::string& path) { return Json{{"url", server.url(path)}}; };
    const Json user = {{"user", "write fifty thousand letters"}};
    const auto entry = [](const std::string& name, const Json& files) {
      return Json{{"name", name}, {"licence", "MIT"}, {"files", files}};
    };
    write("datasets/manifest.json",
          {entry("good", {file("a/one", url("/good")), file("a/two", url("/good"))}),
           entry("wrong", Json::array({file("b/one", url("/wrong"))})),
           entry("gone", Json::array({file("c/one", url("/gone"))})),
           entry("mine", Json::array({file("d/one", user)})),
           entry("both", {file("e/one", url("/good")), file("e/two", user)})});
    write("runners/models.json",
          Json::array({entry("small", Json::array({file("small/m.gguf", url("/good"))}))}));
  }

  Outcome run(const std::vector<std::string>& arguments) const {
    return run_micius(folder.path(),
                      {"MICIUS_SHARE_DIR=" + (folder.path() / "share").string(), "MICIUS_DATA_DIR=data",
                       "MICIUS_MODEL_DIR=models", "no_proxy=127.0.0.1"},
                      arguments);
  }
  fs::path at(const std::string& path) const { return folder.path() / path; }

  TempDir folder;
  FaultServer server{[](Exchange& exchange) {
    if (exchange.request.path == "/good") return exchange.answer(200, {}, kGood);
    if (exchange.request.path == "/wrong") return exchange.answer(200, {}, std::string(kGood.size(), 'w'));
    exchange.answer(404, {"Content-Type: text/html"}, "<html>\x1b[2Jnot here</html>");
  }};

 private:
  void write(const std::string& path, const Json& entries) const {
    const fs::path file = folder.path() / "share" / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << Json{{"micius_manifest", 1}, {"entries", entries}}.dump();
  }
};

}  // namespace

TEST_CASE("data fetch gets what is not here, once") {
  const Share share;
  const Outcome first = share.run({"data", "fetch", "good"});
  INFO(first.err);
  CHECK(first.exit_code == 0);
  CHECK_THAT(first.out, Contains("data/a/one: here, SHA-256 as in the manifest\ndata/a/two: here"));
  CHECK(read_file(share.at("data/a/one")) == kGood);
  CHECK(share.server.requests() == 2);
  CHECK_THAT(share.server.seen().at(0).headers.at("user-agent"), Contains("micius/"));
  CHECK(share.run({"data", "fetch", "good"}).exit_code == 0);
  CHECK(share.server.requests() == 2);
  fs::resize_file(share.at("data/a/two"), 10);  // damaged: only that one comes again
  CHECK(share.run({"data", "fetch", "good"}).exit_code == 0);
  CHECK(share.server.requests() == 3);
  CHECK(share.run({"data", "verify", "good"}).exit_code == 0);
}

TEST_CASE("data fetch names the file and both hashes where another one came") {
  const Share share;
  const Outcome outcome = share.run({"data", "fetch", "wrong"});
  CHECK(outcome.exit_code == 2);
  CHECK_THAT(outcome.err, Contains("data/b/one") && Contains(sha256_hex(kGood)) &&
                              Contains(sha256_hex(std::string(kGood.size(), 'w'))));
  CHECK(fs::is_empty(share.at("data/b")));
}

TEST_CASE("data fetch says what the user has to bring") {
  const Share share;
  const Outcome mine = share.run({"data", "fetch", "mine"});
  CHECK(mine.exit_code == 2);
  CHECK_THAT(mine.err, Contains("write fifty thousand letters; put it at data/d/one"));
  const Outcome both = share.run({"data", "fetch", "both"});
  CHECK(both.exit_code == 0);
  CHECK_THAT(both.err, Contains("write fifty thousand letters; put it at data/e/two"));
  CHECK_THAT(both.out, Contains("data/e/one: here") && !Contains("e/two"));
}

TEST_CASE("data fetch all goes on after what cannot be had") {
  const Share share;
  const Outcome outcome = share.run({"data", "fetch", "all"});
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.err,
             Contains("wrong: ") && Contains("HTTP 404") && Contains("d/one") && !Contains("\x1b"));
  CHECK(fs::exists(share.at("data/a/two")));
  CHECK(fs::exists(share.at("data/e/one")));
  CHECK_FALSE(fs::exists(share.at("data/c/one")));
  CHECK(share.run({"data", "fetch", "good", "wrnog"}).exit_code == 2);
  CHECK_THAT(share.run({"data", "fetch", "wrnog"}).err, Contains("did you mean 'wrong'?"));
}

TEST_CASE("model fetch gets a model from its address") {
  const Share share;
  const Outcome outcome = share.run({"model", "fetch", "small"});
  INFO(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK(read_file(share.at("models/small/m.gguf")) == kGood);
  CHECK_THAT(outcome.out, Contains("models/small/m.gguf: here, SHA-256 as in the manifest"));
}

}  // namespace micius
