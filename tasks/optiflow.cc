#include "tasks/optiflow.h"

#include <memory>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "tasks/optiflow_case.h"

namespace micius {
namespace {

constexpr const char* kFolder = "datasets/aimicius/optiflow/";
constexpr int kTurnTokens = 2048;
constexpr std::size_t kMostTableNodes = 18;

constexpr const char* kRules =
    R"(A step is written D(owner, chunk): G(src) => G(dst): GPU src sends chunk number `chunk` of GPU `owner` to GPU dst. Numbers start at 0.
A plan is a list of steps, or a list of rounds where each round is a list of steps. Print it as a Python list of strings (or of lists of strings).
A GPU can only send a chunk that it owns or has received: in a list, by an earlier step; with rounds, in an earlier round.
Two GPUs can exchange data if there is a link between them or a way through switches, bridges and NICs only. GPUs do not forward by themselves.
Time of a chunk on a link: latency + bytes / bandwidth, link after link. In a list, sends over the same link start one after another in list order and
each pays the latency. In a round, all steps run together, sends over the same link share it and the latency is paid once; the next round starts when all have ended.
)";

constexpr const char* kAsk =
    "Write a Python program that prints a plan with less latency. Answer with one Python code block.";
constexpr const char* kAskAgain = "Write a new Python program that prints a plan with less latency.";

std::string cell(const Json& value) { return value.is_null() ? "inf" : value.dump(); }

std::string table(const Json& nodes, const Json& rows) {
  std::string text = "| |", line = "|---|";
  for (const Json& node : nodes) {
    text += " " + node.get<std::string>() + " |";
    line += "---|";
  }
  text += "\n" + line + "\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += "| " + nodes[i].get<std::string>() + " |";
    for (const Json& value : rows[i]) text += " " + cell(value) + " |";
    text += "\n";
  }
  return text;
}

std::string links(const Json& nodes, const Json& latency, const Json& bandwidth) {
  std::string text = "Links.\n";
  for (std::size_t from = 0; from < nodes.size(); ++from) {
    for (std::size_t to = 0; to < nodes.size(); ++to) {
      const Json& gbps = bandwidth[from][to];
      if (from == to || latency[from][to].is_null() || gbps.is_null() || gbps == 0) continue;
      text += fmt::format("{} -> {}: {} us, {} GB/s\n", nodes[from].get<std::string>(),
                          nodes[to].get<std::string>(), cell(latency[from][to]), cell(gbps));
    }
  }
  return text;
}

std::string machine_text(const Json& machine) {
  const Json& nodes = machine.at("nodes");
  const Json &latency = machine.at("latency_us"), &bandwidth = machine.at("bandwidth_gbps");
  if (nodes.size() > kMostTableNodes) return links(nodes, latency, bandwidth);
  return "Latency adjacency matrix (in us).\n" + table(nodes, latency) +
         "\nBandwidth adjacency matrix (in GB/s).\n" + table(nodes, bandwidth);
}

std::string fenced(const std::string& program) { return "```python\n" + program + "```"; }

std::string question(const Sample& sample) {
  const JsonFields fields(sample.extra, sample.id);
  return fmt::format("{}\n\n{}\n{}\nInitial Plan.\n{}\n\n{}", sample.input,
                     machine_text(fields.at("machine")), kRules, fenced(fields.string("initial")), kAsk);
}

// Tuning cases are of two kinds, as in the paper: `generate` asks once for a good plan, `improve` begins with
// a plan of its own. Test cases have none and two turns.
bool asks_once(const Sample& sample) {
  return JsonFields(sample.extra, sample.id).string_or("kind", "") == "generate";
}

std::string right_first_program(const Sample& sample) {
  const JsonFields fields(sample.extra, sample.id);
  return asks_once(sample) ? sample.targets.front() : fields.string_or("first", fields.string("initial"));
}

// What the program's plan took, in the words of the dialogue.
std::string told(const Turn& turn, const std::string& where) {
  const Json json = parse_json(turn.observation, where);
  const JsonFields fields(json, where), plan = fields.object("plan");
  if (plan.boolean_or("valid", false)) {
    const double us = static_cast<double>(plan.integer("latency_ps")) / 1e6;
    std::string text = fmt::format("Latency. {:.2f} us", us);
    if (const std::int64_t redundant = plan.integer("redundant"); redundant > 0)
      text += fmt::format("\nYour plan repeats {} deliveries that bring nothing new.", redundant);
    return text;
  }
  if (const std::string error = fields.string_or("error", ""); !error.empty())
    return fmt::format("The program failed: {}.", error);
  if (!fields.boolean_or("code", false) && plan.string_or("code", "") == "empty")
    return "No Python code was found.";
  return fmt::format("The plan is not valid: {}.", plan.string("error"));
}

struct Dialogue {
  PromptStyle style;
  std::string system;
};

std::vector<Message> first_messages(const Dialogue& dialogue, const Sample& sample,
                                    std::span<const Sample> shots) {
  std::vector<Message> messages;
  if (!dialogue.system.empty()) messages.push_back({Role::kSystem, dialogue.system});
  std::string text;
  for (const Sample& shot : shots) {
    const std::string answer = fenced(shot.targets.front());
    if (dialogue.style == PromptStyle::kTurns) {
      messages.push_back({Role::kUser, question(shot)});
      messages.push_back({Role::kAssistant, answer});
    } else {
      text += fmt::format("Question: {}\nAnswer: {}\n\n", question(shot), answer);
    }
  }
  if (text.empty())
    text = question(sample);
  else
    text += fmt::format("Question: {}\nAnswer:", question(sample));
  messages.push_back({Role::kUser, std::move(text)});
  return messages;
}

std::optional<Prompt> next_prompt(const Dialogue& dialogue, const Sample& sample,
                                  std::span<const Sample> shots, std::span<const Turn> turns) {
  if (turns.empty()) return Prompt{sample.id, GenerateInput{first_messages(dialogue, sample, shots)}};
  const std::string where = "observation of " + sample.id;
  if (turns.size() != 1 || turns[0].observation.empty() || asks_once(sample)) return std::nullopt;
  if (JsonFields(parse_json(turns[0].observation, where), where).has("unscored")) return std::nullopt;
  std::vector<Message> messages = first_messages(dialogue, sample, {});
  messages.push_back({Role::kAssistant, turns[0].completion.text});
  messages.push_back({Role::kUser, told(turns[0], where) + "\n" + kAskAgain});
  return Prompt{sample.id, GenerateInput{std::move(messages)}};
}

bool is_square(const Json& rows, std::size_t size) {
  if (!rows.is_array() || rows.size() != size) return false;
  for (const Json& row : rows) {
    if (!row.is_array() || row.size() != size) return false;
  }
  return true;
}

// Puts programs and the machine of a case in short form into their long one.
void lengthen(Json& extra, const std::string& id, OptiflowPrograms& programs) {
  const JsonFields fields(extra, id);
  if (find_json(extra, "machine.links") != nullptr)
    extra["machine"] =
        long_machine(fields.at("machine"), fields.integer("gpu_count"), id + ": field 'machine'");
  for (const char* name : {"initial", "first", "best"}) {
    if (!fields.has(name) || !fields.at(name).is_object()) continue;
    extra[name] = programs.program(fields.at(name), fields.at("machine"), fields.integer("chunks_per_gpu"),
                                   fmt::format("{}: field '{}'", id, name));
  }
}

// Checks what the prompts and the scorer read, so that a broken case is named before anything is asked.
Sample prepare(Sample sample, OptiflowPrograms& programs) {
  lengthen(sample.extra, sample.id, programs);
  const JsonFields fields(sample.extra, sample.id);
  const JsonFields machine = fields.object("machine");
  const std::size_t nodes = machine.strings_or("nodes", {}).size();
  for (const char* name : {"latency_us", "bandwidth_gbps"}) {
    if (is_square(machine.at(name), nodes)) continue;
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be {} lists of {} numbers, one for each node",
         machine.where(), name, nodes, nodes);
  }
  const std::int64_t chunks = fields.integer("chunks_per_gpu"), bytes = fields.integer("bytes_per_gpu");
  if (chunks < 1 || bytes < chunks || bytes % chunks != 0) {
    fail(ErrorCode::kInvalidData, "{}: {} bytes a GPU cannot be divided into {} chunks", sample.id, bytes,
         chunks);
  }
  for (const char* name : {"initial_ps", "best_ps", "bound_ps"}) fields.integer(name);
  fields.string("initial");
  sample.input = fmt::format(
      "You schedule an all-gather on a machine with {} GPUs. Every GPU owns {} chunks of {} bytes; at the "
      "end every "
      "GPU must hold every chunk.",
      fields.integer("gpu_count"), chunks, bytes / chunks);
  sample.targets = {fields.string("best")};
  return sample;
}

Spec split_of(const std::string& split) {
  return {"jsonl", {{"path", kFolder + split + ".jsonl"}, {"root", "share"}, {"id", "id"}}};
}

}  // namespace

Task make_optiflow_task(const TaskOptions& options) {
  JsonFields(options.params, "task 'optiflow'").only({});
  const Dialogue dialogue{options.style.value_or(PromptStyle::kTurns), options.system};
  Task task;
  task.name = "optiflow";
  task.suite = "aimicius";
  task.summary = "Write a program that plans an all-gather on a multi-GPU machine, then a faster one";
  task.dataset = split_of("test");
  task.scorer = {"optiflow"};
  task.shots = options.shots.value_or(0);
  task.shot_source = {{{split_of("dev")}}, ShotRule::kFirstOfGroup};
  task.style = dialogue.style;
  task.turn_max_tokens = {kTurnTokens, kTurnTokens};
  task.options.max_tokens = kTurnTokens;
  if (dialogue.style == PromptStyle::kText && task.shots > 0) task.options.stop = {"\nQuestion:"};
  for (const char* metric : {"plan_improved", "code_detected", "code_executable", "plan_valid",
                             "plan_valid_2", "code_executable_2", "plan_repaired", "improved_or_tight",
                             "beats_initial", "bound_fraction", "solved"})
    task.metrics.push_back({.name = metric});
  task.breakdowns = {"group", "slice", "difficulty", "source", "tags"};
  task.cluster = "family";
  if (!options.system.empty()) task.params["system"] = options.system;
  // Shared: a task is copied freely, and the programs never change.
  const auto programs = std::make_shared<OptiflowPrograms>(options.roots.share / kFolder / "baselines");
  task.prepare = [programs](Sample sample) { return prepare(std::move(sample), *programs); };
  task.next = [dialogue](const Sample& sample, std::span<const Sample> shots, std::span<const Turn> turns) {
    return next_prompt(dialogue, sample, shots, turns);
  };
  task.reference = [](const Sample& sample, std::span<const Turn> turns) {
    return fenced(turns.empty() ? right_first_program(sample) : sample.targets.front());
  };
  return task;
}

}  // namespace micius
