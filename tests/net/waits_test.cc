#include "net/waits.h"

#include <cmath>
#include <filesystem>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "shared_files.h"

namespace micius {
namespace {

constexpr double kAbsent = -1;
double count(const std::optional<Seconds>& wait) { return wait ? wait->count() : kAbsent; }
Approx about(double seconds) { return Approx(seconds).epsilon(1e-9); }

}  // namespace

TEST_CASE("resets are Go durations or plain seconds, and nothing else") {
  CHECK(count(parse_reset("6m0s")) == about(360));
  CHECK(count(parse_reset("120ms")) == about(0.12));
  CHECK(count(parse_reset("1h2m3.5s")) == about(3723.5));
  CHECK(count(parse_reset("500\xc2\xb5s")) == about(0.0005));
  CHECK(count(parse_reset("0")) == about(0));
  for (const char* text : {"", "s", "-1s", "5 s", "1e3", "nan", "6m0", ".", "1.2.3s"}) {
    INFO(text);
    CHECK_FALSE(parse_reset(text));
  }
}

TEST_CASE("a wait is taken from the header that says it best") {
  const auto now = *parse_http_date("Mon, 02 Nov 2026 12:00:00 GMT");
  const auto wait = [&](std::vector<HttpHeader> headers) {
    return count(retry_after({429, std::move(headers), ""}, now));
  };
  CHECK(wait({{"retry-after", "3"}, {"retry-after-ms", "1500"}}) == about(1.5));
  CHECK(wait({{"retry-after", "3"}, {"retry-after-ms", "x"}}) == about(3));
  // Against the server's own clock, and against ours where it does not show it.
  const HttpHeader until{"retry-after", "Mon, 02 Nov 2026 12:00:30 GMT"};
  CHECK(wait({until, {"date", "Mon, 02 Nov 2026 12:00:20 GMT"}}) == about(10));
  CHECK(wait({until}) == about(30));
  CHECK(wait({}) == kAbsent);
}

TEST_CASE("waits double, have full jitter and an end") {
  Rng rng("waits");
  double longest = 0;
  for (int i = 0; i < 1000; ++i) {
    CHECK(jittered_wait(rng, 2, Seconds(0.5), Seconds(60)).count() < 2);
    longest = std::max(longest, jittered_wait(rng, 1000, Seconds(0.5), Seconds(60)).count());
  }
  CHECK(longest > 55);
  CHECK(longest < 60);
}

TEST_CASE("the recorded durations give their seconds") {
  const std::filesystem::path file = vector_folder() / "api/durations.jsonl";
  if (!std::filesystem::exists(file)) {
    WARN("skipped: " << file.string() << " is not there");
    return;
  }
  std::size_t rows = 0;
  for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, "durations.jsonl:" + std::to_string(number));
    const std::string kind = row.at("kind"), text = row.at("text");
    const double expected = row.at("seconds").is_null() ? kAbsent : row.at("seconds").get<double>();
    INFO(line);
    if (kind == "x-ratelimit-reset") {
      CHECK(count(parse_reset(text)) == about(expected));
    } else {
      const HttpHead head{429, {{kind, text}, {"date", row.value("date", "")}}, ""};
      CHECK(count(retry_after(head, std::chrono::system_clock::now())) == about(expected));
    }
    ++rows;
  });
  CHECK(rows == 51);
}

TEST_CASE("RFC 3339 times in every zone, and nothing else") {
  const auto seconds = [](std::string_view text) -> std::optional<std::int64_t> {
    const auto time = parse_rfc3339(text);
    if (!time) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::seconds>(time->time_since_epoch()).count();
  };
  CHECK(seconds("1970-01-02T00:00:00Z") == 86400);
  CHECK(seconds("2026-11-02T10:00:30Z") == 1793613630);
  CHECK(seconds("2026-11-02T10:00:30.25Z") == 1793613630);
  CHECK(seconds("2026-11-02t12:00:30+02:00") == 1793613630);
  CHECK(seconds(" 2026-11-02T04:30:30-05:30 ") == 1793613630);
  for (const char* wrong :
       {"", "30s", "2026-11-02", "2026-11-02T10:00:30", "2026-13-02T10:00:30Z", "2026-02-30T10:00:30Z",
        "2026-11-02T24:00:30Z", "2026-11-02T10:00:30.Z", "2026-11-02T10:00:30+2:00", "2026-11-02T10:00:30ZZ",
        "2026-11-02T10:00:30+02:00x"}) {
    INFO(wrong);
    CHECK_FALSE(parse_rfc3339(wrong));
  }
}

}  // namespace micius
