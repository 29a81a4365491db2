#!/usr/bin/env python3
"""Micius beside llama.cpp on this machine: one table, measured in interleaved pairs.

    benchmarks/peers.py [--model smollm2-135m] [--threads 2] [--rounds 5] [-o json] > table.md

The first time it builds llama.cpp for this CPU (about ten minutes on two cores) and writes the model in llama.cpp's
other types; both stay in the cache folder. A round takes about five minutes. Rounds in which other processes used more
than --quiet of a core are left out of the medians; where none is left, all count and the row is marked. After Ctrl-C the
table has what was measured until then.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
PEER = "llama-cpp-python==0.3.36"
MODEL = "smollm2-135m"
OURS = "micius"
SAME = "same file"
MARK = " (noisy)"

Header = list[int]
Questions = list[tuple[list[int], list[list[int]]]]
Logprobs = list[list[float]]


@dataclass(frozen=True)
class Goals:
    """Of ours over llama.cpp's best type, over llama.cpp with the same file, and of ours in seconds."""

    best: float | None = None
    same: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Step:
    name: str
    unit: str  # "s" is better low, all others high
    request: dict[str, Any]  # of the worker
    goals: Goals = Goals()
    header: int = 0  # tokens before every question
    keep_header: bool = False  # does llama.cpp read it once?


@dataclass(frozen=True)
class Sample:
    round: int
    step: str
    who: str
    value: float  # the median of `values`
    values: list[float]
    others: float  # the share of a core that other processes used meanwhile


@dataclass
class Row:
    """A step's medians; ratios above 1 mean that ours is faster."""

    step: Step
    ours: float
    theirs: dict[str, float]
    best: str
    over_best: float
    over_same: float
    rounds: int
    noisy: bool


# The steps


def steps_of(context: int, tokens: int, amx: bool, prefills: Iterable[int], depths: Iterable[int],
             sequences: Iterable[int], header: int) -> list[Step]:
    """With the goals for MODEL in numerics `precise`; a depth ends `tokens` tokens before the model's context does."""
    steps = [Step("load to first token", "s", {"step": "load"}, Goals(seconds=0.3))]
    for n in prefills:
        best = {512: 3.0, 2048: 3.0} if amx else {512: 1.5, 2048: 1.8}
        steps.append(Step(f"prefill {n:,}", "tok/s", {"step": "prefill", "tokens": n}, Goals(best.get(n), 6)))
    for n in depths:
        depth = min(n, context - tokens)
        request = {"step": "decode", "depth": depth, "tokens": tokens, "sequences": 1}
        best = {0: 1.6, 2048: 2.5, 8192: 4.0}.get(n)
        steps.append(Step(f"decode {tokens} at depth {depth:,}", "tok/s", request, Goals(best, 3)))
    for n in sequences:
        request = {"step": "decode", "depth": 128, "tokens": tokens // 2, "sequences": n}
        best = (4.0 if amx else 1.5) if n == 32 else None
        steps.append(Step(f"{n} sequences at depth 128", "tok/s", request, Goals(best)))
    choices = {"step": "choices"}
    steps.append(Step("multiple choice", "questions/s", choices, Goals(3 if amx else 1.5, 6)))
    shared = f"multiple choice, a header of {header}"
    steps.append(Step(shared, "questions/s", choices, Goals(6), header))
    steps.append(Step(f"{shared}, llama.cpp's kept by hand", "questions/s", choices, Goals(), header, True))
    return steps


def questions_of(rng: random.Random, vocabulary: int, count: int, header: int) -> tuple[Header, Questions]:
    """HellaSwag-like: a context of 60 random tokens, four choices of 20; new ones each time, so no cache has them."""

    def some(length: int) -> list[int]:
        return [rng.randrange(100, vocabulary - 100) for _ in range(length)]

    return some(header), [(some(60), [some(20) for _ in range(4)]) for _ in range(count)]


# Who is measured


class Micius:
    def __init__(self, program: str, model: str, threads: int, numerics: str) -> None:
        self.program, self.model = program, model
        self.flags = [f"--threads={threads}", f"--numerics={numerics}"]

    def bench(self, *flags: str) -> dict[str, Any]:
        return json.loads(run(self.program, "bench", "-m", self.model, *self.flags, "-o", "json", *flags))[0]

    def measure(self, step: Step, repeats: int, header: Header, questions: Questions) -> tuple[list[float], Logprobs]:
        request = step.request
        if request["step"] == "load":
            return [self.load() for _ in range(repeats)], []
        if request["step"] == "choices":
            return self.choices(repeats, header, questions)
        if request["step"] == "prefill":
            flags = [f"-p{request['tokens']}", "-n0"]
        else:
            flags = ["-p0", f"-n{request['tokens']}", f"-d{request['depth']}", f"-s{request['sequences']}"]
        return self.bench(*flags, f"-r{repeats}")["samples_ts"], []

    def load(self) -> float:
        start = time.perf_counter()
        line = json.dumps({"prompt": "Once upon a time", "max_tokens": 1})
        run(self.program, "engine", "generate", "--model", self.model, *self.flags, text=line + "\n")
        return time.perf_counter() - start

    def choices(self, repeats: int, header: Header, questions: Questions) -> tuple[list[float], Logprobs]:
        values = []
        for _ in range(repeats):  # each in a process of its own: nothing is left in a cache
            with Lines([self.program, "engine", "loglikelihood", "--model", self.model, *self.flags]) as engine:
                engine.ask([weigh_line([1], [1, 2])])  # warms up
                lines = [weigh_line(header + text, choice) for text, choices in questions for choice in choices]
                start = time.perf_counter()
                answers = engine.ask(lines)
                values.append(len(questions) / (time.perf_counter() - start))
        flat = iter(answer["logprob"] for answer in answers)
        return values, [[next(flat) for _ in choices] for _, choices in questions]


class LlamaCpp:
    def __init__(self, lines: "Lines") -> None:
        self.lines = lines
        self.about: dict[str, Any] = lines.answer()

    def measure(self, step: Step, repeats: int, header: Header, questions: Questions) -> tuple[list[float], Logprobs]:
        request = dict(step.request, repeats=repeats)
        if request["step"] == "choices":
            kept = header if step.keep_header else []
            again = header[len(kept):]
            request.update(header=kept, questions=[(again + text, choices) for text, choices in questions])
        answer = self.lines.ask([json.dumps(request)])[0]
        return answer["values"], answer.get("logprobs", [])


class Lines:
    """A program that answers JSON lines by JSON lines."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, lines: list[str]) -> list[dict[str, Any]]:
        writer = threading.Thread(target=self.write, args=(lines,))  # both pipes may be full
        writer.start()
        answers = [self.answer() for _ in lines]
        writer.join()
        return answers

    def write(self, lines: list[str]) -> None:
        with contextlib.suppress(BrokenPipeError):  # answer() says that it ended
            self.process.stdin.write("".join(line + "\n" for line in lines))
            self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"`{' '.join(self.command)}` ended with status {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            sys.exit(f"`{' '.join(self.command)}`: {answer['error']}")
        return answer


def weigh_line(context: list[int], continuation: list[int]) -> str:
    return json.dumps({"context_ids": context, "continuation_ids": continuation})


def run(*command: str, text: str = "", **options: Any) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"`{' '.join(command)}` ended with status {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


# What others use meanwhile


def busy_seconds(stat: str, ticks: int) -> float:
    """Of all cores since the start, from the text of /proc/stat: user, nice, system, irq, softirq and steal."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, stat.split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / ticks


def process_seconds(stat: str, ticks: int) -> float:
    """Of one process, from the text of /proc/PID/stat; its name may hold blanks and brackets."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / ticks


@dataclass
class Watch:
    """The share of a core that processes other than this one, `workers` and what has ended of our children used."""

    workers: list[int] = field(default_factory=list)
    ticks: int = os.sysconf("SC_CLK_TCK")

    def start(self) -> None:
        self.time, self.used = time.perf_counter(), self.others()

    def share(self) -> float:
        return max(0.0, (self.others() - self.used) / max(time.perf_counter() - self.time, 1e-3))

    def others(self) -> float:
        own = os.times()
        used = own.user + own.system + own.children_user + own.children_system
        for worker in self.workers:
            used += process_seconds(pathlib.Path(f"/proc/{worker}/stat").read_text(), self.ticks)
        return busy_seconds(pathlib.Path("/proc/stat").read_text(), self.ticks) - used


# The table


def row_of(step: Step, samples: list[Sample], quiet: float) -> Row:
    """Medians over the quiet rounds, over all if there is none; the best type is the one of the best median."""
    rounds: dict[int, dict[str, Sample]] = {}
    for sample in samples:
        if sample.step == step.name:
            rounds.setdefault(sample.round, {})[sample.who] = sample
    kept = [r for r in rounds.values() if max(s.others for s in r.values()) <= quiet]
    noisy = not kept
    kept = kept or list(rounds.values())
    medians = {who: statistics.median(r[who].value for r in kept) for who in kept[0]}
    low = step.unit == "s"
    peers = {who: value for who, value in medians.items() if who != OURS}
    best = min(peers, key=lambda who: peers[who] if low else -peers[who])

    def over(who: str) -> float:
        ratios = [r[OURS].value / r[who].value for r in kept]
        return statistics.median(1 / ratio if low else ratio for ratio in ratios)

    return Row(step, medians[OURS], peers, best, over(best), over(SAME), len(kept), noisy)


def against(value: float, goal: float | None) -> str:
    if goal is None:
        return f"{value:.2f}x"
    return f"{value:.2f}x, goal {goal:g}x: {'met' if value >= goal else 'NOT met'}"


def number(value: float, goal: float | None = None) -> str:
    text = f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return text if goal is None else f"{text}, goal {goal:g}: {'met' if value <= goal else 'NOT met'}"


def markdown(about: dict[str, Any], rows: list[Row], rounds: int) -> str:
    types = list(rows[0].theirs)
    heads = ["", "unit", "Micius", *(f"llama.cpp {t}" for t in types), "over its best type", f"over the {SAME}", "rounds"]
    lines = [f"- {name}: {value}" for name, value in about.items()] + ["", "| " + " | ".join(heads) + " |"]
    lines.append("|---|---" + "|--:" * (len(heads) - 2) + "|")
    for row in rows:
        goals = row.step.goals
        cells = [row.step.name, row.step.unit, number(row.ours, goals.seconds), *(number(row.theirs[t]) for t in types)]
        cells += [f"{against(row.over_best, goals.best)} ({row.best})", against(row.over_same, goals.same)]
        cells.append(f"{row.rounds} of {rounds}{MARK if row.noisy else ''}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


# All of it


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def peer_python(venv: pathlib.Path) -> str:
    """The Python of the folder, with the peer in it."""
    python = str(venv / "bin" / "python")
    check = "import llama_cpp, numpy; print('llama-cpp-python==' + llama_cpp.__version__)"
    if pathlib.Path(python).exists():
        found = subprocess.run([python, "-c", check], capture_output=True, text=True)
        if found.stdout.strip() == PEER:
            return python
    say(f"building {PEER} for this CPU in {venv}: about ten minutes on two cores")
    run(sys.executable, "-m", "venv", str(venv))
    environment = dict(os.environ, CMAKE_ARGS="-DGGML_NATIVE=ON", CMAKE_BUILD_PARALLEL_LEVEL=str(os.cpu_count()))
    pip = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir"]  # pip's cache may have another CPU's build
    run(*pip, "--no-binary=llama-cpp-python", PEER, "numpy", env=environment)
    return python


def model_files(micius: str, model: pathlib.Path, types: list[str], cache: pathlib.Path) -> dict[str, pathlib.Path]:
    """The model itself and, made where they are not there, one file a type."""
    files = {SAME: model}
    for name in types:
        files[name] = cache / f"{model.stem}-{model.stat().st_size}-{name}.gguf"
        if not files[name].exists():
            say(f"writing {files[name]}")
            run(micius, "model", "convert", str(model), "--type", name, "-o", str(files[name]))
    return files


def measure(steps: list[Step], ours: Micius, peers: dict[str, LlamaCpp], options: argparse.Namespace,
            ) -> tuple[list[Sample], float]:
    """Rounds of pairs, and the largest difference of a choice's log-likelihood a token: both did the same work."""
    samples: list[Sample] = []
    differences = [0.0]
    try:
        for number_of_round in range(1, options.rounds + 1):
            for step in steps:
                say(f"round {number_of_round}: {step.name}")
                differences.append(measure_step(step, number_of_round, ours, peers, options, samples))
    except KeyboardInterrupt:
        say("interrupted: the table has what was measured until now")
    return samples, max(differences)


def measure_step(step: Step, number_of_round: int, ours: Micius, peers: dict[str, LlamaCpp],
                 options: argparse.Namespace, samples: list[Sample]) -> float:
    """A step of a round: samples of all contestants or of none; returns the difference of log-likelihoods."""
    rng = random.Random(f"{number_of_round}/{step.name}")
    watch = Watch([peer.lines.process.pid for peer in peers.values()])
    header, questions = questions_of(rng, peers[SAME].about["vocabulary"], options.questions, step.header)
    logprobs, taken = {}, []
    for who, contestant in {OURS: ours, **peers}.items():
        watch.start()
        values, logprobs[who] = contestant.measure(step, options.repeats, header, questions)
        taken.append(Sample(number_of_round, step.name, who, statistics.median(values), values, watch.share()))
    samples += taken
    return worst_difference(logprobs[OURS], logprobs[SAME], questions)


def worst_difference(a: Logprobs, b: Logprobs, questions: Questions) -> float:
    pairs = ((x, y, choice) for p, q, (_, choices) in zip(a, b, questions) for x, y, choice in zip(p, q, choices))
    return max((abs(x - y) / len(choice) for x, y, choice in pairs), default=0.0)


def fill_depths(steps: list[Step], peers: dict[str, LlamaCpp]) -> None:
    """Before the rounds: llama.cpp keeps what it read before a depth."""
    for who, peer in peers.items():
        say(f"{who}: reading up to the depths")
        for step in steps:
            if step.request["step"] == "decode":
                peer.measure(step, 0, [], [])


def arguments() -> argparse.Namespace:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",") if part]

    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "micius" / "peers"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=MODEL, help="known to micius, or a GGUF file; the goals are those of %(default)s")
    parser.add_argument("--micius", default=str(HERE.parent / "build/release/src/cli/micius"), help="the program")
    parser.add_argument("--cache", type=pathlib.Path, default=cache, help="folder of what is built (%(default)s)")
    parser.add_argument("--venv", type=pathlib.Path, help="folder with llama-cpp-python (CACHE/venv)")
    parser.add_argument("--types", default="Q4_0,Q8_0,BF16", help="of llama.cpp's files, beside the model's own")
    parser.add_argument("--numerics", default="precise", help="of micius; the goals are those of precise")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=1, help="of a step in a round; the median counts")
    parser.add_argument("--quiet", type=float, default=0.1, help="share of a core that others may use")
    parser.add_argument("--prefills", type=numbers, default=[512, 2048], metavar="N,..")
    parser.add_argument("--depths", type=numbers, default=[0, 2048, 8192], metavar="N,..")
    parser.add_argument("--sequences", type=numbers, default=[8, 32], metavar="N,..")
    parser.add_argument("--tokens", type=int, default=64, help="generated; half as many with several sequences")
    parser.add_argument("--questions", type=int, default=32)
    parser.add_argument("--header", type=int, default=680, help="tokens of the few-shot header")
    parser.add_argument("-o", "--output", choices=["md", "json"], default="md")
    return parser.parse_args()


def about_of(options: argparse.Namespace, bench: dict[str, Any], amx: bool) -> dict[str, str]:
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "machine": f"{bench['cpu_info']}, {os.cpu_count()} cores, {'AMX' if amx else 'no AMX'}, {platform.system()}",
        "date": f"{now:%Y-%m-%d %H:%M} UTC",
        "micius": f"{run(options.micius, '--version').strip()}, {bench['isa']}, {bench['numerics']}",
        "llama.cpp": f"{PEER}, built for this CPU, flash attention",
        "model": f"{bench['model_type']} ({SAME}), {options.threads} threads",
        "medians": f"of rounds in which others used at most {options.quiet:g} of a core",
    }


def main() -> None:
    options = arguments()
    amx = "amx_int8" in pathlib.Path("/proc/cpuinfo").read_text()
    options.cache.mkdir(parents=True, exist_ok=True)
    python = peer_python(options.venv or options.cache / "venv")
    ours = Micius(options.micius, options.model, options.threads, options.numerics)
    bench = ours.bench("-p1", "-n0", "-r1")
    types = [name for name in options.types.split(",") if name]
    files = model_files(options.micius, pathlib.Path(bench["model_filename"]), types, options.cache)
    with contextlib.ExitStack() as stack:
        worker = [python, str(HERE / "llamacpp_worker.py")]
        peers = {who: LlamaCpp(stack.enter_context(Lines([*worker, str(file), str(options.threads)])))
                 for who, file in files.items()}
        steps = steps_of(peers[SAME].about["context"], options.tokens, amx, options.prefills, options.depths,
                         options.sequences, options.header)
        if (options.model, options.numerics) != (MODEL, "precise"):  # the goals are for no other
            steps = [replace(step, goals=Goals()) for step in steps]
        fill_depths(steps, peers)
        samples, difference = measure(steps, ours, peers, options)
    about = about_of(options, bench, amx)
    about["same work"] = f"log-likelihoods of the choices differ by at most {difference:.2g} a token"
    measured = {sample.step for sample in samples}
    rows = [row_of(step, samples, options.quiet) for step in steps if step.name in measured]
    if not rows:
        sys.exit("nothing was measured")
    if options.output == "md":
        print(markdown(about, rows, options.rounds))
    else:
        result = {"about": about, "rows": [asdict(row) for row in rows], "samples": [asdict(s) for s in samples],
                  "system": peers[SAME].about["system"]}
        print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
