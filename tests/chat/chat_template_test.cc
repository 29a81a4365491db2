#include "engine/chat/chat_template.h"

#include <catch2/catch.hpp>

#include "base/rng.h"
#include "chat/chat_test_data.h"
#include "source_tree.h"

namespace micius {
namespace {

using Kind = ChatTemplateError::Kind;

// What goes wrong when `source` is read and rendered.
ChatTemplateError error_of(const std::string& source, const Json& variables = Json::object()) {
  try {
    const std::string text = ChatTemplate(source, "model.gguf").render(variables, test::fixed_time());
    FAIL("rendered to " << text.size() << " bytes");
  } catch (const ChatTemplateError& error) {
    return error;
  }
  throw std::logic_error("unreachable");
}

std::string repeated(const std::string& part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

void is_limit(const std::string& source) {
  INFO(source.substr(0, 200));
  CHECK(error_of(source).kind() == Kind::kLimit);
}

constexpr const char* kChat =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}";

}  // namespace

TEST_CASE("templates of our own render as in Jinja2") {
  test::for_each_chat_row(source_tree() / "tests/chat/rendering.jsonl", [](const Json& row) {
    INFO(row.at("id"));
    try {
      const ChatTemplate chat(row.at("template").get<std::string>(), "test");
      CHECK(test::check_rendering(chat, row.at("context"), row, test::Texts::kOfRaise));
    } catch (const ChatTemplateError& error) {
      test::check_error(error, row, test::Texts::kOfRaise);
    }
  });
}

TEST_CASE("a conversation becomes the model's prompt") {
  const ChatTemplate chat(kChat, "model.gguf");
  ChatInput input;
  input.messages = chat_messages({{"user", "Why?"}});
  CHECK(chat.render(input) == "<user>Why?<end>\n<assistant>");
  input.add_generation_prompt = false;
  CHECK(chat.render(input) == "<user>Why?<end>\n");
  const ChatTemplate tokens("{{ bos_token }}|{{ eos_token }}|{{ tools is none }}|{{ extra }}", "model.gguf");
  input.eos_token = "</s>";
  input.variables = {{"extra", 7}};
  CHECK(tokens.render(input) == "|</s>|True|7");
}

TEST_CASE("an assistant's last message goes on") {
  ChatInput input;
  for (const std::string content : {"The cause is", "", " two  ", "a<end>\nb"}) {
    input.messages = chat_messages({{"user", "The cause is?"}, {"assistant", content}});
    CHECK(ChatTemplate(kChat, "m").render_continued(input) ==
          "<user>The cause is?<end>\n<assistant>" + content);
  }
  input.messages = chat_messages({{"assistant", " \nleading"}});
  const ChatTemplate trims("{% for m in messages %}[{{ m.content|trim }}]{% endfor %}", "m");
  CHECK(trims.render_continued(input) == "[leading");
  const ChatTemplate shouts("{% for m in messages %}{{ m.content|upper }}{% endfor %}", "m");
  CHECK_THROWS_WITH(shouts.render_continued(input), Catch::Contains("changes the assistant's last message"));
  const ChatTemplate forgets("{% for m in messages[:-1] %}{{ m.content }}{% endfor %}", "m");
  CHECK_THROWS_AS(forgets.render_continued(input), Error);
  input.messages = chat_messages({{"user", "x"}});
  CHECK_THROWS_WITH(ChatTemplate(kChat, "m").render_continued(input), Catch::Contains("assistant"));
}

TEST_CASE("an error names template, line and column") {
  const ChatTemplateError undefined = error_of("a\n{% if x %}{% endif %}\n  {{ y.z }}");
  CHECK_THAT(undefined.what(), Catch::Contains("model.gguf:3:") && Catch::Contains("'y' is undefined"));
  CHECK(undefined.kind() == Kind::kUndefined);
  const ChatTemplateError include = error_of("\n {% include 'x' %}");
  CHECK(include.kind() == Kind::kUnsupported);
  CHECK(include.code() == ErrorCode::kUnsupported);
  CHECK_THAT(include.what(), Catch::Contains("model.gguf:2:5") && Catch::Contains("the statement 'include'"));
  CHECK_THAT(error_of("{{ x|xmlattr }}").what(), Catch::Contains("the filter 'xmlattr' is not covered"));
  CHECK_THAT(error_of("{{ 'x'.swapcase() }}").what(), Catch::Contains("'swapcase'"));
  CHECK_THAT(error_of("{{ raise_exception('no tools') }}").what(), Catch::Contains("no tools"));
  CHECK_THAT(error_of("{{ 1 + none }}").what(), Catch::Contains("TypeError: unsupported operand"));
}

TEST_CASE("templates that work for ever end with a limit", "[.slow]") {
  is_limit("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}");
  is_limit(
      "{% set x = 'a' * 1000000 %}{% for i in range(99999) %}{% set y = x.replace('a', 'b') %}{% endfor %}");
}

TEST_CASE("hostile templates end with a limit") {
  is_limit("{{ " + repeated("(", 5000) + "1" + repeated(")", 5000) + " }}");
  is_limit("{{ " + repeated("not ", 100000) + "1 }}");
  is_limit("{{ " + repeated("-", 1000) + "1 }}");
  is_limit("{{ 1" + repeated(" + 1", 1900) + " }}" + repeated("{{ 1 }}", 10));
  is_limit("{{ 1" + repeated("|abs", 900) + " }}");
  is_limit(repeated("{% if true %}", 3000));
  is_limit("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}");
  is_limit("{% for a in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}");
  is_limit("{{ 'x' * 100000000000 }}");
  is_limit("{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}");
  is_limit("{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}");
  is_limit("{% set n = namespace(x=[]) %}{% for i in range(99999) %}{% set n.x = [n.x] %}{% endfor %}");
  is_limit("{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x.count] %}{% endfor %}");
  is_limit("{% for i in range(99999) %}{{ 'x' * 1000 }}{% endfor %}");
  is_limit("{{ 'a'|center(100000000000) }}");
  is_limit("{{ 'a\\nb'|indent(100000000000) }}");
  is_limit(std::string((1 << 20) + 1, 'x'));
}

TEST_CASE("what looks at all there is costs steps", "[limits]") {
  std::string literal = "{% set d = {";
  for (int i = 0; i < 90000; ++i) literal += std::to_string(i) + ":0,";
  is_limit(literal + "} %}");
  is_limit("{% set d = dict(range(99999)|batch(2)) %}");
  is_limit("{% set n = namespace(**dict(range(99999)|batch(2))) %}");
  const std::string dicts =
      "{% set a = dict(range(9000)|batch(2)) %}{% set b = dict(range(9000)|batch(2)|reverse) %}"
      "{% for i in range(9999) %}";
  is_limit(dicts + "{% if a == b %}{% endif %}{% endfor %}");
  is_limit(dicts + "{% if [a] is eq([b]) %}{% endif %}{% endfor %}");
  is_limit(dicts + "{% if b in [a, 1] %}{% endif %}{% endfor %}");
  const std::string long_list = "{% set x = range(99999)|list %}{% for i in range(99999) %}";
  is_limit(long_list + "{% set y = x.count(-1) %}{% endfor %}");
  is_limit(long_list + "{% set y = x.index(99998) %}{% endfor %}");
  is_limit(long_list + "{% if -1 is in(x) %}{% endif %}{% endfor %}");
  const std::string long_text = "{% set x = 'a' * 9000000 %}{% for i in range(99999) %}";
  is_limit(long_text + "{% if x.isupper() or x.count('b') %}{% endif %}{% endfor %}");
}

TEST_CASE("a template that holds itself leaves nothing behind") {
  const auto render = [](const std::string& source) {
    return ChatTemplate(source, "m").render(Json::object(), test::fixed_time());
  };
  CHECK(render("{% set n = namespace() %}{% set n.n = n %}{% macro f() %}{% endmacro %}{% set n.f = f %}x") ==
        "x");
  CHECK(render("{% for i in [1, 2] %}{% macro g() %}{{ i }}{% endmacro %}{{ g() }}{{ loop.changed(i) }}{% "
               "endfor %}") == "1True2True");
  CHECK(
      render(
          "{% set n = namespace() %}{% for i in [1, 2] %}{% set n.l = loop %}{% endfor %}{{ n.l.index }}") ==
      "2");
}

TEST_CASE("mutated templates render or fail, and never crash") {
  std::vector<std::string> sources;
  test::for_each_chat_row(source_tree() / "tests/chat/rendering.jsonl",
                          [&](const Json& row) { sources.push_back(row.at("template")); });
  const Json variables = {{"messages", chat_messages({{"user", "a b"}, {"assistant", "\xC3\xA9"}})},
                          {"d", {{"items", 5}}},
                          {"t", {1, nullptr, "x"}}};
  Rng rng("chat/mutation");
  int rendered = 0, failed = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string source = sources[rng.below(sources.size())];
    const std::string other = sources[rng.below(sources.size())];
    for (std::size_t n = 1 + rng.below(3); n > 0; --n) {
      const std::size_t place = rng.below(source.size() + 1), from = rng.below(other.size());
      const std::size_t size = std::min<std::size_t>(rng.below(12), source.size() - place);
      switch (rng.below(4)) {
        case 0:
          source.erase(place, size);
          break;
        case 1:
          source.insert(place, other.substr(from, rng.below(30)));
          break;
        case 2:
          source.replace(place, size, other.substr(from, rng.below(12)));
          break;
        default:
          source.insert(place, 1, static_cast<char>(rng.below(256)));
      }
    }
    try {
      const std::string text = ChatTemplate(source, "m").render(variables, test::fixed_time());
      CHECK(text.size() <= std::size_t{16} << 20);
      ++rendered;
    } catch (const ChatTemplateError& error) {
      CHECK_FALSE(error.detail().empty());
      ++failed;
    }
  }
  CHECK(rendered > 100);
  CHECK(failed > 100);
}

}  // namespace micius
