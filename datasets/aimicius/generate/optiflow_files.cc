#include "optiflow_files.h"

#include <algorithm>
#include <vector>

#include <fmt/ranges.h>

#include "base/error.h"
#include "optiflow.h"

namespace micius::aimicius {
namespace {

double us(std::int64_t ps) { return static_cast<double>(ps) / 1e6; }

std::string reviewed(const optiflow::Case& item) {
  std::string text = fmt::format("{}  {}  {}  difficulty {}\n  {} GPUs, {} chunks of {} bytes each\n",
                                 item.id, item.slice, fmt::join(item.tags, " "), item.difficulty,
                                 item.machine.gpus(), item.chunks, item.chunk_bytes);
  const Json machine = short_machine(item.machine.to_json());
  for (const auto& [field, arrow] : {std::pair("links", "-"), std::pair("one_way", ">")}) {
    if (!machine.contains(field)) continue;
    for (const Json& row : machine.at(field)) {
      text += fmt::format("  {} us, {} GB/s:", row[0].dump(), row[1].dump());
      const auto pairs = row[2].get<std::vector<std::size_t>>();
      for (std::size_t i = 0; i < pairs.size(); i += 2) {
        const std::vector<std::string>& nodes = item.machine.nodes();
        text += fmt::format(" {}{}{}", nodes[pairs[i]], arrow, nodes[pairs[i + 1]]);
      }
      text += "\n";
    }
  }
  if (item.first)
    text += fmt::format("  first answer {:.2f} us ({})\n", us(item.first->latency_ps),
                        name_of(item.first->recipe));
  return text + fmt::format("  initial {:.2f} us, best {:.2f} us ({}), bound {:.2f} us: {:.0f} % of it\n\n",
                            us(item.initial.latency_ps), us(item.best.latency_ps), item.best_by,
                            us(item.bound_ps), 100 * us(item.bound_ps) / us(item.best.latency_ps));
}

}  // namespace

std::string build_optiflow_twin(const std::filesystem::path& suite, const std::string& seed) {
  const optiflow::Sources sources = optiflow::read_sources(suite);
  std::string lines;
  for (const optiflow::Case& item : optiflow::make_split(sources, Split::kTest, "aimicius-1/twin/" + seed))
    lines += optiflow::line_of(item, sources);
  return lines;
}

std::string review_optiflow(const std::filesystem::path& suite, Split split, std::size_t first,
                            std::size_t count) {
  if (split == Split::kRobust) fail(ErrorCode::kUsage, "optiflow has no split 'robust'");
  const std::vector<optiflow::Case> cases = optiflow::make_split(optiflow::read_sources(suite), split);
  std::string text;
  for (std::size_t i = first; i < std::min(cases.size(), first + count); ++i) text += reviewed(cases[i]);
  return text;
}

}  // namespace micius::aimicius
