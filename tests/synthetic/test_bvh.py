from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from captures import small_rig
from understudy.body.skeleton import CANONICAL_BODY, INDEX, forward_kinematics, rest_positions
from understudy.errors import PoseError
from understudy.synthetic.bvh import motion_from_bvh, parse_bvh, rate_of_bvh

CLIPS = Path(os.environ.get("UNDERSTUDY_MOTION", Path(__file__).resolve().parents[3] / "shared" / "motion"))
SMALL = """HIERARCHY
ROOT base
{
  OFFSET 0 1 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT tip
  {
    OFFSET 2 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 3 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.05
0 0 0 0 0 0 0 0 0
10 20 30 90 0 0 0 0 90
"""


def test_parsing_places_the_joints() -> None:
    clip = parse_bvh(SMALL)
    assert clip.names == ("base", "tip", "tip_end") and clip.seconds == 0.05
    np.testing.assert_allclose(clip.positions[0], [(0, 0, 0), (2, 0, 0), (2, 3, 0)], atol=1e-9)
    np.testing.assert_allclose(clip.positions[1], [(10, 20, 30), (10, 22, 30), (7, 22, 30)], atol=1e-9)


@pytest.mark.parametrize("z_up", [False, True], ids=["y up", "z up"])
def test_limbs_point_where_the_rig_says(tmp_path: Path, z_up: bool) -> None:
    path = tmp_path / "small.bvh"
    path.write_text(small_rig(z_up))
    motion = motion_from_bvh(path, 10)
    assert len(motion) == 2
    _, places = forward_kinematics(motion.rotations, motion.grip, rest_positions(CANONICAL_BODY))

    def direction(frame: int, one: str, two: str) -> np.ndarray:
        vector = places[frame, INDEX[two]] - places[frame, INDEX[one]]
        return vector / np.linalg.norm(vector)

    for frame in (0, 1):
        np.testing.assert_allclose(direction(frame, "left_upper_arm", "left_forearm"), (1, 0, 0), atol=1e-3)
        np.testing.assert_allclose(direction(frame, "right_forearm", "right_hand"), (-1, 0, 0), atol=1e-3)
        np.testing.assert_allclose(direction(frame, "right_thigh", "right_shin"), (0, -1, 0), atol=0.02)
    np.testing.assert_allclose(direction(0, "left_forearm", "left_hand"), (1, 0, 0), atol=1e-3)
    np.testing.assert_allclose(direction(1, "left_forearm", "left_hand"), (0, 0, 1), atol=1e-3)
    np.testing.assert_allclose(motion.path, 0, atol=1e-3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "is not a BVH file: it has no HIERARCHY and MOTION"),
        ("HIERARCHY\nMOTION\nFrames: 1\nFrame Time: 0.1\n", "has a damaged HIERARCHY: no joints"),
        ("HIERARCHY\nROOT a\n{\nOFFSET x 0 0\n}\nMOTION\n", "has a damaged HIERARCHY: could not convert"),
        ("HIERARCHY\n}\nMOTION\n", "has a damaged HIERARCHY: pop from empty list"),
        (SMALL.replace("Frames: 2", "Pictures"), "is damaged: no 'Frames:' and 'Frame Time:'"),
        (SMALL.replace("Frames: 2", "Frames: 3"), "is cut off: 18 numbers for 3 frames of 9"),
        (SMALL.replace("10 20", "ten 20"), "is damaged: could not convert string to float: 'ten'"),
        (SMALL.replace("10 20", "nan 20"), "is damaged: it holds numbers that are none"),
        (SMALL.replace("10 20", "1e300 20"), "is damaged: it holds numbers that are none, or above 1000000"),
        (small_rig().replace("OFFSET 0 9 0", "OFFSET 0 nan 0"), "is damaged: it holds numbers that are none"),
        (SMALL, "has no joint for the left upper arm: rename it to leftarm"),
        (SMALL.replace("3 Zrot", "4 Zscale Zrot"), "a channel 'Zscale', which is neither a rotation nor a position"),
        (SMALL.replace("Time: 0.05", "Time: 1e999"), "is damaged: no 'Frames:' and 'Frame Time:'"),
        (SMALL.replace("Time: 0.05", "Time: .1.1"), "is damaged: no 'Frames:' and 'Frame Time:'"),
        (SMALL.replace("Time: 0.05", "Time: 1e15"), "has frames of 1e+15 seconds"),
        (SMALL.replace("Frames: 2", "Frames: " + "9" * 30), "is damaged: no 'Frames:' and 'Frame Time:'"),
        (small_rig().replace("LeftToe", "LeftBone"), "has no joint for the left toes: rename it to lefttoebase"),
    ],
    ids=[
        "text",
        "empty",
        "offset",
        "braces",
        "header",
        "cut off",
        "word",
        "nan",
        "far",
        "nowhere",
        "no person",
        "channel",
        "endless",
        "two points",
        "ages",
        "many",
        "toes",
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.bvh"
    path.write_text(text)
    with pytest.raises(PoseError) as error:
        motion_from_bvh(path)
    assert message in str(error.value) and "\n" not in str(error.value) and "bad.bvh" in str(error.value)


@pytest.mark.parametrize(
    ("heights", "highest"),
    [
        pytest.param(np.maximum(0, 30 - 0.3 * (np.arange(100) - 50) ** 2), 30 / (90 * 0.915 / 0.84) - 0.03, id="jump"),
        pytest.param(np.linspace(0, 20, 100), 0, id="drift"),
    ],
)
def test_what_comes_down_again_is_a_jump(tmp_path: Path, heights: np.ndarray, highest: float) -> None:
    path = tmp_path / "small.bvh"
    path.write_text(small_rig(frames=100, seconds=0.04, heights=heights))
    lift = motion_from_bvh(path, None).path[:, 1]
    assert lift.max() == pytest.approx(highest, abs=2e-3) and lift[:35].max() == 0


@pytest.mark.parametrize(
    ("seconds", "rate"),
    [
        pytest.param(0.0333333, 30, id="rounded"),
        pytest.param(0.033366, Fraction(30000, 1001), id="ntsc"),
        pytest.param(0.008342, Fraction(120000, 1001), id="fast"),
        pytest.param(0.01, 100, id="exact"),
        pytest.param(0.07, Fraction(100, 7), id="odd"),
    ],
)
def test_the_files_own_frames_can_be_kept(tmp_path: Path, seconds: float, rate: Fraction) -> None:
    path = tmp_path / "small.bvh"
    path.write_text(small_rig(frames=31, seconds=seconds))
    motion = motion_from_bvh(path, None)
    assert (len(motion), motion.fps, rate_of_bvh(path)) == (31, rate, rate)
    elbow = INDEX["left_forearm"]
    turns = motion.rotations[:, elbow, 0, 0]
    assert turns[0] == pytest.approx(1, abs=1e-3) and turns[-1] == pytest.approx(0, abs=1e-3)
    assert (np.diff(turns) < 0).all(), "no frame is there twice"


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(PoseError, match=r"cannot read .*absent.bvh: No such file"):
        motion_from_bvh(tmp_path / "absent.bvh")


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("dab", 338 / 30), ("jesse_dance", 10.06), ("jumping", 653 * 0.008342), ("jumping_jacks", 124 / 30)],
)
def test_real_captures_become_motions(name: str, seconds: float) -> None:
    path = CLIPS / f"{name}.bvh"
    if not path.is_file():
        pytest.skip(f"needs the motion capture {name}.bvh; set UNDERSTUDY_MOTION to the folder that holds it")
    motion = motion_from_bvh(path, 30)
    assert abs(len(motion) - seconds * 30) <= 2
    identity = motion.rotations @ np.swapaxes(motion.rotations, -1, -2)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(3), identity.shape), atol=1e-4)
    assert np.abs(motion.path[:, [0, 2]]).max() < 0.61 and motion.path[:, 1].max() < 0.5
    _, places = forward_kinematics(motion.rotations, motion.grip, rest_positions(CANONICAL_BODY))
    assert (places[:, INDEX["head"], 1] > places[:, INDEX["pelvis"], 1]).all()
    assert (np.median(places[:, INDEX["left_foot"], 1]) < 0.5) and places[0, INDEX["left_thigh"], 0] > 0
