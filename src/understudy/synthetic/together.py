"""Several made-up people in one picture, nearer ones before farther ones, with exact poses of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from understudy.base.progress import progress_bar
from understudy.media.writing import VideoWriter
from understudy.poses.pose import Pose
from understudy.synthetic.motion import Motion
from understudy.synthetic.people import Person
from understudy.synthetic.render import Rendered, render
from understudy.synthetic.scene import Scene

Floats = npt.NDArray[np.float32]


def moved(motion: Motion, places: npt.ArrayLike) -> Motion:
    """The motion danced elsewhere: its path, shifted by (T, 2) leg lengths, to the right and towards the camera."""
    path = motion.path.copy()
    path[:, [0, 2]] += np.asarray(places, np.float32)
    return dataclasses.replace(motion, path=path)


def render_together(
    cast: Sequence[tuple[Person, Motion]], scene: Scene
) -> Iterator[tuple[npt.NDArray[np.uint8], list[Rendered]]]:
    """Films people who dance at once, as `render` films one of them.

    Args:
        cast: who, and what each does; motions of one rate, of which the shortest ends it.
        scene: where.

    Yields:
        (H, W, 3) RGB of all, and each as filmed alone, in the order of the cast: points that another one hides count
        as they do there.
    """
    films = [render(person, motion, scene) for person, motion in cast]
    for moment, alone in enumerate(zip(*films, strict=False)):
        picture = scene.background.astype(np.float32)
        depth = [motion.path[moment, 2] * person.body.leg for person, motion in cast]
        for index in np.argsort(depth, kind="stable"):
            one = alone[index]
            # what stands behind shows through where the person does not cover it, darkened by the shadow
            behind = (picture - scene.background) * (1 - one.matte[..., None].astype(np.float32) / 255)
            picture = one.frame + behind
        yield np.clip(picture + 0.5, 0, 255).astype(np.uint8), list(alone)


def film_together(path: Path, cast: Sequence[tuple[Person, Motion]], scene: Scene) -> list[Pose]:
    """Writes the video of `render_together`, and returns the exact poses of each, in its pixels.

    Raises:
        UnderstudyError: the file cannot be written.
    """
    xy: list[list[Floats]] = [[] for _ in cast]
    confidence: list[list[Floats]] = [[] for _ in cast]
    frames = min(len(motion) for _, motion in cast)
    with VideoWriter(path, cast[0][1].fps) as writer, progress_bar(f"filming {path.name}", frames) as advance:
        for picture, alone in render_together(cast, scene):
            writer.write(picture)
            for index, one in enumerate(alone):
                xy[index].append(one.xy)
                confidence[index].append(one.confidence)
            advance()
    return [Pose(np.stack(points), np.stack(sure), scene.size_hw) for points, sure in zip(xy, confidence, strict=True)]
