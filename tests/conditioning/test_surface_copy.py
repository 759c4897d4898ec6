"""A photograph's pixels go where the body shows the same place."""

import numpy as np

from understudy.body.surface_mesh import CHART
from understudy.conditioning.limb_warps import PARTS
from understudy.conditioning.surface_copy import copied, interpolated_places, looked_up, seen_places

STILL = np.tile(np.eye(2, 3, dtype=np.float32), (len(PARTS), 1, 1))


def patch(chart, top, left, side, size=96, mirrored=False):
    """A surface map with a square of one chart, U to the right and V down."""
    surface = np.zeros((size, size, 3), np.uint8)
    ramp = np.linspace(0, 255, side).astype(np.uint8)
    square = surface[top : top + side, left : left + side]
    square[..., 0] = chart
    square[..., 1] = ramp[::-1] if mirrored else ramp
    square[..., 2] = ramp[:, None]
    return surface


def photograph(surface, seed=0):
    random = np.random.default_rng(seed)
    picture = np.zeros((96, 96, 4), np.uint8)
    coarse = np.kron(random.integers(0, 255, (12, 12, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    picture[..., :3], picture[..., 3] = coarse, 255
    return picture * (surface[..., :1] > 0)


def test_the_same_map_gives_the_same_picture():
    surface = patch(CHART["front"], 20, 20, 48)
    picture = photograph(surface)
    where, trust = looked_up(seen_places(surface, np.ones((96, 96), bool)), surface, STILL)
    inside, (rows, columns) = np.s_[24:64, 24:64], np.mgrid[24:64, 24:64]
    np.testing.assert_allclose(where[inside], np.stack([columns, rows], -1), atol=0.5)  # U and V have 64 steps
    copy = copied(picture, where, trust)
    assert np.abs(copy[inside].astype(int) - picture[inside]).mean() < 6
    assert (copy[inside][..., 3] == 255).all()


def test_a_body_that_moved_is_found_where_it_was():
    before, after = patch(CHART["front"], 10, 12, 48), patch(CHART["front"], 40, 38, 48)
    where, trust = looked_up(seen_places(before, np.ones((96, 96), bool)), after, STILL)
    rows, columns = np.mgrid[44:84, 42:82]
    np.testing.assert_allclose(where[44:84, 42:82], np.stack([columns - 26, rows - 30], -1), atol=1.0)
    assert (trust[44:84, 42:82] > 0.9).all()


def test_what_the_photograph_does_not_show_stays_open():
    """The back is not made of the front; what stood before the body does not count as it."""
    front, back = patch(CHART["front"], 20, 20, 48), patch(CHART["back"], 20, 20, 48)
    _, trust = looked_up(seen_places(front, np.ones((96, 96), bool)), back, STILL)
    assert not trust.any()
    shown = np.ones((96, 96), bool)
    shown[20:68, 44:] = False
    _, trust = looked_up(seen_places(front, shown), front, STILL)
    assert trust[24:64, 24:40].min() > 0.9 and trust[24:64, 56:66].max() == 0


def test_the_far_side_of_a_limb_is_the_near_side_mirrored_at_half_the_trust():
    near = patch(CHART["left shin, before"], 20, 20, 48)
    far = patch(CHART["left shin, behind"], 20, 20, 48)
    where, trust = looked_up(seen_places(near, np.ones((96, 96), bool)), far, STILL)
    inside = np.s_[26:62, 26:62]
    assert trust[inside].min() > 0.4 and trust[inside].max() < 0.6
    _, columns = np.mgrid[26:62, 26:62]
    np.testing.assert_allclose(where[inside][..., 0], 87 - columns, atol=1.5)


def test_clothes_beyond_the_body_move_with_it():
    """Just outside of the body the photograph is looked up just outside of it."""
    before, after = patch(CHART["front"], 24, 24, 40), patch(CHART["front"], 30, 30, 40)
    where, trust = looked_up(seen_places(before, np.ones((96, 96), bool)), after, STILL)
    assert trust[50, 72] > 0 and trust[50, 80] == 0  # 0.06 of 96 pixels beyond
    np.testing.assert_allclose(where[50, 72], (66, 44), atol=1.5)


def test_nobody_gives_nothing():
    nobody = np.zeros((96, 96, 3), np.uint8)
    surface = patch(CHART["front"], 20, 20, 48)
    for seen, wanted in ((nobody, surface), (surface, nobody), (nobody, nobody)):
        where, trust = looked_up(seen_places(seen, np.ones((96, 96), bool)), wanted, STILL)
        assert not trust.any()
        assert not copied(photograph(surface), where, trust).any()


def test_places_are_interpolated_but_not_across_a_rift():
    """Neighbours that are looked up side by side are blended; over an outline each goes its own way."""
    line = np.array([10, 11, 12, 40, 41, 42], np.float32)
    where = np.stack(np.broadcast_arrays(line, np.arange(4, dtype=np.float32)[:, None]), axis=-1)
    finer = interpolated_places(where, (12, 8))[3, :, 0]
    one_side = np.array([0, 0.25, 0.75, 1.25, 1.75, 2])
    np.testing.assert_allclose(finer, [*(10 + one_side), *(40 + one_side)], atol=1e-3)
