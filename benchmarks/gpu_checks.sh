#!/usr/bin/env bash
# Decode attention on a machine with a GPU, from a build with MICIUS_CUDA: the tests, compute-sanitizer on the small ones,
# the instructions in the kernels, times, a profile. Each step has a limit; a step that fails does not end the others.
#
#   gpu_checks.sh FOLDER    that has test_gpu and gpu_attention, libraries they need (libcublasLt.so.13 too), and
#                           vectors in shared/
#   gpu_checks.sh FOLDER quick    the tests and the times alone
set -u
folder=$(cd "$1" && pwd)
export LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
if [[ -d "$folder/shared" ]]; then export MICIUS_SHARED="$folder/shared"; fi
small="decode attention on a GPU agrees with fp64 for uneven heads and dims"
failed=0

step() {  # NAME SECONDS COMMAND...
  local name=$1 limit=$2 begin=$SECONDS
  shift 2
  echo "== $name"
  if timeout -k 5 "$limit" "$@"; then
    echo "== $name: good, $((SECONDS - begin)) s"
  else
    echo "== $name: FAILED with $?, $((SECONDS - begin)) s"
    failed=1
  fi
}

# Of each kernel for sm_90a, how many instructions of the kinds that matter, or must not be there (LDL, STL: spills).
count_instructions() {
  cuobjdump --dump-sass "$1" | awk '
    /Function :/ { name = $3; sub(/.*decode_kernel/, "decode", name) }
    match($0, /(HMMA|LDSM|MOVM|UBLKCP|LDGSTS|SYNCS|LDL|STL)[. ]/) {
      word = substr($0, RSTART, RLENGTH - 1); count[name "\t" word]++ }
    END { for (key in count) print key "\t" count[key] }' | sort |
    awk -F'\t' '$1 != last { printf "%s%s:", last == "" ? "" : "\n", $1; last = $1 } { printf " %s %s", $2, $3 } END { print "" }'
}
export -f count_instructions

profile() {  # SKIPPED LAUNCHES
  ncu --clock-control none -k regex:decode_kernel --launch-skip "$1" --launch-count 1 --section SpeedOfLight \
    --section MemoryWorkloadAnalysis --section WarpStateStats --section SchedulerStats --section LaunchStats \
    "$folder/gpu_attention" 1 profile | grep -vE '^ *(OPT|INF|-----|==PROF)|^ *$' | head -80
}
export -f profile
export folder

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
step "tests" 240 "$folder/test_gpu" "*GPU*,products of*" -d yes
if [[ "${2:-}" != quick ]]; then
  for tool in memcheck racecheck synccheck; do
    step "$tool" 60 compute-sanitizer --tool "$tool" --error-exitcode 9 --print-limit 5 "$folder/test_gpu" "$small"
  done
  step "instructions" 30 bash -c 'count_instructions "$folder/gpu_attention"'
fi
step "times" 150 "$folder/gpu_attention" 15
if [[ "${2:-}" != quick ]]; then
  step "profile of 4k" 40 bash -c 'profile 30'
  step "profile of 32k" 40 bash -c 'profile 260'
fi
exit $failed
