"""Errors between a generated frame and the true one: pure functions of one frame, or of one step from frame to frame.

Pictures are (H, W, 3) with values 0-255, boxes are left, top, right, bottom in pixels, right and bottom excluded.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.poses.pose import LEFT_EAR, LEFT_EYE, LEFT_SHOULDER, NOSE, RIGHT_EAR, RIGHT_EYE, RIGHT_SHOULDER

Box = tuple[int, int, int, int]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

IDENTICAL_DB = 100.0
"""PSNR of two identical pictures, instead of infinity"""
UNIT_FRAME = 256
"""joint distances are in pixels of a frame whose longer side has this many, as all pose metrics of this project"""
HEAD_POINTS = (NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR)
HEAD_PER_SPREAD = 2.8
"""side of the face box over the largest distance between two head points, which span the face and not the crown"""
HEAD_PER_NECK = 1.4
"""side of the face box over the distance from the neck (between the shoulders) to the head points' middle"""
CROWN = 0.12
"""of the side: how far the box's centre lies beyond the head points' middle, away from the neck"""


def mse(a: npt.NDArray[Any], b: npt.NDArray[Any], box_xyxy: Box | None = None) -> float:
    """Mean squared difference over pixels and channels, on RGB values 0-255.

    Args:
        a: (..., H, W, 3), values 0-255, any number type; leading axes (time) are averaged over as well.
        b: as `a`.
        box_xyxy: left, top, right, bottom in pixels, right and bottom excluded; cut at the frame's edge.

    Raises:
        ValueError: shapes differ, or the box holds no pixel of the frame.

    Example:
        >>> mse(np.zeros((4, 4, 3)), np.full((4, 4, 3), 5))
        25.0
    """
    _check_pictures(a, b)
    difference = np.subtract(_cut(a, box_xyxy), _cut(b, box_xyxy), dtype=np.float32)
    return float(np.mean(np.square(difference, out=difference), dtype=np.float64))


def rmse(a: npt.NDArray[Any], b: npt.NDArray[Any], box_xyxy: Box | None = None) -> float:
    """Root of `mse`; arguments and errors as there.

    Example:
        >>> rmse(np.zeros((4, 4, 3)), np.full((4, 4, 3), 5))
        5.0
    """
    return math.sqrt(mse(a, b, box_xyxy))


def psnr(a: npt.NDArray[Any], b: npt.NDArray[Any], box_xyxy: Box | None = None) -> float:
    """Peak signal-to-noise ratio, 10 log10(255^2 / mse), in dB; arguments and errors as for `mse`.

    At most `IDENTICAL_DB`, so that one identical frame does not make a clip's mean infinite.
    """
    return psnr_of(mse(a, b, box_xyxy))


def psnr_of(squared_error: float) -> float:
    """PSNR in dB from a mean squared error on values 0-255, at most `IDENTICAL_DB`."""
    if squared_error <= 0:
        return IDENTICAL_DB
    return min(IDENTICAL_DB, 10 * math.log10(255**2 / squared_error))


def ssim(a: npt.NDArray[Any], b: npt.NDArray[Any], box_xyxy: Box | None = None) -> float:
    """Structural similarity (Wang et al. 2004) of two RGB pictures: at most 1, and 1 for identical ones.

    Gaussian window of sigma 1.5, mean over channels, by torchmetrics. In a box it is the mean of the whole picture's
    map over the box, so that the box's edge is no edge to the window and a face of ten pixels can be rated as well.
    In single precision, off by up to 0.001 where pictures are flat and bright; double would take 20 times as long.

    Args:
        a: (H, W, 3), values 0-255, any number type, at least 6 pixels high and wide.
        b: as `a`.
        box_xyxy: as for `mse`.

    Raises:
        ValueError: shapes differ, or the box holds no pixel of the frame.
    """
    return float(_cut(ssim_map(a, b)[..., None], box_xyxy).mean(dtype=np.float64))


def ssim_map(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> Floats:
    """(H, W) structural similarity around every pixel, mean over channels; arguments and errors as for `ssim`."""
    import torch
    from torchmetrics.functional.image import structural_similarity_index_measure

    _check_pictures(a, b)
    pair = np.stack([a, b]).astype(np.float32).transpose(0, 3, 1, 2)
    pictures = torch.from_numpy(np.ascontiguousarray(pair))
    _, similarity = structural_similarity_index_measure(
        pictures[:1], pictures[1:], data_range=255.0, return_full_image=True
    )
    per_pixel: Floats = similarity[0].mean(dim=0).numpy()
    return per_pixel


def fine_detail(picture: npt.NDArray[Any], inside: Mask, box_xyxy: Box | None = None) -> float | None:
    """Mean magnitude of the brightness's Laplacian over a person: what a blur takes away, and noise adds.

    For a clip: the mean over its frames, divided by the same mean of the true clip over the same pixels. 1 = as sharp
    as the real one; both directions count.

    Args:
        picture: (H, W, 3) RGB uint8.
        inside: (H, W) the person, in the generated frame and in the true one; two pixels of its rim are left out, since
            an outline is as sharp as it was cut, whatever is inside.
        box_xyxy: as for `mse`.

    Returns:
        On values 0-255; None where no pixel is left.
    """
    core = cv2.erode(inside.astype(np.uint8), np.ones((5, 5), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    detail = np.abs(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_32F))
    wanted = _cut(core[..., None], box_xyxy)[..., 0] > 0
    return float(_cut(detail[..., None], box_xyxy)[wanted].mean(dtype=np.float64)) if wanted.any() else None


def _check_pictures(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> None:
    if a.shape != b.shape or a.ndim < 3 or a.shape[-1] != 3:
        raise ValueError(f"need two RGB pictures (..., H, W, 3) of one size, not {a.shape} and {b.shape}")


def _cut(picture: npt.NDArray[Any], box_xyxy: Box | None) -> npt.NDArray[Any]:
    """The part of (..., H, W, C) in the box."""
    if box_xyxy is not None:
        left, top, right, bottom = (max(0, edge) for edge in box_xyxy)
        picture = picture[..., top:bottom, left:right, :]
    if not picture.size:
        raise ValueError(f"the box {box_xyxy} holds no pixel of the frame")
    return picture


def person_box(matte: npt.NDArray[Any], margin: int = 0) -> Box:
    """The box around the person, for `rmse` and its neighbours.

    Args:
        matte: (H, W), or (T, H, W) for one box around all frames; bool, or uint8 0-255 where 128 and more is person.
        margin: pixels added on each side, as far as the frame goes.

    Returns:
        left, top, right, bottom in pixels; right and bottom excluded.

    Raises:
        ValueError: the matte shows nobody.
    """
    if matte.ndim not in (2, 3):
        raise ValueError(f"a matte is (H, W) or (T, H, W), not {matte.shape}")
    person = matte if matte.dtype == np.bool_ else matte >= 128
    if person.ndim == 3:
        person = np.asarray(person.any(axis=0), np.bool_)
    rows, columns = np.flatnonzero(person.any(axis=1)), np.flatnonzero(person.any(axis=0))
    if not len(rows):
        raise ValueError("the matte shows nobody, so there is no box around the person")
    height, width = person.shape
    return (
        max(0, int(columns[0]) - margin),
        max(0, int(rows[0]) - margin),
        min(width, int(columns[-1]) + 1 + margin),
        min(height, int(rows[-1]) + 1 + margin),
    )


def face_box(xy: Floats, confidence: Floats, size_hw: tuple[int, int]) -> Box | None:
    """A square around the whole head, from nose, eyes and ears.

    Its side is the larger of two estimates, because each fails where the other holds: the spread of the head points is
    small in profile, and the distance from neck to face is small when the head comes towards the camera.

    Args:
        xy: (133, 2) pixels of the frame.
        confidence: (133,) in [0, 1]; 0 = not seen.
        size_hw: height and width of the frame in pixels.

    Returns:
        left, top, right, bottom in pixels, right and bottom excluded, cut at the frame's edge; None where fewer than
        two head points are seen, or less than half of the square is in the frame.
    """
    head = xy[[point for point in HEAD_POINTS if confidence[point] > 0]]
    if len(head) < 2:
        return None
    centre = (head.min(axis=0) + head.max(axis=0)) / 2
    side = HEAD_PER_SPREAD * max(float(np.linalg.norm(p - q)) for p in head for q in head)
    shoulders = [LEFT_SHOULDER, RIGHT_SHOULDER]
    if (confidence[shoulders] > 0).all():
        from_neck = centre - xy[shoulders].mean(axis=0)
        reach = float(np.linalg.norm(from_neck))
        side = max(side, HEAD_PER_NECK * reach)
        centre = centre + from_neck * (CROWN * side / max(reach, 1e-6))
    whole = max(2, math.ceil(side))
    left, top = (math.floor(float(middle) + 1 - whole / 2) for middle in centre)
    height, width = size_hw
    box = max(0, left), max(0, top), min(width, left + whole), min(height, top + whole)
    area = max(0, box[2] - box[0]) * max(0, box[3] - box[1])
    return box if 2 * area >= whole * whole else None


def visible_before(backward: Floats, forward: Floats) -> Mask:
    """Which pixels of a frame were to be seen in the frame before: where both directions of flow agree.

    The criterion of Sundaram et al. 2010 (eq. 5): |f + b|^2 < 0.01 (|f|^2 + |b|^2) + 0.5, with f looked up where b
    points to. Pixels that came in over the frame's edge were not visible either.

    Args:
        backward: (H, W, 2) pixels (x right, y down): frame_t(p) ~ frame_{t-1}(p + backward(p)).
        forward: (H, W, 2) pixels: frame_{t-1}(p) ~ frame_t(p + forward(p)).

    Returns:
        (H, W) true where visible before.
    """
    height, width = backward.shape[:2]
    x, y = _looked_up(backward)
    there = cv2.remap(forward, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    apart = np.square(there + backward).sum(axis=2)
    size = np.square(there).sum(axis=2) + np.square(backward).sum(axis=2)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    visible: Mask = inside & (apart < 0.01 * size + 0.5)
    return visible


def temporal_error(
    previous: npt.NDArray[Any], present: npt.NDArray[Any], backward: Floats, visible: Mask, box_xyxy: Box | None = None
) -> float | None:
    """How much one step flickers: the previous frame, carried along by the true motion, against the present one.

    For a clip: the mean over its steps, divided by the same mean of the true clip. 1 = as steady as the real one; below
    it is smoother than the real one, as blurred clips are, so it is to be read beside `ssim`.

    Args:
        previous: (H, W, 3), values 0-255.
        present: as `previous`, one frame later.
        backward: (H, W, 2) pixels (x right, y down) of the TRUE frames: frame_t(p) ~ frame_{t-1}(p + backward(p)).
        visible: (H, W) of `visible_before`: other pixels do not count.
        box_xyxy: left, top, right, bottom in pixels in the present frame; None = everywhere.

    Returns:
        Mean absolute difference over visible pixels and channels, 0-255; None where no pixel is left.
    """
    _check_pictures(previous, present)
    x, y = _looked_up(backward)
    carried = cv2.remap(previous.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = _cut(visible[..., None], box_xyxy)[..., 0]
    if not inside.any():
        return None
    difference = np.abs(_cut(carried, box_xyxy) - _cut(present, box_xyxy))[inside]
    return float(difference.mean(dtype=np.float64))


def _looked_up(flow: Floats) -> tuple[Floats, Floats]:
    height, width = flow.shape[:2]
    x = np.asarray(flow[..., 0] + np.arange(width, dtype=np.float32), np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return x, y


def joint_distance(
    xy: Floats, confidence: Floats, true_xy: Floats, true_confidence: Floats, size_hw: tuple[int, int]
) -> float | None:
    """Mean distance between the joints of a generated and of the true frame, over the joints seen in both.

    Its unit is a pixel of a frame whose longer side is 256: the unit of the pose metrics and of gamma = 8, so that it
    can be held against them. What allows for the person's size is `pck`.

    Args:
        xy: (J, 2) pixels, of the generated frame.
        confidence: (J,) in [0, 1]; 0 = not seen.
        true_xy, true_confidence: the same of the true frame.
        size_hw: of the frame.

    Returns:
        None where no joint is seen in both.
    """
    both = (confidence > 0) & (true_confidence > 0)
    if not both.any():
        return None
    apart = np.linalg.norm(xy[both] - true_xy[both], axis=1)
    return float(apart.mean()) * UNIT_FRAME / max(size_hw)


def pck(
    xy: Floats, confidence: Floats, true_xy: Floats, true_confidence: Floats, box_side: float, share: float = 0.1
) -> float | None:
    """Percentage of correct keypoints (Yang and Ramanan 2013), as a share in [0, 1].

    Args:
        xy, confidence, true_xy, true_confidence: as for `joint_distance`.
        box_side: the larger side of the box around the true person, in the same pixels.
        share: a joint is right when it is at most this share of `box_side` from the true one.

    Returns:
        Among the joints seen in the true frame, the share that is seen in the generated frame and right; None where
        the true frame shows no joint.
    """
    wanted = true_confidence > 0
    if not wanted.any():
        return None
    near = np.linalg.norm(xy - true_xy, axis=1) <= share * box_side
    return float((near & (confidence > 0))[wanted].mean())
