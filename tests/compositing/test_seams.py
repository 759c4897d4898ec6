"""Copies from elsewhere take on the colours of what is around them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from understudy.compositing import patches, seams
from understudy.compositing.patches import filled
from understudy.compositing.seams import correction

PERIOD = 16


def tapestry(height=64, width=96):
    """(H, W, 3) that repeats itself from left to right, so that a hole can be filled without any error."""
    tile = np.random.default_rng(3).integers(60, 160, (height, PERIOD, 3), np.uint8)
    return np.tile(tile, (1, width // PERIOD, 1))


def hole_and_places(shape=(64, 96)):
    holes = np.zeros(shape, bool)
    holes[20:44, 40:52] = True
    return holes, np.argwhere(holes) - (0, PERIOD)


def test_a_true_copy_is_left_alone():
    holes, places = hole_and_places()
    assert np.abs(correction(tapestry(), holes, tapestry().astype(np.float32), places)).max() < 1e-4


def test_a_copy_from_a_lighter_place_is_darkened():
    """By exactly as much as it is lighter: its gradients are right, and its rim says the rest."""
    holes, places = hole_and_places()
    lighter = tapestry() + 20 * holes[..., None].astype(np.float32)
    added = correction(tapestry(), holes, lighter, places)
    np.testing.assert_allclose(added[holes], -20, atol=0.05)
    assert not added[~holes].any()


def test_a_seam_within_goes():
    """Two halves, one copied lighter and one darker."""
    holes, places = hole_and_places()
    copied = tapestry().astype(np.float32)
    copied[20:32, 40:52] += 8
    copied[32:44, 40:52] -= 8
    repaired = copied + correction(tapestry(), holes, copied, places)
    np.testing.assert_allclose(repaired, tapestry(), atol=0.05)


def test_what_stands_beside_a_hole_does_not_glow_into_it(monkeypatch):
    """A red thing of 180 levels more at the hole's right side, which the copies do not continue."""
    wall = np.full((64, 96, 3), 60, np.uint8)
    wall[:, 52:, 0] = 240
    holes, places = hole_and_places()
    shown = np.where(holes[..., None], 60, wall).astype(np.float32)
    added = correction(wall, holes, shown, places)
    glow = np.abs(added[holes]).mean()
    monkeypatch.setattr(seams, "FORGIVEN", 1e6)  # the plain equations
    assert glow < np.abs(correction(wall, holes, shown, places)[holes]).mean() / 4


@pytest.mark.parametrize("everywhere", [False, True])
def test_no_hole_and_nothing_but_a_hole_need_nothing(everywhere):
    holes, places = hole_and_places()
    holes[:] = everywhere
    places = np.argwhere(holes)
    assert not correction(tapestry(), holes, tapestry().astype(np.float32) + 5, places).any()


def shaded():
    """(H, W, 3) tiles, twice as light on the right as on the left, and a hole in the middle."""
    y, x = np.mgrid[:160, :240]
    picture = (90 + 30 * ((y // 10 + x // 10) % 2))[..., None] * (0.7 + 0.6 * x / 240)[..., None]
    hole = np.zeros((160, 240), np.uint8)
    cv2.ellipse(hole, (120, 80), (25, 50), 0, 0, 360, 255, -1)
    return np.repeat(picture, 3, axis=2).astype(np.uint8), hole


@pytest.mark.parametrize("most", [10**9, 600], ids=["at once", "shrunk"])
def test_light_that_falls_off_falls_off_within_the_hole(monkeypatch, most):
    """At either side of the hole, and also where there are too many pixels to be solved for at once."""
    monkeypatch.setattr(patches, "MOST_PIXELS", most)
    truth, hole = shaded()
    made = filled(np.where(hole[..., None] > 0, np.uint8(0), truth), hole)
    inside = hole > 0
    left, right = inside.copy(), inside.copy()
    left[:, 110:] = right[:, :130] = False
    for side in (left, right):
        assert abs(made[side].mean() - truth[side].mean()) < 6
    assert np.array_equal(made[~inside], truth[~inside])
