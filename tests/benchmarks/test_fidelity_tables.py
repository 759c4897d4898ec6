"""Tables lead with what eyes see; results of before there was such a figure are still drawn."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.made_up_results import evaluation
from understudy.evaluation.results import Measure, Summary

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
tables = pytest.importorskip("fidelity_tables")


def measured(old: bool):
    test = evaluation().tests[0]
    if old:
        return test
    seen = {"perceptual": Measure("P", True, {"person": Summary(0.5, 0.4, 0.6)}, {"person": [0.5] * test.frames})}
    return replace(test, methods=[replace(one, measures=one.measures | seen) for one in test.methods])


@pytest.mark.parametrize(
    ("old", "head", "row"),
    [
        (False, "| method | perceptual distance | 95 % | joints found | SSIM | RMSE | ours / this |",
         "| Nearest neighbour | 0.500 | 0.400 to 0.600 | 0.50 | 0.800 | 20.0 | 1.00 (1.00 to 1.00) |"),
        (True, "| method | RMSE | 95 % | joints found | SSIM | ours / this |",
         "| Nearest neighbour | 20.0 | 19.5 to 20.5 | 0.50 | 0.800 | 0.50"),
    ],
    ids=["perceptual", "of before"],
)  # fmt: skip
def test_a_table_leads_with_what_was_measured(old, head, row):
    lines = tables.table([measured(old)]).splitlines()
    assert head in lines
    assert any(line.startswith(row) for line in lines), lines
    assert tables.leading(measured(old)) == ("rmse" if old else "perceptual")


def test_what_older_results_lack_makes_no_table_across_people():
    test = replace(measured(True), name="self-reenactment of person-1")
    assert tables.across_people([test], "self-reenactment", "perceptual", 3) == ""
    assert "| Nearest neighbour | 20.0 (19.5 to 20.5) | 20.0 | 0.50 |" in tables.across_people(
        [test], "self-reenactment"
    )
