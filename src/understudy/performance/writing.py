"""Writing a performance: file by file as the frames come, under its name only when all of it is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Rotation
from understudy.base.files import atomic_folder, save_tensors, sha256_of, write_json
from understudy.base.tensor_stream import TensorStream
from understudy.body.labels import LABELS
from understudy.body.surface_mesh import CHARTS
from understudy.errors import PerformanceError
from understudy.media.picture_stream import PictureStream
from understudy.media.reading import VideoWriter, write_image
from understudy.performance.header import (
    BACKGROUND_FILE,
    CONTENT_FILES,
    FLOW_FILE,
    FLOW_SHRINK,
    FOUND,
    FRAMES_FILE,
    HEADER_FILE,
    INTERPOLATED,
    LABELS_FILE,
    MATTE_FILE,
    MISSING,
    POSES_FILE,
    SURFACE_FILE,
    VERSION,
    Crop,
    Header,
    header_content,
    read_header,
)
from understudy.performance.reading import Performance, decoded_range
from understudy.poses.pose import Pose
from understudy.poses.slip import Slip

UInt8Array = npt.NDArray[np.uint8]

FRAMES_CRF, MATTE_CRF = 12, 8
_OURS = (*CONTENT_FILES, LABELS_FILE, SURFACE_FILE, HEADER_FILE)


class PerformanceWriter:
    """Writes a performance that appears under its name only when `finish` has returned.

    An older performance at `path` is replaced then; a folder that holds anything else is refused.

    Example:
        with PerformanceWriter("me.performance", Fraction(30)) as writer:
            for frame, matte, flow in clip:
                writer.add(frame, matte, flow)
            performance = writer.finish(poses=poses, status=status, background=background, ...)

    Raises:
        PerformanceError: `path` is a file, a folder that is not a performance, or one with corrections made by hand.
    """

    def __init__(self, path: str | os.PathLike[str], fps: Fraction) -> None:
        self.path = Path(path)
        self.fps = fps
        self.count = 0
        _check_may_replace(self.path)

    def __enter__(self) -> PerformanceWriter:
        with ExitStack() as stack:
            self.folder = stack.enter_context(atomic_folder(self.path))
            """where the files grow; scratch files may be put here too, if they are removed before `finish`"""
            self._media = stack.enter_context(ExitStack())
            enter = self._media.enter_context
            self._frames = enter(VideoWriter(self.folder / FRAMES_FILE, self.fps, kind="intra", crf=FRAMES_CRF))
            self._mattes = enter(VideoWriter(self.folder / MATTE_FILE, self.fps, kind="intra", crf=MATTE_CRF))
            self._flow: TensorStream | None = None
            self._maps: dict[str, PictureStream] = {}
            self._read_back = False
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if kind is None:  # left without finish(): nothing may appear
            kind, error = PerformanceError, PerformanceError(f"{self.path} was not finished")
        self._stack.__exit__(kind, error, trace)
        return None

    def add(self, frame: UInt8Array, matte: UInt8Array, flow: npt.NDArray[np.floating[Any]]) -> None:
        """Adds one frame.

        Args:
            frame: (S, S, 3) RGB, S a multiple of 4.
            matte: (S, S), 255 where the person is.
            flow: (S/4, S/4, 2) backward flow in working pixels; zeros for the first frame.
        """
        size = frame.shape[0]
        if frame.shape != (size, size, 3) or size % FLOW_SHRINK or matte.shape != (size, size):
            raise ValueError(f"need (S, S, 3) and (S, S) with S a multiple of 4, not {frame.shape} and {matte.shape}")
        if self._read_back:
            raise ValueError("no frame can be added once those before it were read back")
        if self._flow is None:
            self.size_hw = (size, size)
            self._flow = self._media.enter_context(
                TensorStream(self.folder / FLOW_FILE, "flow", (size // FLOW_SHRINK, size // FLOW_SHRINK, 2), np.float16)
            )
        self._frames.write(frame)
        self._mattes.write(matte)
        self._flow.append(flow)
        self.count += 1

    def written(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[UInt8Array, UInt8Array]]:
        """Frames and mattes `start` up to `stop`, as the performance will give them; none can be added any more."""
        self._media.close()
        self._read_back = True
        stop = self.count if stop is None else min(stop, self.count)
        files = (self.folder / FRAMES_FILE, self.folder / MATTE_FILE)
        frames, mattes = (decoded_range(file, self.size_hw, self.fps, start, stop) for file in files)
        return ((frame, matte[..., 0]) for frame, matte in zip(frames, mattes, strict=True))

    def add_labels(self, labels: UInt8Array) -> None:
        """Adds the label map of the next frame: (S, S) uint8 numbers of `body.labels.LABELS`."""
        self._add_map(LABELS_FILE, labels, self.size_hw, len(LABELS))

    def add_surface(self, surface: UInt8Array) -> None:
        """Adds the surface map of the next frame: (S, S, 3) uint8, I of `body.surface_mesh.CHARTS`, U, V."""
        self._add_map(SURFACE_FILE, surface, (*self.size_hw, 3), len(CHARTS))

    def _add_map(self, name: str, one: UInt8Array, shape: tuple[int, ...], count: int) -> None:
        numbers = one if one.ndim == 2 else one[..., 0]
        if one.shape != shape or one.dtype != np.uint8 or numbers.max(initial=0) >= count:
            raise ValueError(f"need {shape} uint8 with numbers below {count}, not {one.shape} {one.dtype}")
        if name not in self._maps:
            self._maps[name] = self._stack.enter_context(PictureStream(self.folder / name))
        self._maps[name].append(one)

    def finish(
        self,
        *,
        poses: Pose,
        status: UInt8Array,
        background: UInt8Array,
        source_name: str,
        source_sha256: str,
        crop: Crop,
        tracker: str,
        tracker_version: str,
        landmarks: str,
        matte: str,
        smoothed: bool,
        start: float | None = None,
        end: float | None = None,
        rotate: Rotation = 0,
        double_rate: bool = False,
        inpainted: float = 0.0,
        slips: tuple[Slip, ...] = (),
        parsing: str = "",
        surface: str = "",
    ) -> Performance:
        """Writes the rest, the header last, and gives the folder its name.

        Args:
            poses: in working pixels, one per frame added.
            status: (T,) uint8 of MISSING, INTERPOLATED, FOUND.
            background: (H, W, 3) RGB at the original size.
            source_name: file name of the clip, without its folder.
            inpainted: share of the background that no frame showed.
            parsing: what the label maps come from, if there are any: then one for every frame.
            surface: what the surface maps come from, likewise.
        """
        if not len(poses) == len(status) == self.count > 0:
            raise ValueError(f"{self.count} frames, {len(poses)} poses, {len(status)} statuses")
        for name, said in ((LABELS_FILE, parsing), (SURFACE_FILE, surface)):
            made = len(self._maps[name]) if name in self._maps else 0
            if made != (self.count if said else 0):
                raise ValueError(f"{self.count} frames, and {made} maps for {name}, said to be of {said!r}")
        self._media.close()
        for stream in self._maps.values():
            stream.close()
        save_tensors(
            self.folder / POSES_FILE,
            {"xy": poses.xy, "confidence": poses.confidence, "status": np.asarray(status, np.uint8)},
            {"size_hw": list(poses.size_hw)},
        )
        write_image(self.folder / BACKGROUND_FILE, background)
        header = Header(
            version=VERSION,
            source_name=Path(source_name).name,
            source_sha256=source_sha256,
            fps=self.fps,
            frames=self.count,
            size_hw=self.size_hw,
            original_size_hw=(background.shape[0], background.shape[1]),
            crop=crop,
            tracker=tracker,
            tracker_version=tracker_version,
            landmarks=landmarks,
            matte=matte,
            smoothed=smoothed,
            found=int((status == FOUND).sum()),
            interpolated=int((status == INTERPOLATED).sum()),
            missing=int((status == MISSING).sum()),
            start=start,
            end=end,
            rotate=rotate,
            double_rate=double_rate,
            inpainted=inpainted,
            flow_shrink=FLOW_SHRINK,
            files={name: sha256_of(self.folder / name) for name in (*CONTENT_FILES, *self._maps)},
            slips=slips,
            parsing=parsing,
            surface=surface,
        )
        write_json(self.folder / HEADER_FILE, header_content(header))
        self._stack.close()
        self._stack = ExitStack()
        return Performance.load(self.path)


def _check_may_replace(path: Path) -> None:
    if path.is_file():
        raise PerformanceError(f"{path} is a file: name a folder for the performance, such as {path.stem}.performance")
    if path.is_dir() and any(file.name not in _OURS for file in path.iterdir()):
        raise PerformanceError(
            f"{path} is a folder with other things in it, which would be lost: choose another `output`"
        )
    if made := _corrections_in(path):
        raise PerformanceError(
            f"{path} holds {made} correction{'s' if made > 1 else ''} made by hand, which would be lost: choose "
            "another `output`, or delete it first"
        )


def _corrections_in(path: Path) -> int:
    """How many corrections a performance holds that is to be replaced; of a damaged one nothing can be kept."""
    try:
        return len(read_header(path / HEADER_FILE).fixes.edits)
    except PerformanceError:
        return 0
