#!/usr/bin/env bash
# kill -9 at random moments of a run of the real model, resume after each, and compare the stable report in every format
# with that of a run that nobody disturbed.   kill_resume.sh PROGRAM [KILLS]
set -euo pipefail
program=$1 kills=${2:-20}
model=smollm2-135m
"$program" model info $model | grep -q 'not here' && { echo "skipped: $model is not here"; exit 4; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tasks=infrawise samples=12
run=(run $tasks --model $model --limit $samples --progress none -q)

"$program" "${run[@]}" --db "$work/calm.db"
start=$(date +%s%N)
"$program" "${run[@]}" --db "$work/calm2.db"
whole_ms=$((($(date +%s%N) - start) / 1000000))

hit=0
for ((i = 0; i < kills; ++i)); do
  rm -f "$work/k$i.db"*
  timeout -s KILL "$(awk -v r=$RANDOM -v ms=$whole_ms 'BEGIN { printf "%.3f", 0.05 + r / 32768 * ms / 1000 }')" \
    "$program" "${run[@]}" --db "$work/killed.db" || hit=$((hit + 1))
  "$program" list runs --db "$work/killed.db" --format json | grep -q '"status": "complete"' && mv "$work/killed.db" "$work/done$i.db"
done
[ -e "$work/killed.db" ] || cp "$(ls -t "$work"/done*.db | head -1)" "$work/killed.db"
"$program" resume --db "$work/killed.db" -q --progress none

for format in text md html json csv; do
  "$program" report 1 --db "$work/calm.db" --stable --format $format -o "$work/calm.$format"
  "$program" report 1 --db "$work/killed.db" --stable --format $format -o "$work/killed.$format"
  cmp "$work/calm.$format" "$work/killed.$format"
done
echo "killed $hit times of $kills; the reports are the same bytes"
