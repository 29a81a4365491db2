#!/usr/bin/env python3
"""What benchmarks/lm_eval_pairs.py computes from its measurements. Starts no peer."""
import pathlib
import sys
import unittest

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
sys.dont_write_bytecode = True  # nothing beside the sources
sys.path.insert(0, str(BENCHMARKS))
import lm_eval_pairs as pairs  # noqa: E402

STEP = pairs.STEPS[0]


def rounds(*measured: tuple[float, float, float, float]) -> list[pairs.Sample]:
    """A round each: ours, float32, bfloat16, what others used while bfloat16 was measured."""
    samples = []
    for number, (ours, full, half, others) in enumerate(measured, 1):
        for who, speed, share in ((pairs.OURS, ours, 0.0), ("float32", full, 0.0), ("bfloat16", half, others)):
            samples.append(pairs.Sample(number, STEP.name, who, speed, 0.5, share))
    return samples


class Rows(unittest.TestCase):
    def test_the_peers_best_type_counts_in_quiet_rounds(self) -> None:
        row = pairs.row_of(STEP, rounds((40, 2, 3, 0.0), (60, 2, 4, 0.05), (900, 9, 1, 0.9)), 100, 0.1)
        self.assertEqual((row.best, row.rounds, row.noisy), ("bfloat16", 2, False))
        self.assertAlmostEqual(row.ratio, (40 / 3 + 60 / 4) / 2)
        self.assertEqual(row.speeds, {pairs.OURS: 50, "float32": 2, "bfloat16": 3.5})

    def test_a_row_without_a_quiet_round_is_marked(self) -> None:
        row = pairs.row_of(STEP, rounds((40, 2, 5, 0.5)), 100, 0.1)
        self.assertTrue(row.noisy)
        text = pairs.markdown({"date": "today"}, [row], 1, True)
        self.assertIn("| 8.00x, goal 10x: NOT met (bfloat16) | acc_norm 0.500 / 0.500 / 0.500 | 1 of 1 (noisy) |", text)
        self.assertEqual(len({line.count("|") for line in text.split("\n") if line.startswith("|")}), 1)

    def test_other_models_have_no_goals(self) -> None:
        row = pairs.row_of(STEP, rounds((40, 2, 1, 0.0)), 100, 0.1)
        self.assertIn("| 20.00x (float32) |", pairs.markdown({}, [row], 1, False))


if __name__ == "__main__":
    unittest.main()
