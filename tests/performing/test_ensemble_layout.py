"""Where several performers stand, in numbers: panels, a stage on which nobody is cut, and who is in front."""

from fractions import Fraction

import numpy as np
import pytest

from understudy.performing.ensemble_layout import (
    MARGIN,
    WIDEST,
    needed_width,
    painting_order,
    panel_sizes,
    reach,
    stage_spots,
)
from understudy.poses.similarity import IDENTITY, Similarity

FPS = Fraction(25)


def dance(left=40.0, top=20.0, right=60.0, bottom=90.0, frames=100, sway=0.0, jump=0.0):
    """Boxes of somebody who sways by some pixels to both sides and jumps now and then."""
    boxes = np.tile([left, top, right, bottom], (frames, 1)).astype(float)
    boxes[:, [0, 2]] += sway * np.sin(np.arange(frames) / 8)[:, None]
    boxes[40:48, [1, 3]] -= jump
    return boxes


@pytest.mark.parametrize(
    ("pictures", "panels"),
    [
        ([(480, 640), (960, 640), (100, 51)], [(480, 640), (480, 320), (480, 244)]),
        ([(101, 51)], [(100, 50)]),
        ([(1080, 1920)] * 3, [(768, 1366)] * 3),
    ],
    ids=["shapes", "odd", "too wide"],
)
def test_panels_are_equally_high_even_and_not_too_wide(pictures, panels):
    assert panel_sizes(pictures) == panels
    assert sum(width for _, width in panel_sizes(pictures)) <= WIDEST + 2


def test_reach_is_measured_on_the_ground_and_over_the_whole_dance():
    found = reach(dance(sway=10, jump=15), 2.0, FPS)
    assert found.centre == pytest.approx(100, abs=3)
    assert (found.ground, found.width, found.down) == (180, 40, 0)
    assert found.up == 2 * (90 - 20 + 15)
    assert found.left == pytest.approx(40, abs=4) and found.right == pytest.approx(40, abs=4)


def test_a_speck_in_one_frame_needs_no_room():
    boxes = dance(frames=400)
    boxes[7, 0] = -500
    assert reach(boxes, 1.0, FPS).left == 10
    assert reach(np.full((5, 4), np.nan), 1.0, FPS) is None


def on_stage(boxes, spot):
    return spot.of_points(boxes.reshape(-1, 2)).reshape(boxes.shape)


PLACES = {
    "wide": ((120, 400), [dict(), dict(left=10, right=30), dict(sway=5)], 1.0),
    "narrow": ((120, 55), [dict(), dict(left=10, right=30), dict(sway=5)], 0.9),
    "seven": ((120, 160), [dict(sway=5)] * 7, 1.0),
    "far walk": ((120, 120), [dict(sway=60)] * 2, 0.8),
    "head above the picture": ((120, 400), [dict(top=-60), dict()], 0.8),
    "feet below the picture": ((120, 400), [dict(bottom=200), dict()], 0.8),
    "jumps": ((120, 400), [dict(jump=40), dict()], 1.0),
    "one": ((120, 100), [dict()], 1.0),
    "one never seen": ((120, 400), [dict(), None, dict()], 1.0),
}


@pytest.mark.parametrize("name", PLACES)
def test_nobody_is_cut_and_all_stand_on_one_ground(name):
    stage_hw, people, most = PLACES[name]
    shown = [np.full((100, 4), np.nan) if one is None else dance(**one) for one in people]
    reaches = [reach(boxes, 1.0, FPS) for boxes in shown]
    spots, factor = stage_spots(reaches, [(120, 90)] * len(people), stage_hw)
    assert 0 < factor <= most
    placed = [on_stage(boxes, spot) for boxes, spot in zip(shown, spots, strict=True) if not np.isnan(boxes).all()]
    margin = MARGIN * stage_hw[0] - 0.3  # the rarest positions do not count
    for boxes in placed:
        assert boxes[:, :2].min() >= margin - 0.5
        assert boxes[:, 2].max() <= stage_hw[1] - 0.5 - margin and boxes[:, 3].max() <= stage_hw[0] - 0.5 - margin
    grounds = [np.median(boxes[:, 3]) for boxes in placed]
    assert np.ptp(grounds) < 1e-6
    middles = [np.median(boxes[:, [0, 2]].mean(1)) for boxes in placed]
    assert sorted(middles) == middles


def test_everybody_keeps_their_share_of_the_height_and_stands_evenly():
    shown = [dance(), dance(left=80, top=40, right=120, bottom=180), dance(top=50)]
    pictures = [(120, 90), (240, 320), (120, 90)]
    reaches = [reach(boxes, 120 / h, FPS) for boxes, (h, _) in zip(shown, pictures, strict=True)]
    spots, factor = stage_spots(reaches, pictures, (120, 300))
    placed = [on_stage(boxes, spot) for boxes, spot in zip(shown, spots, strict=True)]
    assert factor == 1
    assert [boxes[0, 3] - boxes[0, 1] for boxes in placed] == [70, 70, 40]  # the third is half as tall in its own
    assert [(boxes[0, 0] + boxes[0, 2]) / 2 for boxes in placed] == pytest.approx([49.5, 149.5, 249.5])
    assert placed[0][0, 3] == 90  # where the first one's feet are in its own picture


def test_the_width_that_is_needed_is_enough():
    reaches = [reach(dance(sway=sway), 1.0, FPS) for sway in (5, 30, 10)]
    width = needed_width(reaches, 120)
    for given, factor in ((width, 1), (width * 0.8, 0.8)):
        found = stage_spots(reaches, [(120, 90)] * 3, (120, given))[1]
        assert found == pytest.approx(factor, abs=0.02)
    assert needed_width([None], 120) == 0
    assert stage_spots([None], [(60, 90)], (120, 90)) == ([Similarity(2.0, (0.0, 0.0))], 1.0)


def order(*feet):
    """Painting order of people with these feet over time."""
    return painting_order([np.asarray(one, float) for one in feet], [IDENTITY] * len(feet), FPS, 100)


def test_lower_feet_are_nearer():
    assert order([90] * 5, [80] * 5, [95] * 5).tolist() == [[1, 0, 2]] * 5


def test_on_level_ground_the_first_is_in_front_and_order_does_not_flicker():
    noise = np.random.default_rng(0).uniform(-0.4, 0.4, (3, 300))
    assert (order(*(90 + noise)) == [2, 1, 0]).all()


def test_somebody_who_steps_forward_passes_once():
    steps = np.linspace(80, 100, 200)
    found = order(steps, np.full(200, 90.0), steps[::-1])
    assert found[0].tolist() == [0, 1, 2] and found[-1].tolist() == [2, 1, 0]
    assert 1 <= (np.diff(found, axis=0) != 0).any(axis=1).sum() <= 3


def test_a_jump_brings_nobody_to_the_back():
    jumping = np.full(200, 95.0)
    jumping[100:112] = 60
    assert (order(np.full(200, 90.0), jumping) == [0, 1]).all()


def test_who_is_never_seen_is_at_the_back_and_gaps_are_bridged():
    gap = np.full(100, 95.0)
    gap[30:60] = np.nan
    assert (order(np.full(100, 90.0), gap, np.full(100, np.nan)) == [2, 0, 1]).all()
