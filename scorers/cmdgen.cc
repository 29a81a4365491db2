#include "scorers/cmdgen.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "scorers/extract.h"
#include "scorers/params.h"
#include "scorers/similarity.h"

namespace micius {
namespace {

constexpr std::size_t kSoftWords = 20;  // a shorter output is equal or wrong
constexpr std::size_t kShownAnswer = 2000;
constexpr std::size_t kShownReason = 120;

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> kNames = {
      "accuracy",       "cmd_score",       "output_score",   "calibration",  "exact_match",
      "success_ratio",  "strict_accuracy", "strict_success", "normal_match", "exact_raw",
      "calibration_80", "calibration_85",  "calibration_95", "similar_only"};
  return kNames;
}

// The thresholds that Calibration is shown at beside its own.
constexpr std::pair<const char*, double> kOtherCalibrations[] = {
    {"calibration_80", 0.80}, {"calibration_85", 0.85}, {"calibration_95", 0.95}};

double one_if(bool right) { return right ? 1 : 0; }

// Several lines as the script "a; b".
std::string one_line(const std::string& command) { return replace_all(command, "\n", "; "); }

bool same_words(const std::string& a, const std::string& b) {
  const auto left = shell_tokens(a), right = shell_tokens(b);
  if (!left || !right) return strip(a) == strip(b);
  return *left == *right;
}

bool is_empty(const Effect& effect, const std::string& text) {
  return strip(text).empty() && effect.files.empty() && effect.state.empty();
}

// Why an answer is wrong, in a few words.
std::string difference(const CommandCase& item, const Effect& answer, const Effect& reference) {
  if (answer.timed_out) return "it was ended: too long, or too much memory";
  if (answer.unbounded != reference.unbounded)
    return answer.unbounded ? "it never ends" : "it ends, the reference does not";
  if (item.channels.count("exit") != 0 && answer.exit != reference.exit) {
    // nvidia-smi and others say on stdout what is wrong.
    const std::string_view said = strip(answer.err).empty() ? strip(answer.out) : strip(answer.err);
    const std::string message(said.substr(0, said.find('\n')));
    return fmt::format("exit status {}, not {}{}", answer.exit, reference.exit,
                       message.empty() ? "" : ": " + shorten(message, kShownReason));
  }
  if (answer.programs != reference.programs) {
    std::vector<std::string> names(answer.programs.begin(), answer.programs.end());
    return names.empty() ? "no tool of the machine ran" : "other tools ran: " + join(names, ", ");
  }
  if (answer.state != reference.state) return "the machine's state or the time it took differs";
  if (answer.files != reference.files) return "the files differ";
  return "the output differs";
}

class Cmdgen final : public Scorer {
 public:
  Cmdgen(const std::filesystem::path& folder, Services* services, CommandJudge::Thresholds thresholds)
      : judge_(folder, services, thresholds) {}

  std::string_view name() const override { return "cmdgen"; }
  std::vector<std::string> metrics() const override { return metric_names(); }
  Json environment() const override { return judge_.environment(); }

  std::string observe(const Sample& sample, std::span<const Turn> turns) const override {
    const std::optional<std::string> command = command_of(turns);
    if (!command) return "";
    const CommandCase item = command_case(sample);
    std::string why_not;
    const auto reference = judge_.runner().remembered(item.reference, item.machine, why_not);
    if (!reference) return dump_json({{"unscored", why_not}});
    if (*command == item.reference)
      return dump_json({{"answer", to_json(*reference)}, {"reference", nullptr}});
    const auto answer = judge_.runner().run(*command, item.machine, why_not);
    if (!answer) return dump_json({{"unscored", why_not}});
    const Json done = to_json(*answer), wanted = to_json(*reference);
    return dump_json({{"answer", done}, {"reference", done == wanted ? Json() : wanted}});
  }

  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    const std::optional<std::string> command = command_of(turns);
    if (!command) return no_answer();
    Score score;
    score.answer = shorten(to_valid_utf8(*command), kShownAnswer);
    const Turn& turn = turns.front();
    if (turn.observation.empty()) {
      score.reason = "the command was not run; `micius rescore --observe` runs it";
      return score;
    }
    const std::string where = "observation of " + sample.id;
    const Json observed = parse_json(turn.observation, where);
    const JsonFields fields(observed, where);
    if (fields.has("unscored")) {
      score.reason = fields.string("unscored");
      return score;
    }
    const CommandCase item = command_case(sample);
    const Effect answer = effect_from_json(fields.at("answer"), where);
    const Effect reference =
        fields.has("reference") ? effect_from_json(fields.at("reference"), where) : answer;
    const CommandParts parts = judge_.judge(item, *command, answer, reference);
    score.values = values_of(parts);
    const auto positive = [](const Value& value) { return value.value > 0; };
    const bool any = std::any_of(score.values.begin(), score.values.end(), positive);
    score.verdict = parts.accuracy() ? Verdict::kCorrect : any ? Verdict::kPartial : Verdict::kIncorrect;
    if (parts.similar_only) score.reason = "similar, not equal";
    if (!parts.accuracy()) score.reason = difference(item, answer, reference);
    if (!parts.cmd_score)
      score.reason += std::string(score.reason.empty() ? "" : "; ") + "no embedder: success by equal text";
    return score;
  }

 private:
  std::optional<std::string> command_of(std::span<const Turn> turns) const {
    const auto text = after_thinking(turns.front().completion.text);
    if (!text) return std::nullopt;
    return read_command(*text, [&](std::string_view word) { return judge_.normal_forms().known(word); });
  }

  Score no_answer() const {
    Score score;
    score.verdict = Verdict::kNoAnswer;
    score.reason = "no command could be read";
    CommandParts parts;
    if (judge_.has_embedder()) parts.cmd_score = parts.output_score = parts.calibration = 0;
    score.values = values_of(parts);
    return score;
  }

  CommandJudge judge_;
};

}  // namespace

CommandJudge::CommandJudge(const std::filesystem::path& folder, Services* services, Thresholds thresholds)
    : catalog_(folder), services_(services), thresholds_(thresholds) {
  const std::string where = (folder / "normal.json").string();
  const Json rules = parse_json(read_file(where), where);
  const JsonFields fields(rules, where);
  normal_ = std::make_unique<NormalForms>(catalog_, rules, where);
  texts_ = std::make_unique<EffectTexts>(rules, where);
  runner_ =
      std::make_unique<CommandRunner>(catalog_, folder, fields.strings_or("fixture_programs", {}), services);
}

bool CommandJudge::has_embedder() const {
  return services_ != nullptr && services_->embedder().service != nullptr;
}

Json CommandJudge::environment() const {
  Json json = {{"calibration", thresholds_.calibration}, {"similar", thresholds_.similar}};
  if (has_embedder()) json["embedder"] = services_->embedder().service->identity();
  return json;
}

double CommandJudge::output_score(const CommandCase& item, const Effect& answer, const Effect& reference,
                                  Embedder& embedder) const {
  if (answer.timed_out || reference.timed_out) return 0;
  const std::string host = catalog_.profile(item.machine.profile).data.value("hostname", "");
  const std::string a = texts_->similarity(answer, item.channels, host);
  const std::string b = texts_->similarity(reference, item.channels, host);
  const bool no_answer = is_empty(answer, a), no_reference = is_empty(reference, b);
  if (no_answer && no_reference) return one_if(answer.exit == reference.exit);
  if (no_answer || no_reference) return 0;
  return long_similarity(embedder, a, b);
}

CommandParts CommandJudge::judge(const CommandCase& item, const std::string& command, const Effect& answer,
                                 const Effect& reference) const {
  const emu::Profile& profile = catalog_.profile(item.machine.profile);
  const std::string host = profile.data.value("hostname", "");
  std::vector<std::string> targets = {item.reference};
  targets.insert(targets.end(), item.accepted.begin(), item.accepted.end());
  CommandParts parts;
  parts.exact_raw = strip(command) == strip(item.reference);
  const auto form = normal_->of(command, profile.platform);
  for (const std::string& target : targets) {
    const bool exact = same_words(command, target);
    parts.exact_match = parts.exact_match || exact;
    parts.normal_match =
        parts.normal_match || exact || (form && form == normal_->of(target, profile.platform));
  }
  Embedder* embedder = services_ == nullptr ? nullptr : services_->embedder().service;
  if (embedder != nullptr) {
    double best = 0;
    for (const std::string& target : targets)
      best = std::max(best, cosine_of(*embedder, one_line(command), one_line(target)));
    parts.cmd_score = best;
    parts.output_score = output_score(item, answer, reference, *embedder);
    parts.calibration = one_if(parts.alike() > thresholds_.calibration);
  }
  using Text = EffectTexts::Text;
  parts.success = parts.strict_success = texts_->agree(answer, reference, item.channels, host, Text::kEqual);
  if (!parts.success && parts.output_score.value_or(0) >= thresholds_.similar) {
    const auto words = [&](const Effect& effect) {
      return split_words(texts_->similarity(effect, item.channels, host)).size();
    };
    parts.similar_only = words(answer) >= kSoftWords && words(reference) >= kSoftWords &&
                         texts_->agree(answer, reference, item.channels, host, Text::kAny);
    parts.success = parts.similar_only;
  }
  return parts;
}

CommandCase command_case(const Sample& sample) {
  const JsonFields fields(sample.extra, sample.id);
  CommandCase item;
  item.machine = {fields.string("profile"), fields.string_or("fixture", "default")};
  item.reference = sample.targets.front();
  item.accepted.assign(sample.targets.begin() + 1, sample.targets.end());
  const auto channels = fields.strings_or("compare", {"exit", "stdout", "files", "state"});
  item.channels = Channels(channels.begin(), channels.end());
  return item;
}

std::vector<Value> values_of(const CommandParts& parts) {
  std::vector<Value> values = {{"accuracy", one_if(parts.accuracy())}};
  if (parts.cmd_score) values.push_back({"cmd_score", *parts.cmd_score});
  if (parts.output_score) values.push_back({"output_score", *parts.output_score});
  if (parts.calibration) values.push_back({"calibration", *parts.calibration});
  values.push_back({"exact_match", one_if(parts.exact_match)});
  values.push_back({"success_ratio", one_if(parts.success)});
  values.push_back({"strict_accuracy", one_if(parts.strict_accuracy())});
  values.push_back({"strict_success", one_if(parts.strict_success)});
  values.push_back({"normal_match", one_if(parts.normal_match)});
  values.push_back({"exact_raw", one_if(parts.exact_raw)});
  if (!parts.calibration) return values;
  for (const auto& [name, threshold] : kOtherCalibrations)
    values.push_back({name, one_if(parts.alike() > threshold)});
  values.push_back({"similar_only", one_if(parts.similar_only)});
  return values;
}

std::unique_ptr<Scorer> make_cmdgen_scorer(const Spec& spec, const ScorerContext& context) {
  const JsonFields fields(spec.params, scorer_place(spec, context));
  fields.only({"calibration", "similar"});
  CommandJudge::Thresholds thresholds;
  for (const auto& [key, value] :
       {std::pair("calibration", &thresholds.calibration), std::pair("similar", &thresholds.similar)}) {
    *value = fields.number_or(key, *value);
    if (!(*value >= 0 && *value <= 1))
      fail(ErrorCode::kUsage, "{}: field '{}' must be from 0 to 1, not {}", fields.where(), key, *value);
  }
  return std::make_unique<Cmdgen>(context.roots.share / "datasets/aimicius/cmdgen", context.services,
                                  thresholds);
}

}  // namespace micius
