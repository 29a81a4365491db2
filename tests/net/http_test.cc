#include "net/http.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "net/fault_server.h"
#include "net/signal_internal.h"

namespace micius {
namespace {

using std::chrono::milliseconds;

// For a server that is silent on purpose: on a busy machine any server is, for a while.
HttpLimits idle_for(milliseconds idle) { return {.idle = idle}; }

HttpAnswer answer_of(const FaultServer::Handler& handler, const HttpLimits& limits = {}) {
  FaultServer server(handler);
  HttpClient client({});
  return fetch(client, {.url = server.url("/"), .limits = limits});
}

}  // namespace

TEST_CASE("a request has its method, headers and body, and an answer its own") {
  FaultServer server([](Exchange& exchange) {
    exchange.answer(201, {"X-Word:  Two  Words ", "Content-Type: text/plain"},
                    "for " + exchange.request.body);
  });
  HttpClient client({.user_agent = "micius/1"});
  const HttpAnswer answer = fetch(client, {.method = "POST",
                                           .url = server.url("/path?query=1"),
                                           .headers = {{"Authorization", "Bearer key"}},
                                           .body = std::string(100'000, 'x')});
  CHECK_FALSE(answer.result.failure);
  CHECK(answer.head.status == 201);
  CHECK(answer.head.header("x-word") == "Two  Words");
  CHECK(answer.body == "for " + std::string(100'000, 'x'));
  const SeenRequest seen = server.seen().at(0);
  CHECK(seen.method == "POST");
  CHECK(seen.path == "/path?query=1");
  CHECK(seen.headers.at("authorization") == "Bearer key");
  CHECK(seen.headers.at("user-agent") == "micius/1");
  CHECK(seen.headers.count("expect") == 0);
}

TEST_CASE("a POST whose kept connection ends without an answer is not sent again unasked") {
  FaultServer server([](Exchange& exchange) {
    if (exchange.request.path == "/good") return exchange.answer(200, {}, "yes");
    exchange.reset();
  });
  HttpClient client({});
  CHECK(fetch(client, {.method = "POST", .url = server.url("/good"), .body = "1"}).body == "yes");
  const HttpAnswer lost = fetch(client, {.method = "POST", .url = server.url("/lost"), .body = "2"});
  CHECK(lost.result.failure == HttpFailure::kBroken);
  CHECK(lost.result.message == "the connection ended without an answer");
  // The second was opened, and not used; the server may be slower to see it than the client to end.
  for (int i = 0; i < 1000 && server.connections() < 2; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(server.connections() == 2);
  CHECK(server.requests() == 2);
  CHECK(fetch(client, {.method = "POST", .url = server.url("/good"), .body = "3"}).body == "yes");
}

TEST_CASE("hundreds of requests at once keep their connections") {
  FaultServer server([](Exchange& exchange) {
    exchange.pause(20);
    exchange.answer(200, {}, exchange.request.path);
  });
  HttpClient client({});
  constexpr int kLanes = 100, kRounds = 5;
  // Each sink asks again when it is answered.
  struct Lane final : HttpSink {
    HttpClient* client = nullptr;
    std::string url, body;
    int left = kRounds, good = 0;
    Signal done;
    bool on_head(const HttpHead&) override { return true; }
    bool on_body(std::string_view bytes) override {
      body += bytes;
      return true;
    }
    void on_done(const HttpResult& result) override {
      if (!result.failure && url.ends_with(body)) ++good;
      body.clear();
      if (--left == 0) return done.set();
      client->start({.url = url}, *this);
    }
  };
  std::vector<Lane> lanes(kLanes);
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < kLanes; ++i) {
    lanes[i].client = &client;
    lanes[i].url = server.url("/" + std::to_string(i));
    client.start({.url = lanes[i].url}, lanes[i]);
  }
  for (Lane& lane : lanes) lane.done.wait();
  const auto took = std::chrono::steady_clock::now() - began;
  for (const Lane& lane : lanes) CHECK(lane.good == kRounds);
  CHECK(server.requests() == kLanes * kRounds);
  CHECK(server.connections() <= kLanes);
  CHECK(took < milliseconds(20 * kLanes * kRounds / 4));  // one after the other would be 10 s
}

TEST_CASE("what a server withholds ends at a limit") {
  SECTION("silent before the answer") {
    const HttpAnswer answer = answer_of(
        [](Exchange& exchange) {
          exchange.pause(800);
          exchange.close();
        },
        idle_for(milliseconds(300)));
    CHECK(answer.result.failure == HttpFailure::kIdle);
    CHECK(answer.result.message == "the server went silent for 0.3 s");
    CHECK(answer.head.status == 0);
  }
  SECTION("silent in the body") {
    const HttpAnswer answer = answer_of(
        [](Exchange& exchange) {
          exchange.head(200, {"Content-Length: 10"});
          exchange.send("12345");
          exchange.pause(2500);
          exchange.close();
        },
        idle_for(milliseconds(1000)));
    CHECK(answer.result.failure == HttpFailure::kIdle);
    CHECK(answer.head.status == 200);
    CHECK(answer.body == "12345");
  }
  SECTION("a byte now and then") {
    HttpLimits limits;
    limits.total = milliseconds(500);
    const HttpAnswer answer = answer_of(
        [](Exchange& exchange) {
          exchange.head(200, {"Content-Length: 1000"});
          for (int i = 0; i < 100 && exchange.send("x"); ++i) exchange.pause(20);
          exchange.close();
        },
        limits);
    CHECK(answer.result.failure == HttpFailure::kTotal);
    CHECK(answer.result.message == "not done within 0.5 s");
  }
  SECTION("less than a byte a second") {
    const HttpAnswer answer = answer_of(
        [](Exchange& exchange) {
          exchange.head(200, {"Content-Length: 1000"});
          for (int i = 0; i < 8 && exchange.send("x"); ++i) exchange.pause(1200);
          exchange.close();
        },
        idle_for(milliseconds(1300)));
    CHECK(answer.result.failure == HttpFailure::kIdle);
    CHECK(answer.body.size() < 8);
  }
}

TEST_CASE("what a server sends too much ends at a limit") {
  HttpLimits limits;
  limits.body_bytes = 100'000;
  SECTION("an endless body") {
    const HttpAnswer answer = answer_of(
        [](Exchange& exchange) {
          exchange.head(200, {});
          while (exchange.send(std::string(65'536, 'x'))) continue;
          exchange.close();
        },
        limits);
    CHECK(answer.result.failure == HttpFailure::kTooLarge);
    CHECK(answer.result.message == "the answer is larger than 100000 bytes");
    CHECK(answer.body.size() <= 100'000);
  }
  SECTION("an endless head") {
    const HttpAnswer answer = answer_of(
        [](Exchange& exchange) {
          exchange.send("HTTP/1.1 200 OK\r\n");
          while (exchange.send("X-More: " + std::string(1000, 'x') + "\r\n")) continue;
          exchange.close();
        },
        limits);
    CHECK(answer.result.failure == HttpFailure::kTooLarge);
    CHECK(answer.result.message == "the head of the answer is larger than 65536 bytes");
  }
  SECTION("heads without an end") {
    const HttpAnswer answer = answer_of(
        [](Exchange& exchange) {
          while (exchange.send("HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n")) continue;
          exchange.close();
        },
        limits);
    CHECK(answer.result.failure == HttpFailure::kTooLarge);
  }
}

TEST_CASE("answers that are broken are known as such") {
  const auto failure_of = [](const std::string& bytes) {
    return answer_of([&](Exchange& exchange) {
             exchange.send(bytes);
             exchange.close();
           })
        .result.failure;
  };
  CHECK(failure_of("") == HttpFailure::kBroken);
  CHECK(failure_of("HTTP/1.1 200 OK\r\nContent-Le") == HttpFailure::kBroken);
  CHECK(failure_of("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort") == HttpFailure::kBroken);
  CHECK(failure_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel") == HttpFailure::kBroken);
  CHECK(failure_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") == HttpFailure::kBroken);
  CHECK(failure_of("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello") ==
        HttpFailure::kBroken);
  CHECK(failure_of("Hello, this is not HTTP.\r\n\r\n") == HttpFailure::kBroken);
  CHECK(answer_of([](Exchange& exchange) { exchange.reset(); }).result.failure == HttpFailure::kBroken);
}

TEST_CASE("a 1xx is not the answer, and an answer without a body has a head") {
  const HttpAnswer answer = answer_of([](Exchange& exchange) {
    exchange.send("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n");
    exchange.answer(204, {"X-Late: 2"}, "");
  });
  CHECK_FALSE(answer.result.failure);
  CHECK(answer.head.status == 204);
  CHECK(answer.head.header("x-late") == "2");
  CHECK_FALSE(answer.head.header("x-early"));
}

TEST_CASE("places that cannot be asked are told apart") {
  HttpClient client({});
  int port = 0;
  {
    const FaultServer gone([](Exchange&) {});
    port = gone.port();
  }
  const auto failure_of = [&](const std::string& url) { return fetch(client, {.url = url}).result.failure; };
  CHECK(failure_of("http://127.0.0.1:" + std::to_string(port)) == HttpFailure::kConnect);
  CHECK(failure_of("ftp://127.0.0.1/x") == HttpFailure::kUrl);
  CHECK(failure_of("file:///etc/passwd") == HttpFailure::kUrl);
  CHECK(failure_of("not a url") == HttpFailure::kUrl);
  CHECK(failure_of("") == HttpFailure::kUrl);
}

TEST_CASE("a header cannot smuggle another one in") {
  FaultServer server([](Exchange& exchange) { exchange.answer(200, {}, ""); });
  HttpClient client({});
  const HttpAnswer answer =
      fetch(client, {.url = server.url("/"), .headers = {{"Authorization", "Bearer key\r\nX: y"}}});
  CHECK(answer.result.failure == HttpFailure::kUrl);
  CHECK(answer.result.message == "header Authorization has a line break");
  CHECK(server.requests() == 0);
}

TEST_CASE("redirects are followed only where that is asked for") {
  FaultServer target([](Exchange& exchange) { exchange.answer(200, {}, "here"); });
  FaultServer server([&](Exchange& exchange) {
    const std::string& path = exchange.request.path;
    exchange.answer(302,
                    {"Location: " + (path == "/loop"   ? "/loop"
                                     : path == "/file" ? "file:///etc/passwd"
                                                       : target.url("/t"))},
                    "moved");
  });
  HttpClient client({});
  const auto ask = [&](const std::string& path, HttpRedirects redirects) {
    std::string url = server.url(path);
    url.insert(7, "user:word@");
    return fetch(client, {.url = url, .redirects = redirects});
  };
  const HttpAnswer refused = ask("/", HttpRedirects::kRefuse);
  CHECK(refused.head.status == 302);
  CHECK(refused.body == "moved");
  CHECK(target.requests() == 0);
  const HttpAnswer followed = ask("/", HttpRedirects::kFollow);
  CHECK(followed.head.status == 200);
  CHECK(followed.head.url == target.url("/t"));
  CHECK(followed.body == "here");
  CHECK(server.seen().at(1).headers.count("authorization") == 1);
  CHECK(target.seen().at(0).headers.count("authorization") == 0);
  CHECK(ask("/loop", HttpRedirects::kFollow).result.failure == HttpFailure::kRedirect);
  CHECK(ask("/file", HttpRedirects::kFollow).result.failure == HttpFailure::kRedirect);
}

TEST_CASE("cancelled requests end, and so do those of a client that goes away") {
  FaultServer server([](Exchange& exchange) {
    exchange.pause(5000);
    exchange.close();
  });
  struct Ended final : HttpSink {
    std::optional<HttpFailure> failure;
    Signal done;
    bool on_head(const HttpHead&) override { return true; }
    bool on_body(std::string_view) override { return true; }
    void on_done(const HttpResult& result) override {
      failure = result.failure;
      done.set();
    }
  };
  std::vector<Ended> ended(8);
  const auto began = std::chrono::steady_clock::now();
  {
    HttpClient client({});
    for (int i = 0; i < 4; ++i) client.start({.url = server.url("/")}, ended[i]);
    client.cancel();
    for (int i = 0; i < 4; ++i) ended[i].done.wait();
    for (int i = 4; i < 8; ++i) client.start({.url = server.url("/")}, ended[i]);
  }
  for (Ended& one : ended) CHECK(one.failure == HttpFailure::kCancelled);
  CHECK(std::chrono::steady_clock::now() - began < milliseconds(4000));
}

TEST_CASE("a URL is shown without what may be secret") {
  CHECK(shown_url("https://user:key@example.org:8443/a/b?key=secret#part") == "https://example.org:8443/a/b");
  CHECK(shown_url("no url") == "(no URL)");
}

}  // namespace micius
