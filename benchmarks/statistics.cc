// The table of docs/statistics.md: coverage of the intervals and errors of the tests, by simulation.
#include <cstdlib>

#include <fmt/format.h>

#include "stats/simulation.h"

namespace {

void print(const std::vector<micius::Simulated>& rows, const char* head, const char* promise) {
  fmt::print("| {} | setting | % | promised |\n|---|---|---|---|\n", head);
  for (const micius::Simulated& row : rows) {
    const std::string range = row.low == 0     ? fmt::format("at most {:.0f}", 100 * row.high)
                              : row.high == 1  ? fmt::format("at least {:.0f}", 100 * row.low)
                              : row.error == 0 ? "80"
                                               : promise;
    fmt::print("| {} | {} | {:.1f}{} | {} |\n", row.what, row.setting, 100 * row.share,
               row.error == 0 ? " (exact)" : "", range);
  }
  fmt::print("\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 20000;
  fmt::print("{} rounds a row, a quarter of them for the bootstrap and the sequential tests.\n\n", rounds);
  print(micius::simulated_coverage(rounds), "95 % interval", "95");
  print(micius::simulated_errors(rounds), "test at level 5 %", "");
}
