#!/usr/bin/env python3
"""llama.cpp with one model loaded, measured on request: JSON lines in, JSON lines out.

    llamacpp_worker.py MODEL.gguf THREADS

Needs llama-cpp-python and numpy; benchmarks/peers.py installs them and talks to it. Answers {"vocabulary", "context",
"system"} at once, then to each line

    {"step": "load"}                                              seconds until a model loaded anew has read a prompt
    {"step": "prefill", "tokens"}                                 tokens a second
    {"step": "decode", "depth", "tokens", "sequences"}            tokens a second, of all sequences together
    {"step": "choices", "header", "questions": [[context, [choice, ..]], ..]}   questions a second

each also with "repeats", {"values": [..]}, and "logprobs" of the choices beside them. A prompt is read as llama-bench
does it: random tokens, batches of 2,048, 512 at a time in the model, flash attention on, KV cache in fp16.
"""
import ctypes
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import llama_cpp as llama
import numpy as np

BATCH = 2048
FIRST_PROMPT = 4  # tokens of the prompt of step "load"
FLASH_ATTENTION = 1

Question = tuple[list[int], list[list[int]]]


@ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
def silent(_level: int, _text: bytes, _data: int) -> None:
    pass


def load_model(path: str) -> Any:
    parameters = llama.llama_model_default_params()
    parameters.n_gpu_layers = 0
    model = llama.llama_model_load_from_file(path.encode(), parameters)
    if not model:
        sys.exit(f"{path}: llama.cpp cannot load it")
    return model


class Batch:
    """A llama_batch of at most BATCH rows: (token, position, sequence, whether its logits are wanted)."""

    def __init__(self) -> None:
        self.raw = llama.llama_batch_init(BATCH, 0, 1)
        self.tokens = np.ctypeslib.as_array(self.raw.token, (BATCH,))
        self.positions = np.ctypeslib.as_array(self.raw.pos, (BATCH,))
        self.wanted = np.ctypeslib.as_array(self.raw.logits, (BATCH,))
        np.ctypeslib.as_array(self.raw.n_seq_id, (BATCH,))[:] = 1
        self.sequences = [self.raw.seq_id[i] for i in range(BATCH)]

    def fill(self, tokens: Any, positions: Any, sequences: Sequence[int], wanted: Any) -> None:
        rows = len(tokens)
        self.raw.n_tokens = rows
        self.tokens[:rows], self.positions[:rows], self.wanted[:rows] = tokens, positions, wanted
        for cell, sequence in zip(self.sequences, sequences):
            cell[0] = sequence


@dataclass
class Context:
    """A llama_context; `shared`: one cache whose cells several sequences may own."""

    model: Any
    tokens: int
    sequences: int
    threads: int
    batch: Batch
    shared: bool = False
    raw: Any = field(init=False)
    memory: Any = field(init=False)

    def __post_init__(self) -> None:
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = -(-self.tokens // 256) * 256 * (1 if self.shared else self.sequences)
        parameters.n_batch, parameters.n_ubatch, parameters.n_seq_max = BATCH, 512, self.sequences
        parameters.n_threads = parameters.n_threads_batch = self.threads
        parameters.flash_attn_type = FLASH_ATTENTION
        parameters.kv_unified = self.shared
        parameters.no_perf = True
        self.raw = llama.llama_init_from_model(self.model, parameters)
        if not self.raw:
            sys.exit(f"llama.cpp makes no context of {self.tokens} tokens x {self.sequences}: is memory short?")
        self.memory = llama.llama_get_memory(self.raw)

    def __enter__(self) -> "Context":
        return self

    def __exit__(self, *_: object) -> None:
        llama.llama_free(self.raw)

    def decode(self, tokens: Any, positions: Any, sequences: Sequence[int], wanted: Any) -> None:
        self.batch.fill(tokens, positions, sequences, wanted)
        status = llama.llama_decode(self.raw, self.batch.raw)
        if status != 0:
            sys.exit(f"llama_decode answers {status} to {len(tokens)} tokens")
        llama.llama_synchronize(self.raw)

    def read(self, tokens: Any, start: int, sequence: int) -> None:
        """Reads `tokens` at positions from `start` on; the logits of the last one are there afterwards."""
        for done in range(0, len(tokens), BATCH):
            part = tokens[done : done + BATCH]
            wanted = np.zeros(len(part), np.int8)
            wanted[-1] = 1
            positions = np.arange(start + done, start + done + len(part))
            self.decode(part, positions, [sequence] * len(part), wanted)

    def cut(self, length: int) -> None:
        for sequence in range(self.sequences):
            llama.llama_memory_seq_rm(self.memory, sequence, length, -1)


class Worker:
    def __init__(self, path: str, threads: int) -> None:
        self.path, self.threads = path, threads
        self.model = load_model(path)
        self.vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(self.model))
        self.batch = Batch()
        self.random = np.random.default_rng(1)
        self.pool = ThreadPoolExecutor(threads)
        self.filled: dict[tuple[int, int, int], Context] = {}  # by depth, tokens and sequences

    def about(self) -> dict[str, Any]:
        return {
            "vocabulary": self.vocabulary,
            "context": llama.llama_model_n_ctx_train(self.model),
            "system": llama.llama_print_system_info().decode().strip(),
        }

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        steps = {"load": self.load, "prefill": self.prefill, "decode": self.decode, "choices": self.choices}
        return steps[request.pop("step")](**request)

    def load(self, repeats: int) -> dict[str, Any]:
        values = []
        for _ in range(repeats):
            start = time.perf_counter()
            model = load_model(self.path)
            with Context(model, FIRST_PROMPT, 1, self.threads, self.batch) as context:
                context.read(self.some(FIRST_PROMPT), 0, 0)
                values.append(time.perf_counter() - start)
            llama.llama_model_free(model)
        return {"values": values}

    def prefill(self, tokens: int, repeats: int) -> dict[str, Any]:
        values = []
        with Context(self.model, tokens, 1, self.threads, self.batch) as context:
            context.read(self.some(min(tokens, 512)), 0, 0)  # warms up
            for _ in range(repeats):
                context.cut(0)
                start = time.perf_counter()
                context.read(self.some(tokens), 0, 0)
                values.append(tokens / (time.perf_counter() - start))
        return {"values": values}

    def decode(self, depth: int, tokens: int, sequences: int, repeats: int) -> dict[str, Any]:
        context = self.at_depth(depth, tokens, sequences)
        self.write(context, depth, 1)  # warms up
        values = []
        for _ in range(repeats):
            context.cut(depth)
            start = time.perf_counter()
            self.write(context, depth, tokens)
            values.append(sequences * tokens / (time.perf_counter() - start))
        return {"values": values}

    def at_depth(self, depth: int, tokens: int, sequences: int) -> Context:
        """A context that has read `depth` tokens of each sequence; kept, as reading them takes longest."""
        key = depth, tokens, sequences
        if key not in self.filled:
            self.filled[key] = Context(self.model, depth + tokens, sequences, self.threads, self.batch)
            for sequence in range(sequences):
                self.filled[key].read(self.some(depth), 0, sequence)
        self.filled[key].cut(depth)
        return self.filled[key]

    def write(self, context: Context, depth: int, tokens: int) -> None:
        rows = context.sequences
        for position in range(depth, depth + tokens):
            context.decode(self.some(rows), np.full(rows, position), range(rows), 1)
            llama.llama_get_logits(context.raw)

    def choices(self, header: list[int], questions: list[Question], repeats: int) -> dict[str, Any]:
        most = max(len(context) + sum(map(len, choices)) for context, choices in questions)
        sequences = 1 + max(len(choices) for _, choices in questions)
        values = []
        with Context(self.model, len(header) + most, sequences, self.threads, self.batch, shared=True) as context:
            self.weigh_all(context, [], questions[:1])  # warms up
            for _ in range(repeats):
                llama.llama_memory_clear(context.memory, False)
                start = time.perf_counter()
                logprobs = self.weigh_all(context, header, questions)
                values.append(len(questions) / (time.perf_counter() - start))
        return {"values": values, "logprobs": logprobs}

    def weigh_all(self, context: Context, header: list[int], questions: list[Question]) -> list[list[float]]:
        """Sequence 0 keeps the header; each question goes on from it in sequences of its own."""
        context.read(header, 0, 0)
        logprobs = []
        for text, choices in questions:
            llama.llama_memory_seq_cp(context.memory, 0, 1, 0, -1)
            logprobs.append(self.weigh(context, len(header), text, choices))
            for sequence in range(1, len(choices) + 1):
                llama.llama_memory_seq_rm(context.memory, sequence, -1, -1)
        return logprobs

    def weigh(self, context: Context, start: int, text: list[int], choices: list[list[int]]) -> list[float]:
        """Reads the text once, then what the choices have but their last tokens in one batch."""
        context.read(text, start, 1)
        sums = self.logprobs(context, 1, [0] * len(choices), [choice[0] for choice in choices])
        start += len(text)
        for sequence in range(2, len(choices) + 1):
            llama.llama_memory_seq_cp(context.memory, 1, sequence, 0, -1)
        rows = [(token, start + i, s + 1) for s, c in enumerate(choices) for i, token in enumerate(c[:-1])]
        if not rows:
            return sums
        tokens, positions, sequences = zip(*rows)
        context.decode(tokens, positions, sequences, 1)
        following = [token for choice in choices for token in choice[1:]]
        for sequence, value in zip(sequences, self.logprobs(context, len(rows), range(len(rows)), following)):
            sums[sequence - 1] += value
        return sums

    def logprobs(self, context: Context, rows: int, of: Sequence[int], tokens: list[int]) -> list[float]:
        """Of token i in row of[i] of the `rows` that have logits."""
        raw = llama.llama_get_logits(context.raw)
        logits = np.ctypeslib.as_array(raw, (rows, self.vocabulary))
        norms = np.concatenate(list(self.pool.map(log_sum_exp, np.array_split(logits, min(self.threads, rows)))))
        return (logits[list(of), tokens] - norms[list(of)]).tolist()

    def some(self, tokens: int) -> Any:
        return self.random.integers(100, self.vocabulary - 100, tokens).astype(np.int32)


def log_sum_exp(logits: Any) -> Any:
    most = logits.max(1, keepdims=True)
    return np.log(np.exp(logits - most).sum(1)) + most[:, 0]


def main() -> None:
    llama.llama_log_set(silent, None)
    llama.llama_backend_init()
    worker = Worker(sys.argv[1], int(sys.argv[2]))
    print(json.dumps(worker.about()), flush=True)
    for line in sys.stdin:
        print(json.dumps(worker.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
