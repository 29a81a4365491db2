#include "net/sse.h"

#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "mutate.h"
#include "shared_files.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using Events = std::vector<SseEvent>;

void append(Events& all, Events more) {
  for (SseEvent& event : more) all.push_back(std::move(event));
}

Events parse(std::string_view stream) { return SseParser().feed(stream); }

Events parse_in_pieces(std::string_view stream, std::size_t bytes) {
  SseParser parser;
  Events events;
  for (std::size_t i = 0; i < stream.size(); i += bytes) append(events, parser.feed(stream.substr(i, bytes)));
  return events;
}

void check_every_split(const std::string& stream) {
  const Events whole = parse(stream);
  CHECK(parse_in_pieces(stream, 1) == whole);
  CHECK(parse_in_pieces(stream, 2) == whole);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    SseParser parser;
    Events events = parser.feed(std::string_view(stream).substr(0, cut));
    append(events, parser.feed(std::string_view(stream).substr(cut)));
    if (events != whole) FAIL_CHECK("cut at " << cut << " of " << stream.size());
  }
}

Events data_events(const std::vector<std::string>& data) {
  Events events;
  for (const std::string& one : data) events.push_back({"", one});
  return events;
}

// A stream made of every kind of line, with any of the line ends.
std::string random_stream(Rng& rng) {
  static const std::vector<std::string> kLines = {
      "",      "",         "",       "data: x", "data:y",          "data",  ": ping", "event: e",
      "id: 1", "retry: 9", "data: ", "unknown", "data:  \xC3\xA9", "event", ":"};
  static const std::vector<std::string> kEnds = {"\n", "\r", "\r\n"};
  std::string stream = rng.below(4) == 0 ? "\xEF\xBB\xBF" : "";
  for (std::size_t lines = rng.below(30); lines > 0; --lines)
    stream += kLines[rng.below(kLines.size())] + kEnds[rng.below(kEnds.size())];
  return stream;
}

// Byte after byte, as the standard has it: what the parser is compared with.
Events reference_parse(std::string stream) {
  if (stream.starts_with("\xEF\xBB\xBF")) stream.erase(0, 3);
  std::string lines;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    if (stream[i] == '\r' && i + 1 < stream.size() && stream[i + 1] == '\n') continue;
    lines += stream[i] == '\r' ? '\n' : stream[i];
  }
  Events events;
  std::string data, name;
  for (std::size_t end = 0; (end = lines.find('\n')) != std::string::npos; lines.erase(0, end + 1)) {
    const std::string line = lines.substr(0, end);
    if (line.empty()) {
      if (!data.empty()) events.push_back({name, data.substr(0, data.size() - 1)});
      data = name = "";
      continue;
    }
    const std::size_t colon = line.find(':');
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (line.substr(0, colon) == "data") data += value + "\n";
    if (line.substr(0, colon) == "event") name = value;
  }
  return events;
}

}  // namespace

TEST_CASE("events end at an empty line, and lines in any of three ways") {
  CHECK(parse("data: a\n\ndata: b\r\rdata: c\r\n\r\n") == data_events({"a", "b", "c"}));
  CHECK(parse("data: a\ndata:b\ndata\ndata:  c\n\n") == data_events({"a\nb\n\n c"}));
  CHECK(parse("\xEF\xBB\xBF"
              "data: a\n\n") == data_events({"a"}));
  CHECK(parse(": ping\n\nid: 7\nretry: 1\ndata: a\nfoo: bar\n\n") == data_events({"a"}));
  CHECK(parse("event: e\ndata: a\n\ndata: b\n\n") == Events{{"e", "a"}, {"", "b"}});
  CHECK(parse("event: lost\n\ndata: b\n\n") == data_events({"b"}));
  CHECK(parse("data\n\ndata:\n\n") == data_events({"", ""}));
  CHECK(parse("data: a: b\n\n") == data_events({"a: b"}));
}

TEST_CASE("an event that its empty line does not end is none") {
  CHECK(parse("data: a\n\ndata: b\n") == data_events({"a"}));
  CHECK(parse("data: a").empty());
  CHECK(parse("").empty());
}

TEST_CASE("however the bytes are cut, the events are the same") {
  check_every_split(
      "\xEF\xBB\xBF: hi\r\n\r\nevent: e\r\ndata: \xE4\xBD\xA0\r\ndata: b\r\rid: 1\n\ndata:\n\n");
  Rng rng("sse/splits");
  for (int i = 0; i < 500; ++i) {
    const std::string stream = random_stream(rng);
    INFO(Json(stream).dump());
    CHECK(parse(stream) == reference_parse(stream));
    check_every_split(stream);
  }
}

TEST_CASE("damaged streams give the events of the reference") {
  Rng rng("sse/damage");
  for (int i = 0; i < 5000; ++i) {
    std::string stream = mutate(random_stream(rng), rng);
    for (std::size_t n = rng.below(4); n > 0; --n) stream = mutate(std::move(stream), rng);
    const Events whole = parse(stream);
    if (whole != reference_parse(stream))
      FAIL_CHECK(Json(stream).dump(-1, ' ', true, Json::error_handler_t::replace));
    if (parse_in_pieces(stream, 1 + rng.below(7)) != whole) FAIL_CHECK("split");
  }
}

TEST_CASE("no line and no event grows without bound") {
  SseParser lines(100);
  for (int i = 0; i < 1000; ++i) CHECK(lines.feed("0123456789").empty());
  CHECK(lines.is_too_large());
  CHECK(lines.feed("\n\ndata: a\n\n").empty());
  SseParser data(100);
  for (int i = 0; i < 50; ++i) data.feed("data: 0123456789\n");
  CHECK(data.is_too_large());
  SseParser comments(100);
  for (int i = 0; i < 1000; ++i) comments.feed(": still here\n\n");
  CHECK_FALSE(comments.is_too_large());
  CHECK(comments.feed("data: a\n\n") == data_events({"a"}));
}

TEST_CASE("recorded streams are the same events however they are cut") {
  std::size_t streams = 0;
  for (const char* name : {"llamacpp", "llmock", "mockllm", "documented"}) {
    const fs::path file = vector_folder() / "api" / (std::string(name) + ".jsonl");
    if (!fs::exists(file)) {
      WARN("skipped: " << file.string() << " is not there");
      return;
    }
    for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
      const Json row = parse_json(line, file.string() + ":" + std::to_string(number));
      const Json& answer = row.contains("response") ? row.at("response") : row;
      if (!answer.contains("text") || answer.at("text").get<std::string>().find("data:") == std::string::npos)
        return;
      const std::string stream = answer.at("text");
      INFO(row.at("name"));
      CHECK(parse(stream) == reference_parse(stream));
      CHECK_FALSE(parse(stream).empty());
      check_every_split(stream);
      ++streams;
    });
  }
  CHECK(streams == 28);
}

}  // namespace micius
