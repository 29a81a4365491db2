#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include <fmt/format.h>

#include "base/error.h"
#include "base/interrupted.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/console.h"

namespace micius {
namespace {

int report_error(const std::string& message, ExitCode code) {
  fmt::print(stderr, "{}{}\n",
             message.starts_with("micius ") || message.starts_with("micius:") ? "" : "micius: ",
             visible_text(without_passwords(message)));
  return static_cast<int>(code);
}

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kStopped:
      return ExitCode::kFailed;
    case ErrorCode::kUndecided:
      return ExitCode::kUndecided;
    default:
      return ExitCode::kCannotRun;
  }
}

int report_file_error(const std::filesystem::filesystem_error& error) {
  const std::string path = error.path2().empty() ? error.path1().string() : error.path2().string();
  return report_error(fmt::format("{}: {}; see that the path is right and that you may read and write there",
                                  path, error.code().message()),
                      ExitCode::kCannotRun);
}

int run_program(int argc, char** argv) {
  const auto commands = all_commands();
  CommandLine line(commands);
  const CommandRequest request = line.parse({argv + 1, argv + argc});
  ExitCode code = ExitCode::kGood;
  if (request.command != nullptr) {
    code = request.command->run();
  } else {
    std::cout << request.text;
  }
  if (std::fflush(stdout) != 0 || !std::cout.flush())
    fail(ErrorCode::kIo, "stdout: {}", std::strerror(errno));
  return static_cast<int>(code);
}

}  // namespace
}  // namespace micius

int main(int argc, char** argv) {
  try {
    return micius::run_program(argc, argv);
  } catch (const micius::Interrupted& interruption) {
    return micius::report_error(interruption.what(), micius::ExitCode::kInterrupted);
  } catch (const micius::Error& error) {
    return micius::report_error(error.what(), micius::exit_code_of(error.code()));
  } catch (const std::filesystem::filesystem_error& error) {
    return micius::report_file_error(error);
  } catch (const std::exception& error) {
    return micius::report_error(fmt::format("internal error: {}", error.what()),
                                micius::ExitCode::kCannotRun);
  }
}
