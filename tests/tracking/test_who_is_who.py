"""Pieces of a clip are given to people: by where they go, how large they are, and what they wear."""

from fractions import Fraction

import numpy as np
import pytest

from understudy.tracking.pieces import COLOURS, Piece
from understudy.tracking.who_is_who import who_is_who

FPS = Fraction(25)
RED, BLUE = 100, 300


def piece(first, start, step, frames=20, worn=RED, trunk=80.0, shot=0, clear=20.0):
    """Somebody who is at x = `start` in frame `first` and goes on by `step` pixels a frame."""
    made = Piece(first, shot)
    made.middles = [np.array([start + step * moment, 200.0]) for moment in range(frames)]
    made.trunks = [trunk] * frames
    made.colours = np.zeros((2, COLOURS), np.float32)
    made.colours[:, worn] = clear
    made.clear = clear
    return made


def test_two_who_wear_the_same_cross_by_going_on():
    pieces = [piece(0, 100, 8), piece(0, 400, -8), piece(28, 176, -8), piece(28, 324, 8)]
    assert who_is_who(pieces, FPS) == [[0, 3], [1, 2]]


def test_two_who_wear_the_same_and_come_to_rest_go_back():
    pieces = [piece(0, 200, 0), piece(0, 300, 0), piece(24, 295, 0), piece(24, 205, 0)]
    assert who_is_who(pieces, FPS) == [[0, 3], [1, 2]]


@pytest.mark.parametrize("crossed", [True, False])
def test_who_wears_something_else_is_known_by_it(crossed):
    # both hold still behind one another; when they part, nothing but the colours tells who went where
    left, right = (BLUE, RED) if crossed else (RED, BLUE)
    pieces = [piece(0, 100, 6), piece(0, 400, -6, worn=BLUE)]
    pieces += [piece(45, 235, -6, worn=left), piece(45, 265, 6, worn=right)]
    assert who_is_who(pieces, FPS) == ([[0, 3], [1, 2]] if crossed else [[0, 2], [1, 3]])


def test_what_is_seen_later_says_who_stood_in_front():
    # one piece while the two were taken for one, in colours of neither: what comes after it says whose it was
    pieces = [piece(0, 200, 4), piece(0, 360, -4, worn=BLUE)]
    pieces += [piece(20, 282, 0, worn=500, clear=0.5), piece(40, 282, 4, worn=RED)]
    assert [0, 2, 3] in who_is_who(pieces, FPS)


def test_a_larger_one_is_somebody_else():
    pieces = [piece(0, 200, 0), piece(0, 320, 0, trunk=50.0), piece(25, 265, 0, trunk=50.0), piece(25, 255, 0)]
    assert who_is_who(pieces, FPS) == [[0, 3], [1, 2]]


def test_a_shadow_is_nobody_and_empty_pieces_do_not_count():
    pieces = [piece(0, 200, 2, 30), piece(12, 600, 0, 2, trunk=20.0, clear=0.1), Piece(30, 0), piece(30, 260, 2, 30)]
    assert who_is_who(pieces, FPS) == [[0, 3]]


def test_in_another_shot_people_are_known_by_their_clothes():
    pieces = [piece(0, 100, 0), piece(0, 400, 0, worn=BLUE)]
    pieces += [piece(20, 100, 0, worn=BLUE, shot=1, trunk=90.0), piece(20, 400, 0, shot=1, trunk=90.0)]
    assert who_is_who(pieces, FPS) == [[0, 3], [1, 2]]


def test_a_long_clip_of_many_pieces_takes_little_time():
    pieces = [one for first in range(0, 6000, 20) for one in (piece(first, 100, 0), piece(first, 400, 0, worn=BLUE))]
    assert [len(found) for found in who_is_who(pieces, FPS)] == [300, 300]


def test_nobody_at_all():
    assert who_is_who([], FPS) == []
