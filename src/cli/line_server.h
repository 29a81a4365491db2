// JSON lines in, JSON lines out, in order, with an engine between them.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "base/json.h"
#include "cli/command.h"
#include "cli/line_reader.h"
#include "engine/engine.h"

namespace micius {

// What one line asks: its answer, or the job that gives it.
struct Asked {
  Json answer;
  std::optional<Job> job;
  std::function<Json(const JobResult&)> answer_of;  // of the job, if it did not fail
};

// {"error": message}
Asked failed(std::string message);

// Answers what is there while more may come; several jobs are in the engine at a time.
class LineServer {
 public:
  // Throws Error for a line that asks nothing sensible: its answer is {"error": "line 3: .."}.
  using Ask = std::function<Asked(const JsonFields&)>;
  // `engine`: null if no line makes a job.
  LineServer(Engine* engine, Ask ask) : engine_(engine), ask_(std::move(ask)) {}

  // Until `in` ends. kFailed if a line was answered by an error. Throws what the engine throws.
  ExitCode run(LineReader& in, std::ostream& out);

 private:
  struct Line {
    std::size_t number = 0;
    bool answered = false;
    Json answer;
    std::function<Json(const JobResult&)> answer_of;
  };

  void take(std::string_view text);
  void step();
  void answer(Line& line, Json value);
  void print(std::ostream& out);

  Engine* engine_;
  Ask ask_;
  std::deque<Line> lines_;  // read and not printed; elements stay in place
  std::map<JobId, Line*> jobs_;
  std::size_t count_ = 0;
  bool failed_ = false;
};

}  // namespace micius
