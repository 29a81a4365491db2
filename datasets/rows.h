// What all loaders of tables share: which fields of a row are what, and a dataset over rows.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "core/dataset.h"
#include "core/spec.h"

namespace micius {

// The rows of one file. Safe to call from several threads.
class Rows {
 public:
  virtual ~Rows() = default;
  virtual std::size_t size() const = 0;
  virtual Json row(std::size_t index) const = 0;           // an object
  virtual std::string where(std::size_t index) const = 0;  // "data/tickets.jsonl:12"
  virtual std::string content_hash() const = 0;
};

// Which rows of a file count: spec.params "only", {"field": "subject", "values": ["virology"]}.
class RowFilter {
 public:
  explicit RowFilter(const Spec& spec);  // throws Error{kInvalidData} for a mistyped parameter

  bool keeps_all() const { return field_.empty(); }
  // Is the row kept? Not for a filter that keeps all. Throws Error{kInvalidData} beginning with `where` for
  // one without the field.
  bool keeps(const Json& row, const std::string& where) const;
  // Can the JSON text of a row be known to be that of one that is not kept, without parsing it?
  bool drops_text(std::string_view row) const;
  // What is said of a file without such rows: "no rows with subject virology".
  std::string nothing() const;

 private:
  std::string field_;
  std::vector<std::string> values_, written_;  // written_: the text inside the quotes in JSON
};

// Makes samples of rows. spec.params "id", "input" and "targets" are dotted paths; "choices" is one to a list
// or a list of paths, one a choice. Without "id" the id is the row's number, from 0, and "unique" may name a
// field of which no value comes twice; the rest stays empty if it is not named. Targets may be a string, a
// number, true or false, or a list of them.
class FieldMap {
 public:
  explicit FieldMap(const Spec& spec);  // throws Error{kInvalidData} for an unknown or mistyped parameter

  // The field of which no value may come twice; "" if there is none.
  const std::string& unique() const { return unique_; }
  // Sample::extra is the whole row. Throws Error{kInvalidData} beginning with `where`.
  Sample sample(Json row, std::size_t index, const std::string& where) const;

 private:
  std::string id_, unique_, input_, targets_;
  std::vector<std::string> choices_;
  bool choices_are_a_list_ = false;  // choices_ holds one path, to a list
};

// A dataset over rows. All rows are looked at once, so that a broken one or an id that comes twice is known
// before a model is asked: throws Error{kInvalidData} naming file, line and field.
std::unique_ptr<Dataset> make_dataset(const Spec& spec, std::unique_ptr<Rows> rows);

}  // namespace micius
