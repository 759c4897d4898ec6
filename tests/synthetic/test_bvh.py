from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from understudy.errors import PoseError
from understudy.synthetic.bvh import motion_from_bvh, parse_bvh
from understudy.synthetic.skeleton import CANONICAL_BODY, INDEX, forward_kinematics, rest_positions

CLIPS = Path(os.environ.get("UNDERSTUDY_MOTION", Path(__file__).resolve().parents[3] / "shared" / "motion"))
CHANNELS = "CHANNELS 3 Zrotation Xrotation Yrotation"
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


def limb(name: str, offset: str, *inner: str) -> str:
    return f"JOINT {name}\n{{\nOFFSET {offset}\n{CHANNELS}\n{''.join(inner) or end()}}}\n"


def end(offset: str = "0 0 5") -> str:
    return f"End Site\n{{\nOFFSET {offset}\n}}\n"


def small_rig(z_up: bool = False) -> str:
    """A person of 100 units' leg length in a T pose: frame 0 at rest, in frame 1 the left forearm turned forwards."""

    def at(x: float, y: float, z: float) -> str:
        return f"{x} {-z} {y}" if z_up else f"{x} {y} {z}"

    def side(word: str, sign: int) -> tuple[str, str]:
        toes = limb(f"{word}Toe", at(0, -6, 14), end(at(0, 0, 5)))
        foot = limb(f"{word}Foot", at(0, -45, 0), toes)
        leg = limb(f"{word}UpLeg", at(sign * 10, 0, 0), limb(f"{word}Leg", at(0, -45, 0), foot))
        hand = limb(f"{word}Hand", at(sign * 26, 0, 0), end(at(sign * 8, 0, 0)))
        fore = limb(f"{word}ForeArm", at(sign * 28, 0, 0), hand)
        return leg, limb(f"{word}Shoulder", at(sign * 2, 50, 0), limb(f"{word}Arm", at(sign * 16, 0, 0), fore))

    (left_leg, left_arm), (right_leg, right_arm) = side("Left", 1), side("Right", -1)
    head = limb("Neck", at(0, 52, 0), limb("Head", at(0, 9, 0), end(at(0, 20, 0))))
    body = "OFFSET 0 0 0\nCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n"
    hierarchy = f"HIERARCHY\nROOT Hips\n{{\n{body}{left_leg}{right_leg}{left_arm}{right_arm}{head}}}\n"
    joints = [line.split()[1] for line in hierarchy.splitlines() if line.startswith(("ROOT", "JOINT"))]
    columns = 6 + 3 * (len(joints) - 1)
    rest, bent = np.zeros(columns), np.zeros(columns)
    elbow = 6 + 3 * (joints.index("LeftForeArm") - 1)
    bent[elbow + (0 if z_up else 2)] = -90
    lines = "\n".join(" ".join(str(value) for value in frame) for frame in (rest, bent))
    return f"{hierarchy}MOTION\nFrames: 2\nFrame Time: 0.1\n{lines}\n"


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
        (SMALL.replace("10 20", "nan 20"), "is cut off"),
        (SMALL, "has no joint for the left upper arm: rename it to leftarm"),
    ],
    ids=["text", "empty", "offset", "braces", "header", "cut off", "word", "nan", "no person"],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.bvh"
    path.write_text(text)
    with pytest.raises(PoseError) as error:
        motion_from_bvh(path)
    assert message in str(error.value) and "\n" not in str(error.value) and "bad.bvh" in str(error.value)


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
