// One question with every accepted answer.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace micius {

struct Sample {
  std::string id;                    // stable and unique within its dataset
  std::string input;                 // the question as the source file has it
  std::vector<std::string> choices;  // empty unless multiple choice
  std::vector<std::string>
      targets;  // every accepted answer, the reference first; never empty once prepared by its task
  Json extra = Json::object();  // the source row's other fields; "gold" holds the index of a right choice
  std::string where = {};       // "data/test.jsonl:12", for messages alone: it is not stored
};

// The sample as JSON, for the store; sample_from_json throws Error{kInvalidData} naming `where`.
Json to_json(const Sample& sample);
Sample sample_from_json(const Json& json, const std::string& where);

}  // namespace micius
