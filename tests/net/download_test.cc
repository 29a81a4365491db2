#include "net/download.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/resource.h>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "net/fault_server.h"
#include "processes.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

class ListLog final : public Log {
 public:
  void warning(std::string_view message) override {
    const std::lock_guard lock(mutex_);
    lines.emplace_back(message);
  }
  std::vector<std::string> lines;

 private:
  std::mutex mutex_;
};

// 300,000 bytes of which no part repeats.
std::string content(char kind = 'a') {
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) text += fmt::format("{}{:09}", kind, i);
  return text;
}

// Serves a file as a good server does: ranges, If-Range, an ETag.
void serve_file(Exchange& exchange, const std::string& file, const std::string& etag) {
  const auto& headers = exchange.request.headers;
  const auto range = headers.find("range");
  const auto only_if = headers.find("if-range");
  const std::vector<std::string> tag = {"ETag: " + etag};
  if (range == headers.end() || (only_if != headers.end() && only_if->second != etag))
    return exchange.answer(200, tag, file);
  const std::size_t first = std::stoul(range->second.substr(6));
  if (first >= file.size())
    return exchange.answer(416, {fmt::format("Content-Range: bytes */{}", file.size())}, "");
  exchange.answer(206,
                  {tag[0], fmt::format("Content-Range: bytes {}-{}/{}", first, file.size() - 1, file.size())},
                  std::string_view(file).substr(first));
}

// The beginning of an answer with the whole file, then the end of the connection.
void serve_cut(Exchange& exchange, const std::string& file, std::size_t bytes, const std::string& etag) {
  exchange.head(200, {fmt::format("Content-Length: {}", file.size()), "ETag: " + etag});
  exchange.send(std::string_view(file).substr(0, bytes));
  exchange.close();
}

struct Place {
  TempDir folder;
  HttpClient client{{}};
  ListLog log;
  fs::path target = folder.path() / "sub/file.jsonl";
  fs::path part = folder.path() / "sub/file.jsonl.part";
  fs::path origin = folder.path() / "sub/file.jsonl.part.from";

  Download file(const std::string& url, const std::string& expected) const {
    return {url, target, expected.size(), sha256_hex(expected)};
  }
  static DownloadOptions options() {
    DownloadOptions options;
    options.first_wait = std::chrono::milliseconds(1);
    options.attempts = 3;
    return options;
  }
  void get(const Download& file) { download(client, file, options(), log); }
  // The message of the error, or "".
  std::string error_of(const Download& file) {
    try {
      get(file);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  bool is_clean() const { return !fs::exists(part) && !fs::exists(origin); }
};

// What a WaitingChild is to get, as its word.
std::string word_for(const Download& wanted) { return wanted.url + " " + wanted.target.string(); }
Download wanted_by(const std::string& word, const std::string& expected) {
  const std::size_t space = word.find(' ');
  return {word.substr(0, space), word.substr(space + 1), expected.size(), sha256_hex(expected)};
}

}  // namespace

TEST_CASE("a file comes whole, and nothing else stays") {
  Place place;
  const std::string file = content();
  FaultServer server([&](Exchange& exchange) { serve_file(exchange, file, "\"1\""); });
  std::uint64_t last = 0;
  DownloadOptions options = Place::options();
  options.on_progress = [&](std::uint64_t done, std::uint64_t total) {
    CHECK(done > last);
    CHECK(total == file.size());
    last = done;
  };
  download(place.client, place.file(server.url("/f"), file), options, place.log);
  CHECK(read_file(place.target) == file);
  CHECK(last == file.size());
  CHECK(place.is_clean());
  CHECK(server.seen().at(0).headers.count("accept-encoding") == 0);
  place.get(place.file(server.url("/f"), file));  // it is there and good
  CHECK(server.requests() == 1);
  CHECK(place.is_clean());
}

TEST_CASE("a cut connection is gone on from") {
  Place place;
  const std::string file = content();
  FaultServer server([&](Exchange& exchange) {
    if (exchange.request.number == 1) return serve_cut(exchange, file, 100'000, "\"1\"");
    serve_file(exchange, file, "\"1\"");
  });
  place.get(place.file(server.url("/f"), file));
  CHECK(read_file(place.target) == file);
  CHECK(server.requests() == 2);
  CHECK(server.seen().at(1).headers.at("range") == "bytes=100000-");
  CHECK(server.seen().at(1).headers.at("if-range") == "\"1\"");
  REQUIRE(place.log.lines.size() == 1);
  CHECK_THAT(place.log.lines[0], Contains("trying again in") && Contains("100.0 kB are here"));
}

TEST_CASE("a stall is cut and gone on from") {
  Place place;
  const std::string file = content();
  FaultServer server([&](Exchange& exchange) {
    if (exchange.request.number > 1) return serve_file(exchange, file, "\"1\"");
    exchange.head(200, {fmt::format("Content-Length: {}", file.size()), "ETag: \"1\""});
    exchange.send(std::string_view(file).substr(0, 1000));
    exchange.pause(2500);
    exchange.close();
  });
  DownloadOptions options = Place::options();
  options.limits.idle = std::chrono::milliseconds(900);
  download(place.client, place.file(server.url("/f"), file), options, place.log);
  CHECK(read_file(place.target) == file);
  CHECK(server.seen().at(1).headers.at("range") == "bytes=1000-");
  CHECK_THAT(place.log.lines.at(0), Contains("the server went silent for 0.9 s"));
}

TEST_CASE("forked: a killed process is gone on from") {
  const std::string file = content();
  WaitingChild child([&](const std::string& word) {
    HttpClient own({});
    ListLog log;
    download(own, wanted_by(word, file), {}, log);
    return 0;
  });
  Place place;
  std::atomic<bool> half_sent = false;
  FaultServer server([&](Exchange& exchange) {
    if (exchange.request.number > 1) return serve_file(exchange, file, "\"1\"");
    exchange.head(200, {fmt::format("Content-Length: {}", file.size()), "ETag: \"1\""});
    exchange.send(std::string_view(file).substr(0, 200'000));
    half_sent = true;
    exchange.pause(2000);
    exchange.close();
  });
  const Download wanted = place.file(server.url("/f"), file);
  child.begin(word_for(wanted));
  for (int i = 0; i < 2000; ++i) {
    std::error_code ignored;
    if (half_sent && fs::exists(place.part) && fs::file_size(place.part, ignored) == 200'000) break;
    usleep(1000);
  }
  CHECK(child.kill_now() == -1);
  REQUIRE(fs::exists(place.part));
  CHECK_FALSE(fs::exists(place.target));
  place.get(wanted);
  CHECK(read_file(place.target) == file);
  CHECK(server.seen().at(1).headers.at("range") == "bytes=200000-");
  CHECK(place.is_clean());
}

TEST_CASE("a server without ranges begins again") {
  Place place;
  const std::string file = content();
  FaultServer server([&](Exchange& exchange) {
    if (exchange.request.number == 1) return serve_cut(exchange, file, 100'000, "\"1\"");
    exchange.answer(200, {}, file);
  });
  place.get(place.file(server.url("/f"), file));
  CHECK(read_file(place.target) == file);
  CHECK(server.requests() == 2);
}

TEST_CASE("a file that changed between two tries begins again") {
  Place place;
  const std::string before = content('a'), after = content('b');
  bool honest = true;
  SECTION("and the server says so") {}
  SECTION("and the server does not say so") { honest = false; }
  SECTION("and the new one is shorter than the part") { honest = false; }
  FaultServer server([&](Exchange& exchange) {
    if (exchange.request.number == 1)
      return serve_cut(exchange, before, 250'000, honest ? "\"1\"" : "W/\"1\"");
    serve_file(exchange, after, "\"2\"");
  });
  place.get(place.file(server.url("/f"), after));
  CHECK(read_file(place.target) == after);
  CHECK(server.requests() == (honest ? 2 : 3));
}

TEST_CASE("a part of another address, or of nobody, is not gone on from") {
  Place place;
  const std::string file = content();
  FaultServer server([&](Exchange& exchange) { serve_file(exchange, file, "\"1\""); });
  fs::create_directories(place.part.parent_path());
  std::ofstream(place.part) << "what is this";
  SECTION("another address") { std::ofstream(place.origin) << "https://example.org/other\n\"1\"\n"; }
  SECTION("nobody's") {}
  place.get(place.file(server.url("/f"), file));
  CHECK(read_file(place.target) == file);
  CHECK(server.seen().at(0).headers.count("range") == 0);
}

TEST_CASE("a part that is longer than the file is thrown away") {
  Place place;
  const std::string file = content();
  FaultServer server([&](Exchange& exchange) { serve_file(exchange, file, "\"1\""); });
  fs::create_directories(place.part.parent_path());
  std::ofstream(place.part) << file << "more";
  std::ofstream(place.origin) << server.url("/f") << "\n\"1\"\n";
  Download wanted = place.file(server.url("/f"), file);
  SECTION("its length is known") {}
  SECTION("only its hash is known") { wanted.bytes.reset(); }
  place.get(wanted);
  CHECK(read_file(place.target) == file);
}

TEST_CASE("a part that is complete needs no request") {
  Place place;
  const std::string file = content();
  FaultServer server([&](Exchange& exchange) { serve_file(exchange, file, "\"1\""); });
  fs::create_directories(place.part.parent_path());
  std::ofstream(place.part) << file;
  std::ofstream(place.origin) << server.url("/f") << "\n\n";
  place.get(place.file(server.url("/f"), file));
  CHECK(read_file(place.target) == file);
  CHECK(server.requests() == 0);
  CHECK(place.is_clean());
}

TEST_CASE("another file than the manifest's is not kept") {
  Place place;
  const std::string file = content('a'), other = content('b');
  FaultServer server([&](Exchange& exchange) { serve_file(exchange, other, "\"1\""); });
  const std::string message = place.error_of(place.file(server.url("/f"), file));
  CHECK_THAT(message, Contains(place.target.string()) && Contains(sha256_hex(file)) &&
                          Contains(sha256_hex(other)) && Contains(server.url("/f")));
  CHECK_FALSE(fs::exists(place.target));
  CHECK(place.is_clean());
  CHECK(server.requests() == 1);
}

TEST_CASE("a file of another length is not got") {
  Place place;
  const std::string file = content();
  FaultServer server([&](Exchange& exchange) {
    if (exchange.request.path == "/known") return exchange.answer(200, {}, file + "more");
    exchange.head(200, {});
    while (exchange.send(file)) continue;
    exchange.close();
  });
  CHECK_THAT(place.error_of(place.file(server.url("/known"), file)),
             Contains("the file there has 300004 bytes, the manifest says 300000"));
  CHECK_THAT(place.error_of(place.file(server.url("/endless"), file)),
             Contains("more than the 300000 bytes came"));
  CHECK_FALSE(fs::exists(place.target));
  CHECK(server.requests() == 2);
  Download unknown = place.file(server.url("/endless"), file);
  unknown.bytes.reset();
  DownloadOptions options = Place::options();
  options.limits.body_bytes = 1'000'000;
  CHECK_THROWS_WITH(download(place.client, unknown, options, place.log),
                    Contains("the answer is larger than 1000000 bytes"));
}

TEST_CASE("a file that ends early is asked for until the attempts are used up") {
  Place place;
  const std::string file = content();
  FaultServer server([&](Exchange& exchange) { exchange.answer(200, {}, ""); });
  Download wanted = place.file(server.url("/f"), file);
  CHECK_THAT(place.error_of(wanted), Contains("the file there has 0 bytes, the manifest says 300000"));
  FaultServer chunked([&](Exchange& exchange) {
    exchange.head(200, {"Transfer-Encoding: chunked"});
    exchange.send("5\r\n" + file.substr(0, 5) + "\r\n0\r\n\r\n");
  });
  wanted.url = chunked.url("/f");
  CHECK_THAT(place.error_of(wanted), Contains("the answer ended after 5 of 300000 bytes, after 3 attempts"));
  CHECK_FALSE(fs::exists(place.target));
}

TEST_CASE("errors of a server: some are tried again, others are not") {
  Place place;
  const std::string file = content(), page = "<html><body>" + content('h') + "</body></html>";
  int status = 0;
  FaultServer server([&](Exchange& exchange) {
    if (exchange.request.path == "/once" && exchange.request.number > 1)
      return serve_file(exchange, file, "\"1\"");
    exchange.answer(status, {"Content-Type: text/html", "Retry-After: 0.01"}, page);
  });
  for (const int code : {400, 401, 403, 404, 410, 501, 304}) {
    status = code;
    const int before = server.requests();
    const std::string message = place.error_of(place.file(server.url("/never"), file));
    INFO(message);
    CHECK_THAT(message, Contains(fmt::format("HTTP {}", code)));
    CHECK(message.find("<html>") == std::string::npos);
    CHECK(server.requests() == before + 1);
    CHECK_FALSE(fs::exists(place.target));
    CHECK(place.is_clean());
  }
  for (const int code : {408, 429, 500, 502, 503, 504, 529}) {
    status = code;
    Place other;
    FaultServer flaky([&](Exchange& exchange) {
      if (exchange.request.number == 2) return serve_file(exchange, file, "\"1\"");
      exchange.answer(code, {"Content-Type: text/html"}, page);
    });
    other.get(other.file(flaky.url("/f"), file));
    CHECK(read_file(other.target) == file);
  }
  status = 500;
  const int before = server.requests();
  CHECK_THAT(place.error_of(place.file(server.url("/never"), file)), Contains("HTTP 500, after 3 attempts"));
  CHECK(server.requests() == before + 3);
}

TEST_CASE("a server's wait is kept to, within reason") {
  Place place;
  const std::string file = content();
  std::string wait = "0.25";
  FaultServer server([&](Exchange& exchange) {
    if (exchange.request.number == 2) return serve_file(exchange, file, "\"1\"");
    exchange.answer(429, {"Retry-After: " + wait}, "");
  });
  const auto began = std::chrono::steady_clock::now();
  place.get(place.file(server.url("/f"), file));
  CHECK(std::chrono::steady_clock::now() - began > std::chrono::milliseconds(250));
  wait = "86400";
  CHECK_THAT(place.error_of(place.file(server.url("/g"), file + "x")),
             Contains("asks to come back in 86400 s"));
}

TEST_CASE("redirects lead to the file") {
  Place place;
  const std::string file = content();
  FaultServer mirror([&](Exchange& exchange) {
    if (exchange.request.number == 1) return serve_cut(exchange, file, 1000, "\"1\"");
    serve_file(exchange, file, "\"1\"");
  });
  FaultServer server([&](Exchange& exchange) {
    exchange.answer(307, {"Location: " + mirror.url("/m"), "ETag: \"of the redirect\""}, "see there");
  });
  place.get(place.file(server.url("/f"), file));
  CHECK(read_file(place.target) == file);
  CHECK(mirror.seen().at(1).headers.at("if-range") == "\"1\"");
}

TEST_CASE("forked: a disk that is full keeps what there is") {
  const std::string file = content();
  WaitingChild child([&](const std::string& word) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    HttpClient own({});
    ListLog log;
    try {
      download(own, wanted_by(word, file), Place::options(), log);
    } catch (const Error& error) {
      const std::string message = error.what();
      return message.find("cannot be written: File too large; 100.0 kB are kept") != std::string::npos ? 7
                                                                                                       : 8;
    }
    return 9;
  });
  Place place;
  FaultServer server([&](Exchange& exchange) { serve_file(exchange, file, "\"1\""); });
  const Download wanted = place.file(server.url("/f"), file);
  child.begin(word_for(wanted));
  CHECK(child.wait_for() == 7);
  CHECK_FALSE(fs::exists(place.target));
  place.get(wanted);
  CHECK(read_file(place.target) == file);
  CHECK(server.seen().at(1).headers.at("range") == "bytes=100000-");
}

TEST_CASE("forked: two processes get a file once") {
  const std::string file = content();
  const auto get = [&](const std::string& word) {
    HttpClient own({});
    ListLog log;
    download(own, wanted_by(word, file), Place::options(), log);
    return 0;
  };
  std::array<WaitingChild, 3> children = {WaitingChild(get), WaitingChild(get), WaitingChild(get)};
  Place place;
  FaultServer server([&](Exchange& exchange) {
    exchange.pause(150);
    serve_file(exchange, file, "\"1\"");
  });
  const std::string word = word_for(place.file(server.url("/f"), file));
  for (const WaitingChild& child : children) child.begin(word);
  for (WaitingChild& child : children) CHECK(child.wait_for() == 0);
  CHECK(server.requests() == 1);
  CHECK(read_file(place.target) == file);
  CHECK(place.is_clean());
}

}  // namespace micius
