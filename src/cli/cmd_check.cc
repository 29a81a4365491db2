// `micius check kql|plan|command [FILE...]`: the checkers alone, JSON lines in and out.
#include <filesystem>
#include <iostream>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/check_lines.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/places.h"
#include "cli/services.h"

namespace micius {
namespace {

class CheckCommand final : public Command {
 public:
  std::string name() const override { return "check"; }
  std::string summary() const override {
    return "The checkers alone: kql, plan, command; JSON lines in, JSON lines out";
  }
  void define(Flags& flags) override;
  ExitCode run() override;

 private:
  ExitCode answer_stdin() const;
  bool file_is_right(const std::string& file) const;

  std::vector<std::string> files_;
  LazyServices services_{1, PlaceFlags{}};
  LineChecker checker_;
  bool queries_ = false;  // may a file be a query as it is?
};

void CheckCommand::define(Flags& flags) {
  flags.require_verb();
  Flags kql = flags.verb("kql", "Is a Kusto query well formed, and which names does it use?", [this] {
    checker_ = kql_checker();
    queries_ = true;
  });
  kql.footer("A line: {\"query\": the text}. A FILE that holds no such lines is one query.");
  kql.add("files", files_, "Files of such lines, or of one query each; else stdin").type("FILE");
  Flags plan = flags.verb("plan", "Is an all-gather plan valid, and how long does it take?",
                          [this] { checker_ = plan_checker(share_root()); });
  plan.footer(
      "A line: {\"machine\": {\"gpus\", \"nodes\", \"latency_us\", \"bandwidth_gbps\"} or the name of a "
      "published one,\n"
      "\"chunks_per_gpu\": 2, \"chunk_bytes\": 65536, \"plan\": the text}");
  plan.add("files", files_, "Files of such lines; else stdin").type("FILE");
  Flags command = flags.verb("command", "What does a shell command do on an emulated GPU machine?",
                             [this] { checker_ = command_checker(share_root(), services_); });
  command.footer("A line: {\"profile\": \"h100x8\", \"command\": \"..\", \"reference\": \"..\"}");
  command.add("files", files_, "Files of such lines; else stdin").type("FILE");
}

// What an error says behind the place that it names.
std::string without(const std::string& where, const std::string& message) {
  return message.rfind(where + ": ", 0) == 0 ? message.substr(where.size() + 2) : message;
}

// "column 7: not valid JSON" stands in column 7.
LineCheck problem_of(const std::string& message) {
  constexpr std::string_view kMark = "column ";
  LineCheck check;
  check.problem = message;
  const std::size_t end = message.find(": ");
  if (message.rfind(kMark, 0) != 0 || end == std::string::npos) return check;
  if (read_number(message.substr(kMark.size(), end - kMark.size()), check.column))
    check.problem = message.substr(end + 2);
  return check;
}

ExitCode CheckCommand::answer_stdin() const {
  ExitCode code = ExitCode::kGood;
  std::string line;
  for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
    const std::string where = fmt::format("line {}", number);
    Json answer;
    try {
      const Json json = parse_json(line, where);
      answer = checker_(JsonFields(json, where), line).answer;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInvalidData && error.code() != ErrorCode::kUsage) throw;
      answer = {{"error", where + ": " + without(where, error.what())}};
      code = ExitCode::kFailed;
    }
    std::cout << dump_json(answer) << "\n" << std::flush;
  }
  return code;
}

// Lines of JSON, by the name or by how the text begins: no query begins with {".
bool is_json_lines(const std::string& file, std::string_view text) {
  std::string_view start = strip(text);
  if (!start.starts_with('{')) return std::filesystem::path(file).extension() == ".jsonl";
  start.remove_prefix(1);
  return strip(start).starts_with('"') || std::filesystem::path(file).extension() == ".jsonl";
}

bool CheckCommand::file_is_right(const std::string& file) const {
  bool right = true;
  const std::string text = read_file(file);
  if (queries_ && !is_json_lines(file, text)) {
    const std::string problem = kql_problem(text);
    if (!problem.empty()) std::cout << file << ":" << problem << "\n";
    return problem.empty();
  }
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    const std::string where = fmt::format("{}:{}", file, number);
    LineCheck check;
    try {
      const Json json = parse_json(line, where);
      check = checker_(JsonFields(json, where), line);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInvalidData && error.code() != ErrorCode::kUsage) throw;
      check = problem_of(without(where, error.what()));
    }
    if (check.problem.empty()) return;
    right = false;
    std::cout << where << ":" << check.column << ": " << check.problem << "\n";
  });
  return right;
}

ExitCode CheckCommand::run() {
  if (files_.empty()) return answer_stdin();
  bool right = true;
  for (const std::string& file : files_) right = file_is_right(file) && right;
  return right ? ExitCode::kGood : ExitCode::kFailed;
}

}  // namespace

std::unique_ptr<Command> make_check_command() { return std::make_unique<CheckCommand>(); }

}  // namespace micius
