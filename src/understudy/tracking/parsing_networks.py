"""Parsers that are networks: LIP or ATR labels as ONNX, in files the user brings, and MediaPipe's selfie segmenter.

Published weights of LIP and ATR networks were learnt from pictures whose licences allow research: none is fetched. The
selfie segmenter, of which the model card says Apache-2.0, is fetched if that is asked for (`base/weights.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from understudy.errors import UsageError
from understudy.poses.similarity import edge_to_edge
from understudy.tracking.label_numbers import OURS, UNNAMED, Numbering, completed
from understudy.tracking.litert import Network
from understudy.tracking.looks import HAIR, LOWER, SHOES, SKIN, SOCKS, UPPER, Looks
from understudy.tracking.parsing import filled, parsed, without_specks
from understudy.tracking.regions import Region
from understudy.tracking.tflite_metadata import normalization

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

USUAL_SIDE = {"lip": 473, "atr": 512, "vip": 473}
"""pixels of a network's input where its file leaves them open"""
MEAN_BGR, DEVIATION_BGR = (0.406, 0.456, 0.485), (0.225, 0.224, 0.229)
"""ImageNet's; blue first, as the published networks of LIP and ATR labels (SCHP, Li et al. 2020) want it"""
AROUND = 0.1
"""of the person's longer side: how much is shown round it"""
SELFIE_CLASSES = 6
"""background, hair, body skin, face skin, clothes, others"""
DOUBT = 0.02
"""what a material keeps that the selfie segmenter says is not there"""
_SELFIE_SHOWS = (
    (),
    (HAIR,),
    (SKIN,),
    (SKIN,),
    (UPPER, LOWER, SOCKS, SHOES),
    (HAIR, UPPER, LOWER, SOCKS, SHOES),
)
"""materials by class; what it calls background, and the matte does not, may be any"""


class OnnxSession(Protocol):
    """What is used of `onnxruntime.InferenceSession`."""

    def get_inputs(self) -> Sequence[Any]: ...

    def run(self, names: None, inputs: dict[str, Floats]) -> Sequence[npt.NDArray[Any]]: ...


def onnx_session(path: Path) -> OnnxSession:
    """Opens a network.

    Raises:
        UsageError: ONNX Runtime is not installed, or the file is no network that it can run.
    """
    try:
        import onnxruntime  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise UsageError(
            f'the network {path} needs ONNX Runtime, which is not installed: pip install "understudy[rtmpose]"'
        ) from None
    try:
        session: OnnxSession = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as cause:  # noqa: BLE001 - its errors share no base
        raise UsageError(f"{path} is no network that ONNX Runtime can run ({str(cause).splitlines()[0]})") from None
    return session


class OnnxParser:
    """A network whose labels are numbered as in LIP or ATR; it sees the person's square, hands are cut by hand points.

    Args:
        session: takes one (1, 3, H, W) picture, BGR, normalised as on ImageNet; gives (1, labels, h, w) scores, or
            (1, h, w) numbers.
        numbering: of its labels.
        name: what errors call it.
    """

    def __init__(self, session: OnnxSession, numbering: Numbering, name: str = "the network") -> None:
        self._session, self._numbering, self._name = session, numbering, name
        taken = session.get_inputs()[0]
        sides = list(taken.shape)[-2:]
        usual = USUAL_SIDE[numbering]
        self._input = str(taken.name)
        self._size_hw = tuple(side if isinstance(side, int) and side > 0 else usual for side in sides)

    def __call__(self, frame: UInt8Array, matte: UInt8Array, xy: Floats, confidence: Floats) -> UInt8Array:
        person = matte >= 128
        if not person.any():
            return np.zeros(matte.shape, np.uint8)
        place = _square_round(person, self._size_hw)
        height, width = self._size_hw
        seen = cv2.warpAffine(frame, place, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        picture = (seen[..., ::-1].astype(np.float32) / np.float32(255) - np.array(MEAN_BGR, np.float32)) / np.array(
            DEVIATION_BGR, np.float32
        )
        given = self._session.run(None, {self._input: np.ascontiguousarray(picture.transpose(2, 0, 1)[None])})
        numbers = self._at_frame(self._chosen(given), place, matte.shape)
        labels = completed(OURS[self._numbering][numbers], xy, confidence)
        holes = person & ((labels == 0) | (labels == UNNAMED))
        labels[labels == UNNAMED] = 0
        return np.where(person, without_specks(filled(labels, holes)), 0).astype(np.uint8)

    def close(self) -> None:
        pass

    def _chosen(self, given: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """(labels, h, w) scores or (h, w) numbers: the first output that can be them."""
        count = len(OURS[self._numbering]) - (2 if self._numbering == "vip" else 0)
        for one in given:
            if one.ndim == 4 and one.shape[1] == count:
                return np.asarray(one[0])
        for one in given:
            if one.ndim in (3, 4) and one.shape[:-2] in ((1,), (1, 1)) and one.dtype.kind in "iu":
                numbers = one.reshape(one.shape[-2:])
                if numbers.min() >= 0 and numbers.max() < count:
                    return np.asarray(numbers)
        shapes = ", ".join(str(one.shape) for one in given)
        raise UsageError(
            f"{self._name} gives {shapes}, and one with {self._numbering.upper()} labels gives {count} scores a pixel: "
            "check which labels it was trained on"
        )

    def _at_frame(
        self, scores: npt.NDArray[Any], place: npt.NDArray[np.float64], size_hw: tuple[int, ...]
    ) -> npt.NDArray[np.intp]:
        """(H, W) numbers at the frame's own pixels."""
        height, width = self._size_hw
        own = np.asarray(scores.shape[-2:])
        # from pixels of the output to those of the input, whose sizes may differ: edges stay edges
        ratio = np.array([own[1] / width, own[0] / height])
        matrix = place * ratio[:, None]
        matrix[:, 2] += edge_to_edge(0.0, ratio)
        wide = (int(size_hw[1]), int(size_hw[0]))
        if scores.ndim == 2:
            flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
            return np.asarray(cv2.warpAffine(scores.astype(np.uint8), matrix, wide, flags=flags), np.intp)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        layers = [cv2.warpAffine(np.asarray(one, np.float32), matrix, wide, flags=flags) for one in scores]
        return np.asarray(np.argmax(np.stack(layers), axis=0), np.intp)


def _square_round(person: npt.NDArray[np.bool_], size_hw: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """(2, 3) matrix from pixels of the frame to those of the network's input, which shows the person with room."""
    left, top, width, height = cv2.boundingRect(person.astype(np.uint8))
    room = 1 + 2 * AROUND
    scale = min(size_hw[1] / (width * room), size_hw[0] / (height * room))
    middle = np.array([left + (width - 1) / 2, top + (height - 1) / 2])
    shift = (np.array([size_hw[1], size_hw[0]]) - 1) / 2 - scale * middle
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


class SelfieParser:
    """MediaPipe's multiclass selfie segmenter says hair, skin or clothes; pose and colours say which of them.

    Args:
        classes: (H, W, 3) RGB in, (H, W) numbers of `SELFIE_CLASSES` out.
        looks: what the person wears, as of `BuiltInParser`.
    """

    def __init__(self, classes: Callable[[UInt8Array], UInt8Array], looks: Looks | None = None) -> None:
        self._classes, self.looks = classes, looks

    def __call__(self, frame: UInt8Array, matte: UInt8Array, xy: Floats, confidence: Floats) -> UInt8Array:
        numbers = self._classes(frame)
        allowed = np.full((6, *matte.shape), DOUBT, np.float32)
        for number, materials in enumerate(_SELFIE_SHOWS):
            allowed[:, numbers == number] = 1.0 if not materials else DOUBT
            for material in materials:
                allowed[material, numbers == number] = 1.0
        return parsed(frame, matte, xy, confidence, self.looks, allowed)

    def close(self) -> None:
        close = getattr(self._classes, "close", None)
        if close is not None:
            close()


class SelfieClasses:
    """The segmenter itself, from the .tflite file that MediaPipe publishes as selfie_multiclass_256x256.

    Raises:
        UsageError: the file is no such segmenter.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._network = Network(path)
            told = normalization(path)
        except ValueError as cause:
            raise UsageError(f"{path} is no segmenter ({str(cause).splitlines()[0]})") from None
        classes = self._network.outputs[0][-1]
        if classes != SELFIE_CLASSES:
            raise UsageError(
                f"{path} tells {classes} classes apart, and the multiclass selfie segmenter {SELFIE_CLASSES}: "
                "give selfie_multiclass_256x256.tflite"
            )
        if told is None:
            raise UsageError(f"{path} does not say in which range it wants pictures: give the file as it was published")
        self._mean, self._deviation = told

    def __call__(self, frame: UInt8Array) -> UInt8Array:
        height, width = frame.shape[:2]
        whole = Region(width / 2, height / 2, width, height)  # stretched to a square, as MediaPipe does
        low, high = -self._mean / self._deviation, (255 - self._mean) / self._deviation
        shown = whole.cut(frame, self._network.size_wh, "black") * np.float32(high - low) + np.float32(low)
        (scores,) = self._network(shown)[:1]
        large = cv2.resize(scores, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(large.argmax(axis=-1), np.uint8)
