#include "scorers/optiflow.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "plan/cost.h"
#include "plan/machine.h"
#include "scorers/extract.h"
#include "scorers/optiflow_program.h"
#include "scorers/params.h"

namespace micius {
namespace {

// What observe() left of one turn.
struct Seen {
  bool code = false, executable = false, step = false;  // step: a plan of at least one step was read
  std::optional<std::int64_t> latency_ps;               // of a valid plan
  std::string error;                                    // of the plan, else of the program
  std::string unscored;
};

Seen read_observation(const Turn& turn, const std::string& where) {
  Seen seen;
  if (turn.observation.empty()) {
    seen.unscored = "the answer was not run";
    return seen;
  }
  const Json json = parse_json(turn.observation, where);
  const JsonFields fields(json, where);
  seen.unscored = fields.string_or("unscored", "");
  if (!seen.unscored.empty()) return seen;
  seen.code = fields.boolean_or("code", false);
  seen.executable = fields.boolean_or("executable", false);
  const JsonFields plan = fields.object("plan");
  seen.step = plan.string_or("code", "") != "empty";
  if (plan.boolean_or("valid", false)) seen.latency_ps = plan.integer("latency_ps");
  seen.error = fields.string_or("error", "");
  if (seen.error.empty()) seen.error = plan.string_or("error", "");
  return seen;
}

// Of each round [[from, to, chunks], ..], the links that its steps' routes lead over, as written; a list is
// one round. For the reader of a report, so no more rounds than can be looked at.
Json link_use(const plan::Plan& plan, const plan::Machine& machine) {
  constexpr std::size_t kMostRounds = 64;
  std::vector<std::size_t> ends = plan.round_ends;
  if (plan.kind == plan::PlanKind::kSteps) ends = {plan.steps.size()};
  Json rounds = Json::array();
  std::size_t step = 0;
  for (const std::size_t end : ends) {
    if (rounds.size() == kMostRounds) break;
    std::map<std::pair<int, int>, int> uses;
    for (; step < end; ++step) {
      if (plan.steps[step].src == plan.steps[step].dst) continue;
      for (const int link : machine.route(plan.steps[step].src, plan.steps[step].dst)) {
        const plan::Link& over = machine.links()[static_cast<std::size_t>(link)];
        ++uses[{over.from, over.to}];
      }
    }
    Json round = Json::array();
    for (const auto& [nodes, n] : uses) round.push_back({nodes.first, nodes.second, n});
    rounds.push_back(std::move(round));
  }
  return rounds;
}

Json plan_json(const plan::Plan& plan, const plan::Outcome& outcome, const plan::Machine& machine) {
  if (!outcome.valid) return {{"valid", false}, {"code", outcome.code}, {"error", outcome.error}};
  return {{"valid", true},
          {"kind", plan.kind == plan::PlanKind::kRounds ? "rounds" : "steps"},
          {"steps", outcome.steps},
          {"redundant", outcome.redundant},
          {"latency_ps", outcome.latency_ps},
          {"link_use", link_use(plan, machine)}};
}

// The figures of a case.
struct Figures {
  std::int64_t initial_ps, best_ps, bound_ps;
};

std::string shown(const Seen& seen) {
  if (seen.latency_ps) return fmt::format("{:.2f} us", static_cast<double>(*seen.latency_ps) / 1e6);
  return seen.step ? "not valid" : "no plan";
}

double one_if(bool condition) { return condition ? 1 : 0; }

// The primary one first; every metric where the first plan is not valid.
std::vector<Value> values_of(const Seen& first, const Seen& second, const Figures& figures) {
  const auto& a = first.latency_ps;
  const auto& b = second.latency_ps;
  const bool improved = a && b && *b < *a;
  const bool tight = a && b && 100 * *a <= 102 * figures.best_ps && *b <= *a;
  const bool beats = (a && *a < figures.initial_ps) || (b && *b < figures.initial_ps);
  // The cost model rounds each transfer, so a plan can be a few picoseconds below the bound.
  const double fraction =
      b ? std::min(1.0, static_cast<double>(figures.bound_ps) / static_cast<double>(*b)) : 0.0;
  std::vector<Value> values = {
      {"plan_improved", one_if(improved)},           {"code_detected", one_if(first.code)},
      {"code_executable", one_if(first.executable)}, {"plan_valid", one_if(a.has_value())},
      {"plan_valid_2", one_if(b.has_value())},       {"code_executable_2", one_if(second.executable)}};
  if (!a) values.push_back({"plan_repaired", one_if(b.has_value())});
  values.push_back({"improved_or_tight", one_if(improved || tight)});
  values.push_back({"beats_initial", one_if(beats)});
  values.push_back({"bound_fraction", fraction});
  values.push_back({"solved", one_if(b && 100 * *b <= 105 * figures.best_ps)});
  return values;
}

class Optiflow final : public Scorer {
 public:
  explicit Optiflow(Services* services) : python_(services) {}

  std::string_view name() const override { return "optiflow"; }
  std::vector<std::string> metrics() const override {
    std::vector<std::string> names;
    for (Value& value : values_of({}, {}, {1, 1, 1})) names.push_back(std::move(value.metric));
    return names;
  }
  Json environment() const override { return {{"cost_model", plan::kCostModel}}; }

  std::string observe(const Sample& sample, std::span<const Turn> turns) const override {
    const JsonFields fields(sample.extra, sample.id);
    const int chunks = static_cast<int>(fields.integer("chunks_per_gpu"));
    const plan::Machine machine = plan::Machine::from_json(fields.at("machine"), sample.id);
    const plan::CostModel model(machine, chunks, fields.integer("bytes_per_gpu") / chunks, sample.id);
    const auto judged = [&](Json json, std::string_view text) {
      const plan::Plan plan = plan::read_plan(text);
      json["plan"] = plan_json(plan, model.run(plan), machine);
      return dump_json(json);
    };

    const Json no_code = {{"code", false}, {"executable", false}};
    const auto answer = after_thinking(turns.back().completion.text);
    if (!answer) return judged(no_code, "");
    const auto code = python_code(*answer);
    if (!code) return judged(no_code, *answer);
    if (const std::string& why = python_.why_not(); !why.empty()) return dump_json({{"unscored", why}});
    const ProgramResult result = run_plan_program(python_, *code, fields.at("machine"), chunks);
    if (!result.is_code) return judged(no_code, *answer);
    return judged({{"code", true},
                   {"executable", result.ended_well},
                   {"error", result.error},
                   {"python", python_.version()}},
                  result.printed);
  }

  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    const JsonFields fields(sample.extra, sample.id);
    const Figures figures{fields.integer("initial_ps"), fields.integer("best_ps"),
                          fields.integer("bound_ps")};
    const Seen first = read_observation(turns[0], sample.id + ": turn 1");
    const Seen second = second_of(sample, turns);
    Score score;
    for (const Seen* seen : {&first, &second}) {
      if (seen->unscored.empty()) continue;
      score.reason = seen->unscored;
      return score;
    }
    score.values = values_of(first, second, figures);
    const auto positive = [](const Value& value) { return value.value > 0; };
    if (score.values.front().value == 1) {
      score.verdict = Verdict::kCorrect;
    } else if (std::any_of(score.values.begin(), score.values.end(), positive)) {
      score.verdict = Verdict::kPartial;
    } else {
      const bool read = first.code || first.step || second.code || second.step;
      score.verdict = read ? Verdict::kIncorrect : Verdict::kNoAnswer;
    }
    score.answer = shown(first) + " -> " + shown(second);
    score.reason = reason_of(first, second, figures);
    return score;
  }

 private:
  static Seen second_of(const Sample& sample, std::span<const Turn> turns) {
    if (turns.size() > 1) return read_observation(turns[1], sample.id + ": turn 2");
    Seen seen;
    seen.unscored = "the second plan was never asked for: run the model again where there is a sandbox";
    return seen;
  }

  static std::string reason_of(const Seen& first, const Seen& second, const Figures& figures) {
    std::vector<std::string> reasons;
    if (!first.error.empty()) reasons.push_back("first: " + first.error);
    if (!second.error.empty()) reasons.push_back("second: " + second.error);
    if (second.latency_ps) {
      reasons.push_back(fmt::format("best known {:.2f} us, bound {:.2f} us",
                                    static_cast<double>(figures.best_ps) / 1e6,
                                    static_cast<double>(figures.bound_ps) / 1e6));
    }
    return join(reasons, "; ");
  }

  mutable Python python_;
};

}  // namespace

std::unique_ptr<Scorer> make_optiflow_scorer(const Spec& spec, const ScorerContext& context) {
  JsonFields(spec.params, scorer_place(spec, context)).only({});
  return std::make_unique<Optiflow>(context.services);
}

}  // namespace micius
