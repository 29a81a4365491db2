// The server against clients that break rules, are slow, leave, or come when it stops.
#include "serve/server.h"

#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "serve/raw_client.h"
#include "serve/test_service.h"

namespace micius {
namespace {

using Catch::Contains;
using std::chrono::milliseconds;

const std::string kHealth = "GET /health HTTP/1.1\r\nHost: here\r\n\r\n";

struct Running {
  explicit Running(ServerOptions options = {}, std::size_t most_requests = 64)
      : test(most_requests), server(test.service, with_any_port(std::move(options))) {
    thread = std::thread([this] { server.run(); });
  }
  ~Running() {
    server.stop();
    thread.join();
  }
  static ServerOptions with_any_port(ServerOptions options) {
    options.port = 0;
    return options;
  }
  RawAnswer ask(std::string_view request) const { return micius::ask(server.port(), request); }

  TestService test;
  ApiServer server;
  std::thread thread;
};

std::string chat_body(int max_tokens, const std::string& more = "") {
  return fmt::format(
      R"({{"messages": [{{"role": "user", "content": "hi"}}], "max_tokens": {}, "seed": 1{}}})", max_tokens,
      more);
}

Json error_of(const RawAnswer& answer) { return parse_json(answer.body, "answer").at("error"); }

// Asks until the answer is not 429: what another client left has to be noticed first.
int status_when_free(const Running& running) {
  for (int i = 0; i < 500; ++i) {
    const int status = running.ask(post("/v1/chat/completions", chat_body(1))).status;
    if (status != 429) return status;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return 429;
}

}  // namespace

TEST_CASE("Endpoints answer, and one connection serves many requests", "[server]") {
  Running running;
  RawClient client(running.server.port());
  for (int i = 0; i < 3; ++i) {
    client.send(kHealth);
    CHECK(client.read_answer().status == 200);
    client.send("GET /v1/models HTTP/1.1\r\nHost: here\r\n\r\n");
    CHECK_THAT(client.read_answer().body, Contains("\"tiny\""));
    client.send(post("/v1/chat/completions", chat_body(4)));
    const RawAnswer answer = client.read_answer();
    CHECK(answer.status == 200);
    CHECK(parse_json(answer.body, "answer").at("usage").at("completion_tokens") <= 4);
    client.send(post("/v1/embeddings", R"({"input": "abc"})"));
    CHECK_THAT(client.read_answer().body, Contains("[3.0,0.5]"));
  }
  client.send(post("/v1/completions", R"({"prompt": "x", "max_tokens": 1})", "Expect: 100-continue\r\n"));
  CHECK_THAT(client.read_until("\r\n\r\n"), Contains("100 Continue"));
  CHECK(client.read_answer().status == 200);
}

TEST_CASE("Bad requests are answered in OpenAI's shape", "[server]") {
  Running running;
  CHECK_THAT(error_of(running.ask("GET /v2/models HTTP/1.1\r\n\r\n")).at("message").get<std::string>(),
             Contains("POST /v1/chat/completions"));
  CHECK(error_of(running.ask(post("/v1/chat/completions", "{")))["code"] == "invalid_json");
  CHECK(error_of(running.ask(post("/v1/chat/completions", "{}")))["param"] == "messages");
  CHECK(error_of(running.ask(post("/v1/chat/completions", "\xff\xfe{")))["code"] == "invalid_json");
  CHECK(error_of(running.ask(post("/v1/completions", std::string(200'000, '['))))["code"] == "invalid_json");
  const std::string long_prompt = R"({"prompt": ")" + std::string(10'000, 'x') + "\"}";
  const RawAnswer answer = running.ask(post("/v1/completions", long_prompt));
  CHECK(answer.status == 400);
  CHECK(error_of(answer)["code"] == "context_length_exceeded");
  // A form is what curl sends where it is not told otherwise.
  CHECK(running
            .ask(post("/v1/completions", R"({"prompt": "x", "max_tokens": 1})",
                      "Content-Type: application/x-www-form-urlencoded\r\n"))
            .status == 200);
}

TEST_CASE("Bodies that are too large, of no length or of two are refused unread", "[server]") {
  ServerOptions options;
  options.limits.body_bytes = 1000;
  Running running(options);
  const std::string begin = "POST /v1/completions HTTP/1.1\r\nHost: here\r\n";
  const auto status = [&](const std::string& rest) { return running.ask(begin + rest).status; };
  CHECK(running.ask(post("/v1/completions", std::string(5000, 'x'))).status == 413);
  CHECK(status("Content-Length: 99999999999999999999\r\n\r\n") == 413);
  CHECK(status("Content-Length: -1\r\n\r\n") == 400);
  CHECK(status("Content-Length: 5x\r\n\r\n") == 400);
  CHECK(status("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}") == 400);
  CHECK(status("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}") == 400);
  CHECK(status("Transfer-Encoding: gzip, chunked\r\n\r\n") == 400);
  CHECK(status("Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}") == 415);
  CHECK(status("\r\n") == 411);
  CHECK(running.ask("GET /health HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc").status == 400);
  std::string chunks = "Transfer-Encoding: chunked\r\n\r\n";
  const std::string body = R"({"prompt": "x", "max_tokens": 1})";
  chunks += fmt::format("{:x}\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", 7, body.substr(0, 7), body.size() - 7,
                        body.substr(7));
  CHECK(status(chunks) == 200);
  std::string endless = "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 300; ++i) endless += "a\r\n0123456789\r\n";
  CHECK(status(endless) >= 400);
  CHECK(status("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx") >= 400);
  CHECK(running.ask(kHealth).status == 200);
}

TEST_CASE("What is no HTTP ends its connection and nothing else", "[server]") {
  ServerOptions options;
  options.limits.head = milliseconds(500);
  Running running(options);
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02\x00\x01\x00", 7), std::string("GET\r\n\r\n"), std::string(100'000, 'x'),
        "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n",
        "GET /health HTTP/1.1\r\nX: " + std::string(100'000, 'y') + "\r\n\r\n", std::string("\r\n\r\n\r\n"),
        std::string("GET /health HTTP/9.9\r\n\r\n")}) {
    RawClient client(running.server.port());
    client.send(bytes);
    CHECK(client.is_closed_by_server(std::chrono::seconds(15)));
  }
  std::string many = "GET /health HTTP/1.1\r\n";
  for (int i = 0; i < 20'000; ++i) many += fmt::format("X-{}: y\r\n", i);
  RawClient client(running.server.port());
  client.send(many + "\r\n");
  CHECK(client.is_closed_by_server(std::chrono::seconds(15)));
  CHECK(running.ask(kHealth).status == 200);
}

TEST_CASE("Half requests and clients that drip are cut, others are served meanwhile", "[server]") {
  ServerOptions options;
  options.limits.head = options.limits.body = milliseconds(600);
  options.limits.idle = milliseconds(1500);
  options.connections = 6;
  Running running(options);
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 4; ++i) slow.push_back(std::make_unique<RawClient>(running.server.port()));
  slow[0]->send("GET /health HT");
  slow[1]->send("POST /v1/completions HTTP/1.1\r\nContent-Length: 500\r\n\r\n{\"prompt\":");
  slow[2]->send("GET /health HTTP/1.1\r\nX: ");
  CHECK(running.ask(kHealth).status == 200);
  for (int i = 0; i < 30 && slow[2]->send("y"); ++i) std::this_thread::sleep_for(milliseconds(50));
  CHECK(running.ask(post("/v1/completions", R"({"prompt": "x", "max_tokens": 1})")).status == 200);
  for (const auto& client : slow) CHECK(client->is_closed_by_server(std::chrono::seconds(10)));
  for (int i = 0; i < 20; ++i) {  // gone in the middle
    RawClient client(running.server.port());
    client.send("POST /v1/completions HTTP/1.1\r\nContent-Length: 500\r\n\r\n{\"prompt\":");
  }
  CHECK(running.ask(kHealth).status == 200);
}

TEST_CASE("Idle connections make room for those that wait", "[server]") {
  ServerOptions options;
  options.connections = 2;
  Running running(options);
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 4; ++i) idle.push_back(std::make_unique<RawClient>(running.server.port()));
  CHECK(running.ask(kHealth).status == 200);
}

TEST_CASE("Without the key nothing but /health is answered", "[server]") {
  ServerOptions options;
  options.key = "sk-planted-0123";
  Running running(options);
  const auto models = [&](const std::string& header) {
    return running.ask("GET /v1/models HTTP/1.1\r\nHost: here\r\n" + header + "\r\n");
  };
  CHECK(running.ask(kHealth).status == 200);
  CHECK(models("Authorization: Bearer sk-planted-0123\r\n").status == 200);
  CHECK(models("authorization: bearer sk-planted-0123\r\n").status == 200);
  for (const char* wrong :
       {"", "Authorization: Bearer sk-planted-012\r\n", "Authorization: Bearer \r\n",
        "Authorization: Bearer sk-planted-01234\r\n", "Authorization: sk-planted-0123\r\n"}) {
    const RawAnswer answer = models(wrong);
    CHECK(answer.status == 401);
    CHECK(error_of(answer)["code"] == "invalid_api_key");
    CHECK(answer.body.find("planted") == std::string::npos);
  }
}

TEST_CASE("A stream is events with [DONE] at the end", "[server]") {
  Running running;
  RawClient client(running.server.port());
  client.send(post("/v1/chat/completions", chat_body(5, R"(, "stream": true)"), "Connection: close\r\n"));
  const std::string all = client.read_all();
  CHECK_THAT(all, Contains("text/event-stream") && Contains("data: {\"id\":\"chatcmpl-"));
  CHECK_THAT(all, Contains("data: [DONE]\n\n\r\n0\r\n\r\n"));
}

TEST_CASE("What a client asked for ends when it is gone", "[server]") {
  Running running({}, 1);
  const std::string body = chat_body(230, R"(, "n": 200)");
  const std::string streamed = chat_body(230, R"(, "n": 200, "stream": true)");
  for (const std::string& long_body : {body, streamed}) {
    RawClient client(running.server.port());
    client.send(post("/v1/chat/completions", long_body));
    if (long_body == streamed) client.read_until("\"content\":\"\"");
    std::this_thread::sleep_for(milliseconds(50));
    CHECK(running.ask(post("/v1/chat/completions", chat_body(1))).status == 429);
    client.close();
    CHECK(status_when_free(running) == 200);
  }
}

TEST_CASE("A client that does not read its stream loses it", "[server]") {
  ServerOptions options;
  options.limits.write = milliseconds(300);
  Running running(options, 1);
  RawClient client(running.server.port());
  client.take_little();
  client.send(post("/v1/chat/completions",
                   chat_body(230, R"(, "n": 40, "stream": true, "logprobs": true, "top_logprobs": 20)")));
  std::this_thread::sleep_for(milliseconds(100));
  CHECK(status_when_free(running) == 200);
}

TEST_CASE("A full queue answers 429 and says when to come again", "[server]") {
  Running running({}, 1);
  RawClient client(running.server.port());
  client.send(post("/v1/chat/completions", chat_body(230, R"(, "n": 100, "stream": true)")));
  client.read_until("\"content\":\"\"");
  const RawAnswer answer = running.ask(post("/v1/chat/completions", chat_body(1)));
  CHECK(answer.status == 429);
  CHECK_THAT(answer.head, Contains("Retry-After: 1"));
  CHECK(running.ask(kHealth).status == 200);
}

TEST_CASE("A stop lets what runs end and takes nothing new", "[server]") {
  TestService test;
  ServerOptions options;
  options.port = 0;
  ApiServer server(test.service, options);
  std::thread thread([&] { server.run(); });
  RawClient streaming(server.port()), idle(server.port()), waiting(server.port());
  idle.send(kHealth);
  CHECK(idle.read_answer().status == 200);
  waiting.send(post("/v1/chat/completions", chat_body(200)));
  streaming.send(post("/v1/chat/completions", chat_body(200, R"(, "stream": true, "n": 20)")));
  streaming.read_until("\"content\":\"\"");
  std::this_thread::sleep_for(milliseconds(300));  // in which the other is begun, which says nothing of it
  server.stop();
  try {
    const int status = ask(server.port(), post("/v1/completions", R"({"prompt": "x"})")).status;
    CHECK((status == 503 || status == 0));
  } catch (const std::runtime_error&) {
    // It does not listen any more.
  }
  CHECK_THAT(streaming.read_all(), Contains("data: [DONE]"));
  CHECK(waiting.read_answer().status == 200);
  thread.join();
  CHECK(idle.is_closed_by_server(std::chrono::seconds(5)));
}

TEST_CASE("A stop before the start, and a port that is taken", "[server]") {
  TestService test;
  ServerOptions options;
  options.port = 0;
  ApiServer server(test.service, options);
  options.port = server.port();
  CHECK_THROWS_WITH(ApiServer(test.service, options), Contains("--port"));
  server.stop();
  server.run();
}

}  // namespace micius
