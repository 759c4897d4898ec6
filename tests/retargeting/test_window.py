"""The moving window and the fades."""

from fractions import Fraction

import numpy as np
import pytest

from understudy.poses.pose import (
    LEFT_EAR,
    LEFT_ELBOW,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NOSE,
    RIGHT_ELBOW,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    Pose,
)
from understudy.retargeting.window import held, presence, window_path

FPS = Fraction(25)


def walking(offset_xy: np.ndarray, size: int = 100, half: float = 20) -> Pose:
    """A body of 2 * half pixels around the middle of the frame plus `offset_xy` (T, 2)."""
    corners = np.linspace(-half, half, 23)
    xy = np.zeros((len(offset_xy), 133, 2), np.float32)
    xy[:, :23] = 49.5 + corners[:, None] + offset_xy[:, None]
    confidence = np.zeros((len(offset_xy), 133), np.float32)
    confidence[:, :23] = 1
    return Pose(xy, confidence, (size, size))


def inside(pose: Pose, path: np.ndarray, margin: float = 4.5) -> np.ndarray:
    shifted = pose.xy[:, :23] - path[:, None]
    return ((shifted >= margin - 1e-3) & (shifted <= 99 - margin + 1e-3)).all(axis=(1, 2))


def test_window_stays_while_the_driver_stays() -> None:
    swaying = np.stack([20 * np.sin(np.arange(100) / 9), 10 * np.cos(np.arange(100) / 7)], axis=1)
    assert not window_path(walking(swaying), FPS).any()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("axis", [0, 1])
def test_window_follows_smoothly_and_cuts_nothing(axis: int, sign: int) -> None:
    offset = np.zeros((200, 2))
    offset[:, axis] = sign * 120 * np.exp(-(((np.arange(200) - 100) / 25) ** 2))
    pose = walking(offset)
    path = window_path(pose, FPS)
    assert inside(pose, path).all()
    assert not path[:, 1 - axis].any() and not path[:20].any() and not path[-20:].any()
    assert np.abs(np.diff(path[:, axis])).max() <= 6  # the body itself moves up to 4 pixels a frame
    assert np.abs(path[:, axis]).max() <= 120


def test_window_jumps_are_softened() -> None:
    offset = np.zeros((100, 2))
    offset[50:, 0] = 60
    path = window_path(walking(offset), FPS)
    assert inside(walking(offset), path).all()
    assert np.abs(np.diff(path[:, 0])).max() <= 12  # the body itself jumps by 60
    assert np.abs(np.diff(path[:45, 0])).max() <= 2


def test_a_body_larger_than_the_frame_is_centred() -> None:
    offset = np.tile([30.0, 0.0], (30, 1))
    pose = walking(offset, half=70)
    pose.confidence[:, LEFT_SHOULDER : RIGHT_ELBOW + 1] = 0  # and so neither crown nor fingertips
    np.testing.assert_array_equal(window_path(pose, FPS), np.tile([30, 0], (30, 1)))


def test_a_body_that_hardly_fits_is_not_pushed_out_by_the_frames_around() -> None:
    """It jumps while it needs all of the frame; before and after it stands low, so that the window has moved down."""
    offset = np.zeros((60, 2))
    offset[:, 1] = 30
    offset[28:32, 1] = 0
    pose = walking(offset, half=47)  # with the margins it needs 103 of 100 pixels
    path = window_path(pose, FPS)
    assert (path[[0, 10, -1], 1] > 25).all() and np.abs(path[28:32, 1]).max() <= 2
    shifted = pose.xy[:, :23] - path[:, None]
    assert (shifted >= 0).all() and (shifted <= 99).all()


def only(joints: dict[int, tuple[float, float]]) -> Pose:
    """Ten frames of a body of which nothing else is known, in a frame of 100 x 100."""
    xy, confidence = np.full((10, 133, 2), 50, np.float32), np.zeros((10, 133), np.float32)
    for joint, place in joints.items():
        xy[:, joint], confidence[:, joint] = place, 1
    return Pose(xy, confidence, (100, 100))


def test_the_crown_is_not_cut_off() -> None:
    head = {NOSE: (48.0, 14.0), LEFT_EAR: (52.0, 10.0)}
    shoulders = {LEFT_SHOULDER: (60.0, 30.0), RIGHT_SHOULDER: (40.0, 30.0)}
    assert not window_path(only(head), FPS).any()  # there is room for the margin, and no neck to measure from
    np.testing.assert_array_equal(window_path(only(head | shoulders), FPS), np.tile([0, -6], (10, 1)))
    assert not window_path(only(shoulders), FPS).any()
    bowed = {NOSE: (48.0, 34.0), LEFT_EAR: (52.0, 30.0)}
    assert not window_path(only(bowed | shoulders), FPS).any()


@pytest.mark.parametrize(("elbow", "wrist"), [(LEFT_ELBOW, LEFT_WRIST), (RIGHT_ELBOW, RIGHT_WRIST)])
def test_fingertips_are_not_cut_off(elbow: int, wrist: int) -> None:
    stretched = {elbow: (70.0, 50.0), wrist: (90.0, 50.0)}
    np.testing.assert_array_equal(window_path(only(stretched), FPS), np.tile([6, 0], (10, 1)))
    assert not window_path(only({wrist: (90.0, 50.0)}), FPS).any()
    assert not window_path(only(stretched | {elbow: (85.0, 50.0)}), FPS).any()


def test_each_axis_has_its_own_length() -> None:
    """In a frame of 100 x 200 pixels a body in its middle is far from the right edge, and would not be in 100."""
    pose = walking(np.tile([50.0, 0.0], (30, 1)))
    wide = Pose(pose.xy, pose.confidence, (100, 200))
    assert not window_path(wide, FPS).any() and window_path(pose, FPS)[:, 0].min() > 15
    high = Pose(pose.xy[..., ::-1], pose.confidence, (200, 100))
    assert not window_path(high, FPS).any()


def test_unseen_frames_do_not_move_the_window() -> None:
    pose = walking(np.tile([500.0, 0.0], (10, 1)))
    unseen = Pose(pose.xy, np.zeros_like(pose.confidence), pose.size_hw)
    assert not window_path(unseen, FPS).any()
    assert window_path(unseen[:0], FPS).shape == (0, 2)


def test_presence_fades_around_long_gaps_only() -> None:
    found = np.ones(100, bool)
    found[40:70] = False
    found[10:13] = False
    shown = presence(found, FPS)
    assert (shown[found] == 1).all()
    assert (shown[50:60] == 0).all() and shown[10:13].min() > 0.5
    assert np.abs(np.diff(shown)).max() < 0.2
    assert (presence(np.zeros(5, bool), FPS) == 0).all()


@pytest.mark.parametrize("fps", [10, 25, 60])
def test_a_fade_takes_as_long_at_every_rate(fps: int) -> None:
    found = np.ones(4 * fps, bool)
    found[2 * fps :] = False
    shown = presence(found, Fraction(fps))
    seconds = (np.arange(4 * fps) - (2 * fps - 1)) / fps  # since he was last found
    np.testing.assert_allclose(shown, np.clip(1 - seconds / 0.3, 0, 1), atol=1e-6)


def test_between_two_equally_near_frames_the_earlier_is_held() -> None:
    pose = walking(np.stack([np.arange(5.0), np.zeros(5)], axis=1))
    found = np.array([1, 0, 0, 0, 1], bool)
    np.testing.assert_array_equal(held(pose, found).xy[:, 0, 0] - pose.xy[0, 0, 0], [0, 0, 0, 4, 4])


def test_held_poses_come_from_the_nearest_found_frame() -> None:
    pose = walking(np.stack([np.arange(10.0), np.zeros(10)], axis=1))
    found = np.array([0, 0, 1, 0, 0, 0, 0, 1, 0, 0], bool)
    np.testing.assert_array_equal(held(pose, found).xy[:, 0, 0] - pose.xy[0, 0, 0], [2, 2, 2, 2, 2, 7, 7, 7, 7, 7])
    nobody = held(pose, np.zeros(10, bool))
    np.testing.assert_array_equal(nobody.xy, pose.xy)
