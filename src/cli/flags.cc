#include "cli/flags.h"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>

#include "cli/checks.h"

namespace micius {
namespace {

std::string name_of(const CLI::Option& option) {
  if (!option.get_lnames().empty()) return option.get_lnames().front();
  return option.get_snames().empty() ? option.get_name() : option.get_snames().front();
}

}  // namespace

Flag Flag::type(const std::string& name) const {
  option_->type_name(name);
  return *this;
}

Flag Flag::show_default() const {
  option_->capture_default_str();
  return *this;
}

Flag Flag::required() const {
  option_->required();
  return *this;
}

Flag Flag::excludes(const Flag& other) const {
  option_->excludes(other.option_);
  return *this;
}

Flag Flag::environment(const std::string& variable) const {
  option_->envname(variable);
  return *this;
}

Flag Flag::delimiter(char separator) const {
  option_->delimiter(separator);
  return *this;
}

Flag Flag::one_value() const {
  option_->allow_extra_args(false);
  return *this;
}

Flag Flag::one_of(const std::vector<std::string>& values) const {
  option_->check(CLI::IsMember(values));
  return *this;
}

Flag Flag::at_least(long least) const {
  option_->check(CLI::Validator(whole_number(least), ""));
  return *this;
}

Flag Flag::within(double low, double high) const {
  option_->check(CLI::Validator(number_within(low, high), ""));
  return *this;
}

Flag Flag::in_range(int low, int high) const {
  option_->check(CLI::Range(low, high));
  return *this;
}

Flag Flag::byte_size() const {
  option_->transform(CLI::Validator(size_in_bytes(), ""));
  return *this;
}

Flag Flags::add(const std::string& names, bool& value, const std::string& help) {
  return Flag(*app_->add_flag(names, value, help));
}

Flag Flags::add(const std::string& names, std::string& value, const std::string& help) {
  return Flag(*app_->add_option(names, value, help));
}

Flag Flags::add(const std::string& names, std::filesystem::path& value, const std::string& help) {
  return Flag(*app_->add_option(names, value, help));
}

Flag Flags::add(const std::string& names, int& value, const std::string& help) {
  return Flag(*app_->add_option(names, value, help));
}

Flag Flags::add(const std::string& names, std::int64_t& value, const std::string& help) {
  return Flag(*app_->add_option(names, value, help));
}

Flag Flags::add(const std::string& names, std::uint64_t& value, const std::string& help) {
  return Flag(*app_->add_option(names, value, help));
}

Flag Flags::add(const std::string& names, double& value, const std::string& help) {
  return Flag(*app_->add_option(names, value, help));
}

Flag Flags::add(const std::string& names, std::optional<int>& value, const std::string& help) {
  return Flag(*app_->add_option(names, value, help));
}

Flag Flags::add(const std::string& names, std::optional<std::uint64_t>& value, const std::string& help) {
  return Flag(*app_->add_option(names, value, help));
}

Flag Flags::add(const std::string& names, std::optional<double>& value, const std::string& help) {
  return Flag(*app_->add_option(names, value, help));
}

Flag Flags::add(const std::string& names, std::vector<std::string>& value, const std::string& help) {
  return Flag(*app_->add_option(names, value, help));
}

Flag Flags::add(const std::string& names, std::vector<int>& value, const std::string& help) {
  return Flag(*app_->add_option(names, value, help));
}

Flag Flags::add(const std::string& names, std::vector<std::uint64_t>& value, const std::string& help) {
  return Flag(*app_->add_option(names, value, help));
}

Flags Flags::verb(const std::string& name, const std::string& summary, std::function<void()> chosen) {
  CLI::App* verb = app_->add_subcommand(name, summary);
  verb->callback(std::move(chosen));
  return Flags(*verb);
}

void Flags::require_verb() { app_->require_subcommand(1); }

void Flags::keep_from_verbs() {
  for (CLI::App* verb : app_->get_subcommands({})) {
    for (CLI::Option* flag : app_->get_options({})) {
      if (flag != app_->get_help_ptr()) verb->excludes(flag);
    }
  }
}

void Flags::footer(const std::string& text) { app_->footer(text); }

std::vector<ParsedFlag> Flags::parsed() const {
  const std::vector<CLI::Option*>& given = app_->parse_order();
  std::vector<ParsedFlag> flags;
  for (const CLI::Option* option : app_->get_options({})) {
    flags.push_back({name_of(*option), option->get_type_name(), option->get_positional(),
                     option->get_items_expected_max() > 0,
                     std::find(given.begin(), given.end(), option) != given.end(), option->results()});
  }
  return flags;
}

}  // namespace micius
