#include "datasets/halves.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "core/dataset_file.h"
#include "datasets/jsonl.h"
#include "datasets/rows.h"

namespace micius {
namespace {

class Halves final : public Rows {
 public:
  void add(const std::string& id, const std::string& group, std::string_view text, std::string where) {
    const std::vector<std::string_view> words = split_words(text);
    if (words.size() < 2) return;
    const auto middle = static_cast<std::size_t>(words[words.size() / 2].data() - text.data());
    rows_.push_back({{"id", id},
                     {"group", group},
                     {"begin", strip(text.substr(0, middle))},
                     {"rest", strip(text.substr(middle))}});
    wheres_.push_back(std::move(where));
  }
  void add_hash(const std::string& hash) { hashes_ += hash; }

  std::size_t size() const override { return rows_.size(); }
  Json row(std::size_t index) const override { return rows_.at(index); }
  std::string where(std::size_t index) const override { return wheres_.at(index); }
  std::string content_hash() const override { return sha256_hex(hashes_); }

 private:
  std::vector<Json> rows_;
  std::vector<std::string> wheres_;
  std::string hashes_;
};

// The rows of one file and which field of them is meant.
struct Texts {
  std::unique_ptr<Rows> rows;
  std::string field, group;
};

void add_row(Halves& halves, const Texts& texts, std::size_t index) {
  const std::string where = texts.rows->where(index);
  const Json row = texts.rows->row(index);
  const JsonFields fields(row, where);
  halves.add(fields.string("id"), texts.group, fields.string(texts.field), where);
}

}  // namespace

std::unique_ptr<Dataset> open_halves(const Spec& spec, const DataRoots& roots, SourceFiles& files) {
  const JsonFields params(spec.params, "dataset loader 'halves'");
  params.only({"path", "root", "texts", "count"});
  const std::int64_t count = params.integer("count");
  auto halves = std::make_unique<Halves>();
  const std::string path = require_dataset_file(spec, roots).string();
  const std::string name = std::filesystem::path(path).stem().string();
  halves->add(name, name, read_file(path), path);
  halves->add_hash(sha256_file(path));
  std::vector<Texts> all;
  std::size_t total = 0;
  for (const Json& item : params.at("texts")) {
    const JsonFields texts(item, params.where() + ": field 'texts'");
    Spec file = {"jsonl", {{"path", texts.string("path")}, {"root", params.string_or("root", "data")}}};
    const std::filesystem::path folder = std::filesystem::path(texts.string("path")).parent_path();
    all.push_back({open_jsonl_rows(file, roots, files), texts.string("field"), folder.filename().string()});
    halves->add_hash(all.back().rows->content_hash());
    total += all.back().rows->size();
  }
  if (count < 1 || static_cast<std::size_t>(count) > total)
    fail(ErrorCode::kUsage, "{}: field 'count' must be from 1 to {}, the rows there are", params.where(),
         total);
  std::size_t file = 0, before = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const std::size_t place = i * total / static_cast<std::size_t>(count);
    for (; place - before >= all[file].rows->size(); ++file) before += all[file].rows->size();
    add_row(*halves, all[file], place - before);
  }
  Spec fields = {spec.name,
                 {{"path", params.string("path")}, {"id", "id"}, {"input", "begin"}, {"targets", "rest"}}};
  return make_dataset(fields, std::move(halves));
}

}  // namespace micius
