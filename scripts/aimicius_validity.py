#!/usr/bin/env python3
"""What AIMicius measures, measured: writes docs/aimicius-validity.md to stdout.

    scripts/aimicius_validity.py [--micius PROGRAM] [MODEL...] > docs/aimicius-validity.md

Runs the check models of every suite (about ten minutes on two cores), and each MODEL beside them.
"""
import argparse
import csv
import io
import pathlib
import subprocess
import sys
import tempfile

NAIVE_PLAN = """print([f"D({o}, {c}): G({o}) => G({d})" for o in range(GPU_COUNT) for c in range(CHUNKS_PER_GPU)
       for d in range(GPU_COUNT) if d != o])"""
CONSTANTS = {"cmdgen": "nvidia-smi", "infrawise": "None", "optiflow": NAIVE_PLAN, "nl2kql": "T | take 10"}
LADDER = ["reference", "scripted:errors:1", "scripted:errors:2", "scripted:errors:3"]
KNOWS_NOTHING = ["empty", "random", "constant", "scripted:parrot"]
HEADS = {"scripted:verbose": "verbose", "scripted:parrot": "parrot", "nearest": "nearest"}

INTRO = """# What AIMicius measures: a check of the benchmark itself

Made by `scripts/aimicius_validity.py`{models}; nothing here is written by hand but this text. The check models know the
right answers, or nothing: `reference` answers with them, `verbose` puts them into prose and a fence, `empty` says nothing,
`random` gives the right answer to another question of the same group, `constant` always the same
({constants}), `parrot` the question itself. `nearest` answers with the
answer of the tuning case whose prompt shares most words with the question (BM25): what matching words gets without
understanding. Values in percent.
"""

CEILINGS = """
## {task}: ceiling, floor and chance, by metric

A ceiling below 100 is a metric that no answer can bring there (`bound_fraction` is against a bound that may not be reachable).
A `verbose` below `reference` would be a reader that loses answers; a floor far above 0 is a metric that can be had by
saying little.
"""

LADDER_TEXT = """
## Degradation ladder

`errors:N` gives the right answers with up to N errors each: a number, option or name from the answer to another question, or
left out; each is made or not with equal chance, and the errors of a step are among those of the next. A primary metric that
did not fall from step to step would not measure what it says.
"""

DIFFICULTY = """
## Difficulty

The primary metric by the difficulty that the suite's rule computes (1, 2, 3), and the number of cases. `reference` is left
out: it is at its ceiling on each.
"""


def run(micius, *arguments):
    done = subprocess.run([micius, *arguments], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"`micius {' '.join(arguments)}` ended with status {done.returncode}")
    return done.stdout


def measure(micius, task, models, folder):
    """Runs the models on the task and returns {model: {(by, key, metric): (value, n)}} and the metrics in order."""
    tuning = folder / f"{task}.jsonl"
    run(micius, "data", "export", task, "--turns", "first", "-o", str(tuning))
    named = {
        "constant": "scripted:constant:" + CONSTANTS[task],
        "nearest": f"scripted:nearest:{tuning}",
    }
    database = str(folder / f"{task}.db")
    values, metrics = {}, []
    for model in [*LADDER, "scripted:verbose", *KNOWS_NOTHING, "nearest", *models]:
        print(f"{task}: {model}", file=sys.stderr)
        run(micius, "run", task, f"--model={named.get(model, model)}", "--db", database, "-q", "--progress", "none")
        table = csv.DictReader(io.StringIO(run(micius, "report", "latest", "--db", database, "--format", "csv")))
        values[model] = {}
        for row in table:
            values[model][row["by"], row["key"], row["metric"]] = (float(row["value"]), int(row["n"]))
            if row["by"] == "" and row["metric"] not in metrics:
                metrics.append(row["metric"])
    return values, metrics


def percent(cell):
    return f"{100 * cell[0]:.1f}" if cell else "-"


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|--:" * (len(heads) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def ceilings(values, metrics, models):
    columns = ["reference", "scripted:verbose", *KNOWS_NOTHING, "nearest", *models]
    rows = [[metric, *(percent(values[m].get(("", "", metric))) for m in columns)] for metric in metrics]
    return table(["metric", *(HEADS.get(c, c) for c in columns)], rows)


def falls(steps):
    return all(higher > lower for higher, lower in zip(steps, steps[1:]))


def ladder(measured):
    rows = []
    for task, (values, metrics) in measured.items():
        steps = [values[model]["", "", metrics[0]][0] for model in LADDER]
        rows.append([f"{task}, {metrics[0]}", *(f"{100 * step:.1f}" for step in steps), "yes" if falls(steps) else "NO"])
    return table(["task, primary", "reference", "errors:1", "errors:2", "errors:3", "falls at each step"], rows)


def difficulty(measured, models):
    columns = ["scripted:errors:1", "nearest", *models]
    rows = []
    for task, (values, metrics) in measured.items():
        for key in sorted({key for by, key, _ in values["reference"] if by == "difficulty"}):
            place = ("difficulty", key, metrics[0])
            rows.append([f"{task}, {key}", str(values["reference"][place][1]),
                         *(percent(values[m].get(place)) for m in columns)])
    return table(["task, difficulty", "cases", "errors:1", "nearest", *models], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--micius", default=str(root / "build/release/src/cli/micius"), help="the program")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="measured beside the check models")
    options = parser.parse_args()
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        for task in CONSTANTS:
            measured[task] = measure(options.micius, task, options.models, pathlib.Path(folder))
    constants = ", ".join(f"`{text}`" if "\n" not in text else "a naive plan" for text in CONSTANTS.values())
    models = "".join(f" {model}" for model in options.models)
    print(INTRO.format(models=models and f" with{models}", constants=constants).rstrip())
    for task, (values, metrics) in measured.items():
        print(CEILINGS.format(task=task) if task == next(iter(measured)) else f"\n## {task}\n")
        print(ceilings(values, metrics, options.models))
    print(LADDER_TEXT)
    print(ladder(measured))
    print(DIFFICULTY)
    print(difficulty(measured, options.models))


if __name__ == "__main__":
    main()
