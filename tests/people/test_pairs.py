"""Two pictures of the same person, near enough in time."""

from __future__ import annotations

from collections import Counter

import pytest

from understudy.people.pairs import MOST, pairs_of

ANN, BOB = ("videos1", 1), ("videos1", 2)


def test_pairs_are_of_one_person_and_less_than_250_frames_apart():
    seen = [(who, 25 * number) for number in range(40) for who in (ANN, BOB)]
    pairs = pairs_of(seen)
    assert len(pairs) == len(set(pairs)) == 2 * MOST
    assert Counter(seen[one][0] for one, _ in pairs) == {ANN: MOST, BOB: MOST}
    for one, other in pairs:
        assert seen[one][0] == seen[other][0] and 0 < abs(seen[one][1] - seen[other][1]) < 250


def test_few_pictures_give_all_their_pairs_in_both_orders():
    seen = [(ANN, 1), (ANN, 26), (ANN, 51), (ANN, 400)]
    assert sorted(pairs_of(seen, within=30)) == [(0, 1), (1, 0), (1, 2), (2, 1), (3, 3)]


def test_still_pictures_are_paired_with_themselves():
    seen = [(("0000006", 1), 0), (("0000006", 2), 0), (("0000011", 1), 0)]
    assert sorted(pairs_of(seen)) == [(0, 0), (1, 1), (2, 2)]


def test_each_seed_draws_anew_and_the_same_the_same():
    seen = [(ANN, 25 * number) for number in range(30)]
    assert pairs_of(seen, 1) == pairs_of(seen, 1)
    assert set(pairs_of(seen, 1)) != set(pairs_of(seen, 2))
    order = {first for seed in range(6) for first, _ in [pairs_of([(ANN, 1), (ANN, 2)], seed)[0]]}
    assert order == {0, 1}


def test_nothing_gives_nothing_and_numbers_are_checked():
    assert pairs_of([]) == []
    with pytest.raises(ValueError, match="at least 1, not 0 and 15"):
        pairs_of([], within=0)
