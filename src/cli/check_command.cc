#include <memory>
#include <utility>

#include "base/error.h"
#include "cli/check_lines.h"
#include "scorers/cmdgen.h"

namespace micius {
namespace {

// Judges one line; the reference is the command itself where there is none.
LineCheck check(const CommandJudge& judge, const JsonFields& fields) {
  fields.only({"profile", "command", "reference", "accepted", "compare"});
  const std::string command = fields.string("command");
  CommandCase item;
  item.machine.profile = fields.string("profile");
  item.reference = fields.string_or("reference", command);
  item.accepted = fields.strings_or("accepted", {});
  const std::vector<std::string> channels = fields.strings_or("compare", {});
  if (!channels.empty()) item.channels = Channels(channels.begin(), channels.end());
  const emu::Profile& profile = judge.catalog().profile(item.machine.profile);
  std::string why_not;
  const auto answer = judge.runner().run(command, item.machine, why_not);
  const auto reference = answer ? judge.runner().remembered(item.reference, item.machine, why_not) : answer;
  if (!answer || !reference) fail(ErrorCode::kInvalidData, "{}: {}", fields.where(), why_not);
  Json values = Json::object();
  const CommandParts parts = judge.judge(item, command, *answer, *reference);
  for (const Value& value : values_of(parts)) values[value.metric] = value.value;
  const auto form = judge.normal_forms().of(command, profile.platform);
  const Json effect = to_json(*answer);
  Json line = {{"values", std::move(values)},           {"normal_form", form ? Json(*form) : Json()},
               {"exit_code", effect.at("exit")},        {"stdout", effect.at("stdout")},
               {"stderr", effect.at("stderr")},         {"files", effect.at("files")},
               {"state_diff", effect.at("state_diff")}, {"programs", effect.at("programs")}};
  const bool right = parts.accuracy();
  return {std::move(line), right ? "" : "not what the reference does", 1};
}

}  // namespace

LineChecker command_checker(const std::filesystem::path& share, Services& services) {
  auto judge = std::make_shared<std::unique_ptr<CommandJudge>>();  // shared by the copies of the checker
  return [judge, share, &services](const JsonFields& fields, std::string_view) {
    if (!*judge)
      *judge = std::make_unique<CommandJudge>(share / "datasets/aimicius/cmdgen", &services,
                                              CommandJudge::Thresholds{});
    return check(**judge, fields);
  };
}

}  // namespace micius
