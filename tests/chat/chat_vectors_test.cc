// Renderings by the real Jinja2, from the shared vectors.
#include <map>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "chat/chat_test_data.h"
#include "engine/chat/chat_template.h"

namespace micius {
namespace {

Json variables_of(const Json& row) {
  Json variables = {{"messages", row.at("messages")},
                    {"tools", row.value("tools", Json())},
                    {"documents", nullptr},
                    {"add_generation_prompt", row.at("add_generation_prompt")}};
  for (const char* token : {"bos_token", "eos_token"}) {
    if (!row.at(token).is_null()) variables[token] = row.at(token);
  }
  const Json more = row.value("variables", Json::object());
  for (const auto& [name, value] : more.items()) variables[name] = value;
  return variables;
}

}  // namespace

TEST_CASE("70 chat templates render as in Jinja2") {
  const auto file = test::shared_chat_vectors("cases.jsonl");
  if (file.empty()) return;
  std::map<std::string, ChatTemplate> templates;
  int rows = 0;
  test::for_each_chat_row(file, [&](const Json& row) {
    const std::string name = row.at("template");
    auto place = templates.find(name);
    if (place == templates.end()) {
      const auto source = read_file(file.parent_path() / "templates" / (name + ".jinja"));
      place = templates.emplace(name, ChatTemplate(source, name)).first;
    }
    INFO(row.at("id"));
    test::check_rendering(place->second, variables_of(row), row, test::Texts::kOfRaise);
    ++rows;
  });
  CHECK(rows == 1389);
  CHECK(templates.size() == 70);
}

TEST_CASE("small templates render as in Jinja2") {
  const auto file = test::shared_chat_vectors("syntax.jsonl");
  if (file.empty()) return;
  std::vector<std::string> uncovered;
  test::for_each_chat_row(file, [&](const Json& row) {
    INFO(row.at("id") << ": " << row.at("template"));
    try {
      const ChatTemplate chat(row.at("template").get<std::string>(), "test");
      if (!test::check_rendering(chat, row.at("context"), row, test::Texts::kNone))
        uncovered.push_back(row.at("id"));
    } catch (const ChatTemplateError& error) {
      if (error.kind() == ChatTemplateError::Kind::kUnsupported) {
        uncovered.push_back(row.at("id"));
      } else {
        test::check_error(error, row, test::Texts::kNone);
      }
    }
  });
  CHECK(uncovered == std::vector<std::string>{"calls-12"});  // include
}

}  // namespace micius
