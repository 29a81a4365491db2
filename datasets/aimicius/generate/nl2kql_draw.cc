#include "nl2kql_draw.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "frames.h"

namespace micius::aimicius::nl2kql {
namespace {

constexpr double kScope = 0.4, kScopeSite = 0.75;
constexpr int kCounts[] = {3, 5, 8, 10, 15, 20, 25, 50}, kLimits[] = {3, 5, 10, 20, 50, 100},
              kPercentiles[] = {90, 95, 99};
constexpr const char* kFactors[] = {"1.5", "2", "3"};

template <typename T>
const T& one_of(const std::vector<T>& all, Rng& rng) {
  return all[rng.below(all.size())];
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }
std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string literal(const Column& column, const Json& value) {
  return column.type == "string" ? quoted(text_of(value)) : text_of(value);
}

bool needs(const Intent& intent, const char* what) {
  return std::find(intent.needs.begin(), intent.needs.end(), what) != intent.needs.end();
}

using Choice = std::pair<const Column*, const Word*>;

class Binder {
 public:
  Binder(const Catalog& catalog, const Intents& intents, const Intent& intent, const Table& table, Rng& rng)
      : catalog_(catalog), intents_(intents), rng_(rng) {
    bound_.intent = &intent;
    bound_.table = &table;
  }

  std::optional<Bound> run() {
    const Table& table = *bound_.table;
    set("T", table.source());
    set("time", table.time);
    say("rows", table.many);
    say("row", {table.one});
    for (const std::string& need : bound_.intent->needs) {
      if (!fill(need)) return std::nullopt;
    }
    // Only what must be there first decides who "the entity" is.
    if (bound_.code.count("ent") == 0 && !entity(table.entity)) return std::nullopt;
    time();
    numbers();
    scope();
    return std::move(bound_);
  }

 private:
  enum class Categories : std::uint8_t { kAny, kText };  // of which type a category's column is
  enum class Limits : std::uint8_t { kOne, kTwo };       // a threshold alone, or a range besides
  enum class Times : std::uint8_t { kAny, kSame };       // which time column the other table has

  void set(const std::string& slot, std::string text) { bound_.code[slot] = std::move(text); }
  void say(const std::string& slot, std::vector<std::string> words) { bound_.words[slot] = std::move(words); }

  bool fill(const std::string& need) {
    if (need == "entity") return entity(bound_.table->entity);
    if (need == "cat" || need == "text-cat")
      return category(need == "text-cat" ? Categories::kText : Categories::kAny);
    if (need == "cat2") return second_category();
    if (need == "num" || need == "range") return number(need == "range" ? Limits::kTwo : Limits::kOne);
    if (need == "text") return text();
    if (need == "flag") return flag();
    if (need == "join") return joined();
    if (need == "pair" || need == "same-time")
      return paired(need == "same-time" ? Times::kSame : Times::kAny);
    if (need == "live") return bound_.table->live;
    if (need == "longer" || need == "double") return true;  // of the time
    fail(ErrorCode::kInvalidData, "intents.json: {}: unknown need '{}'", bound_.intent->name, need);
  }

  bool entity(const std::string& column) {
    const Word* word = catalog_.word(*bound_.table, column, "entity");
    if (word == nullptr) return false;
    set("ent", column);
    say("ent.one", {word->one});
    say("ents", {word->many});
    const std::string value = text_of(one_of(word->values, rng_));
    set("e", quoted(value));
    say("e.text", {value});
    const std::string& prefix = one_of(word->prefixes, rng_);
    set("prefix", quoted(prefix));
    say("prefix.text", {prefix});
    return true;
  }

  // A category column that is not taken yet and is not the entity.
  std::optional<Choice> free_category(Categories which) {
    std::vector<Choice> free;
    for (const Choice& choice : catalog_.columns_as(*bound_.table, "cat")) {
      const std::string& name = choice.first->name;
      const bool taken = std::any_of(bound_.code.begin(), bound_.code.end(),
                                     [&](const auto& slot) { return slot.second == name; });
      if (taken || name == bound_.table->entity ||
          (which == Categories::kText && choice.first->type != "string"))
        continue;
      free.push_back(choice);
    }
    if (free.empty()) return std::nullopt;
    return one_of(free, rng_);
  }

  bool category(Categories which) {
    const auto choice = free_category(which);
    if (!choice) return false;
    set("cat", choice->first->name);
    say("cat.one", {choice->second->one});
    say("cats", {choice->second->many});
    std::vector<Json> values = choice->second->values;
    rng_.shuffle(values);
    set("val", literal(*choice->first, values[0]));
    say("val.text", {text_of(values[0])});
    set("val2", literal(*choice->first, values[1]));
    say("val2.text", {text_of(values[1])});
    return true;
  }

  bool second_category() {
    const auto choice = free_category(Categories::kAny);
    if (!choice) return false;
    set("cat2", choice->first->name);
    say("cat2.one", {choice->second->one});
    say("cats2", {choice->second->many});
    return true;
  }

  bool number(Limits limits) {
    std::vector<Choice> choices = catalog_.columns_as(*bound_.table, "num");
    if (limits == Limits::kTwo)
      std::erase_if(choices, [](const Choice& c) { return c.second->values.size() < 2; });
    if (choices.empty()) return false;
    const auto [column, word] = one_of(choices, rng_);
    set("num", column->name);
    say("num.one", {word->one});
    const auto with_unit = [&word = word](const Json& value) { return text_of(value) + word->unit; };
    const Json& limit = one_of(word->values, rng_);
    set("th", text_of(limit));
    say("th.text", {with_unit(limit)});
    if (limits == Limits::kOne) return true;
    const std::size_t low = rng_.below(word->values.size() - 1);
    set("lo", text_of(word->values[low]));
    say("lo.text", {text_of(word->values[low])});
    set("hi", text_of(word->values[low + 1]));
    say("hi.text", {with_unit(word->values[low + 1])});
    return true;
  }

  bool text() {
    const std::vector<Choice> choices = catalog_.columns_as(*bound_.table, "text");
    if (choices.empty()) return false;
    const auto [column, word] = one_of(choices, rng_);
    set("text", column->name);
    say("text.one", {word->one});
    const std::string term = text_of(one_of(word->values, rng_));
    set("word", quoted(term));
    say("word.text", {quoted(term)});
    return true;
  }

  bool flag() {
    const std::vector<Choice> choices = catalog_.columns_as(*bound_.table, "flag");
    if (choices.empty()) return false;
    const auto [column, word] = one_of(choices, rng_);
    const bool yes = rng_.below(3) != 0;
    set("flag", column->name);
    set("bool", yes ? "true" : "false");
    say("flag.text", {yes ? word->yes : word->no});
    return true;
  }

  // A table with one row an entity, and a column of it that the table itself lacks.
  bool joined() {
    std::vector<std::pair<const Table*, Choice>> choices;
    for (const Table& other : catalog_.tables()) {
      if (!other.lookup || &other == bound_.table || bound_.table->column(other.entity) == nullptr) continue;
      for (const Choice& choice : catalog_.columns_as(other, "cat")) {
        const Column& column = *choice.first;
        if (column.type == "string" && column.name != other.entity &&
            bound_.table->column(column.name) == nullptr)
          choices.emplace_back(&other, choice);
      }
    }
    if (choices.empty()) return false;
    const auto& [other, choice] = one_of(choices, rng_);
    if (!entity(other->entity)) return false;
    set("J", other->source());
    say("rows2", {other->many.front()});
    set("attr", choice.first->name);
    say("attr.one", {choice.second->one});
    const Json& value = one_of(choice.second->values, rng_);
    set("aval", literal(*choice.first, value));
    say("aval.text", {text_of(value)});
    return true;
  }

  bool paired(Times times) {
    if (!bound_.table->live || !entity(bound_.table->entity)) return false;
    std::vector<const Table*> others;
    for (const Table& other : catalog_.tables()) {
      if (&other == bound_.table || !other.live || other.entity != bound_.table->entity) continue;
      if (times == Times::kAny || other.time == bound_.table->time) others.push_back(&other);
    }
    if (others.empty()) return false;
    const Table& other = *one_of(others, rng_);
    set("P", other.source());
    set("ptime", other.time);
    say("prows", other.many);
    return true;
  }

  void time() {
    std::vector<Span> spans = intents_.spans;
    const bool twice = needs(*bound_.intent, "double"), longer = needs(*bound_.intent, "longer");
    if (longer) std::erase_if(spans, [](const Span& span) { return span.hours > 24; });
    const Span& span = one_of(spans, rng_);
    set("span", span.kql);
    say("the", span.the);
    say("short", {span.short_form});
    say("age", {span.age});
    set("bin", span.bin_kql);
    say("bin.text", {span.bin});
    if (twice) set("span2", std::to_string(2 * span.hours) + "h");
    if (longer) {
      const Span& second = intents_.spans[intents_.spans.size() - 1 - rng_.below(4)];
      set("span2", second.kql);
      say("the2", second.the);
      say("short2", {second.short_form});
      say("age2", {second.age});
    }
    const int day = 1 + static_cast<int>(rng_.below(9)), days = 1 + static_cast<int>(rng_.below(5));
    const std::string from = fmt::format("2025-01-{:02}", day), to = fmt::format("2025-01-{:02}", day + days);
    set("d1", from);
    say("d1", {from});
    set("d2", to);
    say("d2", {to});
  }

  void numbers() {
    const auto both = [this](const std::string& slot, const std::string& text) {
      set(slot, text);
      say(slot, {text});
    };
    both("n", std::to_string(kCounts[rng_.below(std::size(kCounts))]));
    const int limit = kLimits[rng_.below(std::size(kLimits))];
    both("k", std::to_string(limit));
    say("k1", {std::to_string(limit + 1)});
    both("pct", std::to_string(kPercentiles[rng_.below(std::size(kPercentiles))]));
    both("factor", kFactors[rng_.below(std::size(kFactors))]);
  }

  // One more condition: the site, or a category where the intent has none.
  void scope() {
    set("scope", "");
    if (!bound_.intent->scope || rng_.uniform() >= kScope) return;
    const Column* site = bound_.table->column("Site");
    const bool site_taken = bound_.code["cat"] == "Site" || bound_.code["cat2"] == "Site";
    if (site != nullptr && !site_taken && rng_.uniform() < kScopeSite) {
      const Word& word = *catalog_.word(*bound_.table, "Site", "cat");
      const std::string value = text_of(one_of(word.values, rng_));
      set("scope", "\n| where Site == " + quoted(value));
      bound_.scope_words = (rng_.below(2) == 0 ? " at " : " at site ") + value;
      return;
    }
    const bool categorical = needs(*bound_.intent, "cat") || needs(*bound_.intent, "text-cat");
    const auto choice = categorical ? std::nullopt : free_category(Categories::kAny);
    if (!choice) return;
    const Json& value = one_of(choice->second->values, rng_);
    set("scope", fmt::format("\n| where {} == {}", choice->first->name, literal(*choice->first, value)));
    bound_.scope_words = fmt::format(" with {} {}", choice->second->one, text_of(value));
  }

  const Catalog& catalog_;
  const Intents& intents_;
  Rng& rng_;
  Bound bound_;
};

// "[Show|List] the" -> one of the two.
std::string chosen(const std::string& frame, Rng& rng) {
  std::string out;
  for (std::size_t at = 0; at < frame.size();) {
    const std::size_t open = std::min(frame.find('[', at), frame.size());
    out += frame.substr(at, open - at);
    if (open == frame.size()) break;
    const std::size_t close = frame.find(']', open);
    if (close == std::string::npos) fail(ErrorCode::kInvalidData, "nl2kql: '{}' has an open bracket", frame);
    const std::string inside = frame.substr(open + 1, close - open - 1);
    const auto forms = split(inside, '|');
    out += forms[rng.below(forms.size())];
    at = close + 1;
  }
  return out;
}

// "a Xid event" -> "a Xid event", "a optics reading" -> "an optics reading". By sound, as far as letters
// tell.
std::string with_articles(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    out += text[at];
    const bool article = (text[at] == 'a' || text[at] == 'A') && (at == 0 || text[at - 1] == ' ') &&
                         at + 2 < text.size() && text[at + 1] == ' ';
    if (!article) continue;
    const std::string_view next = std::string_view(text).substr(at + 2);
    const bool spelled = next.starts_with("NVL") || next.starts_with("NCCL") || next.starts_with("RAS");
    if (spelled || std::string_view("aeioAEIO").find(next[0]) != std::string_view::npos) out += 'n';
  }
  return out;
}

}  // namespace

Intents Intents::read(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Json json = parse_json(read_file(path), where);
  const JsonFields file(json, where);
  if (file.integer("micius_nl2kql_intents") != 1) fail(ErrorCode::kInvalidData, "{}: unknown version", where);
  Intents intents;
  for (const Json& item : file.at("spans")) {
    const JsonFields f(item, where + ": spans");
    intents.spans.push_back({f.string("kql"), static_cast<int>(f.integer("hours")), f.strings_or("the", {}),
                             f.string("short"), f.string("age"), f.string("bin"), f.string("bin_kql")});
  }
  for (const Json& item : file.at("intents")) {
    const JsonFields f(item, where + ": intents");
    intents.intents.push_back(
        {f.string("name"), f.strings_or("needs", {}), f.boolean_or("scope", false), f.string("query")});
  }
  return intents;
}

std::optional<Bound> bind(const Catalog& catalog, const Intents& intents, const Intent& intent,
                          const Table& table, Rng& rng) {
  return Binder(catalog, intents, intent, table, rng).run();
}

std::string query_of(const Bound& bound) {
  std::string query;
  for_each_part(
      bound.intent->query, "nl2kql", [&](const std::string& text) { query += text; },
      [&](const std::string& slot) {
        const auto it = bound.code.find(slot);
        if (it == bound.code.end())
          fail(ErrorCode::kInvalidData, "intents.json: {}: no slot '{}'", bound.intent->name, slot);
        query += it->second;
      });
  return query;
}

Asked ask(const Bound& bound, const std::string& frame, Rng& rng) {
  Asked asked;
  asked.shape = chosen(frame, rng);
  std::string scope = bound.scope_words, question;
  bool first = true, capital = false;
  for_each_part(
      asked.shape, "nl2kql", [&](const std::string& text) { question += text, first = false; },
      [&](const std::string& slot) {
        const auto it = bound.words.find(slot);
        if (it == bound.words.end()) {
          fail(ErrorCode::kInvalidData, "phrasings.json: {}: '{}' has no slot '{}'", bound.intent->name,
               frame, slot);
        }
        capital = capital || (first && !slot.ends_with(".text"));
        first = false;
        question += one_of(it->second, rng);
        if (slot == "rows" || slot == "row") question += std::exchange(scope, "");
      });
  if (!scope.empty())
    fail(ErrorCode::kInvalidData, "phrasings.json: {}: '{}' names no rows", bound.intent->name, frame);
  asked.question = with_articles(question);
  if (capital)
    asked.question[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(asked.question[0])));
  return asked;
}

}  // namespace micius::aimicius::nl2kql
