"""What lies beyond the filmed picture is unknown: hands and feet there are not learnt from, nor shown elsewhere."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from tiny import tiny_performance
from understudy.conditioning.clips import read_clip
from understudy.performance import Performance
from understudy.poses.edges import cut_off_ends, filmed_box, without_cut_ends
from understudy.poses.pose import (
    LEFT_ANKLE,
    LEFT_ELBOW,
    LEFT_HAND,
    LEFT_KNEE,
    LEFT_WRIST,
    POINTS,
    RIGHT_ELBOW,
    RIGHT_WRIST,
    Pose,
)
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.kept_frames import keep_frames
from understudy.tracking.crop import crop_of

SIZE = 100


def figure(frames: int = 10) -> Pose:
    """Arms held out by 20 pixels from the elbows, shins of 20 pixels, all well inside."""
    xy, seen = np.zeros((frames, POINTS, 2), np.float32), np.zeros((frames, POINTS), np.float32)
    for joint, place in (
        (LEFT_ELBOW, (60, 40)), (LEFT_WRIST, (80, 40)), (RIGHT_ELBOW, (40, 40)), (RIGHT_WRIST, (20, 40)),
        (LEFT_KNEE, (55, 60)), (LEFT_ANKLE, (55, 80)),
    ):  # fmt: skip
        xy[:, joint], seen[:, joint] = place, 1
    xy[:, LEFT_HAND], seen[:, LEFT_HAND] = (85, 40), 1
    return Pose(xy, seen, (SIZE, SIZE))


@pytest.mark.parametrize(
    ("square", "original", "expected"),
    [
        pytest.param((10, 20, 60), (100, 100), (0, 0, 30, 30), id="inside"),
        pytest.param((-20, 0, 60), (100, 100), (10, 0, 30, 30), id="beyond the left edge"),
        pytest.param((50, 70, 60), (100, 100), (0, 0, 25, 15), id="beyond right and bottom"),
        pytest.param((-10, -10, 60), (40, 40), (5, 5, 25, 25), id="all around"),
    ],
)
def test_the_filmed_part_of_a_square(square, original, expected) -> None:
    assert filmed_box(crop_of(square, 30), original, 30) == expected
    left, top, right, bottom = expected
    shown = np.zeros((30, 30), bool)
    shown[top:bottom, left:right] = True
    from understudy.media.squares import cut

    np.testing.assert_array_equal(cut(np.full(original, 255, np.uint8), square, 30, beyond=0) == 255, shown)


@pytest.mark.parametrize(
    ("filmed", "expected"),
    [
        pytest.param((0, 0, 100, 100), [0, 0, 0, 0], id="all of it"),
        pytest.param((0, 0, 90, 100), [1, 0, 0, 0], id="fingers reach to 94"),
        pytest.param((10, 0, 100, 100), [0, 1, 0, 0], id="and to 6"),
        pytest.param((0, 0, 100, 82), [0, 0, 1, 0], id="the sole is at 85"),
        pytest.param((0, 0, 95, 86), [0, 0, 0, 0], id="just so"),
    ],
)
def test_hands_reach_beyond_wrists_and_feet_below_ankles(filmed, expected) -> None:
    np.testing.assert_array_equal(cut_off_ends(figure(), filmed), np.tile(np.array(expected, bool), (10, 1)))


def test_what_is_not_seen_is_not_cut_off() -> None:
    pose = figure()
    pose.confidence[:, LEFT_ELBOW] = 0
    assert not cut_off_ends(pose, (0, 0, 90, 100)).any()


def test_a_hand_at_the_edge_is_not_kept_where_others_are_whole() -> None:
    pose = figure()
    pose.xy[:3, LEFT_WRIST] += (8, 0)
    left = without_cut_ends(pose, (0, 0, 98, 100), 0.25)
    hidden = left.confidence == 0
    assert hidden[:3, LEFT_WRIST].all() and hidden[:3, LEFT_HAND].all() and not hidden[3:, LEFT_WRIST].any()
    assert left.confidence.sum() == pose.confidence.sum() - 3 * (1 + 21)
    np.testing.assert_array_equal(left.xy, pose.xy)
    never = without_cut_ends(pose, (0, 0, 90, 100), 0.25)
    np.testing.assert_array_equal(never.confidence, pose.confidence), "there is no whole one to take instead"


@pytest.fixture
def at_the_edge(tmp_path) -> Performance:
    """Of 12 frames the first four with the left hand beyond the right edge of what was filmed."""
    made = tiny_performance(tmp_path / "p.performance", 1)
    header = made.header
    object.__setattr__(header, "original_size_hw", (32, 30))
    pose = figure(12)
    pose = Similarity.resized(0.3).of_pose(pose, (32, 32))
    pose.xy[:4, [LEFT_ELBOW, LEFT_WRIST]] += (8, 0)
    return Performance(made.path, header, pose, made.status)


def read(performance: Performance, consecutive: int) -> list[int]:
    clip = read_clip(performance, None, (0, 0, 0), consecutive, 0.0, 32, 32, torch.device("cpu"))
    return clip.windows.tolist()


def test_frames_that_cut_a_hand_off_do_not_train(at_the_edge: Performance) -> None:
    assert at_the_edge.fps == Fraction(25)
    assert read(at_the_edge, 1) == list(range(4, 12))
    assert read(at_the_edge, 2) == list(range(4, 11))


def test_they_do_where_they_are_most(at_the_edge: Performance) -> None:
    at_the_edge.poses.xy[:7, [LEFT_ELBOW, LEFT_WRIST]] = at_the_edge.poses.xy[0, [LEFT_ELBOW, LEFT_WRIST]]
    assert read(at_the_edge, 1) == list(range(12))


def test_kept_frames_do_without_the_hand(at_the_edge: Performance) -> None:
    kept = keep_frames(at_the_edge, 32, 100)
    assert (kept["confidence"][:4, LEFT_WRIST] == 0).all() and (kept["confidence"][4:, LEFT_WRIST] > 0).all()
