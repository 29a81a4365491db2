#!/usr/bin/env python3
"""clang-tidy on every translation unit of a build folder's compile commands that lies in one of the folders given.

    scripts/tidy.py BUILD FOLDER...

What passed is remembered by the hash of its preprocessed text in the user's cache folder, so only what changed is read
again. Exit status 1 if a file has a finding.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys


def text_of(entry: dict) -> bytes:
    """The preprocessed text with its comments, which may hold NOLINT, and without lines that name this checkout."""
    command = shlex.split(entry["command"])
    if pathlib.Path(command[0]).name == "ccache":
        command = command[1:]
    command = command[:command.index("-o")] + ["-w", "-E", "-P", "-C", entry["file"]]
    return subprocess.run(command, cwd=entry["directory"], check=True, stdout=subprocess.PIPE).stdout


def is_good(entry: dict, build: str, rules: bytes, passed: pathlib.Path) -> bool:
    key = hashlib.sha256(rules + b"\0" + text_of(entry)).hexdigest()
    if (passed / key).exists():
        return True
    done = subprocess.run(["clang-tidy", "--quiet", "-p", build, entry["file"]],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    sys.stdout.write(done.stdout)
    if done.returncode == 0:
        (passed / key).touch()
    return done.returncode == 0


def main() -> int:
    build, *folders = sys.argv[1:]
    roots = tuple(f"{pathlib.Path(folder).resolve()}{os.sep}" for folder in folders)
    version = subprocess.run(["clang-tidy", "--version"], check=True, stdout=subprocess.PIPE).stdout
    rules = version + pathlib.Path(".clang-tidy").read_bytes()
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    passed = pathlib.Path(cache) / "micius-tidy"
    passed.mkdir(parents=True, exist_ok=True)
    entries = json.loads((pathlib.Path(build) / "compile_commands.json").read_text())
    entries = [entry for entry in entries if entry["file"].startswith(roots) and entry["file"].endswith(".cc")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        good = list(pool.map(lambda entry: is_good(entry, build, rules, passed), entries))
    print(f"clang-tidy: {sum(good)} of {len(good)} files without a finding")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
