// `micius sample-size`: how many samples an effect needs, or which effect a number of samples can show.
#include <cmath>
#include <iostream>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "stats/power.h"

namespace micius {
namespace {

class SampleSizeCommand final : public Command {
 public:
  std::string name() const override { return "sample-size"; }
  std::string summary() const override {
    return "Samples needed to see an effect, or the effect that samples show";
  }
  void define(Flags& flags) override;
  ExitCode run() override;

 private:
  bool graded() const { return sd_ > 0; }
  // Absent where no number does.
  std::optional<double> pairs() const;
  std::optional<double> effect() const;
  std::string setting() const;
  std::string size_text() const;
  std::string effect_text() const;

  PowerOptions options_;
  double effect_ = 0, differing_ = 0.2, sd_ = 0;
  std::size_t n_ = 0;
  std::string format_ = "text";
};

void SampleSizeCommand::define(Flags& flags) {
  const Flag effect = flags.add("--effect", effect_, "True difference of the two models: 0.02 is 2 points")
                          .within(1e-6, 1)
                          .type("FRACTION");
  flags.add("-n", n_, "Samples there are: which difference they show").at_least(2).excludes(effect).type("N");
  flags.add("--power", options_.power, "Chance to find the difference").within(0.5, 0.9999).show_default();
  flags.add("--alpha", options_.alpha, "Level of the two-sided test").within(1e-6, 0.5).show_default();
  const Flag differing =
      flags
          .add("--differ", differing_,
               "Share of the samples that only one of the two gets right (compare shows it)")
          .within(0.001, 1)
          .type("FRACTION")
          .show_default();
  flags.add("--sd", sd_, "Graded scores instead: standard deviation of the differences")
      .within(1e-6, 1e6)
      .excludes(differing);
  flags.add("--format", format_, "text or json").one_of({"text", "json"}).show_default();
}

std::optional<double> SampleSizeCommand::pairs() const {
  if (graded()) return pairs_for_mean(effect_, sd_, options_);
  if (effect_ > differing_) return std::nullopt;
  return connor_pairs({(differing_ + effect_) / 2, (differing_ - effect_) / 2}, options_);
}

std::optional<double> SampleSizeCommand::effect() const {
  return graded() ? detectable_mean_t(n_, sd_, options_) : detectable_gap(n_, differing_, options_);
}

std::string SampleSizeCommand::setting() const {
  const std::string spread = graded()
                                 ? fmt::format("differences have a standard deviation of {:g}", sd_)
                                 : fmt::format("the two differ on {:g} % of the samples", 100 * differing_);
  return fmt::format("power {:g} at level {:g}, both models on the same samples, if {}", options_.power,
                     options_.alpha, spread);
}

std::string SampleSizeCommand::size_text() const {
  return fmt::format(
      "{:.0f} samples to see {} ({}).\n", std::ceil(*pairs()),
      graded() ? fmt::format("a difference of {:g}", effect_) : fmt::format("{:g} points", 100 * effect_),
      setting());
}

std::string SampleSizeCommand::effect_text() const {
  const auto found = effect();
  if (!found)
    return fmt::format(
        "{} samples show no difference: it would have to be greater than the share that differs ({}).\n", n_,
        setting());
  return fmt::format(
      "{} samples show {} or more ({}).\n", n_,
      graded() ? fmt::format("a difference of {:.4g}", *found) : fmt::format("{:.1f} points", 100 * *found),
      setting());
}

ExitCode SampleSizeCommand::run() {
  if (effect_ == 0 && n_ == 0)
    fail(ErrorCode::kUsage,
         "micius sample-size: give --effect 0.02 for the samples it needs, or -n 1000 for the effect that "
         "they show");
  if (effect_ > 0 && !pairs())
    fail(ErrorCode::kUsage,
         "an effect of {:g} is more than the share of samples that differ, {:g}; raise --differ", effect_,
         differing_);
  if (format_ == "text") {
    std::cout << (n_ > 0 ? effect_text() : size_text());
    return ExitCode::kGood;
  }
  Json json = {{"schema", "micius.sample_size/1"}, {"power", options_.power}, {"alpha", options_.alpha}};
  json[graded() ? "sd" : "differ"] = graded() ? sd_ : differing_;
  if (n_ > 0) {
    json["samples"] = n_;
    if (const auto found = effect()) json["effect"] = *found;
  } else {
    json["effect"] = effect_;
    json["samples"] = static_cast<std::uint64_t>(std::ceil(*pairs()));
  }
  std::cout << dump_json(json) << '\n';
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_sample_size_command() { return std::make_unique<SampleSizeCommand>(); }

}  // namespace micius
