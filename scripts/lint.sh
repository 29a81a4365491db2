#!/usr/bin/env bash
# clang-format on every source and clang-tidy (the short list of .clang-tidy) on every translation unit but those that need
# the CUDA toolkit; both are errors.
set -euo pipefail
cd "$(dirname "$0")/.."

folders=(src tasks datasets scorers runners reports)
mapfile -t sources < <(find "${folders[@]}" tests -name '*.h' -o -name '*.cc' | sort)
clang-format --dry-run -Werror "${sources[@]}"
cmake --preset release >/dev/null
cmake --build --preset release --target micius_commit >/dev/null  # a header that a source needs
scripts/tidy.py build/release "${folders[@]}"
