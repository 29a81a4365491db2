#include <algorithm>
#include <limits>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/check_lines.h"
#include "plan/cost.h"
#include "plan/machine.h"
#include "plan/plan.h"

namespace micius {
namespace {

using plan::Machine;

class PublishedMachines {
 public:
  explicit PublishedMachines(std::filesystem::path file) : file_(std::move(file)) {}

  const Machine& named(const std::string& name, const std::string& where) {
    if (machines_.empty()) read();
    const auto it = machines_.find(name);
    if (it != machines_.end()) return it->second;
    std::vector<std::string> names;
    for (const auto& [known, machine] : machines_) names.push_back(known);
    fail(ErrorCode::kInvalidData, "{}: unknown machine '{}'{}; known: {}", where, name,
         did_you_mean(name, names), join(names, ", "));
  }

 private:
  void read() {
    const std::string where = file_.string();
    const Json json = parse_json(read_file(file_), where);
    for (const Json& one : JsonFields(json, where).at("named")) {
      const std::string name = JsonFields(one, where).string("name");
      machines_.emplace(name, Machine::from_links(one, where + ": " + name));
    }
  }

  std::filesystem::path file_;
  std::map<std::string, Machine> machines_;
};

// Where the wrong step stands in the line, from 1: the text of a plan is in it with other quotes alone.
std::size_t column_of(std::string_view line, const plan::Plan& plan, std::optional<std::size_t> wrong) {
  std::vector<std::size_t> offsets;
  if (wrong && plan::read_plan(line, &offsets).steps == plan.steps) return offsets[*wrong] + 1;
  const std::size_t key = line.find("\"plan\"");
  return key == std::string_view::npos ? 1 : key + 1;
}

LineCheck check(const Machine& machine, const JsonFields& fields, std::string_view line) {
  const std::int64_t chunks = fields.integer("chunks_per_gpu");
  constexpr std::int64_t kHuge = std::numeric_limits<int>::max();
  const plan::CostModel model(machine, static_cast<int>(std::clamp<std::int64_t>(chunks, 0, kHuge)),
                              fields.integer("chunk_bytes"), fields.where());
  const plan::Plan plan = plan::read_plan(fields.string("plan"));
  const plan::Outcome outcome = model.run(plan);
  if (!outcome.valid) {
    return {{{"valid", false}, {"code", outcome.code}, {"error", outcome.error}},
            outcome.code + ": " + outcome.error,
            column_of(line, plan, outcome.wrong_step)};
  }
  return {{{"kind", plan.kind == plan::PlanKind::kRounds ? "rounds" : "steps"},
           {"valid", true},
           {"latency_ps", outcome.latency_ps},
           {"steps", outcome.steps},
           {"redundant", outcome.redundant}},
          "",
          1};
}

}  // namespace

LineChecker plan_checker(const std::filesystem::path& share) {
  const auto machines =
      std::make_shared<PublishedMachines>(share / "datasets/aimicius/optiflow/families.json");
  return [machines](const JsonFields& fields, std::string_view line) {
    const Json& machine = fields.at("machine");
    if (machine.is_string())
      return check(machines->named(machine.get<std::string>(), fields.where()), fields, line);
    return check(Machine::from_json(machine, fields.where() + ": machine"), fields, line);
  };
}

}  // namespace micius
