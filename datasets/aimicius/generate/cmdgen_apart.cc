#include "cmdgen_apart.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "cmdgen_check.h"

namespace micius::aimicius {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSoftShare = 20;  // one case in so many may be soft

struct Counts {
  std::size_t cases = 0, siblings = 0;
  std::size_t same = 0, alike = 0;       // siblings that count as right: strictly, by the soft path
  std::size_t told_apart = 0, soft = 0;  // cases
  std::size_t not_tagged = 0;            // cases with a sibling that counts as right and no tag
};

class Apart {
 public:
  Apart(const fs::path& suite, Services& services, ApartPairs pairs)
      : judge_(suite / "cmdgen", &services, {}), pairs_(pairs) {
    const CommandSources sources = CommandSources::read(suite / "cmdgen");
    for (const auto& [platform, others] : sources.others) siblings_.try_emplace(platform, sources, platform);
  }

  void add(const Json& row, const std::string& where) {
    const JsonFields fields(row, where);
    CommandCase item;
    item.machine = {fields.string("profile"), fields.string("fixture")};
    item.reference = fields.string("reference");
    item.accepted = fields.strings_or("accepted", {});
    const auto channels = fields.strings_or("compare", {});
    item.channels = Channels(channels.begin(), channels.end());
    const std::string platform = fields.string("platform");
    Counts& counts = counts_[platform + ", " + fields.string("group")];
    const std::size_t right = siblings(item, platform, fields.string("id"), counts);
    const auto tags = fields.strings_or("tags", {});
    const bool soft = std::find(tags.begin(), tags.end(), "soft") != tags.end();
    ++counts.cases;
    counts.told_apart += right == 0 ? 1 : 0;
    counts.soft += soft ? 1 : 0;
    counts.not_tagged += right > 0 && !soft ? 1 : 0;
  }

  ApartReport report() const {
    ApartReport report;
    report.text =
        "group               | cases | siblings | strictly the same | alike | told apart | soft | untagged\n";
    Counts all;
    for (const auto& [group, counts] : counts_) {
      report.text += row(group, counts);
      report.good = report.good && counts.not_tagged == 0 && counts.soft * kSoftShare <= counts.cases;
      all.cases += counts.cases;
      all.siblings += counts.siblings;
      all.same += counts.same;
      all.alike += counts.alike;
      all.told_apart += counts.told_apart;
      all.soft += counts.soft;
      all.not_tagged += counts.not_tagged;
    }
    report.text += row("all", all) + listed_;
    return report;
  }

 private:
  static std::string row(const std::string& name, const Counts& counts) {
    return fmt::format("{:<19} | {:>5} | {:>8} | {:>17} | {:>5} | {:>10} | {:>4} | {:>8}\n", name,
                       counts.cases, counts.siblings, counts.same, counts.alike, counts.told_apart,
                       counts.soft, counts.not_tagged);
  }

  // How many siblings of the case count as right.
  std::size_t siblings(const CommandCase& item, const std::string& platform, const std::string& id,
                       Counts& counts) {
    const auto wanted = judge_.runner().here(item.reference, item.machine);
    if (!wanted) fail(ErrorCode::kInvalidData, "{}: the reference does not run without a shell", id);
    const std::string host = judge_.catalog().profile(item.machine.profile).data.value("hostname", "");
    const auto form = judge_.normal_forms().of(item.reference, platform);
    std::size_t right = 0;
    for (const Sibling& sibling : siblings_.at(platform).of(item.reference)) {
      const auto effect = judge_.runner().here(sibling.command, item.machine);
      if (!effect || (form && form == judge_.normal_forms().of(sibling.command, platform))) continue;
      ++counts.siblings;
      // Nothing that an embedding says makes it right.
      if (!judge_.texts().agree(*effect, *wanted, item.channels, host, EffectTexts::Text::kAny)) continue;
      const CommandParts parts = judge_.judge(item, sibling.command, *effect, *wanted);
      if (parts.strict_success && sibling.may_be_right) continue;
      if (!parts.accuracy() && !parts.strict_accuracy()) continue;
      ++right;
      ++(parts.strict_accuracy() ? counts.same : counts.alike);
      if (pairs_ == ApartPairs::kListed)
        listed_ += fmt::format("{}: {:.4f}\n    {}\n    {}\n", id, parts.output_score.value_or(0),
                               item.reference, sibling.command);
    }
    return right;
  }

  CommandJudge judge_;
  const ApartPairs pairs_;
  std::map<std::string, Siblings> siblings_;  // by platform
  std::map<std::string, Counts> counts_;      // by platform and group
  std::string listed_;
};

}  // namespace

ApartReport cmdgen_apart(const fs::path& suite, Services& services, ApartPairs pairs) {
  if (const Offer<Embedder> offer = services.embedder(); offer.service == nullptr)
    fail(ErrorCode::kNotFound, "an embedder is needed to say what is alike: {}", offer.why_not);
  Apart apart(suite, services, pairs);
  const fs::path path = suite / "cmdgen/test.jsonl";
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const std::string where = fmt::format("{}:{}", path.string(), number);
    apart.add(parse_json(line, where), where);
  });
  return apart.report();
}

}  // namespace micius::aimicius
