"""The reference's own frames as an actor's weights: for recipes that show what was filmed instead of learning it.

Frames and mattes are copied out of the performance packet by packet (every one is a key frame there), so nothing is
encoded anew, and an actor is made in the time it takes to read the file.
"""

from __future__ import annotations

import io
import logging
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import numpy.typing as npt

from understudy.base.machine import says_memory_ran_out
from understudy.conditioning.clips import flat_colour
from understudy.errors import ActorError, TrainingError
from understudy.media.colour import RgbConverter
from understudy.media.images import MAX_SIDE, at_side, composite
from understudy.media.opening import ANY_METADATA, UNREADABLE
from understudy.performance import FOUND, FRAMES_FILE, INTERPOLATED, MATTE_FILE
from understudy.poses.edges import filmed_box, without_cut_ends
from understudy.poses.pose import POINTS, Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.trained import Arrays, ArraySpec, Trained, nothing_trained
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

WHOLE = 0.25
"""share of the frames that show a hand or foot in which it must be whole, for the others to be left alone"""
DECODED_AT_ONCE = 256 << 20
"""bytes of frames that are kept decoded, since paths come back to them"""

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
        raise TrainingError(
            f"{reference.header.source_name} shows nobody in any of its {len(reference)} frames: film a person"
        )
    poses = reference.poses
    chosen = usable
    if len(usable) > at_most:
        chosen = usable[most_different(Pose(poses.xy[usable], poses.confidence[usable], poses.size_hw), at_most)]
        log.info("of %d frames the %d with the most different poses are kept", len(usable), at_most)
    kept = Pose(poses.xy[chosen], poses.confidence[chosen], poses.size_hw)
    # A hand at the picture's edge is no hand to be shown elsewhere
    header = reference.header
    kept = without_cut_ends(kept, filmed_box(header.crop, header.original_size_hw, header.size_hw[0]), WHOLE)
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
        pose.check_reach()
    except ValueError as cause:
        raise ActorError(f"the actor's poses cannot be used ({cause}): train it again") from None
    if len(weights["moment"]) != len(pose):
        raise ActorError(f"the actor holds {len(pose)} poses for {len(weights['moment'])} frames: train it again")
    return pose


class KeptPictures(Mapping[int, Image]):
    """Some of the kept frames, by index: (S, S, 4) RGB and matte. Decoded when asked for, and again after a while.

    Any thread may ask. All of them at once would be gigabytes at the larger sizes.

    Raises:
        ActorError: the frames cannot be decoded, or are fewer than those that are wanted.
    """

    def __init__(self, weights: Arrays, size: int, wanted: Iterable[int]) -> None:
        self._size, self._wanted = size, sorted({int(frame) for frame in wanted})
        self._films = [_Film(weights[name]) for name in ("frames_mp4", "matte_mp4")]
        self._decoded: OrderedDict[int, Image] = OrderedDict()
        self._one_at_a_time = Lock()
        for film in self._films:
            if self._wanted and self._wanted[-1] >= film.frames:
                there = sum(frame < film.frames for frame in self._wanted)
                raise ActorError(
                    f"the actor holds {there} of {len(self._wanted)} frames that are needed: train it again"
                )

    def __getitem__(self, frame: int) -> Image:
        with self._one_at_a_time:
            return self._picture(frame)

    def _picture(self, frame: int) -> Image:
        if frame not in self._decoded:
            picture, matte = (film[frame] for film in self._films)
            cutout: Image = np.dstack([picture, matte[..., 0]])
            self._decoded[frame] = cutout = at_side(cutout, self._size)
            if len(self._decoded) * cutout.nbytes > DECODED_AT_ONCE and len(self._decoded) > 1:
                self._decoded.popitem(last=False)
        self._decoded.move_to_end(frame)
        return self._decoded[frame]

    def __iter__(self) -> Iterator[int]:
        return iter(self._wanted)

    def __len__(self) -> int:
        return len(self._wanted)


class Smaller(Mapping[int, Image]):
    """The same pictures at another side, N: (N, N, 4)."""

    def __init__(self, pictures: Mapping[int, Image], side: int) -> None:
        self._pictures, self._side = pictures, side

    def __getitem__(self, frame: int) -> Image:
        return at_side(self._pictures[frame], self._side)

    def __iter__(self) -> Iterator[int]:
        return iter(self._pictures)

    def __len__(self) -> int:
        return len(self._pictures)


class _Film:
    """A video of key frames in memory, any of which can be had."""

    def __init__(self, data: npt.NDArray[Any]) -> None:
        try:
            self._container = av.open(io.BytesIO(data.tobytes()), "r", format="mp4", **ANY_METADATA)
            self._stream = self._container.streams.video[0]
            if self._stream.codec_context is None:
                raise ValueError("an encoding that is not known")
            height, width = self._stream.height, self._stream.width
            if max(height, width) > MAX_SIDE:
                raise ActorError(f"the actor's frames are {width}x{height} pixels: train it again")
            self._to_rgb = RgbConverter((height, width), "", (0, 0, 0))
            self._packets = [packet for packet in self._container.demux(self._stream) if packet.size]
        except UNREADABLE as cause:
            raise _cannot_be_decoded(cause) from None
        self.frames = len(self._packets)

    def __getitem__(self, frame: int) -> Image:
        context = self._stream.codec_context
        try:
            pictures = [*context.decode(self._packets[frame]), *context.decode(None)]
            context.flush_buffers()
            return self._to_rgb(pictures[-1])
        except UNREADABLE as cause:
            raise _cannot_be_decoded(cause) from None


def _cannot_be_decoded(cause: Exception) -> ActorError:
    mend = "close other programs" if says_memory_ran_out(cause) else "train it again"
    return ActorError(f"the actor's frames cannot be decoded ({cause}): {mend}")


def over_colour(picture: Image, colour: npt.NDArray[Any]) -> Image:
    """(S, S, 4) RGB with a matte, straight alpha, over a flat colour: (S, S, 3)."""
    red, green, blue = (int(level) for level in colour)
    return composite(picture, (red, green, blue))


def gathered(session: Session, at_most: int) -> Trained:
    """What recipes that only gather frames leave. See `keep_frames`."""
    started = time.monotonic()
    weights = keep_frames(session.reference, session.config.size, at_most)
    statistics = {"flat_colour": np.array(flat_colour(session.reference), np.uint8)}
    record = nothing_trained(session.seed, started) | {"frames": len(weights["moment"])}
    return Trained(session.config, weights, statistics, record)
