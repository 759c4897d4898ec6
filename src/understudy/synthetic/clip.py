"""Clips of made-up people on disk: a video with its exact truth, or a performance that no tracker has touched."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.files import load_tensors, save_tensors
from understudy.base.progress import progress_bar
from understudy.errors import PoseError
from understudy.media.reading import VideoWriter
from understudy.media.squares import cut
from understudy.performance import FLOW_SHRINK, FOUND, Crop, Performance, PerformanceWriter
from understudy.poses.pose import Pose
from understudy.synthetic.motion import Motion
from understudy.synthetic.people import Person
from understudy.synthetic.render import landmark_paths, render
from understudy.synthetic.scene import Scene
from understudy.tracking.crop import crop_of, person_square

Square = tuple[int, int, int]


@dataclass(frozen=True)
class Truth:
    """What is exactly known of a rendered clip.

    Attributes:
        video: the clip.
        pose: exact points in pixels of the clip, see `render.Rendered` for their confidence.
    """

    video: Path
    pose: Pose


def truth_path(video: str | os.PathLike[str]) -> Path:
    """Where the truth of a clip lies: beside it, `dance.mp4.truth.safetensors`."""
    video = Path(video)
    return video.with_name(video.name + ".truth.safetensors")


def write_clip(path: str | os.PathLike[str], person: Person, motion: Motion, scene: Scene) -> Truth:
    """Films a person into a video file and writes the exact poses beside it.

    Args:
        path: the video, as for `VideoWriter`.
        person, motion, scene: what `render` takes.

    Raises:
        UnderstudyError: the file cannot be written.
    """
    path = Path(path)
    xy, confidence = [], []
    with VideoWriter(path, motion.fps) as writer, progress_bar(f"filming {path.name}", len(motion)) as advance:
        for rendered in render(person, motion, scene):
            writer.write(rendered.frame)
            xy.append(rendered.xy)
            confidence.append(rendered.confidence)
            advance()
    pose = Pose(np.stack(xy), np.stack(confidence), scene.size_hw)
    header = {"size_hw": list(scene.size_hw), "fps": str(motion.fps), "person": person.seed}
    save_tensors(truth_path(path), {"xy": pose.xy, "confidence": pose.confidence}, header)
    return Truth(path, pose)


def read_truth(video: str | os.PathLike[str]) -> Truth:
    """The truth that `write_clip` left beside a video.

    Raises:
        PoseError: it is missing or damaged.
    """
    tensors, header = load_tensors(truth_path(video), PoseError)
    height, width = header["size_hw"]
    return Truth(Path(video), Pose(tensors["xy"], tensors["confidence"], (int(height), int(width))))


def performance_from_render(
    path: str | os.PathLike[str],
    person: Person,
    motion: Motion,
    scene: Scene,
    size: int = 256,
    *,
    poses: Pose | None = None,
    source_name: str | None = None,
) -> Performance:
    """A performance with exact poses, matte, flow and background, as if a perfect tracker had made it.

    Args:
        path: the folder to write.
        person, motion, scene: what `render` takes.
        size: of the square working frames, pixels, a multiple of 8.
        poses: what to say of where the points are, in pixels of the scene; None takes what the camera sees of them.
        source_name: what the performance says it is of; None names the person.

    Raises:
        UnderstudyError: the folder cannot be written, or is in use for something else.
    """
    square = person_square(_reaching_pose(person, motion, scene))
    crop = crop_of(square, size)
    xy, confidence = [], []
    with PerformanceWriter(path, motion.fps) as writer, progress_bar("filming", len(motion)) as advance:
        for rendered in render(person, motion, scene):
            matte = cut(rendered.matte, square, size, beyond=0)
            flow = _working_flow(rendered.flow, rendered.parts, square, crop, size)
            writer.add(cut(rendered.frame, square, size), matte, flow)
            xy.append(rendered.xy)
            confidence.append(rendered.confidence)
            advance()
        seen = poses or Pose(np.stack(xy), np.stack(confidence), scene.size_hw)
        return writer.finish(
            poses=crop.of_pose(seen, (size, size)),
            status=np.full(len(motion), FOUND, np.uint8),
            background=scene.background,
            source_name=source_name or f"made-up person {person.seed}",
            source_sha256=_content_name(person, motion, scene),
            crop=crop,
            tracker="exact",
            tracker_version="1",
            landmarks="wholebody",
            matte="exact",
            smoothed=False,
        )


def _reaching_pose(person: Person, motion: Motion, scene: Scene) -> Pose:
    """All points as if seen, for choosing the square before anything is drawn."""
    xy = landmark_paths(person, motion, scene)
    height, width = scene.size_hw
    inside = np.all((xy >= 0) & (xy <= (width - 1, height - 1)), axis=-1)
    return Pose(xy, inside.astype(np.float32), scene.size_hw)


def _content_name(person: Person, motion: Motion, scene: Scene) -> str:
    """A SHA-256 that stands for the clip: of what it is rendered from."""
    digest = hashlib.sha256(f"{person.seed} {scene.size_hw} {motion.fps}".encode())
    arrays: tuple[npt.NDArray[Any], ...] = (motion.rotations, motion.path, motion.grip, scene.background)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _working_flow(
    flow: npt.NDArray[np.float32], parts: npt.NDArray[np.uint8], square: Square, crop: Crop, size: int
) -> npt.NDArray[np.float32]:
    """(size/4, size/4, 2) flow of the crop in working pixels: the mean over the person's part of each cell."""
    cells = size // FLOW_SHRINK
    to_cells = crop_of(square, cells)
    layer = np.dstack([flow, (parts > 0).astype(np.float32)])
    # area averaging: blur over a cell's extent, then sample at the cells' centres
    extent = max(1, round(1 / to_cells.scale))
    blurred = cv2.blur(layer, (extent, extent), borderType=cv2.BORDER_CONSTANT)
    small = cv2.warpAffine(blurred, to_cells.matrix, (cells, cells), flags=cv2.INTER_LINEAR)
    covered = small[..., 2:]
    return np.asarray(
        np.where(covered > 0.25, small[..., :2] / np.maximum(covered, 0.25) * crop.scale, 0.0), np.float32
    )
