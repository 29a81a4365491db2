// A text with fields to fill in: "Ticket: {{input}}\nTeam:".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/sample.h"

namespace micius {

// Fields are "input", "target" (the first one), "choice" where one is given, and dotted paths into the
// sample's row; blanks inside the braces do not count.
class Template {
 public:
  Template() = default;
  // `where` begins every message: "ticket.json:4: field 'user'"; "" for a template in code, whose messages
  // begin with the place of the sample. Throws Error{kInvalidData} for braces that do not close or hold
  // nothing.
  Template(std::string_view text, std::string where);

  bool empty() const { return parts_.empty(); }
  bool uses(std::string_view field) const;
  // Throws Error{kInvalidData} for a field that the sample lacks, with the nearest one it has, or that is
  // neither text nor number.
  std::string render(const Sample& sample) const { return fill(sample, nullptr); }
  std::string render(const Sample& sample, const std::string& choice) const { return fill(sample, &choice); }

 private:
  struct Part {
    std::string text;  // as it is, or a field's name
    bool is_field;
  };
  std::string fill(const Sample& sample, const std::string* choice) const;
  std::string value(const Sample& sample, const std::string& field, const std::string* choice) const;

  std::vector<Part> parts_;
  std::string where_;
};

}  // namespace micius
