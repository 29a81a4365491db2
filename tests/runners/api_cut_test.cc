#include "runners/api_cut.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/text.h"

namespace micius {
namespace {

std::vector<Message> talk() {
  return {{Role::kSystem, "Be brief."},
          {Role::kUser, std::string(100, 'a')},
          {Role::kAssistant, std::string(50, 'b')},
          {Role::kUser, std::string(200, 'c')}};
}

}  // namespace

TEST_CASE("servers say in their own words how long a prompt is") {
  struct Row {
    std::string words;
    int limit, prompt;
  };
  const std::vector<Row> rows = {
      {"This model's maximum context length is 4097 tokens. However, you requested 5360 tokens (4860 in the "
       "messages, 500 in the completion). Please reduce the length.",
       4097, 4860},
      {"This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
       8192, 9000},
      {"prompt is too long: 203456 tokens > 200000 maximum", 200000, 203456},
      {"the request (900 tokens) exceeds the available context size (512 tokens), try increasing it", 512,
       900}};
  for (const Row& row : rows) {
    INFO(row.words);
    const auto numbers = context_numbers(row.words);
    REQUIRE(numbers);
    CHECK(numbers->limit == row.limit);
    CHECK(numbers->prompt == row.prompt);
  }
  for (const char* words : {"", "prompt is too long", "maximum context length is many",
                            "context length is 99999999999999 and you requested 5 tokens"})
    CHECK_FALSE(context_numbers(words));
}

TEST_CASE("so much is kept that what is to be written fits behind it") {
  CHECK(bytes_to_keep(4000, std::nullopt, 100) == 2000);
  const std::size_t keep = bytes_to_keep(4000, ContextNumbers{1000, 2000}, 100);
  CHECK(keep < 4000 * (1000 - 100) / 2000);
  CHECK(keep > 4000 * (1000 - 100) / 2000 * 3 / 4);
  CHECK(bytes_to_keep(4000, ContextNumbers{1000, 2000}, 1000) == 0);
  CHECK(bytes_to_keep(4000, ContextNumbers{1000, 10}, 1) == 4000);
}

TEST_CASE("the beginning of a conversation is left out, its system message and its end are not") {
  std::vector<Message> messages = talk();
  cut_beginning(messages, 320);
  REQUIRE(messages.size() == 4);
  CHECK(messages[1].content == std::string(70, 'a'));
  messages = talk();
  cut_beginning(messages, 240);  // what is left begins with a user's message
  REQUIRE(messages.size() == 2);
  CHECK(messages[0].role == Role::kSystem);
  CHECK(messages[1].content == std::string(200, 'c'));
  messages = talk();
  cut_beginning(messages, 10);
  REQUIRE(messages.size() == 2);
  CHECK(messages[1].content == std::string(10, 'c'));
  messages = talk();
  cut_beginning(messages, 0);
  REQUIRE(messages.size() == 2);
  CHECK(messages[1].content.empty());
  messages = talk();
  cut_beginning(messages, 1000);
  CHECK(messages == talk());
}

TEST_CASE("no character is cut in two") {
  for (std::size_t keep = 0; keep < 12; ++keep) {
    std::vector<Message> messages = {{Role::kUser, "\u00e9\u20ac\U0001f600z"}};
    cut_beginning(messages, keep);
    CHECK(is_valid_utf8(messages[0].content));
    CHECK(messages[0].content.size() <= keep);
  }
}

}  // namespace micius
