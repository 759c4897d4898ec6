"""What is measured once of a true clip, however many methods are then held against it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from fractions import Fraction
from types import TracebackType
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.progress import progress_bar
from understudy.evaluation import metrics
from understudy.evaluation.joint_tracking import JointTracking
from understudy.evaluation.learned_metrics import Fid, load_fid, load_lpips
from understudy.evaluation.metrics import Box, Floats, Mask
from understudy.evaluation.perceptual import load_perceptual
from understudy.poses.pose import Pose
from understudy.tracking.flow import dis

Picture = npt.NDArray[np.uint8]
Column = list[float | None]
"""one value a frame; None where there is none"""

REGIONS = ("frame", "person", "face")
MARGIN = 0.03
"""of the square's side, around the matte's box"""
IN_MEMORY = 64 * 2**20
"""bytes of the true clip's flow and outlines kept in memory; what is more goes to an unnamed file"""


class TrueClip(Protocol):
    """A clip of the true person, in a square of S x S pixels."""

    @property
    def fps(self) -> Fraction: ...

    @property
    def pose(self) -> Pose:
        """T frames, pixels of the square."""

    @property
    def filmed(self) -> Box:
        """The part of the square that was filmed; what lies beyond it is not measured."""

    def frames(self) -> Iterator[Picture]:
        """(S, S, 3) RGB uint8, T of them, anew at every call."""

    def mattes(self) -> Iterator[Picture]:
        """(S, S) uint8, 255 where the person is, T of them, anew at every call."""


class TruthMeasures:
    """What every method is held against, computed once: boxes, flow, real flicker, tracked joints.

    Example:
        with TruthMeasures(truth) as prepared:
            results = {name: measure(actor_frames(name), prepared) for name in methods}
    """

    def __init__(self, truth: TrueClip, *, track_output: bool = True) -> None:
        """Reads the true clip once.

        Args:
            truth: its frames and mattes must be as many as its poses.
            track_output: whether joints are to be compared, for which a tracker looks at the true clip now and at each
                generated one later (about 20 ms a frame each).

        Raises:
            ValueError: frames, mattes and poses that differ in number or size.
        """
        self.truth = truth
        self.pose = truth.pose
        self.filmed = truth.filmed
        self.boxes: list[dict[str, Box | None]] = []
        """by region, one dictionary a frame; None where the region is not in the frame"""
        self.flicker: dict[str, Column] = {region: [] for region in REGIONS}
        """temporal error of the true clip"""
        self.perceptual = load_perceptual()
        self.lpips = load_lpips()
        self.fids: dict[str, Fid | str] = {region: load_fid() for region in ("frame", "person")}
        self.joints: Pose | None = None
        """what the tracker found in the true clip; None where it was not asked"""
        self.tracker = ""
        self._spool = _Spool(self.pose.size_hw)
        try:
            with JointTracking() if track_output else nullcontext() as tracking:
                self._read(tracking)
                if tracking is not None:
                    self.joints, self.tracker = tracking.pose(self.pose.size_hw), tracking.tracker
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self.pose)

    def person(self, t: int) -> Mask:
        """(S, S) where frame t shows the person."""
        return self._spool.person(t)

    def temporal_errors(self, previous: Picture | None, frame: Picture, t: int) -> dict[str, float | None]:
        """By region, `metrics.temporal_error` of frame t (from 0) against the frame before; None for the first."""
        if previous is None:
            return dict.fromkeys(REGIONS)
        backward, visible = self._spool.flow(t)
        return {
            region: metrics.temporal_error(previous, frame, backward, visible, box) if box else None
            for region, box in self.boxes[t].items()
        }

    def close(self) -> None:
        """Drops flow and outlines."""
        self._spool.close()

    def __enter__(self) -> TruthMeasures:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, tracking: JointTracking | None) -> None:
        height, width = self.pose.size_hw
        previous: Picture | None = None
        mattes = iter(self.truth.mattes())
        with progress_bar("looking at the truth", len(self)) as advance:
            for t, frame in enumerate(self.truth.frames()):
                matte = next(mattes, None)
                if t >= len(self) or matte is None:
                    raise ValueError(f"the truth needs as many frames and mattes as it has poses, {len(self)}")
                if frame.shape != (height, width, 3) or matte.shape != (height, width):
                    raise ValueError(
                        f"frame {t} of the truth is {frame.shape}, its matte {matte.shape}, its poses {height}x{width}"
                    )
                self._take(t, frame, matte, previous)
                if tracking is not None:
                    tracking.look(frame)
                previous = frame
                advance()
        if len(self.boxes) != len(self):
            raise ValueError(f"the truth has {len(self.boxes)} frames and {len(self)} poses")

    def _take(self, t: int, frame: Picture, matte: Picture, previous: Picture | None) -> None:
        height, width = self.pose.size_hw
        regions = {
            "frame": (0, 0, width, height),
            "person": _person(matte),
            "face": metrics.face_box(self.pose.xy[t], self.pose.confidence[t], (height, width)),
        }
        boxes = {region: _within(box, self.filmed) for region, box in regions.items()}
        self.boxes.append(boxes)
        for region, fid in self.fids.items():
            if (box := boxes[region]) and not isinstance(fid, str):
                fid.add(frame, box, real=True)
        if previous is None:
            backward, visible = np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.bool_)
        else:
            backward, visible = _flow(previous, frame)
        self._spool.append(backward, visible, matte >= 128)
        for region, value in self.temporal_errors(previous, frame, t).items():
            self.flicker[region].append(value)


def _within(box: Box | None, filmed: Box) -> Box | None:
    """What two boxes share; None where they share nothing."""
    if box is None:
        return None
    left, top, right, bottom = (*map(max, box[:2], filmed[:2]), *map(min, box[2:], filmed[2:]))
    return (left, top, right, bottom) if left < right and top < bottom else None


def _person(matte: Picture) -> Box | None:
    return metrics.person_box(matte, round(MARGIN * max(matte.shape))) if (matte >= 128).any() else None


def _flow(previous: Picture, frame: Picture) -> tuple[Floats, Mask]:
    """Backward flow from `frame` to `previous`, and what was visible there."""
    grey, grey_before = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (frame, previous))
    backward, forward = np.zeros((*grey.shape, 2), np.float32), np.zeros((*grey.shape, 2), np.float32)
    dis().calc(grey, grey_before, backward)
    dis().calc(grey_before, grey, forward)
    return backward, metrics.visible_before(backward, forward)


class _Spool:
    """The true clip's flow, what was visible before, and where the person is, one frame after another."""

    def __init__(self, size_hw: tuple[int, int]) -> None:
        self._size_hw = size_hw
        self._file: Any = tempfile.SpooledTemporaryFile(IN_MEMORY, prefix="understudy-")  # noqa: SIM115 - close()
        self._flow_bytes = 4 * size_hw[0] * size_hw[1]
        self._mask_bytes = -(-size_hw[0] * size_hw[1] // 8)
        self._bytes = self._flow_bytes + 2 * self._mask_bytes

    def append(self, flow: Floats, visible: Mask, person: Mask) -> None:
        self._file.seek(0, 2)
        self._file.write(flow.astype(np.float16).tobytes())
        for mask in (visible, person):
            self._file.write(np.packbits(mask).tobytes())

    def flow(self, frame: int) -> tuple[Floats, Mask]:
        data = self._read(frame, 0, self._flow_bytes + self._mask_bytes)
        height, width = self._size_hw
        flow = np.frombuffer(data, np.float16, 2 * height * width).reshape(height, width, 2)
        return flow.astype(np.float32), self._mask(data[self._flow_bytes :])

    def person(self, frame: int) -> Mask:
        return self._mask(self._read(frame, self._flow_bytes + self._mask_bytes, self._mask_bytes))

    def close(self) -> None:
        self._file.close()

    def _read(self, frame: int, offset: int, count: int) -> bytes:
        self._file.seek(frame * self._bytes + offset)
        data: bytes = self._file.read(count)
        return data

    def _mask(self, data: bytes) -> Mask:
        height, width = self._size_hw
        bits = np.unpackbits(np.frombuffer(data, np.uint8), count=height * width)
        return bits.reshape(height, width).astype(np.bool_)
