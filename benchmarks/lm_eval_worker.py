#!/usr/bin/env python3
"""lm-evaluation-harness with its Hugging Face backend and one model loaded: JSON lines in, JSON lines out.

    lm_eval_worker.py MODEL.gguf DATA_DIR THREADS DTYPE

Needs lm_eval[hf] and gguf; benchmarks/lm_eval_pairs.py installs them and talks to it. Answers {"loaded_s"} once the model
is there, then to each line

    {"tasks": [..], "limit": N, "shots": N, "batch": N}    {"seconds", "documents", "scores": {task: {metric: value}}}

Seconds are those of simple_evaluate(): prompts, requests and scores, without the model's loading. The tasks are the
package's own; only where their rows come from is replaced: the files of DATA_DIR, under the hub's field names.
"""
import gzip
import json
import pathlib
import sys
import time
from typing import Any

import datasets
import torch
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

# Of the hub's dataset and its part: the folder of DATA_DIR/general, and the file of each split. lm_eval wants a training
# split also where there are no shots; the one that stands for it is not read.
FILES = {
    ("allenai/ai2_arc", "ARC-Easy"): (
        "arc_easy", {"train": "validation.jsonl", "validation": "validation.jsonl", "test": "test.jsonl"}),
    ("Rowan/hellaswag", None): (
        "hellaswag", dict.fromkeys(["train", "validation"], "validation_activitynet_subset.jsonl")),
}
MMLU = ("mmlu", {"dev": "dev.jsonl", "validation": "dev.jsonl", "test": "test.jsonl.gz"})


def rows_of(path: pathlib.Path) -> list[dict[str, Any]]:
    text = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8", newline="\n")
    with text as lines:
        return [json.loads(line) for line in lines if line.strip()]


def load_dataset_from(root: pathlib.Path) -> Any:
    def load_dataset(path: str, name: str | None = None, **_: Any) -> datasets.DatasetDict:
        is_mmlu = path == "cais/mmlu" or path == "hails/mmlu_no_train"
        if not is_mmlu and (path, name) not in FILES:
            sys.exit(f"no file of {root} is known for the dataset {path}, {name}")
        folder, splits = MMLU if is_mmlu else FILES[path, name]
        result = {}
        for split, file in splits.items():
            rows = rows_of(root / "general" / folder / file)
            if is_mmlu:
                rows = [row for row in rows if row["subject"] == name]
            result[split] = datasets.Dataset.from_list(rows)
        return datasets.DatasetDict(result)

    return load_dataset


def load_model(file: pathlib.Path, dtype: str) -> HFLM:
    where = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    # What transformers makes of a GGUF has lost the rule that digits stand alone, which such files name as "smollm".
    before = tokenizer.backend_tokenizer.pre_tokenizer
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, before])
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=getattr(torch, dtype))
    return HFLM(pretrained=model.eval(), tokenizer=tokenizer)


def evaluate(model: HFLM, tasks: TaskManager, request: dict[str, Any]) -> dict[str, Any]:
    model.batch_size_per_gpu = request["batch"]
    start = time.perf_counter()
    with torch.inference_mode():
        result = simple_evaluate(model=model, tasks=request["tasks"], num_fewshot=request["shots"], limit=request["limit"],
                                 task_manager=tasks, bootstrap_iters=0, log_samples=False, confirm_run_unsafe_code=False)
    seconds = time.perf_counter() - start
    scores = {task: {metric.partition(",")[0]: value for metric, value in values.items() if isinstance(value, float)}
              for task, values in result["results"].items()}
    documents = sum(n["effective"] for n in result["n-samples"].values())
    return {"seconds": seconds, "documents": documents, "scores": scores}


def main() -> None:
    file, root, threads, dtype = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    out, sys.stdout = sys.stdout, sys.stderr  # what the libraries print is not an answer
    torch.set_num_threads(threads)
    datasets.load_dataset = load_dataset_from(root)
    start = time.perf_counter()
    model, tasks = load_model(file, dtype), TaskManager()
    print(json.dumps({"loaded_s": time.perf_counter() - start}), file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(evaluate(model, tasks, json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main()
