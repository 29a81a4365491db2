#include "vocabulary.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace micius::aimicius {
namespace {

// Words of letters and digits in lower case; a count before a name goes: "8xA100" is "a100".
std::set<std::string> hardware_words(const std::string& text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : lower_ascii(text) + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += c;
      continue;
    }
    const std::size_t letters = word.find_first_not_of("0123456789");
    if (letters != std::string::npos && letters > 0 && word[letters] == 'x') word.erase(0, letters + 1);
    words.insert(std::exchange(word, ""));
  }
  return words;
}

bool has_part(const std::string& text, const std::vector<std::string>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const std::string& part) { return text.find(part) != std::string::npos; });
}

template <typename Entry>
const Entry& named(const std::vector<Entry>& entries, const std::string& name, const char* noun) {
  for (const Entry& entry : entries) {
    if (entry.name == name) return entry;
  }
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.push_back(entry.name);
  fail(ErrorCode::kInvalidData, "vocabulary.json has no {} '{}'{}", noun, name, did_you_mean(name, names));
}

}  // namespace

std::string PoolRecord::text(const char* key) const {
  const auto it = source.find(key);
  return it == source.end() || !it->is_string() ? "" : it->get<std::string>();
}

Vocabulary::Vocabulary(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Json json = parse_json(read_file(path), where);
  const JsonFields file(json, where);
  if (file.integer("micius_infrawise_vocabulary") != 1)
    fail(ErrorCode::kInvalidData, "{}: unknown version", where);
  read_names(file);
  read_rules(file);
}

void Vocabulary::read_names(const JsonFields& file) {
  for (const Json& item : file.at("designs")) {
    const JsonFields f(item, file.where() + ": designs");
    designs_.push_back({f.string("name"), f.string("gpu"), f.string("kind") == "vm", f.strings_or("the", {}),
                        f.strings_or("bare", {}), f.strings_or("many", {})});
  }
  for (const Json& item : file.at("criteria")) {
    const JsonFields f(item, file.where() + ": criteria");
    criteria_.push_back(
        {f.string("name"), f.strings_or("noun", {}), f.strings_or("per", {}), f.strings_or("cues", {})});
  }
  for (const Json& item : file.at("workloads")) {
    const JsonFields f(item, file.where() + ": workloads");
    workloads_.push_back(
        {f.string("name"), f.string("kind"), f.strings_or("noun", {}), f.strings_or("do", {})});
  }
}

void Vocabulary::read_rules(const JsonFields& file) {
  for (const Json& item : file.at("design_rules")) {
    const JsonFields f(item, file.where() + ": design_rules");
    design_rules_.push_back({f.string("design"), f.strings_or("hardware", {}), f.strings_or("sku", {})});
  }
  for (const Json& item : file.at("workload_rules")) {
    const JsonFields f(item, file.where() + ": workload_rules");
    workload_rules_.push_back(
        {f.string("key"), f.string("family"), f.string_or("precision", ""), f.strings_or("match", {})});
  }
  for (const Json& pair : file.at("ambiguous")) ambiguous_.emplace_back(pair.at(0), pair.at(1));
  const JsonFields skip = file.object("skip");
  skip_hardware_ = skip.strings_or("hardware", {});
  skip_sku_ = skip.strings_or("sku", {});
  unclear_skus_ = file.strings_or("unclear_skus", {});
}

const Design& Vocabulary::design(const std::string& name) const { return named(designs_, name, "design"); }
const Criterion& Vocabulary::criterion(const std::string& name) const {
  return named(criteria_, name, "criterion");
}
const Workload& Vocabulary::workload(const std::string& name) const {
  return named(workloads_, name, "workload");
}

std::string Vocabulary::family(const std::string& workload) const {
  for (const WorkloadRule& rule : workload_rules_) {
    if (rule.key == workload) return rule.family;
  }
  return "";
}

PoolRecord Vocabulary::classify(Json source) const {
  PoolRecord record;
  record.source = std::move(source);
  const std::string hardware = lower_ascii(record.text("hardware")), sku = lower_ascii(record.text("sku"));
  const std::set<std::string> words = hardware_words(hardware);
  for (const DesignRule& rule : design_rules_) {
    const bool by_hardware = std::any_of(rule.hardware.begin(), rule.hardware.end(),
                                         [&](const std::string& word) { return words.contains(word); });
    if (by_hardware || has_part(sku, rule.sku)) record.designs.insert(rule.design);
  }
  const std::string workload = lower_ascii(record.text("workload"));
  for (const WorkloadRule& rule : workload_rules_) {
    if (!rule.precision.empty() && rule.precision != record.text("precision")) continue;
    const bool fits = std::any_of(rule.globs.begin(), rule.globs.end(),
                                  [&](const std::string& glob) { return matches_glob(glob, workload); });
    if (!fits) continue;
    record.workload = rule.key;
    record.family = rule.family;
    break;
  }
  record.usable = !has_part(hardware, skip_hardware_) && !has_part(sku, skip_sku_);
  record.unclear_vm = sku.empty() || std::find(unclear_skus_.begin(), unclear_skus_.end(),
                                               record.text("sku")) != unclear_skus_.end();
  return record;
}

bool Vocabulary::ambiguous(const std::string& a, const std::string& b) const {
  if (a == b) return false;
  return std::any_of(ambiguous_.begin(), ambiguous_.end(), [&](const auto& pair) {
    return (matches_glob(pair.first, a) && matches_glob(pair.second, b)) ||
           (matches_glob(pair.first, b) && matches_glob(pair.second, a));
  });
}

}  // namespace micius::aimicius
