#!/usr/bin/env python3
"""Micius beside lm-evaluation-harness and Inspect, at a server that answers at once: one table of interleaved rounds.

    benchmarks/api_peers.py [--requests 1000] [--concurrency 32] [--rounds 3] [-o json] > table.md

The same one-line questions, one request each, the same server (mock_server.py). The first time it installs the peers in
the cache folder. Of each program: requests/s from the first to the last request as the server saw them, the whole
process from its start to its report, and CPU a request, starts left out. A round in which other processes used more than
--quiet of a core is left out of the medians; where none is left, all count and the row is marked.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from peers import HERE, MARK, OURS, Watch, number, run, say

PEERS = {"lm-eval": ["lm_eval[api]==0.4.13"], "Inspect": ["inspect-ai==0.3.285", "openai"]}
PROGRAMS = {"lm-eval": "lm_eval", "Inspect": "inspect"}
KEPT = "micius, --cache on"

LM_EVAL_TASK = """task: mock
dataset_path: json
dataset_kwargs:
  data_files:
    test: {questions}
test_split: test
output_type: generate_until
doc_to_text: "{{{{q}}}}"
doc_to_target: "{{{{a}}}}"
generation_kwargs:
  until: ["\\n"]
  max_gen_toks: 8
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
"""

OUR_TASK = {
    "micius_task": 1, "name": "mock", "version": 1,
    "dataset": {"loader": "jsonl", "path": "questions.jsonl", "input": "q", "targets": "a"},
    "prompt": {"user": "{{input}}"}, "generate": {"max_tokens": 8, "stop": ["\n"]},
    "scorer": {"name": "exact"}, "metrics": ["acc"],
}


@dataclass(frozen=True)
class Sample:
    round: int
    who: str
    requests_s: float  # as the server saw them
    process_s: float
    cpu_s: float
    start_cpu_s: float  # of the same program with one question
    others: float  # the share of a core that other processes used meanwhile


@dataclass
class Row:
    who: str
    requests_s: float
    process_s: float
    cpu_ms: float  # a request
    ratio: float | None  # ours over theirs
    rounds: int
    noisy: bool


class Server:
    """The mock, in a process of its own."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, str(HERE / "mock_server.py")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def counts(self) -> tuple[int, float]:
        with urllib.request.urlopen(f"{self.url}/counts") as answer:
            found = json.load(answer)
        return found["requests"], found["seconds"]

    def close(self) -> None:
        self.process.communicate()


class Contest:
    """What each program is called with, in a folder of its own that goes with it."""

    def __init__(self, options: argparse.Namespace, programs: dict[str, str], url: str, folder: pathlib.Path) -> None:
        self.options, self.programs, self.url, self.folder = options, programs, url, folder
        (folder / "task").mkdir()
        shutil.copy(HERE / "inspect_task.py", folder)  # it takes names in its own folder alone
        (folder / "mock.json").write_text(json.dumps(OUR_TASK))
        (folder / "task" / "mock.yaml").write_text(LM_EVAL_TASK.format(questions=folder / "questions.jsonl"))

    def write_questions(self, count: int) -> None:
        rows = (json.dumps({"q": f"Question {i}: say A.", "a": "A"}) + "\n" for i in range(count))
        (self.folder / "questions.jsonl").write_text("".join(rows))

    def command(self, who: str) -> list[str]:
        many = str(self.options.concurrency)
        if who in (OURS, KEPT):
            return [self.options.micius, "run", "./mock.json", "--model", f"openai:mock@{self.url}/v1", "--concurrency", many,
                    "--progress", "none", "--cache", "on" if who == KEPT else "off"]
        if who == "lm-eval":
            model = f"model=mock,base_url={self.url}/v1/chat/completions,num_concurrent={many},max_retries=1"
            return [self.programs[who], "--model", "local-chat-completions", "--apply_chat_template", "--include_path",
                    str(self.folder / "task"), "--tasks", "mock", "--model_args", model]
        return [self.programs[who], "eval", "inspect_task.py", "--model", "openai/gpt-4o", "--max-connections", many,
                "--max-samples", many, "--log-dir", str(self.folder / "logs"), "--temperature", "0", "--max-tokens", "8"]

    def environment(self) -> dict[str, str]:
        home = str(self.folder)
        return os.environ | {
            "OPENAI_API_KEY": "test-key", "OPENAI_BASE_URL": f"{self.url}/v1", "INSPECT_DISPLAY": "none", "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_OFFLINE": "1", "HF_HOME": home, "TQDM_DISABLE": "1", "PYTHONDONTWRITEBYTECODE": "1",
            "API_PEERS_QUESTIONS": str(self.folder / "questions.jsonl"), "no_proxy": "127.0.0.1", "MICIUS_CACHE_DIR": home,
            "MICIUS_DB": str(self.folder / "micius.db"),
        }

    def call(self, who: str) -> tuple[float, float]:
        """Seconds of the whole process, and of CPU."""
        for left in self.folder.glob("*.db*"):
            left.unlink()
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        run(*self.command(who), cwd=self.folder, env=self.environment())
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(contest: Contest, server: Server, programs: list[str]) -> Iterator[Sample]:
    asked = contest.options.requests
    watch = Watch([server.process.pid])
    for number_of_round in range(1, contest.options.rounds + 1):
        for who in programs:
            say(f"round {number_of_round}: {who}")
            contest.write_questions(1)
            _, start_cpu = contest.call(who)
            contest.write_questions(asked)
            server.counts()
            watch.start()
            process, cpu = contest.call(who)
            others = watch.share()
            requests, seconds = server.counts()
            if requests != asked:
                sys.exit(f"{who} sent {requests} requests for {asked} questions")
            yield Sample(number_of_round, who, requests / seconds, process, cpu, start_cpu, others)


def rows_of(samples: list[Sample], requests: int, quiet: float) -> list[Row]:
    """Medians over the rounds that were quiet for both of a pair, over all if there is none."""
    by_round: dict[int, dict[str, Sample]] = {}
    for sample in samples:
        by_round.setdefault(sample.round, {})[sample.who] = sample
    rows = []
    for who in dict.fromkeys(sample.who for sample in samples):
        pairs = [(r[OURS], r[who]) for r in by_round.values() if OURS in r and who in r]
        kept = [pair for pair in pairs if max(s.others for s in pair) <= quiet]
        noisy = not kept
        kept = kept or pairs
        theirs = [their for _, their in kept]
        ratio = None if who == OURS else statistics.median(our.requests_s / their.requests_s for our, their in kept)
        cpu = statistics.median((s.cpu_s - s.start_cpu_s) * 1e3 / requests for s in theirs)
        rows.append(Row(who, statistics.median(s.requests_s for s in theirs), statistics.median(s.process_s for s in theirs),
                        cpu, ratio, len(kept), noisy))
    return rows


def markdown(about: dict[str, str], rows: list[Row], rounds: int) -> str:
    lines = [f"- {name}: {value}" for name, value in about.items()] + [""]
    lines += ["| | requests/s | whole process, s | CPU ms a request | micius over it | rounds |", "|---" + "|--:" * 5 + "|"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.1f}x"
        cells = [row.who, number(row.requests_s), f"{row.process_s:.2f}", f"{row.cpu_ms:.2f}", ratio]
        lines.append("| " + " | ".join([*cells, f"{row.rounds} of {rounds}{MARK if row.noisy else ''}"]) + " |")
    return "\n".join(lines)


def peer_program(who: str, venv: pathlib.Path) -> str:
    program = venv / "bin" / PROGRAMS[who]
    if not program.exists():
        say(f"installing {' and '.join(PEERS[who])} in {venv}")
        run(sys.executable, "-m", "venv", str(venv))
        run(str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", *PEERS[who])
    return str(program)


def arguments() -> argparse.Namespace:
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "micius" / "peers"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--micius", default=str(HERE.parent / "build/release/src/cli/micius"), help="the program")
    parser.add_argument("--lm-eval", type=pathlib.Path, default=cache / "lm_eval_api", help="folder of the peer (%(default)s)")
    parser.add_argument("--inspect", type=pathlib.Path, default=cache / "inspect", help="folder of the peer (%(default)s)")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quiet", type=float, default=0.1, help="share of a core that others may use")
    parser.add_argument("-o", "--output", choices=["md", "json"], default="md")
    return parser.parse_args()


def about_of(options: argparse.Namespace) -> dict[str, str]:
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "machine": f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}, {platform.system()}",
        "date": f"{now:%Y-%m-%d %H:%M} UTC",
        "programs": f"{run(options.micius, '--version').strip()}; {', '.join(PEERS[who][0] for who in PEERS)}",
        "asked": f"{options.requests} questions, {options.concurrency} at once, of a server in Python on the same cores",
        "medians": f"of rounds in which others used at most {options.quiet:g} of a core",
    }


def main() -> None:
    options = arguments()
    options.micius = str(pathlib.Path(options.micius).resolve())
    programs = {"lm-eval": peer_program("lm-eval", options.lm_eval), "Inspect": peer_program("Inspect", options.inspect)}
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Server()) as server:
        contest = Contest(options, programs, server.url, pathlib.Path(folder))
        with contextlib.suppress(KeyboardInterrupt):
            for sample in measure(contest, server, [OURS, KEPT, *programs]):
                samples.append(sample)
    rows = rows_of(samples, options.requests, options.quiet)
    if not rows:
        sys.exit("nothing was measured")
    if options.output == "md":
        print(markdown(about_of(options), rows, options.rounds))
    else:
        print(json.dumps({"about": about_of(options), "rows": [asdict(r) for r in rows], "samples": [asdict(s) for s in samples]},
                         indent=2))


if __name__ == "__main__":
    main()
