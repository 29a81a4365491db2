#!/usr/bin/env bash
# kill -9 at random moments of a run of the real model, go on after each, and compare the stable report in every format
# with that of a run that nobody disturbed.
#   kill_resume.sh PROGRAM [KILLS]
# Exit 4: skipped, with the reason.
set -euo pipefail
program=$1 kills=${2:-20}
model=smollm2-135m
if "$program" model info "$model" | grep -q 'not here'; then
  echo "skipped: $model is not here; micius model fetch $model"
  exit 4
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run=(run infrawise --model "$model" --limit 24 --max-tokens 48 --progress none -q)

start=$(date +%s%N)
"$program" "${run[@]}" --db "$work/calm.db"
calm_ms=$((($(date +%s%N) - start) / 1000000))

# Each try gets a random share of the time that the whole run takes, so that kills fall on loading, on the first batch and
# on the last record alike. A run that ends before it is killed is kept aside and another one begun.
killed=0
while [ "$killed" -lt "$kills" ]; do
  limit=$(awk -v r="$RANDOM" -v ms="$calm_ms" 'BEGIN { printf "%.3f", 0.02 + r / 32768 * ms / 2500 }')
  if timeout -s KILL "$limit" "$program" "${run[@]}" --db "$work/killed.db"; then
    rm -f "$work"/whole.db* && for f in "$work"/killed.db*; do mv "$f" "${f/killed/whole}"; done
  else
    killed=$((killed + 1))
  fi
done
if [ -e "$work/killed.db" ] && [ "$("$program" list runs --db "$work/killed.db" | wc -l)" -gt 0 ]; then
  "$program" resume --db "$work/killed.db" -q --progress none
else
  for f in "$work"/whole.db*; do mv "$f" "${f/whole/killed}"; done
fi

for format in text md html json csv; do
  for name in calm killed; do
    "$program" report 1 --db "$work/$name.db" --stable --format "$format" -o "$work/$name.$format"
  done
  cmp "$work/calm.$format" "$work/killed.$format"
done
echo "killed $killed times; the reports in five formats are the same bytes"
