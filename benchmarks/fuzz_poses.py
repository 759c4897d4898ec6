"""Poses and motion: how whole files are made, how one is damaged, and what understudy does with it."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import numpy as np

import mutants
from understudy.poses.pose import POINTS, Pose

REAL_MOTION, REAL_MOTION_FRAMES = "jumping_jacks.bvh", 12
WORKING = 32
"""pixels: side of performances and actors"""
LEAST = 64
"""pixels: side of the smallest frames that can be said"""


def poses(frames: int) -> Pose:
    """Somebody who stands and lifts the arms, in the working frame."""
    from understudy.retargeting.alignment import BodyStatistics
    from understudy.verbs.descriptions import POSTURES, posture

    body = BodyStatistics((16.0, 13.6), 3.2, 8.0, (8.0, 4.8, 4.8, 8.0, 4.8, 4.8, 3.2, 4.0, 3.6, 3.2, 4.0, 3.6))
    names = list(POSTURES)
    return Pose.concatenate([posture(body, names[number % len(names)], WORKING) for number in range(frames)])


def damage_text(path: Path, chance: random.Random) -> None:
    """A JSON file, by its structure or, one time in four, by its bytes."""
    if chance.random() < 0.25:
        path.write_bytes(mutants.damaged(path.read_bytes(), chance))
    else:
        text = mutants.damaged_json(json.loads(path.read_text()), chance)
        path.write_text(text, encoding="utf-8")


def make_poses(folder: Path) -> None:
    """The four families of formats, one of them also as a folder with a file for each frame."""
    from understudy.poses.formats import write_coco_wholebody, write_comfyui, write_openpose

    pose = poses(3)
    write_openpose(pose, folder / "openpose")
    write_comfyui(pose, folder / "comfyui.json")
    write_coco_wholebody(pose, folder / "coco.json")
    points = [round(float(value), 2) for value in np.dstack([pose.xy, pose.confidence])[0].reshape(POINTS * 3)]
    results = [{"image_id": f"{number}.jpg", "keypoints": points, "score": 2.5, "idx": 1} for number in range(3)]
    (folder / "alphapose.json").write_text(json.dumps(results))


def damage_poses(chance: random.Random, whole: Path, folder: Path) -> Path:
    chosen = chance.choice(sorted(whole.iterdir()))
    if chosen.is_file():
        shutil.copy(chosen, folder)
        damage_text(folder / chosen.name, chance)
        return folder / chosen.name
    shutil.copytree(chosen, folder / chosen.name)
    one = chance.choice(sorted((folder / chosen.name).iterdir()))
    damage_text(one, chance)
    if chance.random() < 0.2:
        one.rename(one.with_name(chance.choice(["9" * 30, "1" * 9, "x", "-1", "frame_2_3"]) + "_keypoints.json"))
    return folder / chosen.name


def use_poses(path: Path, out: Path, chance: random.Random) -> list[str]:
    """Reads them, and writes them in another format."""
    from understudy.verbs.poses import convert_poses

    size = None if path.name in ("coco.json", "comfyui.json", "openpose") else f"{LEAST}x{LEAST}"  # these say it
    convert_poses(path, out / chance.choice(["made.json", "made.coco.json"]), size=size)
    return []


def make_motion(folder: Path) -> None:
    """A rig that holds still, and a few frames of a real capture."""
    (folder / "rig.bvh").write_text(_rig())
    real = Path(os.environ.get("UNDERSTUDY_MOTION", "")) / REAL_MOTION
    if real.is_file():
        head, _, tail = real.read_text().partition("MOTION")
        lines = tail.strip().splitlines()
        kept = [f"Frames: {REAL_MOTION_FRAMES}", lines[1], *lines[2 : 2 + REAL_MOTION_FRAMES]]
        (folder / "real.bvh").write_text(head + "MOTION\n" + "\n".join(kept) + "\n")


def _rig() -> str:
    turns = "CHANNELS 3 Zrotation Xrotation Yrotation"

    def chain(*joints: tuple[str, str]) -> str:
        inner = "End Site\n{\nOFFSET 0 -5 5\n}\n"
        for name, offset in reversed(joints):
            inner = f"JOINT {name}\n{{\nOFFSET {offset}\n{turns}\n{inner}}}\n"
        return inner

    limbs = chain(("Neck", "0 52 0"), ("Head", "0 9 0"))
    for word, sign in (("Left", 1), ("Right", -1)):
        limbs += chain(
            (f"{word}UpLeg", f"{10 * sign} 0 0"), (f"{word}Leg", "0 -45 0"), (f"{word}Foot", "0 -45 0"),
            (f"{word}Toe", "0 -6 14"),
        )  # fmt: skip
        shoulder, elbow, wrist = (f"{along * sign} {up} 0" for along, up in ((18, 50), (28, 0), (26, 0)))
        limbs += chain((f"{word}Arm", shoulder), (f"{word}ForeArm", elbow), (f"{word}Hand", wrist))
    places = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    hierarchy = f"HIERARCHY\nROOT Hips\n{{\nOFFSET 0 0 0\n{places}\n{limbs}}}\n"
    row = " ".join(["0"] * (6 + 3 * hierarchy.count("JOINT")))
    return f"{hierarchy}MOTION\nFrames: 4\nFrame Time: 0.033333\n" + f"{row}\n" * 4


def damage_motion(chance: random.Random, whole: Path, folder: Path) -> Path:
    chosen = chance.choice(sorted(whole.iterdir()))
    text = chosen.read_text()
    mutant = folder / chosen.name
    if chance.random() < 0.25:
        head = text.index("MOTION")
        spans = [(0, head), (head, head + 60), (head, len(text))]
        mutant.write_bytes(mutants.damaged(text.encode(), chance, [chance.choice(spans)]))
    else:
        head, _, tail = text.partition("MOTION")
        edit = chance.random()
        first, _, rest = tail.partition("\n0")  # the two lines that say how many frames, and how long
        head = mutants.damaged_words(head, chance) if edit < 0.5 else head
        first = mutants.damaged_words(first, chance) if 0.4 < edit < 0.8 else first
        rest = mutants.damaged_words(rest, chance) if edit > 0.75 else rest
        mutant.write_text(f"{head}MOTION{first}\n0{rest}", encoding="utf-8", errors="replace")
    return mutant


def use_motion(path: Path, out: Path, chance: random.Random) -> list[str]:
    """Reads it at the usual rate, and plays it before a made-up camera at its own."""
    from understudy.synthetic.bvh import motion_from_bvh
    from understudy.verbs.poses import convert_poses

    motion_from_bvh(path)
    convert_poses(path, out / "made.json", size="64x64")
    return []


def ready_poses() -> None:
    import understudy.poses.formats
    import understudy.synthetic.drivers
    import understudy.verbs.poses  # noqa: F401


def ready_motion() -> None:
    from understudy.synthetic import drivers

    ready_poses()
    drivers._dancer()
