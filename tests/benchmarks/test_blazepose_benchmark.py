"""The benchmark of the tracker's ways: turned pictures, paired intervals, and what it writes."""

import json
from pathlib import Path

import numpy as np
import pytest

from understudy.tracking import blazepose as tracker

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import blazepose

        yield blazepose


@pytest.mark.parametrize("turns", range(4))
def test_points_turn_with_their_picture(benchmark, turns):
    picture = np.zeros((5, 8), np.uint8)
    picture[1, 6] = 9
    ((row, column),) = np.argwhere(np.rot90(picture, -turns))
    assert benchmark.turned(np.array([[6.0, 1.0]]), turns, (5, 8)).tolist() == [[column, row]]


def test_an_interval_of_pairs(benchmark):
    low, high = benchmark.interval([1.0, 2.0, 3.0])  # mean 2, standard error 1 / sqrt(3), t of 2 degrees 4.303
    assert (low, high) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-3)
    assert benchmark.interval([0.0, 0.0]) == (0, 0)


def test_the_command_measures_every_way_and_leaves_the_tracker_as_it_was(benchmark, tmp_path, monkeypatch, capsys):
    rate = tracker.RATE
    monkeypatch.setattr(benchmark, "FRAMES", 4)
    monkeypatch.setattr("sys.argv", ["blazepose.py", "--people", "1", "--clips", "--output", str(tmp_path / "a.json")])
    benchmark.main()
    record = json.loads((tmp_path / "a.json").read_text())
    assert [row["way"] for row in record["made_up"]] == list(benchmark.WAYS) and record["mirrored"] == []
    assert all(0 < row["distance"] < 5 and row["IoU"] > 0.9 for row in record["made_up"])
    theirs, ours = (abs(row["right"]) + abs(row["down"]) for row in (record["made_up"][0], record["made_up"][2]))
    assert ours < 0.5 * theirs, "half pixels have no bias"
    assert "half pixels (ours)" in capsys.readouterr().out
    assert rate == tracker.RATE
