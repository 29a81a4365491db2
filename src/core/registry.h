// Name -> factory. One explicit list a folder fills one; nothing registers itself.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace micius {

// Example: Registry<ScorerFactory> scorers("scorer", {{"exact", "Equal text", make_exact}});
// scorers.get("exakt") throws Error{kUsage}: unknown scorer 'exakt' (did you mean 'exact'?).
template <typename Factory>
class Registry {
 public:
  struct Entry {
    std::string name;
    std::string summary;  // one line for `micius list`
    Factory factory;
  };

  Registry(std::string noun, std::vector<Entry> entries)
      : noun_(std::move(noun)), entries_(std::move(entries)) {}

  const std::vector<Entry>& entries() const& { return entries_; }
  std::vector<Entry> entries() && { return std::move(entries_); }  // for (.. : scorer_registry().entries())
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Entry& entry : entries_) names.push_back(entry.name);
    return names;
  }

  const Entry* find(std::string_view name) const {
    const auto it =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
    return it == entries_.end() ? nullptr : &*it;
  }

  // `where` ("tasks/x.json: field 'scorer'") is put before the message.
  const Factory& get(std::string_view name, std::string_view where = "") const {
    if (const Entry* entry = find(name)) return entry->factory;
    fail(ErrorCode::kUsage, "{}{}unknown {} '{}'{}; `micius list {}s` shows them", where,
         where.empty() ? "" : ": ", noun_, name, did_you_mean(name, names()), noun_);
  }

 private:
  std::string noun_;
  std::vector<Entry> entries_;
};

}  // namespace micius
