#!/usr/bin/env python3
"""The official Python client against `micius serve`: chat, streams, log-probabilities, completions, vectors, errors.

    MICIUS_OPENAI_PYTHON=VENV/bin/python tests/serve/openai_client_test.py PROGRAM [MODEL]

Runs itself again in that interpreter, which has the package `openai`; without one it says so and exits 4 (skipped).
"""
import os
import re
import signal
import subprocess
import sys

SKIPPED = 4


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def start(program, model):
    process = subprocess.Popen([program, "serve", "--model", model, "--port", "0", "--api-key-env", "SERVE_KEY"],
                               stderr=subprocess.PIPE, text=True, env={**os.environ, "SERVE_KEY": "sk-test-0123456789"})
    for line in process.stderr:
        place = re.search(r"http://127\.0\.0\.1:\d+/v1", line)
        if place:
            return process, place.group()
        if "model fetch" in line:
            skip(line.strip())
        print(line, end="", file=sys.stderr)
    sys.exit("the server did not start")


def check_chat(client, model):
    messages = [{"role": "user", "content": "Name a colour."}]
    ask = dict(model=model, messages=messages, max_tokens=12, temperature=0)
    whole = client.chat.completions.create(logprobs=True, top_logprobs=3, **ask)
    choice = whole.choices[0]
    assert choice.finish_reason in ("stop", "length")
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    assert len(choice.logprobs.content) == whole.usage.completion_tokens
    for token in choice.logprobs.content:
        assert token.logprob <= 0 and len(token.top_logprobs) == 3
        assert token.top_logprobs[0].logprob == token.logprob  # greedy
    text, reasons, usage = "", [], None
    for chunk in client.chat.completions.create(stream=True, stream_options={"include_usage": True}, **ask):
        usage = chunk.usage or usage
        for part in chunk.choices:
            text += part.delta.content or ""
            reasons += [part.finish_reason] if part.finish_reason else []
    assert text == choice.message.content, (text, choice.message.content)
    assert reasons == [choice.finish_reason] and usage == whole.usage
    sampled = [client.chat.completions.create(model=model, messages=messages, max_completion_tokens=12, n=2, seed=7,
                                              stop=["\n"]) for _ in range(2)]
    assert [c.message.content for c in sampled[0].choices] == [c.message.content for c in sampled[1].choices]
    print("chat:", repr(text))


def check_completions(client, model):
    answer = client.completions.create(model=model, prompt="GPU 0 is é", echo=True, logprobs=1, max_tokens=1, temperature=0)
    lists = answer.choices[0].logprobs
    assert len(lists.tokens) == answer.usage.total_tokens
    assert lists.token_logprobs[0] is None and all(value <= 0 for value in lists.token_logprobs[1:])
    assert answer.choices[0].text.startswith("GPU 0 is é")
    pieces = list(client.completions.create(model=model, prompt="One, two,", max_tokens=8, temperature=0, stream=True))
    whole = client.completions.create(model=model, prompt="One, two,", max_tokens=8, temperature=0)
    assert "".join(piece.choices[0].text for piece in pieces) == whole.choices[0].text
    print("completions:", list(zip(lists.tokens, lists.text_offset)))


def check_embeddings(client, models):
    if len(models) < 2:
        return print("embeddings: no encoder is there")
    rows = [client.embeddings.create(model=models[1], input=["nvidia-smi -L", "rocm-smi"], encoding_format=form).data
            for form in ("float", "base64")]
    first = rows[0][0].embedding
    assert abs(sum(value * value for value in first) - 1) < 1e-5
    decoded = client.embeddings.create(model=models[1], input="nvidia-smi -L").data[0].embedding
    assert max(abs(a - b) for a, b in zip(first, decoded)) < 1e-6  # the client asks for base64 and decodes it
    print("embeddings:", len(first), "dimensions")


def check_errors(openai, client, url, model):
    def fails(kind, action):
        try:
            action()
        except kind as error:
            return error
        raise AssertionError(f"no {kind.__name__}")

    def chat(**more):
        return client.chat.completions.create(**{"model": model, "messages": [{"role": "user", "content": "x"}], **more})

    too_long = fails(openai.BadRequestError, lambda: chat(messages=[{"role": "user", "content": "x " * 100_000}]))
    assert too_long.code == "context_length_exceeded"
    assert fails(openai.BadRequestError, lambda: chat(temperature="hot")).param == "temperature"
    assert fails(openai.NotFoundError, lambda: chat(model="gpt-4o")).code == "model_not_found"
    other = openai.OpenAI(base_url=url, api_key="sk-wrong", max_retries=0)
    assert fails(openai.AuthenticationError, other.models.list).code == "invalid_api_key"
    print("errors: as the client names them")


def main():
    program, model = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "smollm2-135m"
    try:
        import openai
    except ImportError:
        interpreter = os.environ.get("MICIUS_OPENAI_PYTHON")
        if not interpreter:
            skip("MICIUS_OPENAI_PYTHON names no interpreter with the package openai")
        if os.environ.get("MICIUS_OPENAI_INSIDE"):
            skip(f"{interpreter} has no package openai")
        os.environ["MICIUS_OPENAI_INSIDE"] = "1"
        os.execv(interpreter, [interpreter, *sys.argv])
    process, url = start(program, model)
    try:
        client = openai.OpenAI(base_url=url, api_key="sk-test-0123456789", max_retries=0)
        models = [entry.id for entry in client.models.list()]
        check_chat(client, models[0])
        check_completions(client, models[0])
        check_embeddings(client, models)
        check_errors(openai, client, url, models[0])
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout=60)
    assert status == 0, status
    print(f"all well, openai {openai.__version__}")


if __name__ == "__main__":
    main()
