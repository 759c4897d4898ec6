"""The way back from the reference's frame to the driver's picture, whichever way led there."""

import numpy as np
import pytest

from tiny import tiny_performance, tiny_poses
from tiny_actor import tiny_actor
from understudy.performing.perform import part_for
from understudy.performing.where_filmed import ANKLES, feet_on_feet, moved_poses, way, ways_back
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.retargeting.alignment import body_statistics

SIZE = (32, 32)


@pytest.mark.parametrize("exchanged", [False, True])
def test_it_undoes_a_scale_and_a_shift_of_every_frame(exchanged):
    filmed = tiny_poses(9, 32, 1)
    scales, shifts = np.linspace(0.6, 1.7, 9)[:, None, None], np.arange(18).reshape(9, 1, 2)
    seen = filmed.confidence.copy()
    seen[4] = 0  # nobody
    seen[2, 11:] = 0
    placed = Pose((filmed.xy * scales + shifts).astype(np.float32), seen, SIZE)
    placed = placed.sides_exchanged() if exchanged else placed
    ways = ways_back(placed, filmed)
    back = moved_poses(ways, placed.sides_exchanged() if exchanged else placed, SIZE)
    shown = filmed.confidence > 0
    shown[4] = False
    np.testing.assert_allclose(back.xy[shown], filmed.xy[shown], atol=1e-4)
    np.testing.assert_allclose(ways[4], (ways[3] + ways[5]) / 2, rtol=1e-6)
    assert way(ways, 1).scale == pytest.approx(1 / scales[1, 0, 0])


def test_nobody_at_all_stays_where_it_is():
    poses = tiny_poses(3, 32, 1)
    nobody = Pose(poses.xy, 0 * poses.confidence, SIZE)
    np.testing.assert_array_equal(ways_back(nobody, nobody), np.tile([1.0, 0, 0], (3, 1)))


def test_feet_stand_where_the_drivers_do_if_he_shows_them():
    filmed = tiny_poses(6, 32, 2)
    taller = Pose(filmed.xy * (1, 1.2), filmed.confidence, SIZE)
    ways = np.tile([1.0, 0.0, 0.0], (6, 1))
    inside = (0.0, 0.0, 31.0, 31.0)
    moved = feet_on_feet(ways, taller, filmed, inside)
    lower = [pose.xy[:, ANKLES, 1].max(axis=1) for pose in (moved_poses(moved, taller, SIZE), filmed)]
    np.testing.assert_allclose(*lower, atol=1e-4)
    np.testing.assert_array_equal(moved[:, :2], ways[:, :2])
    np.testing.assert_array_equal(feet_on_feet(ways, taller, filmed, (0.0, 0.0, 31.0, 20.0)), ways)


@pytest.mark.parametrize("normalization", ["similarity", "ground"])
def test_a_part_knows_the_way_back_whatever_the_normalization(tmp_path, normalization):
    driving = tiny_performance(tmp_path / "dance.performance", 1, frames=20)
    other = Similarity(1.4, (-5.0, 2.0)).of_pose(tiny_poses(20, 32, 4), SIZE)
    actor = tiny_actor(body=body_statistics(other)).normalizing_by(normalization)
    part = part_for(actor, driving)
    clone = moved_poses(part.ways_back, part.pose, driving.header.original_size_hw)
    filmed = driving.header.crop.inverse.of_pose(driving.poses, driving.header.original_size_hw)
    apart = np.linalg.norm(clone.xy - filmed.xy, axis=2)[filmed.confidence > 0]
    assert np.median(apart) < 1.5  # limbs have the reference's lengths, and are otherwise where the driver's are
