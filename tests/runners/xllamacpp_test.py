#!/usr/bin/env python3
"""llama.cpp's own server, through `openai:`, beside the built-in engine on the same file.

    MICIUS_XLLAMACPP_PYTHON=VENV/bin/python tests/runners/xllamacpp_test.py PROGRAM [MODEL]

Both answer the same prompts greedily. Where the texts part, the engine's two best tokens at that place must be
closer than MARGIN: kernels of other precision choose between equals differently. Without an interpreter that has
the package `xllamacpp` it says so and exits 4 (skipped).
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

SKIPPED = 4
MARGIN = 0.5  # of logits
TOKENS = 32
PROMPTS = [
    "Name a colour.", "What is 2 + 2?", "Which command lists the GPUs of a machine?", "Write one sentence about Paris.",
    "Translate 'good morning' into French.", "What does TCP stand for?", "List three fruits.", "Who wrote Hamlet?",
    "What is the boiling point of water?", "Explain a cache in one sentence.", "Say 'ready'.", "What is an IP address?",
    "Name the largest ocean.", "Give a synonym of 'fast'.", "What day comes after Monday?", "How many bits has a byte?",
    "Write a line of Python that prints hello.", "What is Linux?", "Why is the sky blue?", "Count from one to five.",
]


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def serve(model, port):
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = 4096
    params.n_parallel = 2
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.model_alias = {"smollm2"}
    server = xllamacpp.Server(params)
    signal.sigwait({signal.SIGTERM})
    del server


def wait_for(port, process):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"llama.cpp's server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit("llama.cpp's server did not start in a minute")


def records_of(program, folder, model):
    run = [program, "run", "./prompts.json", "--model", model, "--chat-template", "on", "--progress", "none", "-q", "--fresh"]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = subprocess.run([program, "show", "latest", "--samples", "--format", "jsonl"], cwd=folder, capture_output=True,
                           text=True, check=True).stdout.splitlines()
    return {record["sample_id"]: record["turns"][0] for record in map(json.loads, lines)}


class Engine:
    """Lines of `micius engine VERB` on the same file."""

    def __init__(self, program, model):
        self.program, self.model = program, model

    def ask(self, verb, line):
        done = subprocess.run([self.program, "engine", verb, "--model", self.model], input=json.dumps(line) + "\n",
                              capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def margin_at(self, prompt, ours, theirs):
        """How much better than the next our token is, where the texts part."""
        prefix = self.ask("tokenize", {"text": prompt, "special": True})["ids"]
        ids = self.ask("tokenize", {"text": ours, "special": False})["ids"]
        for count in range(len(ids) + 1):
            text = self.ask("tokenize", {"ids": ids[:count + 1]})["text"]
            if count == len(ids) or not theirs.startswith(text):
                top = self.ask("logits", {"ids": prefix + ids[:count], "top": 2})["top"]
                return top[0][1] - top[1][1]


def compare(ours, theirs, engine):
    equal, closest = 0, []
    for sample, turn in ours.items():
        mine, other = turn["completion"], theirs[sample]["completion"]
        if mine == other:
            equal += 1
            continue
        margin = engine.margin_at(turn["prompt"]["text"], mine, other)
        closest.append(margin)
        print(f"{sample}: margin {margin:.3f}\n   engine     {mine!r}\n   llama.cpp  {other!r}")
        assert margin < MARGIN, f"sample {sample}: the engine was sure of its token"
    print(f"{equal} of {len(ours)} answers equal, the others part at margins up to {max(closest, default=0):.3f}")
    assert equal > 0  # else nothing shows that both were asked the same


def with_package():
    try:
        import xllamacpp  # noqa: F401
        return
    except ImportError:
        pass
    interpreter = os.environ.get("MICIUS_XLLAMACPP_PYTHON")
    if not interpreter:
        skip("MICIUS_XLLAMACPP_PYTHON names no interpreter with the package xllamacpp")
    if os.environ.get("MICIUS_XLLAMACPP_INSIDE"):
        skip(f"{interpreter} has no package xllamacpp")
    os.environ["MICIUS_XLLAMACPP_INSIDE"] = "1"
    os.execv(interpreter, [interpreter, *sys.argv])


def main():
    with_package()
    if sys.argv[1] == "--serve":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        return serve(sys.argv[2], int(sys.argv[3]))
    program, model = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "smollm2-135m"
    info = subprocess.run([program, "model", "info", model], capture_output=True, text=True)
    file = re.search(r"^file: (.+)$", info.stdout, re.M)
    if not file or not os.path.exists(file.group(1)):
        skip(f"the model {model} is not here: micius model fetch {model}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "prompts.jsonl"), "w") as out:
            out.writelines(json.dumps({"q": prompt, "right": "-"}) + "\n" for prompt in PROMPTS)
        with open(os.path.join(folder, "prompts.json"), "w") as out:
            json.dump({"micius_task": 1, "name": "prompts", "version": 1,
                       "dataset": {"loader": "jsonl", "path": "prompts.jsonl", "input": "q", "targets": "right"},
                       "prompt": {"user": "{{input}}"}, "generate": {"max_tokens": TOKENS},
                       "scorer": {"name": "exact"}, "metrics": ["acc"]}, out)
        server = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--serve", file.group(1), str(port)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(port, server)
            ours = records_of(program, folder, model)
            theirs = records_of(program, folder, f"openai:smollm2@http://127.0.0.1:{port}/v1")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=60)
        compare(ours, theirs, Engine(program, model))


if __name__ == "__main__":
    main()
