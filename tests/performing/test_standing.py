"""Whoever is known from one photograph stands where they stood in it, however deep the driver bends his knees."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from tiny import STANDING
from understudy.performing.perform import aligned_poses
from understudy.poses.pose import LEFT_ANKLE, LEFT_SHOULDER, RIGHT_ANKLE, Pose
from understudy.recipes.parts.groups import Placement
from understudy.retargeting.alignment import body_statistics
from understudy.retargeting.global_normalization import ground_statistics

FPS = Fraction(25)
ANKLES = [LEFT_ANKLE, RIGHT_ANKLE]


def body(lowered=0.0, frames=1, size=200, legs=1.0):
    """Standing, or with everything above the knees lowered by a share of the picture; ankles at 0.85 of it."""
    xy = np.repeat(STANDING[None], frames, 0)
    xy[:, [*range(9), *range(14, 18), 11], 1] += lowered
    xy[:, [9, 10, 12, 13], 1] = 0.55 + legs * (xy[:, [9, 10, 12, 13], 1] - 0.55)
    return Pose.from_openpose18((xy * size).astype(np.float32), np.ones((frames, 18), np.float32), (size, size))


def standing(photograph, driving, on_ground=True, fit_limbs=True):
    actor = SimpleNamespace(
        placement=Placement(scale_by="body", fit_limbs=fit_limbs, on_ground=on_ground),
        working_size=200,
        body=body_statistics(photograph),
        ground=ground_statistics(photograph, FPS),
    )
    return aligned_poses(actor, SimpleNamespace(poses=driving, fps=FPS))


@pytest.mark.parametrize("fit_limbs", [False, True])
@pytest.mark.parametrize("size", [200, 320])
def test_feet_are_on_the_photographs_ground(fit_limbs, size):
    photograph, crouching = body(), body(lowered=0.1, frames=60, size=size)
    placed = standing(photograph, crouching, fit_limbs=fit_limbs)
    assert np.abs(placed.xy[:, ANKLES, 1] - photograph.xy[0, ANKLES, 1]).max() < 2
    hovering = standing(photograph, crouching, on_ground=False, fit_limbs=False)
    assert (photograph.xy[0, ANKLES, 1] - hovering.xy[:, ANKLES, 1] > 8).all()  # the trunks are at one height instead
    assert hovering.xy[0, LEFT_SHOULDER, 1] == pytest.approx(photograph.xy[0, LEFT_SHOULDER, 1], abs=2)


def test_a_jump_stays_a_jump():
    driving = body(frames=60)
    driving.xy[30:36, :, 1] -= 20
    placed = standing(body(), driving)
    rise = placed.xy[0, ANKLES, 1] - placed.xy[33, ANKLES, 1]
    assert rise == pytest.approx([20, 20], abs=2)


def test_without_feet_in_the_photograph_trunks_are_at_one_height():
    photograph, driving = body(), body(lowered=0.1, frames=60)
    photograph.confidence[:, ANKLES] = 0
    placed, usual = (standing(photograph, driving, on_ground=on, fit_limbs=False) for on in (True, False))
    np.testing.assert_array_equal(placed.xy, usual.xy)
