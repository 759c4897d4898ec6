"""A small motion capture: a person in a T pose who turns the left forearm forwards."""

from collections.abc import Sequence

import numpy as np

CHANNELS = "CHANNELS 3 Zrotation Xrotation Yrotation"


def limb(name: str, offset: str, *inner: str) -> str:
    return f"JOINT {name}\n{{\nOFFSET {offset}\n{CHANNELS}\n{''.join(inner) or end()}}}\n"


def end(offset: str = "0 0 5") -> str:
    return f"End Site\n{{\nOFFSET {offset}\n}}\n"


def small_rig(z_up: bool = False, frames: int = 2, seconds: float = 0.1, heights: Sequence[float] | None = None) -> str:
    """A person of 100 units' leg length in a T pose: frame 0 at rest, in the last the left forearm turned forwards.

    Args:
        z_up: which axis is up, y or z.
        frames, seconds: how many, and how long each.
        heights: of the hips above where they are at rest, in units, one a frame; only with y up.
    """

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
    values = np.zeros((frames, 6 + 3 * (len(joints) - 1)))
    elbow = 6 + 3 * (joints.index("LeftForeArm") - 1)
    values[:, elbow + (0 if z_up else 2)] = np.linspace(0, -90, frames)
    if heights is not None:
        values[:, 1] = heights
    lines = "\n".join(" ".join(f"{value:g}" for value in frame) for frame in values)
    return f"{hierarchy}MOTION\nFrames: {frames}\nFrame Time: {seconds}\n{lines}\n"
