#include "scorers/optiflow_program.h"

#include "base/text.h"
#include "plan/plan.h"

namespace micius {
namespace {

constexpr int kNotCode = 125;  // how the wrapper ends where a text that might be a program does not compile
constexpr std::chrono::seconds kTime{10};

// Stands around what the wrapper prints in the program's place. Nothing is gained by printing it.
constexpr std::string_view kInPlace = "\x01in place\x01";

// Reads the job from stdin, so that the folder is empty, and stands in nobody's way: what it defines for
// itself is in a function. It sees most of what is printed, but not what goes round sys.stdout.write; so what
// it prints itself stands between marks, to be dropped by who can see all. Without `re` and `json`, whose
// import takes as long as all else of a run; JSON of dump_json() is Python but for three words.
constexpr const char* kWrapper = R"(
def main():
    import sys
    words = {'__builtins__': {}, 'null': None, 'true': True, 'false': False}
    job = eval(sys.stdin.buffer.read().decode(), words)

    def holds_step(text):
        at = text.find('=>')
        while at >= 0:
            mark, what = text[max(0, at - 99):at].rpartition('D(')[1:]
            what, _, way = what.partition(':')
            what, way = what.strip(), way.strip()
            numbers = what[:-1].split(',') + [way[2:-1]]
            if (mark and what[-1:] == way[-1:] == ')' and way[:2] == 'G(' and len(numbers) == 3
                    and all(number.strip().isdecimal() for number in numbers)
                    and text[at + 2:at + 99].lstrip()[:2] == 'G('):
                return True
            at = text.find('=>', at + 2)
        return False

    matrix = lambda rows: [[float('inf') if x is None else x for x in row] for row in rows]

    class Out:
        def __init__(self, out):
            self.out, self.tail, self.steps = out, '', False
        def write(self, text):
            if not self.steps:
                self.steps = holds_step(self.tail + text)
                self.tail = (self.tail + text)[-200:]
            return self.out.write(text)
        def __getattr__(self, name):
            return getattr(self.out, name)

    names = {'__name__': '__main__', 'GPU_COUNT': job['gpus'], 'CHUNKS_PER_GPU': job['chunks'],
             'LATENCY': matrix(job['latency']), 'BANDWIDTH': matrix(job['bandwidth'])}
    try:
        code = compile(job['program'], 'answer.py', 'exec')
    except BaseException:
        if job['surely']:
            raise
        sys.exit(125)
    out = sys.stdout = Out(sys.stdout)
    try:
        exec(code, names)
    except SystemExit as end:
        if end.code not in (None, 0):
            raise
    out.flush()
    if out.steps:
        return
    print(job['mark'], file=out)
    for name in ('new_plan', 'plan'):
        if not out.steps and name in names:
            print(names[name], file=out)
    if not out.steps and callable(names.get('generate_plan')):
        try:
            print(names['generate_plan'](job['gpus'], job['chunks']), file=out)
        except BaseException:
            pass
    print(job['mark'], file=out)
    out.flush()

main()
)";

// What the program printed; what the wrapper did, only if there is no step in that.
std::string printed_by(std::string out) {
  const std::size_t begin = out.find(kInPlace);
  if (begin == std::string::npos) return out;
  const std::size_t end = out.find(kInPlace, begin + kInPlace.size());
  std::string own = out.substr(0, begin);
  if (end != std::string::npos) own += out.substr(end + kInPlace.size());
  return plan::read_plan(own).kind == plan::PlanKind::kNone ? out : own;
}

}  // namespace

ProgramResult run_plan_program(Python& python, const PythonCode& code, const Json& machine,
                               int chunks_per_gpu) {
  ExecResult ran = python.run(kWrapper,
                              dump_json({{"program", to_valid_utf8(code.text)},
                                         {"surely", code.fenced},
                                         {"mark", kInPlace},
                                         {"gpus", machine.at("gpus")},
                                         {"chunks", chunks_per_gpu},
                                         {"latency", machine.at("latency_us")},
                                         {"bandwidth", machine.at("bandwidth_gbps")}}),
                              kTime);
  ProgramResult result;
  result.ended_well = ran.exit_code == 0 && !ran.timed_out && !ran.out_of_memory;
  result.is_code = code.fenced || ran.exit_code != kNotCode;
  if (!result.ended_well) result.error = error_of(ran, kTime);
  result.printed = printed_by(std::move(ran.out));
  return result;
}

}  // namespace micius
