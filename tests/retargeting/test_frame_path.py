"""The cheapest path against all paths, and what a price of change does."""

import itertools

import numpy as np
import pytest

from understudy.retargeting.frame_path import cheapest_path, nearest_candidates


def constant(price):
    return lambda before, after: np.where(before[:, None] == after, 0.0, price)


@pytest.mark.parametrize("seed", range(5))
def test_no_path_is_cheaper(seed):
    rng = np.random.default_rng(seed)
    distance = rng.uniform(0, 5, (5, 3)).astype(np.float32)
    prices = rng.uniform(0, 3, (3, 3))
    candidates = np.broadcast_to(np.arange(3), (5, 3))
    found = cheapest_path(candidates, distance, lambda before, after: prices[before[:, None], after])

    def cost(path):
        steps = sum(prices[a, b] for a, b in itertools.pairwise(path))
        return steps + sum(float(distance[t, frame]) for t, frame in enumerate(path))

    assert cost(found) == pytest.approx(min(cost(path) for path in itertools.product(range(3), repeat=5)))


@pytest.mark.parametrize(("price", "expected"), [(0, [0, 1, 0, 1]), (0.05, [0, 1, 0, 1]), (1, [1, 1, 1, 1])])
def test_a_price_of_change_ends_flicker(price, expected):
    distance = np.array([[1.0, 1.1], [1.1, 1.0], [1.0, 1.1], [1.2, 1.0]], np.float32)
    assert cheapest_path(np.tile([0, 1], (4, 1)), distance, constant(price)).tolist() == expected


def test_only_candidates_are_shown():
    candidates = np.array([[7, 3], [3, 9]])
    assert cheapest_path(candidates, np.array([[1, 2], [2, 1]], np.float32), constant(0)).tolist() == [7, 9]
    assert cheapest_path(candidates, np.array([[1, 2], [2, 1]], np.float32), constant(5)).tolist() == [3, 3]
    assert cheapest_path(np.zeros((0, 2), int), np.zeros((0, 2), np.float32), constant(1)).shape == (0,)


def test_candidates_are_the_nearest():
    distance = np.array([[5, 1, 3, 2], [0, 9, 8, 7]], np.float32)
    assert np.sort(nearest_candidates(distance, 2), axis=1).tolist() == [[1, 3], [0, 3]]
    assert nearest_candidates(distance, 9).tolist() == [[0, 1, 2, 3]] * 2
