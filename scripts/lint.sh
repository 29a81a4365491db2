#!/usr/bin/env bash
# clang-format on every source and clang-tidy (the short list of .clang-tidy) on every translation unit but those that need
# the CUDA toolkit; both are errors.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t sources < <(git ls-files '*.h' '*.cc')
clang-format --dry-run -Werror "${sources[@]}"
cmake --preset release >/dev/null
git ls-files 'src/*.cc' 'tasks/*.cc' 'datasets/*.cc' 'scorers/*.cc' 'runners/*.cc' 'reports/*.cc' \
  ':!*_cuda.cc' |
  xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build/release 2>/dev/null
