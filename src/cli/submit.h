// A job of Slurm whose tasks are workers.
#pragma once

#include <string>
#include <vector>

namespace micius {

// The flags of `micius run` that a worker has too, with their values, in their order: "--db", "runs.db".
std::vector<std::string> worker_words(const std::vector<std::string>& run_words);

// A batch script whose every task is `program worker` with `words`. `options` are those of sbatch, as it
// takes them on a line of its script. Throws Error{kUsage} for options of more than a line.
std::string slurm_script(const std::string& program, const std::string& options,
                         const std::vector<std::string>& words);

}  // namespace micius
