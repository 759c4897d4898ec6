from fractions import Fraction

import numpy as np
import pytest

from understudy.errors import PoseError
from understudy.poses.pose import LEFT_WRIST, NOSE, POINTS, Pose
from understudy.tracking.gaps import FOUND, INTERPOLATED, MISSING, fill_gaps, require_person


def clip(seen: str) -> Pose:
    """One frame per character, "x" seen; every point moves 10 pixels to the right a frame."""
    frames = len(seen)
    visible = np.array([character == "x" for character in seen], bool)
    xy = np.zeros((frames, POINTS, 2), np.float32)
    xy[..., 0] = 10 * np.arange(frames)[:, None]
    xy[~visible] = 777
    return Pose(xy, np.repeat(visible[:, None] * np.float32(0.8), POINTS, axis=1), (100, 1000))


@pytest.mark.parametrize(
    ("seen", "fps", "status"),
    [
        pytest.param("xxxx", Fraction(10), "2222", id="nothing to do"),
        pytest.param("x..x", Fraction(10), "2112", id="two frames at 10/s are within a quarter of a second"),
        pytest.param("x...x", Fraction(10), "20002", id="three frames at 10/s are too long"),
        pytest.param("x...x", Fraction(12), "21112", id="three frames at 12/s are a quarter exactly"),
        pytest.param("x.......x", Fraction(30000, 1001), "211111112", id="NTSC rate, seven frames"),
        pytest.param("x........x", Fraction(30), "2000000002", id="eight frames at 30/s are too long"),
        pytest.param("..xx..", Fraction(30), "002200", id="nothing before the first or after the last"),
        pytest.param("......", Fraction(30), "000000", id="nobody"),
        pytest.param("x.x...x.", Fraction(10), "21200020", id="gaps are judged one by one"),
        pytest.param("", Fraction(30), "", id="no frames"),
    ],
)
def test_frames_without_a_person(seen: str, fps: Fraction, status: str) -> None:
    filled, result = fill_gaps(clip(seen), fps)
    assert result.dtype == np.uint8
    assert "".join(map(str, result)) == status
    assert len(filled) == len(seen)
    for frame, kind in enumerate(result):
        if kind == MISSING:
            assert (filled.confidence[frame] == 0).all()
        if kind == INTERPOLATED:
            assert np.allclose(filled.xy[frame, :, 0], 10 * frame)
            assert np.allclose(filled.confidence[frame], 0.4)
        if kind == FOUND:
            assert np.allclose(filled.confidence[frame], 0.8)


def test_a_joint_alone_is_filled_inside_a_found_body() -> None:
    pose = clip("xxxxx")
    confidence = pose.confidence.copy()
    confidence[2, LEFT_WRIST] = 0
    confidence[3, LEFT_WRIST] = 0.4
    xy = pose.xy.copy()
    xy[2, LEFT_WRIST] = -5
    filled, status = fill_gaps(Pose(xy, confidence, pose.size_hw), Fraction(10))
    assert (status == FOUND).all()
    assert filled.xy[2, LEFT_WRIST].tolist() == [20, 0]
    assert filled.confidence[2, LEFT_WRIST] == pytest.approx(0.5 * (0.8 + 0.4) / 2)
    assert filled.confidence[2, NOSE] == pytest.approx(0.8)


def test_a_joint_gap_that_reaches_beyond_a_short_frame_gap_stays() -> None:
    pose = clip("xx.xx")
    confidence = pose.confidence.copy()
    confidence[1:4, LEFT_WRIST] = 0
    filled, status = fill_gaps(Pose(pose.xy, confidence, pose.size_hw), Fraction(10))
    assert status.tolist() == [2, 2, 1, 2, 2]
    assert (filled.confidence[1:4, LEFT_WRIST] == 0).all()


def test_zero_seconds_fills_nothing_and_the_input_is_left_alone() -> None:
    pose = clip("x.x")
    before = pose.xy.copy()
    assert fill_gaps(pose, Fraction(30), Fraction(0))[1].tolist() == [2, 0, 2]
    fill_gaps(pose, Fraction(30))
    assert np.array_equal(pose.xy, before)


@pytest.mark.parametrize(("fps", "longest"), [(Fraction(0), Fraction(1)), (Fraction(30), Fraction(-1))])
def test_senseless_arguments(fps: Fraction, longest: Fraction) -> None:
    with pytest.raises(ValueError, match="fps must be above 0"):
        fill_gaps(clip("xx"), fps, longest)


@pytest.mark.parametrize(
    ("found", "interpolated", "frames", "message"),
    [
        pytest.param(12, 0, 40, r"a person was found in 12 of 40 frames \(0.0 s to 1.2 s\), and", id="too few"),
        pytest.param(19, 10, 40, "a person was found in 19 of 40 frames", id="interpolated frames do not count"),
        pytest.param(0, 0, 3, "a person was found in 0 of 3 frames", id="nobody"),
        pytest.param(0, 0, 0, "no frames", id="empty"),
        pytest.param(20, 0, 40, None, id="half is enough"),
        pytest.param(1, 0, 1, None, id="one frame"),
    ],
)
def test_require_person(found: int, interpolated: int, frames: int, message: str | None) -> None:
    status = np.zeros(frames, np.uint8)
    status[:found] = FOUND
    status[found : found + interpolated] = INTERPOLATED
    if message is None:
        require_person(status, Fraction(10))
        return
    with pytest.raises(PoseError, match=message) as caught:
        require_person(status, Fraction(10))
    assert "\n" not in str(caught.value)
    assert "start" in str(caught.value)
