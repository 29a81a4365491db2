#!/usr/bin/env bash
# CMDGen and Optiflow with the references' answers, twice: the stable reports have the same bytes in every format. Prints
# how long each run took.
#   same_report.sh PROGRAM
# Exit 4: skipped, with the reason.
set -euo pipefail
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for run in first second; do
  start=$(date +%s%N)
  "$program" run cmdgen,optiflow --model reference --db "$work/$run.db" --progress none -q
  echo "$run run: $((($(date +%s%N) - start) / 1000000)) ms"
  for format in text md html json csv; do
    "$program" report 1 2 --db "$work/$run.db" --stable --format "$format" -o "$work/$run.$format"
  done
done
if grep -q '"unscored": *[1-9]' "$work/first.json"; then
  echo "skipped: samples are not scored without a sandbox; micius doctor says why"
  exit 4
fi
for format in text md html json csv; do
  cmp "$work/first.$format" "$work/second.$format"
done
echo "the reports in five formats are the same bytes"
