#include "cmdgen_draw.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/text.h"

namespace micius::aimicius {
namespace {

template <typename T>
const T& pick(const std::vector<T>& list, Rng& rng) {
  return list[rng.below(list.size())];
}

std::string name_of(const CommandOption& option) {
  if (option.kind == "redirect") return ">";
  return option.flags.empty() ? "" : option.flags.front();
}

// "the index, the name and the UUID"
std::string enumerated(const std::vector<std::string>& parts) {
  if (parts.size() == 1) return parts[0];
  const std::vector<std::string> head(parts.begin(), parts.end() - 1);
  return join(head, ", ") + " and " + parts.back();
}

Command::Part draw_fields(const CommandOption& option, Rng& rng) {
  const std::size_t count =
      option.least + rng.below(std::min(option.most, option.fields.size()) - option.least + 1);
  std::vector<std::size_t> chosen(option.fields.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = i;
  rng.shuffle(chosen);
  chosen.resize(count);
  if (rng.below(2) == 0) std::sort(chosen.begin(), chosen.end());
  std::vector<std::string> names, texts;
  for (const std::size_t at : chosen) {
    names.push_back(option.fields[at].first);
    texts.push_back(option.fields[at].second);
  }
  return {join(names, ","), enumerated(texts)};
}

std::optional<Command::Part> draw_part(const CommandOption& option, const emu::Profile& profile, Rng& rng) {
  const std::size_t gpus = profile.data.at("gpus").size();
  if (option.kind == "switch") return Command::Part{"", ""};
  if (option.kind == "fixed") return Command::Part{option.value, ""};
  if (option.kind == "fields") return draw_fields(option, rng);
  if (option.kind == "gpu") {
    if (gpus < 2) return std::nullopt;
    const std::string index = std::to_string(rng.below(gpus));
    return Command::Part{index, index};
  }
  if (option.kind == "gpus") {
    if (gpus < 4) return std::nullopt;
    const std::size_t first = rng.below(gpus - 2), second = first + 1 + rng.below(gpus - first - 1);
    return Command::Part{fmt::format("{},{}", first, second), fmt::format("{} and {}", first, second)};
  }
  if (option.kind == "gpu-count") {
    if (gpus < 2) return std::nullopt;
    const std::size_t count = rng.below(3) == 0 ? 2 + 2 * rng.below(gpus / 2) : gpus;
    return Command::Part{std::to_string(count), std::to_string(count)};
  }
  const std::vector<std::string>& row = pick(option.values, rng);
  return Command::Part{row[0], row.size() == 1 ? row[0] : row[1 + rng.below(row.size() - 1)]};
}

std::string flag_of(const CommandOption& option, Style style) {
  return style == Style::kLong && option.flags.size() > 1 ? option.flags[1] : option.flags[0];
}

// One option of the command line, with a blank before it.
std::string words_of(const CommandOption& option, const std::string& value, Style style) {
  if (option.kind == "redirect" || option.kind == "env") return "";
  if (option.flags.empty()) return " " + value;
  const std::string flag = flag_of(option, style);
  if (option.kind == "switch") return " " + flag;
  const bool is_long = style == Style::kLong && option.flags.size() > 1;
  const std::string joint = is_long ? option.long_join : option.glue ? "" : option.join;
  const bool blank = value.find_first_of(" |;&*?[]{}()<>~") != std::string::npos;
  if (option.kind == "pair") {
    std::string text;
    for (const std::string_view one : split_words(value)) text += " " + flag + joint + std::string(one);
    return text;
  }
  if (option.kind == "size-one")
    return is_long ? " --minbytes " + value + " --maxbytes " + value : " -b " + value + " -e " + value;
  return " " + flag + joint + (blank ? "\"" + value + "\"" : value);
}

std::string filled(const std::string& text, const std::string& value) {
  return replace_all(text, "{}", value);
}

std::string capital(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace

std::string Content::key() const {
  std::vector<std::string> names;
  for (const CommandOption* option : options)
    if (const std::string name = name_of(*option); !name.empty()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return combo->key + "{" + join(names, ",") + "}";
}

std::vector<Content> contents_of(const CommandCombo& combo) {
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < combo.options.size(); ++i)
    if (!combo.options[i].need) free.push_back(i);
  std::vector<Content> contents;
  for (std::size_t mask = 0; mask < (std::size_t{1} << free.size()); ++mask) {
    if (static_cast<std::size_t>(__builtin_popcountll(mask)) > combo.most) continue;
    Content content;
    content.combo = &combo;
    for (std::size_t i = 0; i < combo.options.size(); ++i) {
      const auto at = std::find(free.begin(), free.end(), i);
      const bool chosen = at == free.end() || ((mask >> (at - free.begin())) & 1) != 0;
      if (!chosen) continue;
      content.options.push_back(&combo.options[i]);
      content.held = content.held || combo.options[i].held;
    }
    const auto has = [&](const char* flag) {
      return std::any_of(content.options.begin(), content.options.end(),
                         [&](const CommandOption* option) { return name_of(*option) == flag; });
    };
    if (!(has("--json") && has("--csv"))) contents.push_back(std::move(content));
  }
  return contents;
}

std::string Command::text(Style in) const {
  std::string before, line = in == Style::kLong ? content.combo->long_command : content.combo->command, after;
  if (content.combo->sudo) line = "sudo " + line;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const CommandOption& option = *content.options[i];
    line += words_of(option, parts[i].value, in);
    if (option.kind == "env") before += option.flags[0] + "=" + parts[i].value + " ";
    if (option.kind == "redirect") after = " > " + parts[i].value;
  }
  line = before + line + after;
  return content.combo->then.empty() ? line : line + " && " + content.combo->then;
}

std::size_t Command::option_count() const {
  return static_cast<std::size_t>(
      std::count_if(content.options.begin(), content.options.end(),
                    [](const CommandOption* option) { return !option->flags.empty(); }));
}

std::optional<Command> draw_command(const Content& content, const emu::Profile& profile, Rng& rng) {
  Command command;
  command.content = content;
  command.profile = profile.name;
  bool can_be_long = true;
  for (const CommandOption* option : content.options) {
    const auto part = draw_part(*option, profile, rng);
    if (!part) return std::nullopt;
    command.parts.push_back(*part);
    const bool spelled = option->flags.empty() || option->kind == "env" || option->kind == "redirect" ||
                         option->flags.size() > 1 || option->flags[0].rfind("--", 0) == 0;
    can_be_long = can_be_long && spelled;
  }
  const bool want_long = rng.below(6) == 0;
  if (want_long && can_be_long && command.text(Style::kLong) != command.text(Style::kShort))
    command.style = Style::kLong;
  return command;
}

Request put_in_words(const Command& command, const std::string& frame, const CommandSources& sources,
                     Rng& rng) {
  const CommandCombo& combo = *command.content.combo;
  std::string verb = pick(combo.verbs, rng), noun = pick(combo.nouns, rng);
  Request request;
  request.spans = Json::object();
  const bool says_noun =
      frame.find("{noun}") != std::string::npos || frame.find("{Noun}") != std::string::npos;
  std::string tail;
  int said_so_far = 0;  // commas from the third on
  std::vector<std::pair<std::string, std::string>> spans;
  for (std::size_t i = 0; i < command.parts.size(); ++i) {
    const CommandOption& option = *command.content.options[i];
    const Command::Part& part = command.parts[i];
    std::string said;
    if (option.kind == "fields") {
      verb = replace_all(verb, "{fields}", part.text);
      noun = replace_all(noun, "{fields}", part.text);
      said = part.text;
    } else if (!option.say.empty()) {
      said = filled(pick(option.say, rng), part.text);
      tail += (++said_so_far > 2 ? ", " : " ") + said;
    }
    if (option.flags.empty()) continue;
    spans.emplace_back(name_of(option), said);
  }
  if (!combo.then_say.empty()) tail += ", " + pick(combo.then_say, rng);
  const std::string main = says_noun ? noun : verb;
  for (const auto& [name, said] : spans) request.spans[name] = said.empty() ? main : said;
  verb += tail;
  noun += tail;
  std::string text = replace_all(frame, "{why}", pick(combo.whys, rng));
  text = replace_all(text, "{do}", verb);
  text = replace_all(text, "{Do}", capital(verb));
  text = replace_all(text, "{noun}", noun);
  if (command.style == Style::kLong)
    text += (text.back() == '.' || text.back() == '?' ? " " : ". ") + pick(sources.long_style, rng);
  // "{Do}" may be the beginning of the main phrase that a span names.
  for (const auto& [name, said] : spans)
    if (said.empty() && text.find(main) == std::string::npos) request.spans[name] = capital(main);
  request.text = text;
  return request;
}

}  // namespace micius::aimicius
