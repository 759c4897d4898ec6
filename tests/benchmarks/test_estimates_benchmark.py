"""The benchmark of estimates: lines of progress are read as they are written, and errors are those of a hand count."""

from pathlib import Path

import pytest

from understudy.base import progress


@pytest.fixture(scope="module")
def estimates():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import estimates

        yield estimates


def test_lines_are_read_as_progress_writes_them(estimates, monkeypatch, capfd):
    clock = [0.0]
    monkeypatch.setattr("understudy.base.progress.time.monotonic", lambda: clock[0])
    with progress.progress_bar("training global", 100, "steps") as advance:
        clock[0] = 10.0
        advance(10, "vgg 0.3", None, 77.0)
    said = [estimates.read(line, 5.0) for line in capfd.readouterr().err.splitlines()]
    assert said == [(5.0, "training global", 77.0, False), (5.0, "training global", None, True)]
    assert estimates.read("skipped: the loss is not a number", 1.0) is None


def test_the_largest_error_is_taken_after_a_tenth_and_while_there_is_something_left(estimates):
    said = [
        estimates.Said(5.0, "loading", None, True),
        estimates.Said(10.0, "training", 900.0, False),  # within the first tenth of 100 s
        estimates.Said(25.0, "training", 100.0, False),  # 80 are left: a quarter too many
        estimates.Said(55.0, "training", 45.0, False),  # 50 are left: a tenth too few
        estimates.Said(97.0, "training", 30.0, False),  # too close to the end
        estimates.Said(105.0, "training", None, True),
    ]
    rows = estimates.errors(said)
    assert [(row["stage"], row["seconds"], row["estimates"], row["largest_error"]) for row in rows] == [
        ("loading", 5.0, 0, None),
        ("training", 100.0, 2, 0.25),
    ]
