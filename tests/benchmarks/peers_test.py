#!/usr/bin/env python3
"""What benchmarks/peers.py computes from its measurements. Starts no peer."""
import json
import pathlib
import random
import sys
import unittest

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
sys.dont_write_bytecode = True  # nothing beside the sources
sys.path.insert(0, str(BENCHMARKS))
import peers  # noqa: E402

STEP = peers.Step("prefill 512", "tok/s", {}, peers.Goals(best=1.5, same=6))


def rounds(step: peers.Step, *measured: tuple[float, float, float, float]) -> list[peers.Sample]:
    """A round each: ours, the same file, Q4_0, what others used while Q4_0 was measured."""
    samples = []
    for number, (ours, same, other, others) in enumerate(measured, 1):
        for who, value, share in ((peers.OURS, ours, 0.0), (peers.SAME, same, 0.0), ("Q4_0", other, others)):
            samples.append(peers.Sample(number, step.name, who, value, [value], share))
    return samples


class Rows(unittest.TestCase):
    def test_noisy_rounds_do_not_count(self) -> None:
        row = peers.row_of(STEP, rounds(STEP, (900, 150, 500, 0.0), (990, 110, 10, 0.9), (800, 100, 400, 0.05)), 0.1)
        self.assertEqual((row.ours, row.best, row.rounds, row.noisy), (850, "Q4_0", 2, False))
        self.assertAlmostEqual(row.over_best, (900 / 500 + 800 / 400) / 2)
        self.assertAlmostEqual(row.over_same, (900 / 150 + 800 / 100) / 2)

    def test_a_row_without_a_quiet_round_is_marked(self) -> None:
        row = peers.row_of(STEP, rounds(STEP, (900, 150, 500, 0.5), (800, 100, 400, 0.5)), 0.1)
        self.assertEqual((row.rounds, row.noisy), (2, True))
        self.assertIn("2 of 2 (noisy)", peers.markdown({"date": "today"}, [row], 2))

    def test_seconds_are_better_low(self) -> None:
        load = peers.Step("load", "s", {}, peers.Goals(seconds=0.3))
        row = peers.row_of(load, rounds(load, (0.2, 0.8, 0.4, 0.0)), 0.1)
        self.assertEqual((row.best, row.over_best, row.over_same), ("Q4_0", 2, 4))
        self.assertIn("| 0.20, goal 0.3: met |", peers.markdown({}, [row], 1))

    def test_goals_are_beside_the_ratios(self) -> None:
        row = peers.row_of(STEP, rounds(STEP, (700, 100, 500, 0.0)), 0.1)
        text = peers.markdown({}, [row], 1)
        self.assertIn("| 1.40x, goal 1.5x: NOT met (Q4_0) | 7.00x, goal 6x: met | 1 of 1 |", text)
        self.assertEqual(len({line.count("|") for line in text.split("\n") if line}), 1)


class Steps(unittest.TestCase):
    def test_a_depth_leaves_room_for_what_is_generated(self) -> None:
        steps = {s.name: s for s in peers.steps_of(8192, 64, False, [512], [0, 8192], [8, 32], 680)}
        self.assertEqual(steps["decode 64 at depth 8,128"].goals, peers.Goals(4, 3))
        self.assertEqual(steps["decode 64 at depth 0"].request["depth"], 0)
        self.assertEqual(steps["32 sequences at depth 128"].request["tokens"], 32)

    def test_amx_raises_the_goals(self) -> None:
        goals = [s.goals.best for s in peers.steps_of(8192, 64, True, [512, 2048], [], [32], 680)]
        self.assertEqual(goals[1:5], [3, 3, 4, 3])

    def test_questions_are_new_each_time(self) -> None:
        rng = random.Random(1)
        header, questions = peers.questions_of(rng, 1000, 2, 5)
        self.assertEqual(len(header), 5)
        self.assertEqual([(len(text), [len(c) for c in choices]) for text, choices in questions], [(60, [20] * 4)] * 2)
        self.assertNotEqual(peers.questions_of(rng, 1000, 2, 5), (header, questions))


class Header(unittest.TestCase):
    class Recorder:
        def answer(self) -> dict[str, int]:
            return {}

        def ask(self, lines: list[str]) -> list[dict[str, object]]:
            self.request = json.loads(lines[0])
            return [{"values": [1.0]}]

    def request(self, keep: bool) -> dict[str, object]:
        lines = self.Recorder()
        step = peers.Step("choices", "questions/s", {"step": "choices"}, header=2, keep_header=keep)
        peers.LlamaCpp(lines).measure(step, 1, [7, 8], [([1], [[2]])])
        return lines.request

    def test_is_read_with_every_question_or_once(self) -> None:
        self.assertEqual(self.request(False)["questions"], [[[7, 8, 1], [[2]]]])
        self.assertEqual(self.request(False)["header"], [])
        self.assertEqual(self.request(True)["questions"], [[[1], [[2]]]])
        self.assertEqual(self.request(True)["header"], [7, 8])


class Seconds(unittest.TestCase):
    def test_idle_and_waiting_are_not_busy(self) -> None:
        self.assertEqual(peers.busy_seconds("cpu  100 200 300 9999 8888 10 20 70 5 5\ncpu0 1 1 1 1 1 1 1 1 1 1\n", 100), 7)

    def test_a_name_may_hold_anything(self) -> None:
        stat = "42 (a ) b (c) S 1 42 42 0 -1 0 0 0 0 0 150 50 9 9 20 0 1 0 0"
        self.assertEqual(peers.process_seconds(stat, 100), 2)

    def test_differences_are_a_token(self) -> None:
        questions = [([1], [[1, 2], [1, 2, 3, 4]])]
        self.assertAlmostEqual(peers.worst_difference([[-1.0, -8.0]], [[-1.5, -6.0]], questions), 0.5)


if __name__ == "__main__":
    unittest.main()
