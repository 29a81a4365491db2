#include "core/sample.h"

namespace micius {

Json to_json(const Sample& s) {
  return {
      {"id", s.id}, {"input", s.input}, {"choices", s.choices}, {"targets", s.targets}, {"extra", s.extra}};
}

Sample sample_from_json(const Json& json, const std::string& where) {
  const JsonFields f(json, where);
  return {f.string("id"), f.string("input"), f.strings_or("choices", {}), f.strings_or("targets", {}),
          f.at("extra")};
}

}  // namespace micius
