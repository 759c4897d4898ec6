"""A very small actor with random weights, and one that draws instead of generating."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import torch

from understudy.actor import Actor
from understudy.consent import Consent
from understudy.performance import Crop
from understudy.poses.pose import OPENPOSE18_LIMBS
from understudy.recipes.parts.groups import Optimisation
from understudy.recipes.parts.player import BATCH, Moment, pose_of
from understudy.recipes.performance_cloning import Config, generator_for
from understudy.retargeting.alignment import BodyStatistics

FLAT, LIMB_COLOUR = (16, 240, 16), (200, 40, 120)
CONFIG = Config(
    size=32, width=4, depth=3, discriminator_width=4, features="random", optimisation=Optimisation(batch=2), steps=4,
    mean_of_versions=True,
)  # fmt: skip


def tiny_actor(**changes: Any) -> Actor:
    torch.manual_seed(0)
    weights = {name: value.numpy() for name, value in generator_for(CONFIG).state_dict().items()}
    rng = np.random.default_rng(0)
    values: dict[str, Any] = {
        "recipe": "performance-cloning",
        "config": CONFIG,
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


class PaintedPlayer:
    """Plays what a function paints of moments."""

    latency = 0
    needs = ("poses",)

    def __init__(self, paint: Callable[[Iterable[Moment]], Iterator[np.ndarray]]):
        self.paint = paint

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[np.ndarray]:
        return self.paint(moments)


class DrawingActor(Actor):
    """Draws the limbs it is asked to play, over the flat colour."""

    def player(self, device: Any = "auto", frames: int = 0) -> PaintedPlayer:
        return PaintedPlayer(self.painted)

    def painted(self, moments: Iterable[Moment]) -> Iterator[np.ndarray]:
        """What its player plays; tests paint something else."""
        for moment in moments:
            frame = np.full((self.size, self.size, 3), FLAT, np.uint8)
            for ends in _limbs(moment, self.size):
                cv2.line(frame, *ends, LIMB_COLOUR, 3, shift=3)
            yield frame


class CuttingActor(DrawingActor):
    """Draws the limbs it is asked to play as a cutout with soft edges; it knows no flat colour."""

    def painted(self, moments: Iterable[Moment]) -> Iterator[np.ndarray]:
        for moment in moments:
            matte = np.zeros((self.size, self.size), np.uint8)
            for ends in _limbs(moment, self.size):
                cv2.line(matte, *ends, 255, 3, shift=3)
            alpha = cv2.GaussianBlur(matte, (0, 0), 0.8)[..., None] / 255
            yield np.rint(np.concatenate([alpha * LIMB_COLOUR, 255 * alpha], axis=2)).astype(np.uint8)


def _limbs(moment: Moment, size: int) -> Iterator[list[tuple[int, ...]]]:
    """The ends of every limb, in eighths of a pixel."""
    (joints,), _confidence = pose_of([moment], size).openpose18()
    for limb in OPENPOSE18_LIMBS:
        yield [tuple(round(8 * float(v)) for v in joints[end]) for end in limb]


def drawing_actor(**changes: Any) -> DrawingActor:
    actor = tiny_actor(**changes)
    return DrawingActor(**{field.name: getattr(actor, field.name) for field in fields(actor)})


def cutting_actor(**changes: Any) -> CuttingActor:
    actor = tiny_actor(**changes)
    values = {field.name: getattr(actor, field.name) for field in fields(actor)}
    kept = {name: value for name, value in actor.statistics.items() if name != "flat_colour"}
    return CuttingActor(**values | {"statistics": kept})
