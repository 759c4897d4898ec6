"""A very small performance, drawn in milliseconds: coloured discs that wave their arms; and configs as small."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from understudy.performance import Crop, Performance, PerformanceWriter
from understudy.poses.pose import OPENPOSE18_LIMBS, Pose
from understudy.recipes.parts.settings import changed, numbers
from understudy.training.session import Session

# OpenPose-18 joints of a standing figure in a unit square (nose, neck, right arm, left arm, right leg, left leg, face)
STANDING = np.array(
    [(0.5, 0.2), (0.5, 0.3),
     (0.4, 0.3), (0.35, 0.42), (0.32, 0.53), (0.6, 0.3), (0.65, 0.42), (0.68, 0.53),
     (0.45, 0.55), (0.44, 0.7), (0.43, 0.85), (0.55, 0.55), (0.56, 0.7), (0.57, 0.85),
     (0.48, 0.18), (0.52, 0.18), (0.46, 0.19), (0.54, 0.19)]
)  # fmt: skip


def tiny_poses(frames: int, size: int, seed: int) -> Pose:
    rng = np.random.default_rng(seed)
    phase = np.arange(frames)[:, None] * 0.4 + rng.uniform(0, 6, 2)
    xy = np.repeat(STANDING[None], frames, 0) * rng.uniform(0.9, 1.0)
    xy[:, [3, 4], 1] += 0.08 * np.sin(phase[:, :1])
    xy[:, [6, 7], 1] += 0.08 * np.sin(phase[:, 1:])
    xy += 0.01 * np.sin(phase[:, None, :1])
    return Pose.from_openpose18((xy * size).astype(np.float32), np.ones((frames, 18), np.float32), (size, size))


def tiny_performance(
    path: Path, seed: int = 0, frames: int = 12, size: int = 32, missing: tuple[int, ...] = ()
) -> Performance:
    poses = tiny_poses(frames, size, seed)
    colour = np.random.default_rng(seed).integers(100, 255, 3).tolist()
    status = np.full(frames, 2, np.uint8)
    status[list(missing)] = 0
    xy, _ = poses.openpose18()
    with PerformanceWriter(path, Fraction(25)) as writer:
        for t in range(frames):
            frame = np.full((size, size, 3), 60, np.uint8)
            matte = np.zeros((size, size), np.uint8)
            for a, b in OPENPOSE18_LIMBS:
                ends = [tuple(int(v) for v in xy[t, j]) for j in (a, b)]
                cv2.line(frame, *ends, colour, 3)
                cv2.line(matte, *ends, 255, 3)
            step = np.zeros(2) if t == 0 else (xy[t - 1] - xy[t]).mean(0)
            writer.add(frame, matte, np.broadcast_to(step, (size // 4, size // 4, 2)).astype(np.float32))
        return writer.finish(
            poses=poses, status=status, background=np.full((48, 40, 3), 60, np.uint8), source_name=f"tiny{seed}.mp4",
            source_sha256=f"{seed:064x}", crop=Crop(1.0, (0.0, 0.0)), tracker="drawn", tracker_version="1",
            landmarks="body", matte="drawn", smoothed=False,
        )  # fmt: skip


def session_for(recipe, config, reference, folder, unpaired=(), **limits):
    """A training of a recipe, by its name, as `Recipe.train` takes it."""
    return Session(recipe, config, reference, unpaired, folder, **limits)


SMALL = {
    "size": 32, "box_hw": (32, 32), "width": 4, "depth": 3, "downsamplings": 2, "blocks": 1, "enhancer_blocks": 1,
    "discriminator_width": 4, "scales": 1, "history": 2, "face_size": 32, "face_width": 4, "face_downsamplings": 2,
    "face_blocks": 1, "joint_sigma": 1.5, "limb_sigma": 2.0, "batch": 2, "features": "random",
    "side": 32, "crop": 32, "gap": 1, "pairs": 6,
}  # fmt: skip
"""what makes a config small, of the numbers that it has"""


def shrunk(config):
    """Any recipe's config, as one that trains within a second: two steps, or one of each stage that it trains."""
    there = {number.name.rpartition(".")[2]: number.value for number in numbers(config)}
    small = {name: value for name, value in SMALL.items() if name in there}
    if "model" in there:  # networks that come trained keep their sizes
        del small["face_size"], small["discriminator_width"]
    if "steps" in there:
        small["steps"] = tuple(min(1, each) for each in there["steps"]) if isinstance(there["steps"], tuple) else 2
    return changed(config, small)
