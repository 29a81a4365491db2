// Okapi BM25 (Robertson and Zaragoza 2009), k1 = 1.2, b = 0.75, over the words in the names of a table and
// its columns: "PreciseTimeStamp" is three words.
#include "tasks/schema_context.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <tuple>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr double kK1 = 1.2, kB = 0.75;

// Lower-case words; a new one begins where a capital follows a small letter.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool hump =
        i > 0 && std::isupper(c) != 0 && std::islower(static_cast<unsigned char>(text[i - 1])) != 0;
    if ((hump || std::isalnum(c) == 0) && !words.back().empty()) words.emplace_back();
    if (std::isalnum(c) != 0) words.back() += static_cast<char>(std::tolower(c));
  }
  if (words.back().empty()) words.pop_back();
  for (std::string& word : words) {
    if (word.size() > 3 && word.back() == 's') word.pop_back();  // plurals
  }
  return words;
}

// The score of each table for the question.
std::vector<double> bm25(const std::vector<SchemaTable>& tables, const std::string& question) {
  std::vector<std::map<std::string, std::size_t>> counts(tables.size());
  std::vector<std::size_t> sizes(tables.size());
  std::map<std::string, std::size_t> in_tables;
  double total = 0;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    std::vector<std::string> words = words_of(tables[i].database + " " + tables[i].name);
    for (const std::string& column : tables[i].columns) {
      for (std::string& word : words_of(column)) words.push_back(std::move(word));
    }
    sizes[i] = words.size();
    total += static_cast<double>(words.size());
    for (const std::string& word : words) ++counts[i][word];
    for (const auto& [word, count] : counts[i]) ++in_tables[word];
  }
  const auto n = static_cast<double>(tables.size());
  const std::vector<std::string> asked = words_of(question);
  std::vector<double> scores(tables.size());
  for (std::size_t i = 0; i < tables.size(); ++i) {
    for (const std::string& word : std::set<std::string>(asked.begin(), asked.end())) {
      const auto it = counts[i].find(word);
      if (it == counts[i].end()) continue;
      const auto df = static_cast<double>(in_tables[word]);
      const double idf = std::log(1 + (n - df + 0.5) / (df + 0.5)), tf = static_cast<double>(it->second);
      scores[i] +=
          idf * tf * (kK1 + 1) / (tf + kK1 * (1 - kB + kB * static_cast<double>(sizes[i]) * n / total));
    }
  }
  return scores;
}

void add_line(SchemaTable& table, const std::vector<std::string>& typed) {
  std::string place;
  if (!table.cluster.empty())
    place = fmt::format("cluster(\"{}\").database(\"{}\").", table.cluster, table.database);
  table.line = fmt::format("{}{}({})", place, table.name, join(typed, ", "));
}

}  // namespace

std::vector<SchemaTable> read_suite_schema(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Json json = parse_json(read_file(path), where);
  std::vector<SchemaTable> tables;
  for (const Json& cluster : JsonFields(json, where).at("clusters")) {
    const JsonFields c(cluster, where + ": clusters");
    for (const Json& database : c.at("databases")) {
      const JsonFields d(database, where + ": databases");
      for (const Json& item : d.at("tables")) {
        const JsonFields t(item, where + ": tables");
        SchemaTable table{c.string("name"), d.string("name"), t.string("name"), {}, ""};
        const std::vector<std::string> typed = t.strings_or("columns", {});
        for (const std::string& column : typed) table.columns.push_back(column.substr(0, column.find(':')));
        add_line(table, typed);
        tables.push_back(std::move(table));
      }
    }
  }
  return tables;
}

std::vector<SchemaTable> read_public_schema(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Json json = parse_json(read_file(path), where);
  std::vector<SchemaTable> tables;
  for (const auto& [database, members] : json.items()) {
    for (const auto& [name, columns] : members.items()) {
      // Only the documentation's database is read across clusters.
      SchemaTable table{database == "Samples" ? "help" : "", database, name, {}, ""};
      std::vector<std::string> typed;
      for (const auto& [column, type] : columns.items()) {
        table.columns.push_back(column);
        typed.push_back(column + ":" + type.get<std::string>());
      }
      add_line(table, typed);
      tables.push_back(std::move(table));
    }
  }
  return tables;
}

bool SchemaContext::is_gold(const SchemaTable& table, const SchemaRequest& request) const {
  return request.tables.contains(table.name) &&
         (request.databases.empty() || request.databases.contains(table.database));
}

std::vector<std::size_t> SchemaContext::by_nearness(const SchemaRequest& request) const {
  struct Rank {
    bool gold;
    std::size_t shared;
    bool same_database;
    double score;
  };
  const std::vector<double> scores = bm25(tables_, request.question);
  std::vector<Rank> ranks;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    std::size_t shared = 0;
    for (const std::string& column : tables_[i].columns) shared += request.columns.count(column);
    ranks.push_back(
        {is_gold(tables_[i], request), shared, request.databases.contains(tables_[i].database), scores[i]});
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const Rank &x = ranks[a], &y = ranks[b];
    return std::tie(y.gold, y.shared, y.same_database, y.score) <
           std::tie(x.gold, x.shared, x.same_database, x.score);
  });
  return order;
}

std::string SchemaContext::gold(const SchemaRequest& request) const {
  std::string text;
  for (const SchemaTable& table : tables_) {
    if (is_gold(table, request)) text += table.line + "\n";
  }
  return text;
}

std::string SchemaContext::budget(const SchemaRequest& request, std::size_t bytes) const {
  std::vector<const SchemaTable*> chosen;
  std::size_t used = 0;
  for (const std::size_t i : by_nearness(request)) {
    const std::size_t size = tables_[i].line.size() + 1;
    if (!is_gold(tables_[i], request) && used + size > bytes) continue;
    used += size;
    chosen.push_back(&tables_[i]);
  }
  Rng rng("aimicius-1/nl2kql/" + request.id + "/context");
  rng.shuffle(chosen);
  std::string text;
  for (const SchemaTable* table : chosen) text += table->line + "\n";
  return text;
}

}  // namespace micius
