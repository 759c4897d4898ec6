"""A performer that leaves the picture is told, and `fit="whole"` keeps all of it inside."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from tiny import tiny_performance, tiny_poses
from tiny_actor import drawing_actor, tiny_actor
from understudy.media.reading import VideoReader
from understudy.performing.fitting import MARGIN, fitted
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.tracking.crop import reach
from understudy.verbs.perform import perform

WIDE, HIGH = 200, 100


@pytest.fixture
def actor():
    return replace(tiny_actor(), original_size_hw=(HIGH, WIDE), ground=np.zeros(1))


def standing(scale: float = 0.8, x: float = 60, y: float = 5) -> Pose:
    """In pixels of the picture."""
    return Similarity(scale, (x, y)).of_pose(tiny_poses(20, HIGH, 1), (HIGH, WIDE))


def moved(before, after, pose: Pose) -> Pose:
    """Where a pose of the picture lies once the actor has been fitted."""
    working = before.from_picture.of_pose(pose, (HIGH, WIDE))
    return after.from_picture.inverse.of_pose(working, (HIGH, WIDE))


ALL = np.ones(20, bool)


def test_who_stays_in_the_picture_is_left_alone(actor, caplog) -> None:
    caplog.set_level(logging.INFO)
    for fit in ("placed", "whole"):
        assert fitted(actor, standing(), ALL, fit) is actor
    assert not caplog.records


@pytest.mark.parametrize(
    ("pose", "what", "scale"),
    [
        pytest.param(standing(1.7, 20, -30), "the head, the feet", None, id="too large"),
        pytest.param(standing(y=-20), "the head", 1.0, id="too high"),
        pytest.param(standing(x=-30), "the left side", 1.0, id="too far left"),
        pytest.param(standing(x=160), "the right side", 1.0, id="too far right"),
        pytest.param(standing(y=40), "the feet", 1.0, id="too low"),
    ],
)
def test_who_leaves_it_is_told_and_brought_back(actor, caplog, pose: Pose, what: str, scale: float | None) -> None:
    assert fitted(actor, pose, ALL, "placed", "me.actor") is actor
    assert f"me.actor leaves the picture in 100 % of the frames ({what}): `--fit whole`" in caplog.text
    after = fitted(actor, pose, ALL, "whole")
    low, high = (np.array(one) for one in reach(moved(actor, after, pose)))
    near = MARGIN * HIGH - 1e-3
    assert (low >= near - 1).all() and (high <= np.array([WIDE - 1, HIGH - 1]) - near + 1).all()
    found = actor.from_picture.scale / after.from_picture.scale
    assert found == pytest.approx(scale, abs=1e-6) if scale else 0.5 < found < 0.8


def test_a_slip_or_a_moment_unseen_moves_nobody(actor, caplog) -> None:
    pose = standing()
    pose.xy[3] -= (0, 60)
    shown = ALL.copy()
    shown[3] = False
    assert fitted(actor, pose, shown, "whole") is actor
    assert fitted(actor, pose, shown, "placed") is actor and not caplog.records
    nobody = Pose(pose.xy, np.zeros_like(pose.confidence), pose.size_hw)
    assert fitted(actor, nobody, ALL, "whole") is actor


def test_legs_that_the_reference_never_shows_may_end_at_the_edge(actor, caplog) -> None:
    cut = replace(actor, ground=None)
    assert fitted(cut, standing(y=40), ALL, "whole") is cut
    assert fitted(cut, standing(y=40), ALL, "placed") is cut and not caplog.records


@pytest.mark.parametrize("cast", [1, 2])
def test_a_video_shows_all_of_the_performer(tmp_path, cast: int) -> None:
    """The drawing actor paints its limbs: fitted, the head no longer ends at the upper edge."""
    driving = tiny_performance(tmp_path / "d.performance", 2)
    actor = drawing_actor()
    near = replace(
        actor, ground=np.zeros(1), crop=actor.crop @ Similarity.pinned(1.8, (16.0, 20.0), (16.0, 16.0)).inverse
    )
    ends = {}
    for fit in ("placed", "whole"):
        out = tmp_path / f"{fit}.mp4"
        perform([near] * cast, driving, out, background="black", fit=fit)
        frames = np.stack(list(VideoReader(out)))
        ends[fit] = float(frames[:, 0].max()), float(frames.max())
    assert ends["placed"][0] > 100, "else there is nothing to fit"
    assert ends["whole"][0] < 60 < 100 < ends["whole"][1]
