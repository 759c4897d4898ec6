"""Clips that the prior of copy-then-refine learns from: made-up people, filmed as if by cheap cameras, and tracked.

The prior has to work on real people, so that the clips are made poorer on purpose: each frame is the mean of two
moments (an exposure takes time), softened as by a lens, given one tone curve and grain that compression then smears.
Poses and mattes are the real tracker's, with all its faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from understudy.errors import PoseError
from understudy.media.reading import VideoWriter
from understudy.performance import Performance
from understudy.synthetic.motion import choreography
from understudy.synthetic.pair import centred
from understudy.synthetic.people import make_person
from understudy.synthetic.render import render
from understudy.synthetic.scene import make_scene
from understudy.tracking.track import tracked

Image = npt.NDArray[np.uint8]

SIZES_HW = ((480, 360), (640, 360), (480, 480), (540, 405))
FPS = Fraction(15)
MOMENTS = 2
"""of which each frame is the mean"""


def film(folder: Path, number: int, seconds: float) -> Path:
    """A made-up person, filmed."""
    path = folder / f"person-{number}.mp4"
    if not path.exists():
        random = np.random.default_rng([number, 0xCA3E7A])
        scene = make_scene(number, SIZES_HW[number % len(SIZES_HW)])
        dance = centred(choreography(2000 + number, seconds, FPS * MOMENTS))
        frames = (rendered.frame for rendered in render(make_person(number), dance, scene))
        with VideoWriter(path, FPS, crf=int(random.integers(16, 29))) as writer:
            for frame in seen_by_camera(frames, random):
                writer.write(frame)
    return path


def seen_by_camera(frames: Iterator[Image], random: np.random.Generator) -> Iterator[Image]:
    """What a cheap camera makes of (H, W, 3) RGB frames, one of every `MOMENTS`."""
    focus, sharpened = random.uniform(0.3, 1.0), random.uniform(0.0, 1.0)
    grain, soft_grain = random.uniform(0, 5), random.uniform(0.4, 1.0)
    gamma, gain = np.exp(random.uniform(-0.3, 0.3)), random.uniform(0.85, 1.15, 3) ** 0.5
    levels = np.linspace(0, 1, 256, dtype=np.float32)[:, None] ** np.float32(gamma)
    tone = np.clip(255 * gain.astype(np.float32) * levels, 0, 255)[None].astype(np.uint8)
    for moments in zip(*[frames] * MOMENTS, strict=False):
        exposed = np.mean(np.stack(moments), axis=0, dtype=np.float32)
        lens = cv2.GaussianBlur(exposed, (0, 0), focus)
        lens += np.float32(sharpened) * (lens - cv2.GaussianBlur(lens, (0, 0), 1.2))  # as cameras do
        noise = random.standard_normal(lens.shape, np.float32) * np.float32(grain)
        lens += cv2.GaussianBlur(noise, (0, 0), soft_grain)
        shown = np.clip(lens + 0.5, 0, 255).astype(np.uint8)
        yield np.asarray(cv2.LUT(shown, tone), np.uint8)


def made_up(folder: Path, number: int, seconds: float) -> Performance | None:
    """The tracked clip of a made-up person; None if the tracker takes it for nobody."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return tracked(film(folder, number, seconds), cache=folder / "tracked")
    except PoseError:
        return None
