#include "scorers/nl2kql.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "kql/lexer.h"
#include "kql/parser.h"
#include "scorers/extract.h"
#include "scorers/kql_names.h"
#include "scorers/params.h"

namespace micius {
namespace {

constexpr std::size_t kMostText = std::size_t{1} << 20;  // bytes of an answer that are read
constexpr std::size_t kShownAnswer = 4000, kShownNames = 200;

const std::vector<std::string> kMetrics = {"names",   "syntax_accuracy", "similarity",
                                           "cluster", "database",        "table",
                                           "column",  "schema_valid",    "similarity_words"};

using Names = std::set<std::string>;

double one_if(bool condition) { return condition ? 1 : 0; }

template <typename Set>
double jaccard(const Set& a, const Set& b) {
  std::size_t both = 0;
  for (const auto& one : a) both += b.count(one);
  const std::size_t all = a.size() + b.size() - both;
  return all == 0 ? 0 : static_cast<double>(both) / static_cast<double>(all);
}

std::set<std::string_view> word_set(std::string_view text) {
  const auto words = split_words(text);
  return {words.begin(), words.end()};
}

bool has_table(const Names& tables, const std::string& wanted) {
  return std::any_of(tables.begin(), tables.end(), [&](const std::string& name) {
    return name == wanted || (name.find('*') != std::string::npos && matches_glob(name, wanted));
  });
}

// Is the text one name and nothing else?
bool is_bare_word(const kql::Tree& tree) {
  std::size_t words = 0;
  for (const kql::Token& token : tree.tokens)
    words += token.kind != kql::Tok::kEndOfText && token.kind != kql::Tok::kSemicolon ? 1 : 0;
  return words <= 1;
}

struct Answer {
  std::string query;
  bool syntax = false;
  KqlNames names;
  std::string error;  // why it does not parse
};

Answer judge_query(std::string query, const KqlCatalog& catalog) {
  Answer answer;
  answer.query = std::move(query);
  const kql::Tree tree = kql::parse(answer.query);
  if (tree.error) {
    answer.error = tree.error->message;
    answer.names = scanned_names(answer.query, catalog);
    return answer;
  }
  answer.names = names_of(tree);
  const bool bare = is_bare_word(tree);
  answer.syntax = !bare || std::any_of(answer.names.tables.begin(), answer.names.tables.end(),
                                       [&](const std::string& t) { return catalog.tables.contains(t); });
  if (!answer.syntax) answer.error = "one word that is no table";
  return answer;
}

// Blanks and comments alone are no query.
bool is_empty_query(std::string_view query) { return kql::lex(query).tokens.size() <= 1; }

// Which tables a sample's query may use.
enum class Schema { kWhole, kOfDatabase };

class Nl2Kql final : public Scorer {
 public:
  Nl2Kql(KqlCatalogs catalogs, Schema schema) : catalogs_(std::move(catalogs)), schema_(schema) {}

  std::string_view name() const override { return "nl2kql"; }
  std::vector<std::string> metrics() const override { return kMetrics; }

  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    const KqlCatalog* schema = catalog_of(sample);
    if (schema == nullptr) {
      Score unscored;
      unscored.reason = "schemas.json has no database " + dump_json(sample.extra.at("database"));
      return unscored;
    }
    const KqlCatalog& catalog = *schema;
    const std::string& reference = sample.targets.front();
    const KqlNames wanted = reference_names(reference, catalog);
    std::map<std::string, double> values;
    std::vector<std::string> reasons;
    const std::optional<std::string> query = read(turns.front().completion.text, catalog);
    const Answer answer = query ? judge_query(*query, catalog) : Answer{};
    if (!query) reasons.emplace_back("no query could be read");
    if (!answer.error.empty()) reasons.push_back("syntax: " + answer.error);
    values["syntax_accuracy"] = one_if(answer.syntax);
    values["similarity"] = query ? jaccard(token_set(*query), token_set(reference)) : 0;
    values["similarity_words"] = query ? jaccard(word_set(*query), word_set(reference)) : 0;
    values["schema_valid"] = one_if(answer.syntax && is_valid(answer.names, catalog, reasons));
    recall("cluster", wanted.clusters, answer.names.clusters, values, reasons);
    recall("database", wanted.databases, answer.names.databases, values, reasons);
    recall("table", wanted.tables, answer.names.tables, values, reasons);
    recall("column", wanted.columns, answer.names.columns, values, reasons);
    add_mean(values);
    Score score;
    score.verdict = verdict_of(values, query ? Verdict::kIncorrect : Verdict::kNoAnswer);
    for (const std::string& metric : kMetrics) {
      const auto it = values.find(metric);
      if (it != values.end()) score.values.push_back({metric, it->second});
    }
    score.answer = shorten(answer.query, kShownAnswer);
    score.reason = visible_line(join(reasons, "; "));
    return score;
  }

 private:
  // Null where there is no schema for the sample's database.
  const KqlCatalog* catalog_of(const Sample& sample) const {
    const bool whole = schema_ == Schema::kWhole;
    const auto it = catalogs_.find(whole ? "" : JsonFields(sample.extra, sample.id).string("database"));
    return it == catalogs_.end() ? nullptr : &it->second;
  }

  static KqlNames reference_names(const std::string& reference, const KqlCatalog& catalog) {
    KqlNames names = names_of(kql::parse(reference));
    std::erase_if(names.columns, [&](const std::string& name) { return !catalog.columns.contains(name); });
    return names;
  }

  static std::optional<std::string> read(std::string_view text, const KqlCatalog& catalog) {
    const auto readable = after_thinking(text);
    if (!readable) return std::nullopt;
    auto query = read_query(
        readable->substr(0, kMostText), [](std::string_view whole) { return !kql::parse(whole).error; },
        [&](std::string_view word) { return catalog.tables.contains(word); });
    if (query && is_empty_query(*query)) return std::nullopt;
    return query;
  }

  static void recall(const std::string& part, const Names& wanted, const Names& given,
                     std::map<std::string, double>& values, std::vector<std::string>& reasons) {
    if (wanted.empty()) return;
    std::vector<std::string> missing;
    for (const std::string& name : wanted) {
      if (part == "table" ? !has_table(given, name) : !given.contains(name)) missing.push_back(name);
    }
    values[part] = 1 - static_cast<double>(missing.size()) / static_cast<double>(wanted.size());
    if (!missing.empty())
      reasons.push_back(fmt::format("{} missing: {}", part, shorten(join(missing, ", "), kShownNames)));
  }

  static void add_mean(std::map<std::string, double>& values) {
    double sum = 0;
    int count = 0;
    for (const char* part : {"cluster", "database", "table", "column"}) {
      const auto it = values.find(part);
      if (it == values.end()) continue;
      sum += it->second;
      ++count;
    }
    if (count > 0) values["names"] = sum / count;
  }

  static bool is_valid(const KqlNames& names, const KqlCatalog& catalog, std::vector<std::string>& reasons) {
    std::vector<std::string> unknown;
    const auto check = [&](const Names& given, const auto& known) {
      for (const std::string& name : given) {
        if (!known(name)) unknown.push_back(name);
      }
    };
    check(names.clusters, [&](const std::string& n) { return catalog.clusters.contains(n); });
    check(names.databases, [&](const std::string& n) { return catalog.databases.contains(n); });
    check(names.tables, [&](const std::string& n) {
      return catalog.tables.contains(n) ||
             (n.find('*') != std::string::npos &&
              std::any_of(catalog.tables.begin(), catalog.tables.end(),
                          [&](const std::string& table) { return has_table({n}, table); }));
    });
    check(names.columns, [&](const std::string& n) {
      return catalog.columns.contains(n) || names.made.contains(n) || is_automatic_name(n, catalog, names);
    });
    if (!unknown.empty())
      reasons.push_back("not in the catalog: " + shorten(join(unknown, ", "), kShownNames));
    return unknown.empty();
  }

  // Names say nothing about a reference that has none: then the query itself must be the same.
  static Verdict verdict_of(const std::map<std::string, double>& values, Verdict nothing) {
    const auto names = values.find("names");
    const double right = names == values.end() ? values.at("similarity") : names->second;
    if (right == 1 && values.at("syntax_accuracy") == 1) return Verdict::kCorrect;
    const bool part = std::any_of(values.begin(), values.end(), [](const auto& v) { return v.second > 0; });
    return part ? Verdict::kPartial : nothing;
  }

  KqlCatalogs catalogs_;
  Schema schema_;
};

}  // namespace

std::unique_ptr<Scorer> make_nl2kql_scorer(const Spec& spec, const ScorerContext& context) {
  const JsonFields fields(spec.params, scorer_place(spec, context));
  fields.only({"catalog"});
  const std::string catalog = fields.string_or("catalog", "aimicius");
  if (catalog == "aimicius") {
    return std::make_unique<Nl2Kql>(
        read_suite_catalog(context.roots.share / "datasets/aimicius/nl2kql/catalog.json"), Schema::kWhole);
  }
  if (catalog == "public") {
    const auto path = context.roots.data / "nl2kql/schemas.json";
    // Without it no sample has a schema and none is scored; the missing pairs are named by their dataset.
    KqlCatalogs schemas;
    if (std::filesystem::exists(path)) schemas = read_public_schemas(path);
    return std::make_unique<Nl2Kql>(std::move(schemas), Schema::kOfDatabase);
  }
  fail(ErrorCode::kUsage, "{}: unknown catalog '{}'{}; known: aimicius, public", fields.where(), catalog,
       did_you_mean(catalog, {"aimicius", "public"}));
}

}  // namespace micius
