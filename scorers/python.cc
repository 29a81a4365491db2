#include "scorers/python.h"

#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace micius {
namespace {

constexpr std::size_t kShownError = 200;

ExecRequest request_of(const std::string& code) {
  ExecRequest request;
  // Not -I, which would ignore the hash seed: the environment and the folder are ours anyway.
  request.argv = {"python3", "-s", "-S", "-B", "-c", code};
  request.python = true;
  request.env = {{"PYTHONHASHSEED", "0"}};
  request.limits.cpu = request.limits.wall;
  request.limits.processes = 1;
  request.limits.output_bytes = 4 << 20;
  return request;
}

std::string last_line(std::string_view text) {
  text = strip(text);
  const std::size_t at = text.rfind('\n');
  return shorten(to_valid_utf8(strip(at == std::string_view::npos ? text : text.substr(at + 1))),
                 kShownError);
}

}  // namespace

const std::string& Python::why_not() {
  std::call_once(asked_, [&] {
    const Offer<Sandbox> offer = services_ == nullptr
                                     ? Offer<Sandbox>{nullptr, "no sandbox to run the program in"}
                                     : services_->sandbox();
    why_not_ = offer.why_not;
    if (offer.service == nullptr) return;
    const ExecResult result =
        offer.service->run(request_of("import sys\nprint('%d.%d.%d' % sys.version_info[:3])"));
    sandbox_ = offer.service;
    if (result.exit_code == 0) version_ = strip(result.out);
    if (version_.empty()) why_not_ = "no python3 in the sandbox: install the Debian package python3";
  });
  return why_not_;
}

const std::string& Python::version() {
  why_not();
  return version_;
}

ExecResult Python::run(const std::string& code, std::string stdin_text, std::chrono::milliseconds time) {
  why_not();
  ExecRequest request = request_of(code);
  request.stdin_text = std::move(stdin_text);
  request.limits.cpu = request.limits.wall = time;
  return sandbox_->run(request);
}

std::string error_of(const ExecResult& result, std::chrono::seconds time) {
  if (result.timed_out) return fmt::format("it ran longer than {} seconds", time.count());
  if (result.out_of_memory) return "it needed more than 512 MiB of memory";
  std::string line = last_line(result.err);
  if (!line.empty()) return line;
  return fmt::format("it ended with status {}", result.exit_code);
}

}  // namespace micius
