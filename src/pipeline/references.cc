#include "pipeline/references.h"

#include <unordered_map>
#include <variant>

#include <fmt/format.h>

#include "base/rng.h"

namespace micius {

References::References(const Task& task, const Plan& plan) : task_(&task), plan_(&plan) {
  std::unordered_map<std::string, std::size_t> by_key;
  for (std::size_t i = 0; i < plan.samples.size(); ++i) {
    const Json& extra = plan.samples[i].extra;
    const auto field = extra.find("group");
    const std::string key = field == extra.end() ? std::string() : dump_json(*field);
    const std::size_t group = by_key.emplace(key, groups_.size()).first->second;
    if (group == groups_.size()) groups_.emplace_back();
    group_of_.push_back(group);
    place_in_group_.push_back(groups_[group].size());
    groups_[group].push_back(i);
  }
}

std::string References::answer_of(std::size_t sample, std::span<const Turn> turns) const {
  const Sample& s = plan_->samples[sample];
  if (task_->reference) return task_->reference(s, turns);
  return s.targets.empty() ? std::string() : s.targets.front();
}

std::string References::right(const Prompt& prompt, const RequestPlace& place) const {
  if (std::holds_alternative<GenerateInput>(prompt.input)) return answer_of(place.sample, place.turns);
  const Json& extra = plan_->samples[place.sample].extra;
  const auto gold = extra.find("gold");
  if (gold == extra.end()) return "0";
  const Json& right = gold->is_array() && !gold->empty() ? gold->front() : *gold;
  return right.is_number_integer() ? dump_json(right) : "0";
}

std::string References::other(const Prompt& prompt, const RequestPlace& place) const {
  Rng rng(fmt::format("{}/random/{}/{}", plan_->spec.options.seed, plan_->samples[place.sample].id,
                      place.repeat));
  if (const auto* weigh = std::get_if<LikelihoodInput>(&prompt.input))
    return weigh->pairs.empty() ? std::string() : std::to_string(rng.below(weigh->pairs.size()));
  const std::vector<std::size_t>& group = groups_[group_of_[place.sample]];
  const bool alone = group.size() == 1;
  const std::size_t others = (alone ? plan_->samples.size() : group.size()) - 1;
  if (others == 0) return {};
  const std::size_t own = alone ? place.sample : place_in_group_[place.sample];
  std::size_t drawn = rng.below(others);
  if (drawn >= own) ++drawn;
  return answer_of(alone ? drawn : group[drawn], place.turns);
}

}  // namespace micius
