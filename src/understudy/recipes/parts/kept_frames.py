"""The reference's own frames as an actor's weights: for recipes that show what was filmed instead of learning it.

Frames and mattes are copied out of the performance packet by packet (every one is a key frame there), so nothing is
encoded anew, and an actor is made in the time it takes to read the file.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from understudy.conditioning.clips import flat_colour
from understudy.errors import ActorError, TrainingError
from understudy.media.colour import RgbConverter
from understudy.media.images import MAX_SIDE, composite
from understudy.performance import FOUND, FRAMES_FILE, INTERPOLATED, MATTE_FILE
from understudy.poses.pose import POINTS, Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.trained import Arrays, ArraySpec, Trained
from understudy.retargeting.pose_metrics import descriptor

if TYPE_CHECKING:
    from understudy.performance import Performance
    from understudy.training.session import Session

Image = npt.NDArray[np.uint8]

WEIGHTS: ArraySpec = {
    "frames_mp4": ("|u1", (None,)),
    "matte_mp4": ("|u1", (None,)),
    "xy": ("<f4", (None, POINTS, 2)),
    "confidence": ("<f4", (None, POINTS)),
    "moment": ("<i8", (None,)),
}
"""two files of key frames at the reference's working size; poses in pixels of the recipe's S x S picture; which frame
of the reference each one was"""
STATISTICS: ArraySpec = {"flat_colour": ("|u1", (3,))}

log = logging.getLogger(__name__)


def keep_frames(reference: Performance, size: int, at_most: int) -> dict[str, npt.NDArray[Any]]:
    """Gathers the frames in which the person was found, the most different poses when there are too many.

    Args:
        size: side S of the recipe's picture in pixels.
        at_most: frames.

    Raises:
        TrainingError: nobody is in any frame.
    """
    usable = np.flatnonzero(reference.status == FOUND)
    if not len(usable):
        usable = np.flatnonzero(reference.status == INTERPOLATED)
    if not len(usable):
        raise TrainingError(f"{reference.path} shows nobody in any of its {len(reference)} frames: film a person")
    poses = reference.poses
    chosen = usable
    if len(usable) > at_most:
        chosen = usable[most_different(Pose(poses.xy[usable], poses.confidence[usable], poses.size_hw), at_most)]
        log.info("of %d frames the %d with the most different poses are kept", len(usable), at_most)
    kept = Pose(poses.xy[chosen], poses.confidence[chosen], poses.size_hw)
    kept = Similarity.resized(size / reference.header.size_hw[0]).of_pose(kept, (size, size))
    return {
        "frames_mp4": _copied(reference.path / FRAMES_FILE, reference.fps, chosen),
        "matte_mp4": _copied(reference.path / MATTE_FILE, reference.fps, chosen),
        "xy": kept.xy,
        "confidence": kept.confidence,
        "moment": chosen.astype(np.int64),
    }


def most_different(pose: Pose, count: int) -> npt.NDArray[np.intp]:
    """The `count` frames that lie farthest apart by the descriptor of the limbs, in order of time.

    Farthest-point sampling: beginning with the first frame, always the one that is farthest from all chosen ones.
    """
    limbs = descriptor(pose)
    apart = np.full(len(pose), np.inf, np.float32)
    chosen = [0]
    while len(chosen) < min(count, len(pose)):
        latest = chosen[-1]
        both = limbs.seen & limbs.seen[latest]
        step = np.linalg.norm(limbs.displacement - limbs.displacement[latest], axis=2)
        mean = (step * both).sum(axis=1) / np.maximum(both.sum(axis=1), 1)
        apart = np.minimum(apart, mean)
        apart[latest] = -1
        chosen.append(int(apart.argmax()))
    return np.sort(np.array(chosen, np.intp))


def _copied(path: Path, fps: Fraction, wanted: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
    """An MP4 file, as bytes, with some of the pictures of another one; all are key frames."""
    output = io.BytesIO()
    chosen = {int(frame): place for place, frame in enumerate(wanted)}
    with av.open(str(path), format="mp4") as source, av.open(output, "w", format="mp4") as copy:
        stream = source.streams.video[0]
        written = copy.add_stream_from_template(stream)
        written.time_base = 1 / fps
        for packet in source.demux(stream):
            if packet.pts is None or stream.time_base is None:
                continue
            place = chosen.get(round(packet.pts * stream.time_base * fps))
            if place is None:
                continue
            packet.stream, packet.time_base = written, 1 / fps
            packet.pts = packet.dts = place
            packet.duration = 1
            copy.mux(packet)
    return np.frombuffer(output.getvalue(), np.uint8)


def kept_poses(weights: Arrays, size: int) -> Pose:
    """The poses of the kept frames, in pixels of the S x S picture.

    Raises:
        ActorError: poses and frame numbers do not belong together.
    """
    try:
        pose = Pose(weights["xy"], weights["confidence"], (size, size))
    except ValueError as cause:
        raise ActorError(f"the actor's poses cannot be used ({cause}): train it again") from None
    if len(weights["moment"]) != len(pose):
        raise ActorError(f"the actor holds {len(pose)} poses for {len(weights['moment'])} frames: train it again")
    return pose


def kept_pictures(weights: Arrays, size: int, wanted: Iterable[int]) -> dict[int, Image]:
    """Some of the kept frames: by index, (S, S, 4) RGB and matte.

    Raises:
        ActorError: the frames cannot be decoded, or are fewer than the poses.
    """
    chosen = sorted({int(frame) for frame in wanted})
    frames, mattes = (_decoded(weights[name], chosen) for name in ("frames_mp4", "matte_mp4"))
    pictures = {}
    for index in chosen:
        picture: Image = np.dstack([frames[index], mattes[index][..., 0]])
        if picture.shape[:2] != (size, size):
            picture = np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
        pictures[index] = picture
    return pictures


def _decoded(data: npt.NDArray[Any], wanted: list[int]) -> dict[int, Image]:
    pictures: dict[int, Image] = {}
    left = set(wanted)
    try:
        with av.open(io.BytesIO(data.tobytes()), format="mp4", metadata_errors="replace") as container:
            stream = container.streams.video[0]
            if max(stream.height, stream.width) > MAX_SIDE:
                raise ActorError(f"the actor's frames are {stream.width}x{stream.height} pixels: train it again")
            to_rgb = RgbConverter((stream.height, stream.width), "", (0, 0, 0))
            index = -1
            for packet in container.demux(stream):
                if packet.size == 0:
                    continue
                index += 1
                if index not in left:
                    continue
                for frame in [*stream.codec_context.decode(packet), *stream.codec_context.decode(None)]:
                    pictures[index] = to_rgb(frame)
                stream.codec_context.flush_buffers()
                left.discard(index)
                if not left:
                    break
    except (av.FFmpegError, IndexError) as cause:
        raise ActorError(f"the actor's frames cannot be decoded ({cause}): train it again") from None
    if pictures.keys() != set(wanted):
        raise ActorError(f"the actor holds {len(pictures)} of {len(wanted)} frames that are needed: train it again")
    return pictures


def over_colour(picture: Image, colour: npt.NDArray[Any]) -> Image:
    """(S, S, 4) RGB with a matte, straight alpha, over a flat colour: (S, S, 3)."""
    red, green, blue = (int(level) for level in colour)
    return composite(picture, (red, green, blue))


def gathered(session: Session, at_most: int) -> Trained:
    """What recipes that only gather frames leave. See `keep_frames`."""
    started = time.monotonic()
    weights = keep_frames(session.reference, session.config.size, at_most)
    statistics = {"flat_colour": np.array(flat_colour(session.reference), np.uint8)}
    record: dict[str, Any] = {
        "steps": 0,
        "joined_at": None,
        "seconds": round(time.monotonic() - started, 1),
        "features": "none",
        "device": "cpu",
        "precision": "none",
        "seed": session.seed,
        "frames": len(weights["moment"]),
        "losses": {},
    }
    return Trained(session.config, weights, statistics, record)
