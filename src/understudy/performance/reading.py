"""Reading a performance: poses at once, pictures when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import StrPath
from understudy.base.files import load_tensors
from understudy.base.tensor_stream import map_tensor
from understudy.body.labels import LABELS
from understudy.body.surface_mesh import CHARTS
from understudy.errors import MediaError, PerformanceError
from understudy.media.beginning import video_decoder
from understudy.media.colour import RgbConverter
from understudy.media.opening import ANY_METADATA, media_errors
from understudy.media.picture_stream import StoredPictures
from understudy.media.reading import read_image
from understudy.performance.header import (
    BACKGROUND_FILE,
    FLOW_FILE,
    FLOW_SHRINK,
    FOUND,
    FRAMES_FILE,
    HEADER_FILE,
    LABELS_FILE,
    MATTE_FILE,
    POSES_FILE,
    SURFACE_FILE,
    Header,
    check_file,
    check_is_performance,
    read_header,
)
from understudy.poses.pose import Pose

UInt8Array = npt.NDArray[np.uint8]
Clip: TypeAlias = "StrPath | Performance"
"""A video file, a performance's folder, or a loaded performance."""


class Performance:
    """A tracked clip, opened with `Performance.load`; frames are read from disk when asked for.

    Example:
        performance = Performance.load("me.performance")
        for frame, matte in zip(performance.frames(0, 50), performance.mattes(0, 50)):
            ...
    """

    def __init__(self, path: Path, header: Header, poses: Pose, status: UInt8Array) -> None:
        self.path = path
        self.header = header
        self.poses = poses
        """in working pixels, one per frame, as corrected by hand; confidence 0 throughout where nobody was found"""
        self.status = status
        """(T,) uint8: 0 missing, 1 interpolated, 2 found"""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Performance:
        """Opens a folder and checks that all of it is there and as it was written.

        Raises:
            PerformanceError: no such folder, a video or another file, half written, damaged, or of another version.
        """
        path = Path(path)
        check_is_performance(path)
        header = read_header(path / HEADER_FILE)
        for name in header.content_files:
            check_file(path, header, name)
        return cls(path, header, *_corrected(path, header))

    def __len__(self) -> int:
        return self.header.frames

    @property
    def fps(self) -> Fraction:
        return self.header.fps

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[UInt8Array]:
        """Frames `start` up to `stop` (not included; None = the end): (S, S, 3) RGB. Any range is cheap to reach."""
        return self._decode(FRAMES_FILE, start, stop)

    def mattes(self, start: int = 0, stop: int | None = None) -> Iterator[UInt8Array]:
        """As `frames`, for the mattes: (S, S), 255 where the person is."""
        return (frame[..., 0] for frame in self._decode(MATTE_FILE, start, stop))

    @property
    def has_labels(self) -> bool:
        """Whether label maps were made; `header.parsing` says of what."""
        return bool(self.header.parsing)

    @property
    def has_surface(self) -> bool:
        """Whether surface maps were made; `header.surface` says of what."""
        return bool(self.header.surface)

    def labels(self, start: int = 0, stop: int | None = None) -> Iterator[UInt8Array]:
        """As `frames`, for the label maps: (S, S), numbers of `body.labels.LABELS`, 0 wherever the person is not.

        Raises:
            PerformanceError: none were made.
        """
        if not self.has_labels:
            raise PerformanceError(f"{self.path} has no label maps: track the video again with `parsing='auto'`")
        return self._maps(LABELS_FILE, start, stop, self.header.size_hw, len(LABELS))

    def surface(self, start: int = 0, stop: int | None = None) -> Iterator[UInt8Array]:
        """As `frames`, for the surface maps: (S, S, 3), I of `body.surface_mesh.CHARTS`, U and V from 0 to 255.

        Raises:
            PerformanceError: none were made.
        """
        if not self.has_surface:
            raise PerformanceError(f"{self.path} has no surface maps: track the video again with `surface='auto'`")
        return self._maps(SURFACE_FILE, start, stop, (*self.header.size_hw, 3), len(CHARTS))

    def flow(self) -> npt.NDArray[np.float16]:
        """(T, S/4, S/4, 2) backward flow in working pixels, as a read-only memory map.

        `flow[i]` at x says where the point came from: `frame_i(x) ~ frame_{i-1}(x + flow[i](x))`; `flow[0]` is 0.
        """
        flow = map_tensor(self.path / FLOW_FILE, "flow", PerformanceError)
        height, width = self.header.size_hw
        if flow.shape != (len(self), height // FLOW_SHRINK, width // FLOW_SHRINK, 2) or flow.dtype != np.float16:
            raise PerformanceError(f"{self.path} has flow of another kind or size: track the video again")
        return flow

    def background(self) -> UInt8Array:
        """(H, W, 3) RGB at the clip's own size: the room without the person."""
        background = read_image(self.path / BACKGROUND_FILE)
        if background.shape[:2] != self.header.original_size_hw:
            raise PerformanceError(f"{self.path} has a background of another size: track the video again")
        return background

    def _decode(self, name: str, start: int, stop: int | None) -> Iterator[UInt8Array]:
        return decoded_range(self.path / name, self.header.size_hw, self.fps, *self._range(start, stop))

    def _maps(
        self, name: str, start: int, stop: int | None, shape: tuple[int, ...], count: int
    ) -> Iterator[UInt8Array]:
        stored = StoredPictures(self.path / name, PerformanceError)
        if len(stored) != len(self):
            raise PerformanceError(
                f"{self.path} has {len(self)} frames, and {name} {len(stored)} maps: track the video again"
            )
        return _checked_maps(stored.read(*self._range(start, stop)), self.path / name, shape, count)

    def _range(self, start: int, stop: int | None) -> tuple[int, int]:
        stop = len(self) if stop is None else min(stop, len(self))
        if start < 0 or start > len(self):
            raise ValueError(f"start must lie in 0..{len(self)}, not {start}")
        return start, max(stop, start)


def _checked_maps(maps: Iterator[UInt8Array], path: Path, shape: tuple[int, ...], count: int) -> Iterator[UInt8Array]:
    for one in maps:
        numbers = one if one.ndim == 2 else one[..., 0]
        if one.shape != shape or numbers.max(initial=0) >= count:
            raise PerformanceError(f"{path} holds a map of another kind or size: track the video again")
        yield one


def decoded_range(path: Path, size_hw: tuple[int, int], fps: Fraction, start: int, stop: int) -> Iterator[UInt8Array]:
    """Frames `start` up to `stop` (not included) of frames.mp4 or matte.mp4: (S, S, 3).

    Raises:
        PerformanceError: it is damaged, or ends before.
    """
    if stop <= start:
        return
    given = 0
    to_rgb = RgbConverter(size_hw, "", (0, 0, 0))
    try:
        with media_errors(path), av.open(str(path), format="mp4", **ANY_METADATA) as container:
            stream = next(iter(container.streams.video), None)
            if stream is None or stream.codec_context is None or not stream.time_base:
                raise PerformanceError(f"{path} holds no frames that can be decoded: track the video again")
            if (stream.height, stream.width) != size_hw:
                raise PerformanceError(f"{path} holds no frames of {size_hw[1]}x{size_hw[0]}: track the video again")
            video_decoder(stream, None)
            stream.thread_type = "SLICE"  # frame threads would decode ahead of short ranges for nothing
            if start:
                container.seek(round(start / fps / stream.time_base), stream=stream)  # every frame is a key frame
            for frame in container.decode(stream):
                index = start if frame.pts is None else round(frame.pts * stream.time_base * fps)
                if index < start:
                    continue
                yield to_rgb(frame)
                given += 1
                if given == stop - start:
                    return
    except MediaError as cause:
        raise PerformanceError(f"{cause}: track the video again") from None
    raise PerformanceError(f"{path} ends at frame {start + given} instead of {stop}: track the video again")


def load_poses(path: str | os.PathLike[str]) -> tuple[Header, Pose, UInt8Array]:
    """Header, poses and status of a performance, for who needs no pictures: the other files are not looked at.

    The poses are as corrected by hand (`performance.fixes`).

    Raises:
        PerformanceError: as `Performance.load`.
    """
    path = Path(path)
    check_is_performance(path)
    header = read_header(path / HEADER_FILE)
    check_file(path, header, POSES_FILE)
    return header, *_corrected(path, header)


def _corrected(path: Path, header: Header) -> tuple[Pose, UInt8Array]:
    poses, status = header.fixes.apply(*tracked_poses(path, header))
    try:
        poses.check_reach()
    except ValueError as cause:
        raise PerformanceError(f"{path} holds corrections that are none ({cause}): track the video again") from None
    return poses, status


def tracked_poses(path: Path, header: Header) -> tuple[Pose, UInt8Array]:
    """Poses and status as they were tracked, without any correction; the file's hash is not looked at.

    Raises:
        PerformanceError: the file holds something else.
    """
    tensors, _ = load_tensors(path / POSES_FILE, PerformanceError)
    try:
        poses = Pose(tensors["xy"], tensors["confidence"], header.size_hw)
        poses.check_reach()
        status = tensors["status"]
        if status.dtype != np.uint8 or status.max(initial=0) > FOUND:
            raise ValueError("a status that there is not")
    except (KeyError, ValueError, TypeError) as cause:
        raise PerformanceError(f"{path / POSES_FILE} does not hold poses ({cause}): track the video again") from None
    if len(poses) != header.frames or status.shape != (header.frames,):
        raise PerformanceError(f"{path} has {header.frames} frames and {len(poses)} poses: track the video again")
    return poses, status
