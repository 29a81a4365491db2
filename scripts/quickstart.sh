#!/usr/bin/env bash
# From a bare Debian 12 to the first result: installs what is missing, builds Release, gets the default model, runs the
# suite `quick` on it and writes an HTML report. Can be run again; what is there is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

install_packages scripts/packages.txt
build release OFF
micius=build/release/src/cli/micius
say "getting the default model (98 MB) and the default embedder (91 MB)"
"$micius" model fetch smollm2-135m
"$micius" model fetch all-minilm-l6-v2
say "running the suite 'quick'"
"$micius" run quick --model smollm2-135m --report micius-report.html
say "done: open $PWD/micius-report.html in a browser; the program is $PWD/$micius"
