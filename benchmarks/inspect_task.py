"""One-line questions for Inspect. env: API_PEERS_QUESTIONS, a file of JSON lines {"q", "a"}."""
import json
import os
import pathlib

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import match
from inspect_ai.solver import generate


@task
def mock() -> Task:
    rows = map(json.loads, pathlib.Path(os.environ["API_PEERS_QUESTIONS"]).read_text().splitlines())
    return Task(dataset=[Sample(input=row["q"], target=row["a"]) for row in rows], solver=generate(), scorer=match())
