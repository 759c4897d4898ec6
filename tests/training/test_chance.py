"""Randomness as a function of where it is asked for: known values, whole epochs, and ranks that share nothing."""

import numpy as np
import pytest
import torch

from understudy.training.chance import Chance

DRAWN = {
    (1, 4, 10): [[6, 7, 4, 2], [5, 0, 9, 8], [3, 1, 7, 3], [1, 0, 8, 5]],
    (2, 3, 4): [[0, 1, 3], [2, 2, 1]],
}
"""(stream, batch, count): what seed 5 drew in the first steps, before there was a class for it"""


@pytest.mark.parametrize(("asked", "expected"), DRAWN.items(), ids=str)
def test_draws_are_those_of_actors_trained_before(asked, expected):
    stream, batch, count = asked
    assert [Chance(5).draw(stream, step, batch, count).tolist() for step in range(len(expected))] == expected
    assert Chance(0).draw(3, 7, 2, 6).tolist() == [3, 5] and Chance(0).draw(1, 0, 4, 1).tolist() == [0, 0, 0, 0]


def test_generators_and_seeds_are_those_of_actors_trained_before():
    assert Chance(5).generator(2, 7).integers(0, 1000, 4).tolist() == [459, 851, 62, 324]
    assert Chance(5).generator(2, 7, 1).integers(0, 1000, 4).tolist() == [480, 610, 824, 376]
    assert (Chance(0).of_step(0), Chance(5).of_step(3)) == (7896617691693857887, 7760099336911183838)


def test_every_item_is_drawn_once_an_epoch_in_an_order_of_its_own():
    epochs = np.concatenate([Chance(5).draw(1, step, 4, 10) for step in range(10)]).reshape(4, 10)
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs.tolist())
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 4
    assert np.array_equal(Chance(5).draw(1, 7, 4, 10), Chance(5).draw(1, 7, 4, 10))
    assert not np.array_equal(Chance(5).draw(1, 0, 9, 10), Chance(5).draw(2, 0, 9, 10))
    assert not np.array_equal(Chance(5).draw(1, 0, 9, 10), Chance(6).draw(1, 0, 9, 10))


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_draw_what_one_alone_would_in_parts_that_share_nothing(ranks):
    together = [Chance(5, rank, ranks) for rank in range(ranks)]
    for step in range(4):
        parts = [chance.draw(1, step, 2, 12) for chance in together]
        assert np.array_equal(np.concatenate(parts), Chance(5).draw(1, step, 2 * ranks, 12))
    epoch = [index for step in range(12 // (2 * ranks)) for chance in together for index in chance.draw(1, step, 2, 12)]
    assert sorted(epoch) == list(range(12))


def test_generators_of_other_streams_steps_uses_and_ranks_differ():
    places = [(5, 1, 7), (6, 1, 7), (5, 2, 7), (5, 1, 8), (5, 1, 7, 1), (5, 1, 7, 2)]
    found = [Chance(seed).generator(*where).random(4).tolist() for seed, *where in places]
    found += [
        Chance(5, rank, 3).generator(*where).random(4).tolist() for rank in (1, 2) for where in ((1, 7), (1, 7, 1))
    ]
    assert len({tuple(numbers) for numbers in found}) == len(places) + 4
    assert Chance(5).generator(1, 7).random(4).tolist() == found[0]
    assert Chance(5, 0, 3).generator(1, 7).random(4).tolist() == found[0], "the first of several is as one alone"


def test_dropout_differs_between_steps_and_ranks_and_takes_any_seed():
    seeds = [Chance(5, rank).of_step(step) for rank in range(3) for step in range(20)]
    assert len(set(seeds)) == 60
    for seed in seeds:
        torch.manual_seed(seed)  # refuses what does not fit into 64 bits with a sign
