// One execution of one task on one model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/generate_options.h"
#include "core/task.h"

namespace micius {

enum class RunId : std::int64_t {};

// kUnfinished: still going, killed or interrupted. kStopped: ended before its time for a reason (key, quota,
// dead endpoint). Both can be resumed.
enum class RunStatus { kUnfinished, kComplete, kStopped };

struct ModelRef {
  std::string name, kind, sha256, url;
  bool is_remote() const { return !url.empty(); }  // a server answers for it
  bool operator==(const ModelRef&) const = default;
};

struct DatasetRef {
  std::string name, sha256;
  std::size_t samples = 0;  // in the whole dataset
  // Not part of the hash. false: it is a file of third-party data that is not as the manifest has it, or a
  // part of it.
  bool is_published = true;
};

// What a run is: everything that may change an answer (hashed), and what a report needs of the task besides,
// so that everything after the store reads only the store.
struct RunSpec {
  std::string task;
  int task_version = 1;
  std::string suite;
  DatasetRef dataset;
  std::vector<std::string> sample_ids;  // what is to be done, in dataset order
  ModelRef model;
  std::string scorer;
  int shots = 0;
  std::string shot_pool;  // name and hash of where the shots came from, or ""
  PromptStyle style = PromptStyle::kText;
  GenerateOptions options;           // without `stream`
  std::vector<int> turn_max_tokens;  // Task::turn_max_tokens; empty where the user set the limit
  int repeats = 1;
  Json task_params = Json::object();
  Json model_options = Json::object();  // RunnerInfo::options

  // Not part of the hash.
  bool first_samples = true;  // sample_ids are the first ones of the dataset
  // What `resume` and `rescore` make task and model from again: a name, or the path of a file.
  std::string task_source, model_source;
  std::vector<MetricInfo> metrics;
  std::vector<std::string> breakdowns;
  std::string cluster;
  std::vector<std::string> notes;  // what a reader of the scores must know of the data, a sentence each
  Json tags = Json::object();
  Json environment = Json::object();
};

// Canonical JSON of the part that may change an answer, and its SHA-256. A model file counts by its hash, any
// other model by name and URL.
Json spec_json(const RunSpec& spec);
std::string spec_sha256(const RunSpec& spec);

// Everything, for the store. run_spec_from_json throws Error{kInvalidData} naming `where`.
Json to_json(const RunSpec& spec);
RunSpec run_spec_from_json(const Json& json, const std::string& where);

// A run as the store knows it.
struct Run {
  RunId id{};
  RunSpec spec;
  RunStatus status = RunStatus::kUnfinished;
  std::int64_t wall_ns = 0;       // summed over its executions
  std::int64_t batch = 0;         // which `micius run` began it; `latest` is the highest
  std::string started, finished;  // RFC 3339; finished is "" until it is
};

}  // namespace micius
