#!/usr/bin/env python3
"""What benchmarks/api_peers.py counts and computes. Starts no peer."""
import json
import pathlib
import sys
import unittest
import urllib.request

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
sys.dont_write_bytecode = True  # nothing beside the sources
sys.path.insert(0, str(BENCHMARKS))
import api_peers  # noqa: E402


def rounds(*measured: tuple[float, float, float]) -> list[api_peers.Sample]:
    """A round each: requests/s of ours and theirs, what others used while theirs were measured."""
    samples = []
    for number, (ours, theirs, others) in enumerate(measured, 1):
        samples.append(api_peers.Sample(number, api_peers.OURS, ours, 0.5, 0.3, 0.1, 0.0))
        samples.append(api_peers.Sample(number, "Inspect", theirs, 9.0, 21.0, 1.0, others))
    return samples


class Rows(unittest.TestCase):
    def test_the_quiet_rounds_count_in_pairs(self) -> None:
        ours, theirs = api_peers.rows_of(rounds((4000, 40, 0.0), (6000, 30, 0.05), (9000, 1, 0.9)), 1000, 0.1)
        self.assertEqual((theirs.rounds, theirs.noisy, ours.ratio), (2, False, None))
        self.assertAlmostEqual(theirs.ratio or 0, (100 + 200) / 2)
        self.assertAlmostEqual(theirs.cpu_ms, 20)
        self.assertEqual(theirs.requests_s, 35)

    def test_a_program_without_a_quiet_round_is_marked(self) -> None:
        rows = api_peers.rows_of(rounds((4000, 40, 0.5)), 1000, 0.1)
        text = api_peers.markdown({"date": "today"}, rows, 1)
        self.assertIn("| Inspect | 40.0 | 9.00 | 20.00 | 100.0x | 1 of 1 (noisy) |", text)
        self.assertEqual(len({line.count("|") for line in text.split("\n") if line.startswith("|")}), 1)


class Mock(unittest.TestCase):
    def test_it_answers_and_counts(self) -> None:
        server = api_peers.Server()
        try:
            body = json.dumps({"model": "mock", "messages": []}).encode()
            for _ in range(3):
                with urllib.request.urlopen(f"{server.url}/v1/chat/completions", body) as answer:
                    self.assertEqual(json.load(answer)["choices"][0]["message"]["content"], "A")
            self.assertEqual(server.counts()[0], 3)
            self.assertEqual(server.counts()[0], 0)
        finally:
            server.close()
        self.assertEqual(server.process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
