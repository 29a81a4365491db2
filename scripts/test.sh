#!/usr/bin/env bash
# Every test: format, layers, linter, then the test suites of the presets dev (address and undefined-behaviour
# sanitizers), tsan (the threaded folders) and release (the slow suites as well), and the CUDA kernels are compiled. Installs
# what is missing; can be run again.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

install_packages scripts/packages.txt scripts/packages-test.txt

say "format and linter"
scripts/lint.sh

build release ON
say "the default model and the default embedder, for tests that need them"
for model in smollm2-135m all-minilm-l6-v2; do
  build/release/src/cli/micius model fetch "$model" || echo "no $model: the tests that need it are skipped and say so"
done
ctest --preset release

build dev ON
ctest --preset dev

build tsan ON --target test_runners test_pipeline test_store test_sandbox test_net
# TSan does not follow threads that a forked process starts.
ctest --preset tsan -R '^(runners|pipeline|store|sandbox|net)' -E '^net:forked'

say "the CUDA kernels, which need no GPU to compile; the tests in tests/gpu run them on the CPU"
has_toolkit() {
  local nvcc
  nvcc=$(PATH="$PWD/build/cuda-toolkit/bin:$PATH" command -v nvcc) || return
  "$nvcc" --version | grep 'release 13' && [ -e "$(dirname "$nvcc")/../include/cublasLt.h" ]
}
if has_toolkit || scripts/cuda_toolkit.sh; then
  build cuda OFF --target micius_engine
else
  echo "no CUDA toolkit: its kernels are not compiled"
fi

say "all tests passed"
