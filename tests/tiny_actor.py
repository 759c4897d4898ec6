"""A very small actor with random weights, and one that draws instead of generating."""

from collections.abc import Iterator
from dataclasses import asdict, fields
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import torch

from understudy.actor import Actor
from understudy.consent import Consent
from understudy.performance import Crop
from understudy.poses.pose import OPENPOSE18_LIMBS, Pose
from understudy.recipes.performance_cloning import Config, generator_for
from understudy.retargeting.alignment import BodyStatistics

FLAT = (16, 240, 16)
CONFIG = Config(size=32, width=4, depth=3, discriminator_width=4, features="random", batch=2, steps=4)


def tiny_actor(**changes: Any) -> Actor:
    torch.manual_seed(0)
    weights = {name: value.numpy() for name, value in generator_for(CONFIG).state_dict().items()}
    rng = np.random.default_rng(0)
    values: dict[str, Any] = {
        "recipe": "performance-cloning",
        "config": asdict(CONFIG),
        "weights": weights,
        "statistics": {
            "joint_mean": np.zeros(18, np.float32),
            "joint_deviation": np.ones(18, np.float32),
            "flat_colour": np.array(FLAT, np.uint8),
        },
        "body": BodyStatistics((16.0, 13.6), 3.2, 8.0, (8.0, 4.8, 4.8, 8.0, 4.8, 4.8, 3.2, 4.0, 3.6, 3.2, 4.0, 3.6)),
        "crop": Crop(1.0, (0.0, 0.0)),
        "working_size": 32,
        "original_size_hw": (48, 40),
        "fps": Fraction(30000, 1001),
        "background": rng.integers(0, 256, (48, 40, 3), dtype=np.uint8),
        "record": {"preset": "preview", "steps": 4, "seconds": 1.5, "features": "random", "losses": {"vgg": 0.5}},
        "consent": Consent("I am the person", "2026-01-02T03:04:05+00:00"),
        "reference_name": "me.mp4",
        "reference_sha256": "0" * 64,
        "made_with": "0.1.0",
    }
    return Actor(**values | changes)


class DrawingActor(Actor):
    """Draws the limbs it is asked to play, over the flat colour."""

    def generate(self, pose: Pose, **_: Any) -> Iterator[np.ndarray]:
        xy, _confidence = pose.openpose18()
        for joints in xy:
            frame = np.full((self.size, self.size, 3), FLAT, np.uint8)
            for a, b in OPENPOSE18_LIMBS:
                ends = [tuple(round(8 * float(v)) for v in joints[j]) for j in (a, b)]
                cv2.line(frame, *ends, (200, 40, 120), 3, shift=3)
            yield frame


def drawing_actor(**changes: Any) -> DrawingActor:
    actor = tiny_actor(**changes)
    return DrawingActor(**{field.name: getattr(actor, field.name) for field in fields(actor)})


LIMB_COLOUR = (200, 40, 120)


class CuttingActor(Actor):
    """Draws the limbs it is asked to play as a cutout with soft edges; it knows no flat colour."""

    def generate(self, pose: Pose, **_: Any) -> Iterator[np.ndarray]:
        xy, _confidence = pose.openpose18()
        for joints in xy:
            matte = np.zeros((self.size, self.size), np.uint8)
            for a, b in OPENPOSE18_LIMBS:
                ends = [tuple(round(8 * float(v)) for v in joints[j]) for j in (a, b)]
                cv2.line(matte, *ends, 255, 3, shift=3)
            alpha = cv2.GaussianBlur(matte, (0, 0), 0.8)[..., None] / 255
            yield np.rint(np.concatenate([alpha * LIMB_COLOUR, 255 * alpha], axis=2)).astype(np.uint8)


def cutting_actor(**changes: Any) -> CuttingActor:
    actor = tiny_actor(**changes)
    values = {field.name: getattr(actor, field.name) for field in fields(actor)}
    kept = {name: value for name, value in actor.statistics.items() if name != "flat_colour"}
    return CuttingActor(**values | {"statistics": kept})
