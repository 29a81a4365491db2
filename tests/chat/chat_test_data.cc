#include "chat/chat_test_data.h"

#include <cstdlib>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/files.h"
#include "shared_files.h"

namespace micius::test {
namespace {

std::string name_of(ChatTemplateError::Kind kind) {
  static constexpr const char* kNames[] = {"raise",    "undefined",   "python", "syntax",
                                           "security", "unsupported", "limit"};
  return kNames[static_cast<int>(kind)];
}

}  // namespace

std::chrono::system_clock::time_point fixed_time() {
  return std::chrono::system_clock::from_time_t(1722004205);
}

std::filesystem::path shared_chat_vectors(const std::string& name) {
  const std::filesystem::path file = vector_folder() / "chat" / name;
  if (std::filesystem::exists(file)) return file;
  WARN("skipped: no " << file.string() << " (set MICIUS_SHARED)");
  return {};
}

void for_each_chat_row(const std::filesystem::path& file, const std::function<void(const Json&)>& fn) {
  for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
    if (!line.empty()) fn(parse_json(line, fmt::format("{}:{}", file.string(), number)));
  });
}

void check_error(const ChatTemplateError& error, const Json& row, Texts texts) {
  INFO(error.what());
  REQUIRE(row.contains("error"));
  const Json& expected = row.at("error");
  CHECK(name_of(error.kind()) == expected.at("kind"));
  if (texts == Texts::kOfRaise && expected.at("kind") == "raise")
    CHECK(error.detail() == expected.at("message"));
}

bool check_rendering(const ChatTemplate& chat, const Json& variables, const Json& row, Texts texts) {
  std::string text;
  try {
    text = chat.render(variables, fixed_time());
  } catch (const ChatTemplateError& error) {
    if (error.kind() == ChatTemplateError::Kind::kUnsupported) return false;
    check_error(error, row, texts);
    return true;
  }
  INFO(row.value("error", Json()));
  REQUIRE(row.contains("expected"));
  CHECK(text == row.at("expected"));
  return true;
}

}  // namespace micius::test
