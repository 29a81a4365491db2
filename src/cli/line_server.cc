#include "cli/line_server.h"

#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace micius {
namespace {

constexpr std::size_t kLines = 1024;  // read and not answered
constexpr std::size_t kJobs = 128;    // of those, jobs in the engine

}  // namespace

Asked failed(std::string message) { return {{{"error", std::move(message)}}, std::nullopt, nullptr}; }

ExitCode LineServer::run(LineReader& in, std::ostream& out) {
  while (true) {
    const bool idle = lines_.empty();
    if (idle) out.flush();
    const auto line = jobs_.size() < kJobs && lines_.size() < kLines
                          ? in.next(idle ? LineReader::Wait::kYes : LineReader::Wait::kNo)
                          : std::nullopt;
    if (line) {
      take(*line);
    } else if (idle) {
      break;
    } else {
      step();
      out.flush();
    }
    print(out);
  }
  return failed_ ? ExitCode::kFailed : ExitCode::kGood;
}

void LineServer::take(std::string_view text) {
  Line& line = lines_.emplace_back();
  line.number = ++count_;
  const std::string where = fmt::format("line {}", line.number);
  Asked asked;
  try {
    const Json json = parse_json(text, where);
    asked = ask_(JsonFields(json, where));
  } catch (const Error& error) {
    const std::string message = error.what();
    asked = failed(message.starts_with("line ") ? message : where + ": " + message);
  }
  if (asked.job) {
    line.answer_of = std::move(asked.answer_of);
    jobs_[engine_->add(std::move(*asked.job))] = &line;
  } else {
    answer(line, std::move(asked.answer));
  }
}

void LineServer::step() {
  for (const JobResult& result : engine_->step().finished) {
    Line& line = *jobs_.extract(result.id).mapped();
    answer(line, result.failure ? Json{{"error", fmt::format("line {}: {}: {}", line.number,
                                                             result.failure->code, result.failure->message)}}
                                : line.answer_of(result));
  }
}

void LineServer::answer(Line& line, Json value) {
  failed_ = failed_ || value.contains("error");
  line.answer = std::move(value);
  line.answered = true;
}

void LineServer::print(std::ostream& out) {
  for (; !lines_.empty() && lines_.front().answered; lines_.pop_front()) {
    out << dump_json(lines_.front().answer) << '\n';
  }
}

}  // namespace micius
