"""A clip's body and ground are measured once, by whoever asks first."""

import gc
import weakref
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tiny import tiny_performance, tiny_poses
from tiny_actor import drawing_actor
from understudy.covering.coverage import coverage
from understudy.errors import PoseError
from understudy.performance import Performance
from understudy.performing.driver import Driver
from understudy.performing.ensemble import perform_together
from understudy.performing.members import members
from understudy.performing.normalization_sheet import normalization_sheet
from understudy.performing.perform import part_for
from understudy.poses.pose import POINTS, Pose
from understudy.retargeting import alignment, global_normalization
from understudy.retargeting.alignment import body_statistics
from understudy.retargeting.global_normalization import ground_statistics
from understudy.retargeting.measured import once

FPS = Fraction(25)


def test_each_pose_and_each_option_is_measured_once() -> None:
    asked = []

    @once
    def measure(pose: Pose, scale: int, *, printed: bool = False) -> int:
        """What it says."""
        asked.append((len(pose), scale, printed))
        return scale * len(pose)

    short, long = tiny_poses(2, 32, 0), tiny_poses(3, 32, 0)
    assert [measure(short, 1), measure(short, 2), measure(long, 1), measure(short, 1)] == [2, 4, 3, 2]
    assert measure(short, 1, printed=True) == measure(short, 1, printed=True) == 2
    assert measure(short, scale=1) == measure(short, 1, printed=False) == 2  # however it is written
    assert asked == [(2, 1, False), (2, 2, False), (3, 1, False), (2, 1, True)]
    assert measure(Pose(short.xy, short.confidence, short.size_hw), 1) == 2 and len(asked) == 5  # another object
    assert measure.__doc__ == "What it says."


def test_nothing_of_a_pose_is_kept_longer_than_the_pose() -> None:
    pose = tiny_poses(4, 32, 0)
    body, gone = weakref.ref(body_statistics(pose)), weakref.ref(pose)
    assert body() is body_statistics(pose)
    del pose
    gc.collect()
    assert gone() is None and body() is None


def test_errors_are_said_again() -> None:
    nobody = Pose(np.zeros((5, POINTS, 2), np.float32), np.zeros((5, POINTS), np.float32), (32, 32))
    for _ in range(2):
        with pytest.raises(PoseError, match="none of 5 frames shows both shoulders"):
            body_statistics(nobody)
    assert ground_statistics(nobody, FPS) is None


def test_a_clip_that_many_look_at_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    me, dance = (tiny_performance(tmp_path / f"{seed}.performance", seed, frames=8, size=64) for seed in (1, 2))
    bodies, grounds = [], []

    def counted(function, found):
        return lambda pose: found.append(pose) or function(pose)

    monkeypatch.setattr(alignment, "_limb_lengths", counted(alignment._limb_lengths, bodies))
    monkeypatch.setattr(global_normalization, "_heights", counted(global_normalization._heights, grounds))

    def player(reference: Performance):
        body, ground = body_statistics(reference.poses), ground_statistics(reference.poses, reference.fps)
        return drawing_actor(body=body, ground=ground, working_size=64).normalizing_by("ground")

    coverage(me, dance, tmp_path / "report.html")
    cast = [player(me), player(me)]
    for actor in cast:
        normalization_sheet(actor, Driver(dance), {"placed": part_for(actor, dance).pose})
    perform_together(members(cast, "stage"), Driver(dance), tmp_path / "out.mp4", layout="stage")
    for found in (bodies, grounds):
        assert len(found) == 2 and {id(pose) for pose in found} == {id(me.poses), id(dance.poses)}
