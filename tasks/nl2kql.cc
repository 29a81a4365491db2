#include "tasks/nl2kql.h"

#include <filesystem>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "tasks/schema_context.h"

namespace micius {
namespace {

constexpr const char* kFolder = "datasets/aimicius/nl2kql/";
constexpr std::size_t kBudgetBytes = 12000;  // bytes
constexpr int kMaxTokens = 512;
constexpr const char* kInstruction =
    "Write one Kusto (KQL) query for the request. Answer with the query only.\n\n";

enum class Context { kNone, kBudget, kGold };
enum class Source { kSuite, kPublic };

// What the prompts need besides the sample.
struct Asking {
  Context context = Context::kBudget;
  PromptStyle style = PromptStyle::kTurns;
  std::string system;
  // By database in the public task; "" else.
  std::shared_ptr<const std::map<std::string, SchemaContext>> schemas;
};

std::set<std::string> names_in(const JsonFields& fields, const char* key) {
  const std::vector<std::string> names = fields.strings_or(key, {});
  return {names.begin(), names.end()};
}

std::string context_of(const Asking& asking, const Sample& sample) {
  if (asking.context == Context::kNone) return "";
  const JsonFields fields(sample.extra, sample.id);
  const bool own = asking.schemas->contains("");
  const auto it = asking.schemas->find(own ? "" : fields.string("database"));
  if (it == asking.schemas->end()) return "";
  const SchemaRequest request{sample.id, sample.input,
                              own ? names_in(fields, "databases") : std::set<std::string>{},
                              names_in(fields, "tables"), names_in(fields, "columns")};
  const SchemaContext& schema = it->second;
  const std::string lines =
      asking.context == Context::kGold ? schema.gold(request) : schema.budget(request, kBudgetBytes);
  return lines.empty() ? "" : lines + "\n";
}

// The instruction and the context stand in the first user turn; a shot is a user and an assistant turn.
std::optional<Prompt> ask(const Asking& asking, const Sample& sample, std::span<const Sample> shots,
                          std::span<const Turn> turns) {
  if (!turns.empty()) return std::nullopt;
  std::vector<Message> messages;
  if (!asking.system.empty()) messages.push_back({Role::kSystem, asking.system});
  std::string text = kInstruction + context_of(asking, sample);
  const bool as_text = asking.style != PromptStyle::kTurns && !shots.empty();
  for (const Sample& shot : shots) {
    if (as_text) {
      text += fmt::format("Question: {}\nAnswer: {}\n\n", shot.input, shot.targets.front());
    } else {
      messages.push_back({Role::kUser, std::exchange(text, "") + "Request: " + shot.input});
      messages.push_back({Role::kAssistant, shot.targets.front()});
    }
  }
  text += as_text ? fmt::format("Question: {}\nAnswer:", sample.input) : "Request: " + sample.input;
  messages.push_back({Role::kUser, std::move(text)});
  return Prompt{sample.id, GenerateInput{std::move(messages)}};
}

Sample prepare(Sample sample) {
  const JsonFields fields(sample.extra, sample.id);
  sample.targets = {fields.string("query")};
  return sample;
}

Spec suite_split(const std::string& split) {
  return {"jsonl",
          {{"path", kFolder + split + ".jsonl"}, {"root", "share"}, {"id", "id"}, {"input", "question"}}};
}

std::shared_ptr<const std::map<std::string, SchemaContext>> read_schemas(Source source,
                                                                         const DataRoots& roots) {
  std::map<std::string, std::vector<SchemaTable>> tables;
  if (source == Source::kSuite) {
    tables[""] = read_suite_schema(roots.share / kFolder / "catalog.json");
  } else if (const auto path = roots.data / "nl2kql/schemas.json"; std::filesystem::exists(path)) {
    for (SchemaTable& table : read_public_schema(path)) tables[table.database].push_back(std::move(table));
  }
  auto schemas = std::make_shared<std::map<std::string, SchemaContext>>();
  for (auto& [database, list] : tables) schemas->emplace(database, SchemaContext(std::move(list)));
  return schemas;
}

std::vector<MetricInfo> metrics() {
  std::vector<MetricInfo> metrics;
  for (const char* name : {"names", "syntax_accuracy", "similarity", "cluster", "database", "table", "column",
                           "schema_valid", "similarity_words"})
    metrics.push_back({.name = name});
  return metrics;
}

Task make(const TaskOptions& options, Source source, Context context) {
  const bool own = source == Source::kSuite;
  Task task;
  task.name = own ? "nl2kql" : "nl2kql-public";
  if (context == Context::kNone) task.name += ":none";
  if (context == Context::kGold) task.name += ":gold";
  JsonFields(options.params, "task '" + task.name + "'").only({});
  Asking asking;
  asking.context = context;
  asking.style = options.style.value_or(PromptStyle::kTurns);
  asking.system = options.system;
  if (context != Context::kNone) asking.schemas = read_schemas(source, options.roots);

  task.suite = "aimicius";
  task.summary = own ? "Write the KQL query for a request about a GPU fleet's telemetry"
                     : "Write the KQL query for a published request";
  task.dataset =
      own ? suite_split("test")
          : Spec{"jsonl",
                 {{"path", "nl2kql/pairs.jsonl"}, {"root", "data"}, {"id", "id"}, {"input", "question"}}};
  task.scorer = {"nl2kql", {{"catalog", own ? "aimicius" : "public"}}};
  task.shots = options.shots.value_or(0);
  if (own) task.shot_source = {{{suite_split("dev")}}, ShotRule::kFirstOfGroup};
  task.style = asking.style;
  task.options.max_tokens = kMaxTokens;
  if (asking.style == PromptStyle::kText && task.shots > 0) task.options.stop = {"\nQuestion:"};
  task.metrics = metrics();
  task.breakdowns = {"group", "slice", "difficulty", "source", "tags"};
  if (!own) task.breakdowns = {"database"};
  task.cluster = own ? "family" : "";
  if (!options.system.empty()) task.params["system"] = options.system;
  task.prepare = prepare;
  task.next = [asking](const Sample& sample, std::span<const Sample> shots, std::span<const Turn> turns) {
    return ask(asking, sample, shots, turns);
  };
  return task;
}

}  // namespace

Task make_nl2kql(const TaskOptions& options) { return make(options, Source::kSuite, Context::kBudget); }
Task make_nl2kql_none(const TaskOptions& options) { return make(options, Source::kSuite, Context::kNone); }
Task make_nl2kql_gold(const TaskOptions& options) { return make(options, Source::kSuite, Context::kGold); }
Task make_nl2kql_public(const TaskOptions& options) {
  return make(options, Source::kPublic, Context::kBudget);
}
Task make_nl2kql_public_none(const TaskOptions& options) {
  return make(options, Source::kPublic, Context::kNone);
}
Task make_nl2kql_public_gold(const TaskOptions& options) {
  return make(options, Source::kPublic, Context::kGold);
}

}  // namespace micius
