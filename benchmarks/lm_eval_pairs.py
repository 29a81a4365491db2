#!/usr/bin/env python3
"""Micius beside lm-evaluation-harness with its Hugging Face backend: one table, measured in interleaved pairs.

    benchmarks/lm_eval_pairs.py [--model smollm2-135m] [--data-dir DIR] [--threads 2] [--rounds 3] [-o json] > table.md

The first time it installs lm_eval, torch and transformers in the cache folder (some gigabytes). A round evaluates the same
documents of each task with both: of the peer what follows its model's loading, of Micius the whole process, from its start
to its table. A round in which other processes used more than --quiet of a core is left out of the medians; where none is
left, all count and the row is marked.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from typing import Any

from peers import HERE, MARK, MODEL, Lines, Watch, against, number, run, say

PEER = ["lm_eval[hf]==0.4.13", "gguf"]
OURS = "micius"


@dataclass(frozen=True)
class Step:
    name: str
    tasks: tuple[str, ...]
    shots: int
    limit: int  # documents of each task
    batch: int  # of the peer
    metric: str  # that both print
    goal: float  # of ours over the peer, for MODEL


STEPS = [
    Step("HellaSwag, 0 shots", ("hellaswag",), 0, 100, 8, "acc_norm", 10),
    Step("MMLU, 5 shots", ("mmlu_abstract_algebra", "mmlu_computer_security", "mmlu_moral_disputes",
                           "mmlu_us_foreign_policy"), 5, 25, 1, "acc", 30),
    Step("ARC-Easy, 0 shots", ("arc_easy",), 0, 100, 8, "acc_norm", 8),
]


@dataclass(frozen=True)
class Sample:
    round: int
    step: str
    who: str
    documents_s: float
    score: float  # the mean over the step's tasks
    others: float  # the share of a core that other processes used meanwhile


@dataclass
class Row:
    step: Step
    documents: int
    speeds: dict[str, float]  # medians
    scores: dict[str, float]
    best: str  # the peer's best type
    ratio: float  # the median of the pairs'
    rounds: int
    noisy: bool


class Micius:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options

    def measure(self, step: Step, _documents: int) -> tuple[float, int, float]:
        options = self.options
        with tempfile.TemporaryDirectory() as folder:
            command = [options.micius, "run", ",".join(step.tasks), "--model", options.model, "--db", f"{folder}/a.db",
                       f"--limit={step.limit}", f"--shots={step.shots}", f"--threads={options.threads}",
                       f"--numerics={options.numerics}", "--format=json", "--progress=none"]
            if options.data_dir:
                command.append(f"--data-dir={options.data_dir}")
            start = time.perf_counter()
            reports = json.loads(run(*command))["reports"]
            seconds = time.perf_counter() - start
        scores = [metric["value"] for report in reports for metric in report["metrics"] if metric["name"] == step.metric]
        return seconds, sum(report["counts"]["scored"] for report in reports), statistics.mean(scores)


class LmEval:
    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.loaded_s = lines.answer()["loaded_s"]
        lines.ask([self.request(STEPS[0], 1)])  # the first call imports what later ones have

    def measure(self, step: Step, documents: int) -> tuple[float, int, float]:
        """Only when `documents`, those of Micius, are as many."""
        answer = self.lines.ask([self.request(step, step.limit)])[0]
        if answer["documents"] != documents:
            sys.exit(f"{step.name}: lm-eval read {answer['documents']} documents, micius {documents}")
        scores = [answer["scores"][task][step.metric] for task in step.tasks]
        return answer["seconds"], answer["documents"], statistics.mean(scores)

    @staticmethod
    def request(step: Step, limit: int) -> str:
        return json.dumps({"tasks": step.tasks, "limit": limit, "shots": step.shots, "batch": step.batch})


def peer_python(venv: pathlib.Path) -> str:
    python = str(venv / "bin" / "python")
    if pathlib.Path(python).exists():
        check = "import gguf, torch, importlib.metadata as m; print('lm_eval[hf]==' + m.version('lm_eval'))"
        if subprocess.run([python, "-c", check], capture_output=True, text=True).stdout.strip() == PEER[0]:
            return python
    say(f"installing {' and '.join(PEER)} in {venv}")
    run(sys.executable, "-m", "venv", str(venv))
    run(python, "-m", "pip", "install", "--quiet", *PEER)
    return python


def row_of(step: Step, samples: list[Sample], documents: int, quiet: float) -> Row:
    """Medians over the quiet rounds, over all if there is none."""
    rounds: dict[int, dict[str, Sample]] = {}
    for sample in samples:
        if sample.step == step.name:
            rounds.setdefault(sample.round, {})[sample.who] = sample
    kept = [r for r in rounds.values() if max(s.others for s in r.values()) <= quiet]
    noisy = not kept
    kept = kept or list(rounds.values())
    speeds = {who: statistics.median(r[who].documents_s for r in kept) for who in kept[0]}
    best = max((who for who in speeds if who != OURS), key=lambda who: speeds[who])
    ratio = statistics.median(r[OURS].documents_s / r[best].documents_s for r in kept)
    return Row(step, documents, speeds, {who: s.score for who, s in kept[0].items()}, best, ratio, len(kept), noisy)


def markdown(about: dict[str, str], rows: list[Row], rounds: int, has_goals: bool) -> str:
    types = [who for who in rows[0].speeds if who != OURS]
    heads = ["", "documents", "Micius, documents/s", *(f"lm-eval {t}" for t in types), "over its best", "scores", "rounds"]
    lines = [f"- {name}: {value}" for name, value in about.items()] + ["", "| " + " | ".join(heads) + " |"]
    lines.append("|---" + "|--:" * (len(heads) - 1) + "|")
    for row in rows:
        cells = [row.step.name, str(row.documents), number(row.speeds[OURS]), *(number(row.speeds[t]) for t in types)]
        cells.append(f"{against(row.ratio, row.step.goal if has_goals else None)} ({row.best})")
        cells.append(f"{row.step.metric} " + " / ".join(f"{row.scores[who]:.3f}" for who in [OURS, *types]))
        cells.append(f"{row.rounds} of {rounds}{MARK if row.noisy else ''}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def measure(steps: list[Step], contestants: dict[str, Any], workers: list[int], rounds: int,
            ) -> tuple[list[Sample], dict[str, int]]:
    samples: list[Sample] = []
    documents: dict[str, int] = {}
    watch = Watch(workers)
    try:
        for number_of_round in range(1, rounds + 1):
            for step in steps:
                say(f"round {number_of_round}: {step.name}")
                taken = []
                for who, contestant in contestants.items():
                    watch.start()
                    seconds, documents[step.name], score = contestant.measure(step, documents.get(step.name, 0))
                    speed = documents[step.name] / seconds
                    taken.append(Sample(number_of_round, step.name, who, speed, score, watch.share()))
                samples += taken
    except KeyboardInterrupt:
        say("interrupted: the table has what was measured until now")
    return samples, documents


def arguments() -> argparse.Namespace:
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "micius" / "peers"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=MODEL, help="known to micius, or a GGUF file; the goals are those of %(default)s")
    parser.add_argument("--micius", default=str(HERE.parent / "build/release/src/cli/micius"), help="the program")
    parser.add_argument("--data-dir", type=pathlib.Path, help="of third-party data (micius's own default)")
    parser.add_argument("--venv", type=pathlib.Path, default=cache / "lm_eval", help="folder of the peer (%(default)s)")
    parser.add_argument("--dtypes", default="float32,bfloat16", help="of the peer; its best counts")
    parser.add_argument("--numerics", default="precise", help="of micius; the goals are those of precise")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quiet", type=float, default=0.1, help="share of a core that others may use")
    parser.add_argument("-o", "--output", choices=["md", "json"], default="md")
    return parser.parse_args()


def about_of(options: argparse.Namespace, bench: dict[str, Any], loaded: dict[str, float]) -> dict[str, str]:
    now = datetime.datetime.now(datetime.timezone.utc)
    loading = ", ".join(f"{who} {seconds:.1f} s" for who, seconds in loaded.items())
    return {
        "machine": f"{bench['cpu_info']}, {os.cpu_count()} cores, {platform.system()}",
        "date": f"{now:%Y-%m-%d %H:%M} UTC",
        "micius": f"{run(options.micius, '--version').strip()}, {bench['isa']}, {bench['numerics']}; the whole process",
        "lm-eval": f"{PEER[0]}, Hugging Face backend; without the loading of the model ({loading})",
        "model": f"{bench['model_type']}, {options.threads} threads",
        "medians": f"of rounds in which others used at most {options.quiet:g} of a core",
    }


def main() -> None:
    options = arguments()
    bench = json.loads(run(options.micius, "bench", "-m", options.model, "-p1", "-n0", "-r1", "-o", "json"))[0]
    data = options.data_dir or os.environ.get("MICIUS_DATA_DIR")
    if not data:
        sys.exit("name the folder of the data: --data-dir DIR")
    python = peer_python(options.venv)
    with contextlib.ExitStack() as stack:
        worker = [python, str(HERE / "lm_eval_worker.py"), bench["model_filename"], str(data), str(options.threads)]
        peers = {dtype: LmEval(stack.enter_context(Lines([*worker, dtype]))) for dtype in options.dtypes.split(",")}
        workers = [peer.lines.process.pid for peer in peers.values()]
        samples, documents = measure(STEPS, {OURS: Micius(options), **peers}, workers, options.rounds)
    measured = {sample.step for sample in samples}
    rows = [row_of(step, samples, documents[step.name], options.quiet) for step in STEPS if step.name in measured]
    if not rows:
        sys.exit("nothing was measured")
    about = about_of(options, bench, {who: peer.loaded_s for who, peer in peers.items()})
    if options.output == "md":
        has_goals = (options.model, options.numerics) == (MODEL, "precise")
        print(markdown(about, rows, options.rounds, has_goals))
    else:
        print(json.dumps({"about": about, "rows": [asdict(r) for r in rows], "samples": [asdict(s) for s in samples]}, indent=2))


if __name__ == "__main__":
    main()
