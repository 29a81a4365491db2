#!/usr/bin/env bash
# Fuzzes the KQL parser under ASan and UBSan; needs clang. Not part of CI.
#   scripts/fuzz_kql.sh [RUNS]     default 5000000; the corpus stays in build/fuzz/corpus
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-5000000}
cmake -S . -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
  -DMICIUS_FUZZ=ON -DMICIUS_SANITIZE=address,undefined,fuzzer-no-link > /dev/null
cmake --build build/fuzz --target kql_fuzz
corpus=build/fuzz/corpus
mkdir -p "$corpus"
python3 - "$corpus" <<'PY'
import hashlib, json, pathlib, sys
for file in pathlib.Path("tests/kql").glob("*.jsonl"):
    for line in file.read_text(encoding="utf-8").splitlines():
        query = json.loads(line)["query"].encode()
        (pathlib.Path(sys.argv[1]) / hashlib.sha1(query).hexdigest()).write_bytes(query)
words = [json.loads(line)["query"].split() for line in open("tests/kql/syntax.jsonl", encoding="utf-8")]
quoted = {w for ws in words for w in ws if w.isascii() and len(w) < 30}
with open("build/fuzz/words.dict", "w") as out:
    for word in sorted(quoted):
        out.write('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"\n')
PY
exec nice -n 15 build/fuzz/tests/kql_fuzz "$corpus" -dict=build/fuzz/words.dict -max_len=2048 -runs="$runs" -print_final_stats=1
