"""A tracked clip on disk: person-centred frames, mattes, poses, flow, background, and where they came from.

A performance is a folder, usually called `something.performance`:

    performance.json     the header, written last, with the SHA-256 of every other file
    frames.mp4           (S, S) frames of one static crop around the person, every frame a key frame
    matte.mp4            (S, S) grey: 255 where the person is
    poses.safetensors    133 points per frame in working pixels, their confidence, and the status of every frame
    flow.safetensors     backward optical flow at a quarter of the working size, float16
    background.png       the room without the person, at the clip's own size

Two pixel grids occur: the *original* one of the clip as it is displayed, and the *working* one of the S x S crop.
In both, whole numbers are pixel centres, and `working = scale * original + translation` (see `Crop`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import av
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Rotation, StrPath
from understudy.base.files import atomic_folder, load_tensors, read_json, save_tensors, sha256_of, write_json
from understudy.base.tensor_stream import TensorStream, map_tensor
from understudy.base.things import pasted, what_is
from understudy.errors import PerformanceError
from understudy.media.colour import RgbConverter
from understudy.media.reading import VideoWriter, read_image, write_image
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.poses.slip import Slip

VERSION = 1
"""of the folder's layout; another version is refused rather than misread"""
MISSING, INTERPOLATED, FOUND = 0, 1, 2
"""what `Performance.status` says of a frame's pose"""
FLOW_SHRINK = 4
"""working pixels per cell of the stored flow"""

UNSAID: dict[str, Any] = {"rotate": 0, "double_rate": False, "slips": ()}
"""what headers of older versions do not say, and what it was then"""
HEADER_FILE = "performance.json"
FRAMES_FILE = "frames.mp4"
MATTE_FILE = "matte.mp4"
POSES_FILE = "poses.safetensors"
FLOW_FILE = "flow.safetensors"
BACKGROUND_FILE = "background.png"
CONTENT_FILES = (FRAMES_FILE, MATTE_FILE, POSES_FILE, FLOW_FILE, BACKGROUND_FILE)

FRAMES_CRF, MATTE_CRF = 12, 8
UInt8Array = npt.NDArray[np.uint8]
Clip: TypeAlias = "StrPath | Performance"
"""A video file, a performance's folder, or a loaded performance."""

Crop = Similarity
"""Where the working frame lies in the original one: `working = scale * original + translation`"""


@dataclass(frozen=True)
class Header:
    """What performance.json holds."""

    version: int
    source_name: str
    """file name of the clip, without its folder"""
    source_sha256: str
    fps: Fraction
    frames: int
    size_hw: tuple[int, int]
    """of the working frames, pixels"""
    original_size_hw: tuple[int, int]
    """of the clip as displayed, pixels"""
    crop: Crop
    tracker: str
    tracker_version: str
    landmarks: str
    matte: str
    smoothed: bool
    found: int
    """frames in which the tracker saw the person"""
    interpolated: int
    """frames filled in from their neighbours"""
    missing: int
    """frames without a pose"""
    start: float | None
    """seconds into the clip; None = its beginning"""
    end: float | None
    inpainted: float
    """share of background.png that no frame ever showed, in [0, 1]"""
    flow_shrink: int
    """working pixels per cell of the flow"""
    files: dict[str, str]
    """SHA-256 of every other file in the folder"""
    rotate: Rotation = 0
    """degrees clockwise by which the clip was turned first"""
    double_rate: bool = False
    """whether the half pictures of interlaced film are frames"""
    slips: tuple[Slip, ...] = ()
    """what the tracker got wrong, mended or not; none where a version looked for none"""


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
        """in working pixels, one per frame; confidence 0 throughout where nobody was found"""
        self.status = status
        """(T,) uint8: 0 missing, 1 interpolated, 2 found"""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Performance:
        """Opens a folder and checks that all of it is there and as it was written.

        Raises:
            PerformanceError: no such folder, a video or another file, half written, damaged, or of another version.
        """
        path = Path(path)
        _check_is_performance(path)
        header = _read_header(path / HEADER_FILE)
        for name in CONTENT_FILES:
            _check_file(path, header, name)
        poses, status = _read_poses(path, header)
        return cls(path, header, poses, status)

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

    def flow(self) -> npt.NDArray[np.float16]:
        """(T, S/4, S/4, 2) backward flow in working pixels, as a read-only memory map.

        `flow[i]` at x says where the point came from: `frame_i(x) ~ frame_{i-1}(x + flow[i](x))`; `flow[0]` is 0.
        """
        return map_tensor(self.path / FLOW_FILE, "flow", PerformanceError)

    def background(self) -> UInt8Array:
        """(H, W, 3) RGB at the clip's own size: the room without the person."""
        return read_image(self.path / BACKGROUND_FILE)

    def _decode(self, name: str, start: int, stop: int | None) -> Iterator[UInt8Array]:
        stop = len(self) if stop is None else min(stop, len(self))
        if start < 0 or start > len(self):
            raise ValueError(f"start must lie in 0..{len(self)}, not {start}")
        return _decode_range(self.path / name, self.header.size_hw, self.fps, start, max(stop, start))


def _decode_range(path: Path, size_hw: tuple[int, int], fps: Fraction, start: int, stop: int) -> Iterator[UInt8Array]:
    if stop <= start:
        return
    given = 0
    to_rgb = RgbConverter(size_hw, "", (0, 0, 0))
    try:
        with av.open(str(path), format="mp4", metadata_errors="replace") as container:
            stream = container.streams.video[0]
            stream.thread_type = "SLICE"  # frame threads would decode ahead of short ranges for nothing
            if start:
                container.seek(round(start / fps / stream.time_base), stream=stream)  # every frame is a key frame
            for frame in container.decode(stream):
                index = round(frame.pts * stream.time_base * fps)
                if index < start:
                    continue
                yield to_rgb(frame)
                given += 1
                if given == stop - start:
                    return
    except av.FFmpegError as cause:
        raise PerformanceError(f"cannot read {path} ({cause.strerror}): track the video again") from None
    raise PerformanceError(f"{path} ends at frame {start + given} instead of {stop}: track the video again")


def load_poses(path: str | os.PathLike[str]) -> tuple[Header, Pose, UInt8Array]:
    """Header, poses and status of a performance, for who needs no pictures: the other files are not looked at.

    Raises:
        PerformanceError: as `Performance.load`.
    """
    path = Path(path)
    _check_is_performance(path)
    header = _read_header(path / HEADER_FILE)
    _check_file(path, header, POSES_FILE)
    return header, *_read_poses(path, header)


def _check_file(path: Path, header: Header, name: str) -> None:
    file = path / name
    if name not in header.files or not file.is_file():
        raise PerformanceError(f"{path} is damaged ({name} is missing): track the video again")
    if sha256_of(file) != header.files[name]:
        raise PerformanceError(f"{path} is damaged ({name} was changed or cut off): track the video again")


def _read_poses(path: Path, header: Header) -> tuple[Pose, UInt8Array]:
    tensors, _ = load_tensors(path / POSES_FILE, PerformanceError)
    try:
        poses = Pose(tensors["xy"], tensors["confidence"], header.size_hw)
        status = tensors["status"]
    except (KeyError, ValueError) as cause:
        raise PerformanceError(f"{path / POSES_FILE} does not hold poses ({cause}): track the video again") from None
    if len(poses) != header.frames or status.shape != (header.frames,):
        raise PerformanceError(f"{path} has {header.frames} frames and {len(poses)} poses: track the video again")
    return poses, status


def _check_is_performance(path: Path) -> None:
    if not path.exists():
        raise PerformanceError(
            f"there is no performance {path}: make one with `understudy track VIDEO --output {pasted(path)}`"
        )
    if not path.is_dir():
        raise PerformanceError(
            f"{path} is {what_is(path)}, not a performance: "
            f"track it with `understudy track {pasted(path)} --output NAME.performance`"
        )
    if path.name.startswith(".") and ".part" in path.name:
        raise PerformanceError(f"{path} is a half-written performance: delete it and track the video again")
    if not (path / HEADER_FILE).is_file():
        kind = what_is(path)
        if kind in ("the run folder of a training", "a folder of pictures", "a folder of pose files"):
            raise PerformanceError(f"{path} is {kind}, not a performance: give what track wrote, or a video")
        raise PerformanceError(
            f"{path} is half written or not a performance (it has no {HEADER_FILE}): track the video again"
        )


def _read_header(path: Path) -> Header:
    content = read_json(path, PerformanceError)
    version = content.get("version") if isinstance(content, dict) else None
    if version != VERSION:
        raise PerformanceError(f"{path} has version {version}, and this program reads {VERSION}: track the video again")
    try:
        content = {field.name: (UNSAID | content)[field.name] for field in fields(Header)}
        crop = content["crop"]
        content |= {
            "fps": Fraction(content["fps"]),
            "size_hw": _pair(content["size_hw"]),
            "original_size_hw": _pair(content["original_size_hw"]),
            "crop": Crop(float(crop["scale"]), (float(crop["translation_xy"][0]), float(crop["translation_xy"][1]))),
            "frames": int(content["frames"]),
            "files": dict(content["files"]),
            "slips": tuple(Slip.read(slip) for slip in content["slips"]),
        }
    except (KeyError, TypeError, ValueError, ZeroDivisionError, IndexError) as cause:
        raise PerformanceError(f"{path} is damaged ({type(cause).__name__}: {cause}): track the video again") from None
    return Header(**content)


def _pair(values: Any) -> tuple[int, int]:
    height, width = values
    return int(height), int(width)


class PerformanceWriter:
    """Writes a performance that appears under its name only when `finish` has returned.

    An older performance at `path` is replaced then; a folder that holds anything else is refused.

    Example:
        with PerformanceWriter("me.performance", Fraction(30)) as writer:
            for frame, matte, flow in clip:
                writer.add(frame, matte, flow)
            performance = writer.finish(poses=poses, status=status, background=background, ...)

    Raises:
        PerformanceError: `path` is a file, or a folder that is not a performance.
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
        if self._flow is None:
            self.size_hw = (size, size)
            self._flow = self._media.enter_context(
                TensorStream(self.folder / FLOW_FILE, "flow", (size // FLOW_SHRINK, size // FLOW_SHRINK, 2), np.float16)
            )
        self._frames.write(frame)
        self._mattes.write(matte)
        self._flow.append(flow)
        self.count += 1

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
    ) -> Performance:
        """Writes the rest, the header last, and gives the folder its name.

        Args:
            poses: in working pixels, one per frame added.
            status: (T,) uint8 of MISSING, INTERPOLATED, FOUND.
            background: (H, W, 3) RGB at the original size.
            source_name: file name of the clip, without its folder.
            inpainted: share of the background that no frame showed.
        """
        if not len(poses) == len(status) == self.count > 0:
            raise ValueError(f"{self.count} frames, {len(poses)} poses, {len(status)} statuses")
        self._media.close()
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
            files={name: sha256_of(self.folder / name) for name in CONTENT_FILES},
            slips=slips,
        )
        write_json(self.folder / HEADER_FILE, asdict(header) | {"fps": str(self.fps)})
        self._stack.close()
        self._stack = ExitStack()
        return Performance.load(self.path)


def _check_may_replace(path: Path) -> None:
    if path.is_file():
        raise PerformanceError(f"{path} is a file: name a folder for the performance, such as {path.stem}.performance")
    if path.is_dir() and any(file.name not in (*CONTENT_FILES, HEADER_FILE) for file in path.iterdir()):
        raise PerformanceError(
            f"{path} is a folder with other things in it, which would be lost: choose another `output`"
        )
