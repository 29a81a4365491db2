// A builder of JSON values with limits, for the parsers of foreign text.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"

namespace micius {

// The parser's own builder, with a limit to nesting and a hook for every key; for Value::sax_parse(). The
// library's way to have them, a callback, looks through all earlier neighbours at the end of each object:
// time by the square of a list's length.
//
// Keys: what is kept of each open object or list. It begins as a copy of `none`, and Keys::add(name, where)
// is called for each key of an object; it throws Error for one that must not be.
template <typename Value, typename Keys>
class JsonBuilder : public nlohmann::detail::json_sax_dom_parser<Value> {
  using Base = nlohmann::detail::json_sax_dom_parser<Value>;

 public:
  // Borrows value and `where`, which goes into the errors.
  JsonBuilder(Value& value, std::size_t max_depth, std::string_view where, Keys none = Keys())
      : Base(value), max_depth_(max_depth), where_(where), none_(std::move(none)) {}

  bool start_object(std::size_t size) {
    open();
    return Base::start_object(size);
  }
  bool key(std::string& name) {
    open_.back().add(name, where_);
    return Base::key(name);
  }
  bool end_object() {
    open_.pop_back();
    return Base::end_object();
  }
  bool start_array(std::size_t size) {
    open();
    return Base::start_array(size);
  }
  bool end_array() {
    open_.pop_back();
    return Base::end_array();
  }

 private:
  void open() {
    if (open_.size() == max_depth_)
      fail(ErrorCode::kInvalidData, "{}: JSON nested deeper than {}", where_, max_depth_);
    open_.push_back(none_);
  }

  std::size_t max_depth_;
  std::string_view where_;
  Keys none_;
  std::vector<Keys> open_;
};

// Keys of which none may come twice in an object; the error ends with `next_step`.
class DistinctKeys {
 public:
  explicit DistinctKeys(std::string_view next_step) : next_step_(next_step) {}
  void add(const std::string& name, std::string_view where) {
    if (!names_.insert(name).second)
      fail(ErrorCode::kInvalidData, "{}: key '{}' comes twice; {}", where, shorten(visible_line(name), 100),
           next_step_);
  }

 private:
  std::string_view next_step_;
  std::set<std::string> names_;
};

}  // namespace micius
