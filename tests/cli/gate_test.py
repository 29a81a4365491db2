#!/usr/bin/env python3
"""The regression gate as CI uses it: a model that was made worse on purpose, the recipes of docs/gate.md as they stand there,
and JUnit files that a parser accepts.

  gate_test.py PROGRAM [Gate|Model|Recipes]
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
DOC = pathlib.Path(__file__).resolve().parents[2] / "docs" / "gate.md"
POLICY = {"micius_policy": 1, "defaults": {"max_drop": 0.02}}
WORDS = ["disk", "network", "memory", "compiler"]


def environment(folder, **more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MICIUS_", "XDG_"))}
    path = f"{folder / 'bin'}:{kept.get('PATH', '')}"
    return {**kept, "HOME": str(folder), "NO_COLOR": "1", "PATH": path, **more}


def check_junit(test, path):
    """Is it what the common schema (testsuites, testsuite, testcase, outcome) allows? Returns the cases by outcome."""
    root = ElementTree.parse(path).getroot()
    test.assertEqual(root.tag, "testsuites")
    outcomes = {"passed": [], "failure": [], "error": [], "skipped": []}
    test.assertGreater(len(root), 0)
    for suite in root:
        test.assertEqual(suite.tag, "testsuite")
        test.assertTrue(suite.get("name"))
        counts = {"failure": 0, "error": 0, "skipped": 0}
        for case in suite:
            test.assertEqual(case.tag, "testcase")
            test.assertTrue(case.get("name") and case.get("classname"))
            test.assertLessEqual(len(case), 1)
            for outcome in case:
                test.assertIn(outcome.tag, ("failure", "error", "skipped", "system-out"))
                if outcome.tag in counts:
                    counts[outcome.tag] += 1
            tag = case[0].tag if len(case) else "passed"
            outcomes["passed" if tag == "system-out" else tag].append(case)
        test.assertEqual(int(suite.get("tests")), len(suite))
        for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            test.assertEqual(int(suite.get(attribute)), counts[tag])
    return outcomes


class Folder(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "micius").symlink_to(PROGRAM)
        (self.folder / "policy.json").write_text(json.dumps(POLICY))

    def micius(self, *words, code=0, where=None):
        done = subprocess.run([PROGRAM, *words], cwd=where or self.folder, env=environment(self.folder), text=True,
                              capture_output=True)
        self.assertEqual(done.returncode, code, f"{words}\n{done.stdout}{done.stderr}")
        return done.stdout

    def write_task(self, samples=400, version=1, last="none"):
        rows = [{"id": f"t{i}", "text": f"Ticket {i}.", "label": WORDS[i % len(WORDS)]} for i in range(samples)]
        rows[-1]["text"] += last
        (self.folder / "tickets.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        task = {"micius_task": 1, "name": "triage", "version": version,
                "dataset": {"loader": "jsonl", "path": "tickets.jsonl", "id": "id", "input": "text", "targets": "label"},
                "prompt": {"user": "Ticket: {{input}}"}, "generate": {"max_tokens": 8},
                "scorer": {"name": "exact"}, "metrics": ["acc"]}
        (self.folder / "triage.json").write_text(json.dumps(task))

    def run_task(self, model, *more):
        self.micius("run", "./triage.json", "--model", model, "--progress", "none", "-q", "--fresh", *more)

    def gate(self, baseline, code, *more):
        out = self.micius("gate", "latest", "--baseline", baseline, "--policy", "policy.json", "--junit", "gate.xml", *more,
                          code=code)
        return out, check_junit(self, self.folder / "gate.xml")


class Gate(Folder):
    def test_a_model_made_worse_fails_and_its_samples_are_named(self):
        self.write_task(samples=2000)
        self.run_task("reference")
        self.micius("baseline", "set", "main", "latest")
        self.run_task("scripted:spoiled:3")
        out, outcomes = self.gate("main", 1)
        wrong = [json.loads(line)["sample_id"] for line in
                 self.micius("show", "latest", "--samples", "--format", "jsonl").splitlines()
                 if json.loads(line)["verdict"] != "correct"]
        self.assertTrue(40 < len(wrong) < 80)
        self.assertIn(wrong[0], out)
        self.assertIn(f"{len(wrong)} of 2000 samples got worse", out)
        self.assertEqual(len(outcomes["failure"]), 1)
        text = outcomes["failure"][0][0].text
        self.assertIn(wrong[0], text)
        self.assertIn("micius compare 1 2", text)
        self.assertIn("baseline 100.0 %", text)

    def test_the_same_run_twice_passes(self):
        self.write_task()
        self.run_task("scripted:spoiled:6")
        self.micius("baseline", "set", "main", "latest")
        self.run_task("scripted:spoiled:6")
        out, outcomes = self.gate("main", 0)
        self.assertIn("gate: pass", out)
        self.assertEqual((len(outcomes["passed"]), len(outcomes["failure"]), len(outcomes["error"])), (1, 0, 0))

    def test_a_file_is_in_the_format_of_its_ending(self):
        self.write_task(samples=20)
        self.run_task("reference")
        self.micius("baseline", "set", "main", "latest")
        for name, start in (("out.xml", "<?xml"), ("out.json", '{"schema":"micius.gate/1"'), ("out.md", "**gate: "), ("out.txt", "gate: ")):
            out, _ = self.gate("main", 3, "-o", name)
            self.assertEqual(out, "")
            self.assertTrue((self.folder / name).read_text().startswith(start), name)
        self.gate("main", 3, "-o", "out.json", "--format", "md")
        self.assertTrue((self.folder / "out.json").read_text().startswith("**gate: "))

    def test_too_few_samples_are_inconclusive(self):
        self.write_task()
        self.run_task("reference", "--limit", "20")
        self.micius("baseline", "set", "main", "latest")
        self.run_task("reference", "--limit", "20")
        out, outcomes = self.gate("main", 3)
        self.assertIn("cannot be ruled out", out)
        self.assertEqual(len(outcomes["error"]), 1)

    def test_another_version_or_other_data_are_inconclusive(self):
        for what, change in (("task version 2", {"version": 2}), ("data file", {"last": "changed"})):
            with self.subTest(what):
                self.write_task()
                self.run_task("reference")
                self.micius("baseline", "set", "main", "latest")
                self.write_task(**change)
                self.run_task("reference")
                out, outcomes = self.gate("main", 3)
                self.assertIn(what, out)
                self.assertEqual(len(outcomes["error"]), 1)

    def test_a_file_is_a_baseline(self):
        self.write_task()
        self.run_task("reference")
        self.micius("export", "latest", "-o", "baseline.micius")
        for other in self.folder.glob("micius.db*"):
            other.unlink()
        self.run_task("scripted:spoiled:6")
        first, _ = self.gate("baseline.micius", 1)
        again, _ = self.gate("baseline.micius", 1)
        self.assertEqual(first, again)
        self.assertIn("micius compare 2 1", first)
        listed = json.loads(self.micius("list", "runs", "--format", "json"))["runs"]
        self.assertEqual([run["model"] for run in listed], ["scripted:spoiled:6", "reference"])
        self.micius("gate", "latest", "--baseline", "nowhere.micius", "--policy", "policy.json", code=2)

    def test_a_run_stops_once_it_is_decided(self):
        self.write_task()
        self.run_task("reference")
        self.micius("baseline", "set", "main", "latest")
        self.run_task("scripted:spoiled:30", "--stop-when-decided", "main")
        report = json.loads(self.micius("report", "latest", "--format", "json"))["reports"][0]
        self.assertEqual(report["run"]["status"], "stopped")
        self.assertRegex(" ".join(report["run"]["notes"]), "stopped once decided: worse than baseline 'main' by")
        self.assertLess(report["counts"]["scored"], 200)
        out, outcomes = self.gate("main", 1, "--format", "json")
        self.assertRegex(json.loads(out)["checks"][0]["reason"],
                         r"worse by .* stopped once decided, on the first \d+ of 400 samples")
        self.assertEqual(len(outcomes["failure"]), 1)
        data = next(self.folder.glob("*.jsonl"))
        data.rename(self.folder / "away")  # a resume that cannot go on forgets nothing
        self.micius("resume", "latest", "-q", code=2)
        again = json.loads(self.micius("report", "latest", "--format", "json"))["reports"][0]
        self.assertEqual(again["run"]["notes"], report["run"]["notes"])
        (self.folder / "away").rename(data)
        self.micius("resume", "latest", "-q")
        whole = json.loads(self.micius("report", "latest", "--format", "json"))["reports"][0]
        self.assertEqual((whole["run"]["status"], whole["counts"]["scored"]), ("complete", 400))
        self.assertNotIn("notes", whole["run"])
        self.run_task("reference", "--stop-when-decided", "main")
        same = json.loads(self.micius("report", "latest", "--format", "json"))["reports"][0]
        self.assertEqual(same["run"]["status"], "complete")
        self.micius("run", "./triage.json", "--model", "reference", "--stop-when-decided", "other", "-q", code=2)

    def test_reports_as_junit(self):
        self.write_task(samples=20)
        self.run_task("scripted:spoiled:30,empty")
        self.micius("report", "latest", "--format", "junit", "-o", "plain.xml")
        outcomes = check_junit(self, self.folder / "plain.xml")
        self.assertEqual(len(outcomes["passed"]), 4)
        self.micius("report", "latest", "--samples", "-o", "samples.xml")
        outcomes = check_junit(self, self.folder / "samples.xml")
        self.assertEqual(sum(len(cases) for cases in outcomes.values()), 2 * 22)
        self.assertGreaterEqual(len(outcomes["failure"]), 20)


def default_model():
    """The folder with the default model, or None where it was not fetched."""
    root = os.environ.get("MICIUS_MODEL_DIR")
    root = pathlib.Path(root) if root else pathlib.Path.home() / ".local/share/micius/models"
    return root if any((root / "smollm2-135m").glob("*.gguf")) else None


class Model(Folder):
    """The default model, asked to copy words, against itself at temperature 1.5."""

    def setUp(self):
        super().setUp()
        self.models = default_model()
        if self.models is None:
            self.skipTest("`micius model fetch smollm2-135m` gets the model that this test asks")

    def run_words(self, *more):
        self.micius("run", "./words.json", "--model", "smollm2-135m", "--model-dir", str(self.models), "--fresh", "-q", *more)

    def test_the_default_model_at_temperature_1_5_fails(self):
        words = [f"{first} {second}" for first in ("red", "old", "warm", "quiet", "green", "tall", "cold", "small", "round", "sweet")
                 for second in ("house", "river", "apple", "street", "garden", "letter", "window", "table", "horse", "music",
                                "winter", "market", "doctor", "island", "paper", "summer", "bridge", "flower", "kitchen", "mountain")]
        (self.folder / "words.jsonl").write_text("".join(json.dumps({"w": word}) + "\n" for word in words))
        (self.folder / "words.json").write_text(json.dumps(
            {"micius_task": 1, "name": "words", "version": 1,
             "dataset": {"loader": "jsonl", "path": "words.jsonl", "input": "w", "targets": "w"},
             "prompt": {"user": "{{input}} =>"}, "shots": {"n": 4, "from": "first"},
             "generate": {"max_tokens": 8, "stop": ["\n"]}, "scorer": {"name": "exact", "ignore_case": True},
             "metrics": ["acc"]}))
        self.run_words()
        self.micius("baseline", "set", "main", "latest")
        self.run_words("--temperature", "1.5")
        out, outcomes = self.gate("main", 1)
        self.assertRegex(out, r"samples got worse")
        self.assertEqual(len(outcomes["failure"]), 1)
        self.run_words()
        self.gate("main", 0)
        self.run_words("--limit", "20")
        self.gate("main", 3)


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", DOC.read_text(), re.MULTILINE | re.DOTALL)


def github_steps(block):
    """The `run` of each step by the step's name, as GitHub reads them: on one line, or after `|`, indented."""
    steps = {}
    for step in re.split(r"^ {6}- ", block, flags=re.MULTILINE)[1:]:
        name = re.search(r"name: (.*)", step)
        found = re.search(r"^(?: {8})?run: (?:\|\n((?: {10}.*\n)+)|(.*))", step, re.MULTILINE)
        if found:
            steps[name.group(1)] = "\n".join(line[10:] for line in found.group(1).splitlines()) if found.group(1) else found.group(2)
    return steps


def gitlab_steps(block, key):
    found = re.search(rf"^  {key}:\n((?:    - .*\n)+)", block, re.MULTILINE)
    return [line[6:] for line in found.group(1).splitlines()]


class Recipes(Folder):
    """Their shell steps as pasted, in a clone of a repository that has the baseline; all but the installation."""

    def shell(self, text, where, model):
        return subprocess.run(["bash", "-eo", "pipefail", "-c", text], cwd=where, text=True, capture_output=True,
                              env=environment(self.folder, MODEL=model))

    def repository(self):
        repository = self.folder / "repository"
        repository.mkdir()
        recipe, = [block for block in blocks("sh") if "baseline.micius" in block]
        done = self.shell("git init -q\n" + recipe, repository, "reference")
        self.assertEqual(done.returncode, 0, done.stderr)
        git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run([*git, "add", "ci"], cwd=repository, check=True)
        subprocess.run([*git, "commit", "-qm", "baseline"], cwd=repository, check=True)
        self.assertLess((repository / "ci" / "baseline.micius").stat().st_size, 1_500_000)
        return repository

    def clone(self, repository, name):
        subprocess.run(["git", "clone", "-q", repository, self.folder / name], check=True)
        return self.folder / name

    def test_the_recipes_work_as_pasted(self):
        github, = [block for block in blocks("yaml") if "actions/checkout" in block]
        gitlab, = [block for block in blocks("yaml") if "before_script" in block]
        steps = github_steps(github)
        self.assertEqual(list(steps), ["Install Micius", "Evaluate", "Gate", "Report"])
        install = "\n".join(gitlab_steps(gitlab, "before_script")).replace("-qy git $", "-qy $")
        self.assertEqual(steps["Install Micius"].replace("sudo ", ""), install)
        recipes = {"github": [steps["Evaluate"], steps["Gate"], steps["Report"]],
                   "gitlab": ["\n".join(gitlab_steps(gitlab, "script")), *gitlab_steps(gitlab, "after_script")]}
        repository = self.repository()
        for recipe, shells in recipes.items():
            for model, code in (("reference", 0), ("scripted:spoiled:10", 1)):
                with self.subTest(f"{recipe} {model}"):
                    where = self.clone(repository, f"{recipe}-{code}")
                    done = [self.shell(text, where, model) for text in shells]
                    gate = done[-2]
                    self.assertEqual(gate.returncode, code, gate.stdout + gate.stderr)
                    for other in [*done[:-2], done[-1]]:
                        self.assertEqual(other.returncode, 0, other.stderr)
                    outcomes = check_junit(self, where / "gate.xml")
                    self.assertEqual(len(outcomes["failure"]), code)
                    self.assertTrue((where / "report.html").exists())
                    if recipe == "github" and code == 1:
                        self.assertRegex(gate.stdout, "(?m)^::error title=micius gate%2C fail%3A infrawise::infrawise .*infrawise-test-")


if __name__ == "__main__":
    unittest.main()
