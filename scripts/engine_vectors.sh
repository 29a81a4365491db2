#!/usr/bin/env bash
# All rows of the shared engine vectors on every instruction set that the machine has, under all numerics, with 1 and 2
# threads: a row a setting on stdout as it is done, the fast ones first. The plain kernels take an hour of a core, so this
# is no part of the tests. Needs the release build and the default model.
#   scripts/engine_vectors.sh [PREFIX]    only the settings that begin so: "avx2", "plain precise"
set -euo pipefail
cd "$(dirname "$0")/.."

test=${MICIUS_BUILD:-build/release}/tests/test_engine
[ -x "$test" ] || { echo "$test is not there; build it: scripts/test.sh, or cmake --build --preset release" >&2; exit 2; }

echo "setting | logits: rows, worst | KL: mean, worst | log-likelihoods: rows, a token: mean, worst | flips: choices, top-1 | texts equal | bits | s"
status=0
for isa in amx avx512 avx2 plain; do
  for numerics in precise fast fp32; do
    for threads in 2 1; do
      setting="$isa $numerics $threads"
      [[ "$setting" == "${1:-}"* ]] || continue
      start=$SECONDS
      output=$("$test" '[campaign]' -c "$setting" 2>&1) || { status=1; echo "$output" >&2; }
      row=$(grep "^$setting |" <<<"$output") || { echo "$setting | not on this machine, or failed"; continue; }
      echo "$row | $((SECONDS - start))"
    done
  done
done
exit $status
