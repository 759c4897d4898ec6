from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from understudy.evaluation import intervals
from understudy.evaluation.intervals import block_of, mean_interval, ratio_interval, spearman_interval


def wandering(frames: int, memory: float, seed: int) -> np.ndarray:
    """AR(1) of mean 0."""
    shocks = np.random.default_rng(seed).normal(size=frames + 100)
    values = np.zeros(frames + 100)
    for t in range(1, len(values)):
        values[t] = memory * values[t - 1] + shocks[t]
    return values[100:]


@pytest.mark.parametrize(
    ("frames", "memory", "least"),
    [(200, 0.0, 0.92), (200, 0.8, 0.89), (1000, 0.8, 0.91), (300, 0.9, 0.87)],
    ids=["independent", "memory of 5 frames", "long clip", "memory of 10 frames"],
)
def test_the_interval_holds_the_truth_about_as_often_as_it_says(frames: int, memory: float, least: float) -> None:
    found = [mean_interval(wandering(frames, memory, seed), 25) for seed in range(300)]
    assert least <= np.mean([s.low <= 0 <= s.high for s in found]) <= 0.985


def test_blocks_tell_that_neighbours_are_alike() -> None:
    values = wandering(500, 0.9, 0)
    one_by_one, in_blocks = mean_interval(values, 1), mean_interval(values, 25)
    assert one_by_one.mean == in_blocks.mean == pytest.approx(values.mean())
    assert in_blocks.high - in_blocks.low > 2 * (one_by_one.high - one_by_one.low)


def test_the_same_values_give_the_same_interval() -> None:
    values = wandering(120, 0.5, 3)
    assert mean_interval(values, 25) == mean_interval(list(values), 25)


def test_frames_without_a_value_are_left_out() -> None:
    found = mean_interval([2.0, None, 4.0, float("nan")] * 30, 10)
    assert found.mean == 3
    assert 2.5 < found.low < 3 < found.high < 3.5


@pytest.mark.parametrize(
    ("values", "block", "mean", "note"),
    [
        ([], 25, None, "no frame has a value"),
        ([None, None], 25, None, "no frame has a value"),
        ([5.0], 25, 5.0, "too few frames for an interval"),
    ],
    ids=["no frames", "no values", "one frame"],
)
def test_what_has_no_interval_says_why(values: list[float | None], block: int, mean: float | None, note: str) -> None:
    found = mean_interval(values, block)
    assert (found.mean, found.low, found.high, found.note) == (mean, None, None, note)


def test_a_block_longer_than_the_clip_is_shortened_and_the_interval_called_rough() -> None:
    values = wandering(20, 0.5, 1)
    found = mean_interval(values, 25, note="of something")
    assert found.low < values.mean() < found.high
    assert found.note == "of something; rough interval: 20 frames are few for blocks of 25"


def test_the_ratio_of_a_method_to_itself_is_1() -> None:
    values = np.abs(wandering(100, 0.8, 2)) + 1
    found = ratio_interval(values, values, 25)
    assert (found.mean, found.low, found.high) == (1, 1, 1)


def test_a_ratio_is_paired() -> None:
    hard = np.abs(wandering(200, 0.9, 4)) + 1  # frames that are hard for both
    found = ratio_interval(0.5 * hard, hard, 25)
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))
    alone = mean_interval(hard, 25)
    assert alone.high - alone.low > 0.2


@pytest.mark.parametrize("block", [1, 10])
def test_every_frame_is_drawn_as_often_as_any_other(block: int) -> None:
    """The share of one frame: the same at both ends of a clip as in its middle, and drawn at all."""
    shares = [mean_interval(np.eye(60)[frame], block) for frame in (0, 1, 30, 58, 59)]
    assert all(found.mean == pytest.approx(1 / 60) and found.low == 0 for found in shares)
    assert all(0.02 < found.high < 0.09 for found in shares)


def test_a_ratio_is_that_of_the_means() -> None:
    assert ratio_interval([1.0, 9.0], [1.0, 3.0], 1).mean == 2.5


def test_a_ratio_takes_only_frames_that_both_have() -> None:
    assert ratio_interval([1.0, 100.0, 3.0], [2.0, None, 2.0], 1).mean == 1
    assert ratio_interval([1.0, None], [None, 1.0], 1).note == "no frame has both values"
    assert ratio_interval([1.0, 2.0], [0.0, 0.0], 1).note == "what it is divided by is 0 in every frame"
    with pytest.raises(ValueError, match="not 2 and 1"):
        ratio_interval([1.0, 2.0], [1.0], 1)


@pytest.mark.parametrize(
    ("x", "y", "rho"),
    [
        ([1, 2, 3, 4, 5], [1, 8, 27, 64, 125], 1.0),
        ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1], -1.0),
        ([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], 0.8),
        ([1, 1, 2, 2], [1, 2, 1, 2], 0.0),
        ([1, 2, 2, 3], [1, 2, 3, 4], 4.5 / np.sqrt(4.5 * 5)),
        ([1, 2, 3, np.inf, np.nan], [1, 2, 3, 4, -9], 1.0),
    ],
    ids=["monotone", "reversed", "textbook", "ties, none", "ties", "infinity is large, nan is left out"],
)
def test_spearman_known_values(x: list[float], y: list[float], rho: float) -> None:
    assert spearman_interval(np.array(x, float), np.array(y, float), 2).mean == pytest.approx(rho)


def test_counts_stand_for_copies() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, 40).astype(float), rng.integers(0, 6, 40).astype(float)
    counts = rng.integers(0, 4, (3, 40)).astype(float)
    found = intervals._weighted_spearman(x, y, counts)
    for row, rho in zip(counts.astype(int), found, strict=True):
        copies = np.repeat(x, row), np.repeat(y, row)
        assert rho == pytest.approx(spearman_interval(*copies, 1).mean)


def test_spearman_interval_holds_what_is_there_and_zero_where_nothing_is() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(300, 12))
    related = spearman_interval(x, x + 3 * rng.normal(size=x.shape), 25)
    assert 0.2 < related.low < related.mean < related.high < 0.4
    nothing = spearman_interval(x[:, 0], rng.normal(size=300), 25)
    assert nothing.low < 0 < nothing.high


def test_spearman_of_constants_says_so() -> None:
    found = spearman_interval(np.ones(50), np.arange(50.0), 5)
    assert (found.mean, found.note) == (None, "fewer than three values, or all of them equal")
    with pytest.raises(ValueError, match=r"not \(3,\) and \(4,\)"):
        spearman_interval(np.ones(3), np.ones(4), 1)


@pytest.mark.parametrize(("fps", "block"), [("30000/1001", 30), ("25", 25), ("1/3", 1)])
def test_a_block_is_about_a_second(fps: str, block: int) -> None:
    assert block_of(Fraction(fps)) == block


@pytest.mark.parametrize(("blocks", "student"), [(5, 2.776), (10, 2.262), (31, 2.042)])
def test_tail_follows_students_distribution(blocks: int, student: float) -> None:
    z = intervals.NormalDist().inv_cdf(1 - intervals._tail(blocks))
    assert z == pytest.approx(student * np.sqrt(blocks / (blocks - 1)), rel=0.005)
