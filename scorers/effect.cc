#include "scorers/effect.h"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr std::size_t kMaxStored = 512 << 10;

std::string cut(const std::string& text, bool& truncated) {
  if (text.size() <= kMaxStored) return to_valid_utf8(text);
  truncated = true;
  return to_valid_utf8(std::string_view(text).substr(0, kMaxStored));
}

// Terminal escapes: "ESC [ ... letter" and "ESC x".
std::string without_escapes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] != '\x1b') {
      out += text[i];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '[') {
      i += 2;
      while (i < text.size() && !(text[i] >= '@' && text[i] <= '~')) ++i;
    } else {
      ++i;
    }
  }
  return out;
}

// Blanks at line ends go; of several blank lines one stays, none at either end.
std::string tidy(std::string_view text) {
  std::string out;
  bool gap = false;
  for_each_line(text, [&](std::string_view line, std::size_t) {
    const std::size_t last = line.find_last_not_of(" \t\r");
    if (last == std::string_view::npos) {
      gap = true;
      return;
    }
    if (gap && !out.empty()) out += '\n';
    gap = false;
    out += line.substr(0, last + 1);
    out += '\n';
  });
  return out;
}

std::string first_line(std::string_view text) {
  text = strip(text);
  return std::string(text.substr(0, text.find('\n')));
}

std::set<std::string> names_in(const Json& list) { return list.get<std::set<std::string>>(); }

}  // namespace

Json to_json(const Effect& effect) {
  bool truncated = effect.truncated;
  Json json = {
      {"exit", effect.exit}, {"stdout", cut(effect.out, truncated)}, {"stderr", cut(effect.err, truncated)}};
  Json files = Json::object();
  std::size_t left = kMaxStored;
  for (const auto& [path, content] : effect.files) {
    const std::string kept = content.substr(0, left);
    truncated = truncated || kept.size() < content.size();
    left -= kept.size();
    files[to_valid_utf8(path)] = to_valid_utf8(kept);
  }
  json["files"] = std::move(files);
  json["state_diff"] = effect.state;
  json["programs"] = effect.programs;
  json["env"] = Json::array();
  for (const std::string& variable : effect.env) json["env"].push_back(to_valid_utf8(variable));
  json["columns"] = Json::array();
  for (const std::string& fields : effect.columns) json["columns"].push_back(to_valid_utf8(fields));
  json["unbounded"] = effect.unbounded;
  json["timed_out"] = effect.timed_out;
  json["truncated"] = truncated;
  return json;
}

Effect effect_from_json(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  Effect effect;
  effect.exit = static_cast<int>(fields.integer("exit"));
  effect.out = fields.string("stdout");
  effect.err = fields.string("stderr");
  for (const auto& [path, content] : fields.at("files").items())
    effect.files[path] = content.get<std::string>();
  effect.state = fields.at("state_diff");
  effect.programs = names_in(fields.at("programs"));
  effect.env = names_in(fields.at("env"));
  if (fields.has("columns")) effect.columns = names_in(fields.at("columns"));
  effect.unbounded = fields.boolean_or("unbounded", false);
  effect.timed_out = fields.boolean_or("timed_out", false);
  effect.truncated = fields.boolean_or("truncated", false);
  return effect;
}

struct EffectTexts::Mask {
  RE2 pattern;
  std::string replacement;
  std::vector<std::string> programs;
  bool similar;

  bool fits(const Effect& effect) const {
    if (programs.empty()) return true;
    return std::any_of(effect.programs.begin(), effect.programs.end(), [&](const std::string& name) {
      return std::any_of(programs.begin(), programs.end(),
                         [&](const std::string& glob) { return matches_glob(glob, name); });
    });
  }
};

EffectTexts::EffectTexts(const Json& rules, const std::string& where) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(RE2::Options::EncodingLatin1);
  const JsonFields file(rules, where);
  readings_ = file.strings_or("readings", {});
  const auto read = [&](const char* list, std::vector<std::unique_ptr<Mask>>& masks) {
    for (const Json& row : file.at(list)) {
      const JsonFields fields(row, fmt::format("{}: {}[{}]", where, list, masks.size()));
      fields.only({"pattern", "with", "programs", "text"});
      masks.push_back(std::unique_ptr<Mask>(new Mask{{"(?m)" + fields.string("pattern"), options},
                                                     fields.string_or("with", ""),
                                                     fields.strings_or("programs", {}),
                                                     fields.string_or("text", "similar") == "similar"}));
      std::string error;
      const Mask& mask = *masks.back();
      if (!mask.pattern.ok()) error = mask.pattern.error();
      if (!error.empty() || !mask.pattern.CheckRewriteString(mask.replacement, &error))
        fail(ErrorCode::kInvalidData, "{}: {}", fields.where(), error);
    }
  };
  read("masks", masks_);
  read("told", told_);
}

EffectTexts::~EffectTexts() = default;

std::string EffectTexts::text_of(const Effect& effect, const Channels& channels) const {
  std::string text;
  if (channels.count("stdout") != 0) text = effect.out;
  if (channels.count("files") != 0) {
    for (const auto& [path, content] : effect.files) {
      if (!text.empty() && text.back() != '\n') text += '\n';
      text += "==> " + path + " <==\n" + content;
    }
  }
  if (channels.count("state") != 0) {
    if (!text.empty() && text.back() != '\n') text += '\n';
    for (const auto& [key, value] : effect.state.items())
      text += fmt::format("state: {} = {}\n", key, scalar_text(value).value_or(dump_json(value)));
  }
  return text;
}

// A line of as many cells as a report has fields is a row of it; a header's cells begin with a letter.
std::string EffectTexts::without_readings(const std::string& text, const Effect& effect) const {
  std::vector<std::vector<bool>> reports;  // is the column measured?
  for (const std::string& fields : effect.columns) {
    std::vector<bool> report;
    for (const std::string_view field : split(fields, ','))
      report.push_back(std::any_of(readings_.begin(), readings_.end(),
                                   [&](const std::string& glob) { return matches_glob(glob, field); }));
    reports.push_back(std::move(report));
  }
  std::string out;
  for_each_line(text, [&](std::string_view line, std::size_t) {
    const std::vector<std::string_view> cells = split(line, ',');
    std::string row;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const bool measured = std::any_of(reports.begin(), reports.end(), [&](const auto& report) {
        return report.size() == cells.size() && report[i];
      });
      const std::string_view value = strip(cells[i]);
      const std::size_t unit = value.find_first_not_of("-.0123456789");
      row += i == 0 ? "" : ",";
      if (measured && unit != 0 && !value.empty())
        row += (i == 0 ? "<v>" : " <v>") + std::string(value.substr(std::min(unit, value.size())));
      else
        row += cells[i];
    }
    out += row + "\n";
  });
  return out;
}

std::string EffectTexts::masked(std::string text, const Effect& effect, Masks masks,
                                std::string_view host) const {
  text = tidy(without_escapes(text));
  if (!host.empty()) text = replace_all(std::move(text), host, "<host>");
  text = replace_all(std::move(text), "/job/", "");
  if (masks == Masks::kSimilar && !effect.columns.empty()) text = without_readings(text, effect);
  for (const auto& mask : masks_) {
    if ((mask->similar && masks == Masks::kEqual) || !mask->fits(effect)) continue;
    RE2::GlobalReplace(&text, mask->pattern, mask->replacement);
  }
  return text;
}

std::string EffectTexts::equality(const Effect& effect, const Channels& channels,
                                  std::string_view host) const {
  return masked(text_of(effect, channels), effect, Masks::kEqual, host);
}

std::string EffectTexts::similarity(const Effect& effect, const Channels& channels,
                                    std::string_view host) const {
  std::string text;
  for (const std::string& variable : effect.env) text += "env: " + variable + "\n";
  return text + masked(text_of(effect, channels), effect, Masks::kSimilar, host);
}

std::string EffectTexts::told(const Effect& effect, const Channels& channels, std::string_view host) const {
  std::string said;
  for (const std::string& fields : effect.columns) said += fields + "\n";
  const std::string text = equality(effect, channels, host);
  for (const auto& pattern : told_) {
    if (!pattern->fits(effect)) continue;
    re2::StringPiece found;
    for (std::size_t at = 0;
         at < text.size() && pattern->pattern.Match(text, at, text.size(), RE2::UNANCHORED, &found, 1);) {
      said += std::string(found) + "\n";
      at = static_cast<std::size_t>(found.data() - text.data()) + std::max<std::size_t>(1, found.size());
    }
  }
  return said;
}

bool EffectTexts::agree(const Effect& a, const Effect& b, const Channels& channels, std::string_view host,
                        Text text) const {
  const auto same = [&](const Channels& of) { return equality(a, of, host) == equality(b, of, host); };
  if (a.timed_out || b.timed_out || a.unbounded != b.unbounded || a.programs != b.programs) return false;
  if (channels.count("exit") != 0 && a.exit != b.exit) return false;
  if (a.exit != 0 && b.exit != 0) {
    const auto message = [&](const Effect& effect) {
      return masked(first_line(effect.err), effect, Masks::kEqual, host);
    };
    if (message(a) != message(b)) return false;
  }
  // Files and state, the virtual time in it too: it alone tells `-d 4` from `-d 5`.
  const auto lasting = [&](const Effect& effect) {
    Effect kept;
    if (channels.count("files") != 0) kept.files = effect.files;
    if (channels.count("state") != 0) kept.state = effect.state;
    kept.programs = effect.programs;
    return equality(kept, {"files", "state"}, host);
  };
  if (lasting(a) != lasting(b)) return false;
  if (text == Text::kAny) return told(a, channels, host) == told(b, channels, host);
  return a.truncated == b.truncated && same(channels);
}

}  // namespace micius
