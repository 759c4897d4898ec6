"""Pictures for people to look at: skeletons, labels, contact sheets. Nothing here feeds a network.

Images are uint8 RGB (H, W, 3); labels and sheets also take grey (H, W), boolean masks and RGBA.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.pictures.lettering import line_height, longest_word, shortened, text_block, text_width, wrapped, write
from understudy.poses.pose import (
    BODY,
    FACE,
    FACE_LINES,
    FOOT_LIMBS,
    HAND_LIMBS,
    LEFT_HAND,
    OPENPOSE18_LIMBS,
    RIGHT_HAND,
    Pose,
)

Image = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

GROUND: Colour = (22, 24, 28)
CELL: Colour = (34, 37, 43)
TEXT: Colour = (232, 234, 238)
FAINT_TEXT: Colour = (168, 174, 184)

# Orange for the person's right and blue for the left: told apart with every kind of colour vision.
RIGHT: Colour = (255, 138, 48)
RIGHT_LEG: Colour = (224, 82, 40)
LEFT: Colour = (74, 190, 255)
LEFT_LEG: Colour = (64, 124, 240)
MIDDLE: Colour = (250, 224, 120)
FACE_COLOUR: Colour = (240, 240, 240)
_RIGHT_LEG_JOINTS, _LEFT_LEG_JOINTS = {8, 9, 10}, {11, 12, 13}
_HEAD_LIMBS = OPENPOSE18_LIMBS[13:]
_RIGHT_JOINTS, _LEFT_JOINTS = {2, 3, 4, 14, 16}, {5, 6, 7, 15, 17}

_SUBPIXEL_BITS = 4
_FAR = 1 << 14
GAP = 4
"""pixels between pictures side by side"""
_SMALLEST_TEXT = 9


def draw_pose(frame: Image, xy: npt.NDArray[np.float32], confidence: npt.NDArray[np.float32]) -> Image:
    """Draws one person's skeleton, with feet, face and hands where they are seen.

    The person's right side is orange and red, the left side two blues, whichever way the person faces. Lines fade with
    confidence and are as thick as suits the size of the person.

    Args:
        frame: (H, W, 3) uint8 RGB; not changed.
        xy: (133, 2) pixels of the frame; points outside of it are fine.
        confidence: (133,) in [0, 1]; points with 0 are not drawn.

    Returns:
        A copy with the skeleton on it.
    """
    canvas: Image = np.ascontiguousarray(frame).copy()
    if not (confidence > 0).any():
        return canvas
    thickness = _line_thickness(xy, confidence, min(frame.shape[:2]))
    thin = max(1, thickness // 2)

    def outline(points: slice, lines: Sequence[Sequence[int]], colour: Colour, width: int) -> None:
        for line in lines:
            for first, last in pairwise(line):
                _draw_limb(canvas, xy[points], confidence[points], (first, last), colour, width)

    outline(FACE, FACE_LINES, FACE_COLOUR, max(1, thin // 2))
    for first, last in FOOT_LIMBS:
        colour = LEFT_LEG if (first, last) in FOOT_LIMBS[:3] else RIGHT_LEG
        _draw_limb(canvas, xy, confidence, (first, last), colour, thin)

    joints_xy, joints_confidence = Pose(xy[None], confidence[None], (frame.shape[0], frame.shape[1])).openpose18()
    for limb in OPENPOSE18_LIMBS:
        width = thin if limb in _HEAD_LIMBS else thickness
        _draw_limb(canvas, joints_xy[0], joints_confidence[0], limb, _limb_colour(limb), width, outlined=width > 1)
    outline(LEFT_HAND, HAND_LIMBS, LEFT, thin)
    outline(RIGHT_HAND, HAND_LIMBS, RIGHT, thin)
    return canvas


def _line_thickness(xy: npt.NDArray[np.float32], confidence: npt.NDArray[np.float32], shorter_side: int) -> int:
    seen = xy[BODY][confidence[BODY] > 0]
    height = float(np.ptp(seen, axis=0).max()) if len(seen) > 1 else shorter_side / 2
    return max(1, round(min(height, 2 * shorter_side) / 64))


def _limb_colour(limb: tuple[int, int]) -> Colour:
    joint = limb[1]
    if joint in _RIGHT_LEG_JOINTS:
        return RIGHT_LEG
    if joint in _LEFT_LEG_JOINTS:
        return LEFT_LEG
    if joint in _RIGHT_JOINTS:
        return RIGHT
    return LEFT if joint in _LEFT_JOINTS else MIDDLE


def _draw_limb(
    canvas: Image,
    xy: npt.NDArray[np.float32],
    confidence: npt.NDArray[np.float32],
    limb: tuple[int, int],
    colour: Colour,
    thickness: int,
    outlined: bool = False,
) -> None:
    strength = float(min(confidence[limb[0]], confidence[limb[1]]))
    if strength <= 0:
        return
    # OpenCV counts in integers: far-away points would overflow
    ends = np.rint(np.clip(xy[list(limb)], -_FAR, _FAR) * (1 << _SUBPIXEL_BITS)).astype(int)
    first, last = (int(ends[0, 0]), int(ends[0, 1])), (int(ends[1, 0]), int(ends[1, 1]))
    if outlined:
        cv2.line(canvas, first, last, (0, 0, 0), thickness + 2, cv2.LINE_AA, _SUBPIXEL_BITS)
    share = 0.35 + 0.65 * strength
    shade = (round(colour[0] * share), round(colour[1] * share), round(colour[2] * share))
    cv2.line(canvas, first, last, shade, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def label(image: Image, text: str) -> Image:
    """Writes a short text on a dark plate in the image's upper left corner; returns a copy of the same size.

    Its size goes with the image's height and shrinks a little where the width asks for it; what still does not fit is
    cut off and ends in "…".
    """
    result: Image = as_rgb(image).copy()
    height, width = result.shape[:2]
    size = int(np.clip(height // 18, _SMALLEST_TEXT, 48))
    smallest = max(_SMALLEST_TEXT, size * 3 // 5)
    margin = max(2, size // 3)
    room = width - 4 * margin
    while size > smallest and text_width(text, size) > room:
        size -= 1
    text = shortened(text, size, room)
    plate = result[margin : 2 * margin + line_height(size), margin : 3 * margin + text_width(text, size)]
    if text:
        plate[:] = (plate * 0.28 + np.array(GROUND) * 0.72).astype(np.uint8)
        write(result, text, (2 * margin, margin + margin // 2), size, TEXT)
    return result


def side_by_side(images: Sequence[Image], labels: Sequence[str] = ()) -> Image:
    """Puts images next to each other, all scaled to the height of the tallest, in the given order.

    Args:
        images: at least one image.
        labels: none, or a text for each.

    Raises:
        ValueError: no images, or another number of labels.
    """
    if not images or (labels and len(labels) != len(images)):
        raise ValueError(f"need at least one image and as many labels, not {len(images)} and {len(labels)}")
    height = max(image.shape[0] for image in images)
    scaled = [
        _resized(as_rgb(image), (height, max(1, round(image.shape[1] * height / image.shape[0])))) for image in images
    ]
    return _in_a_row(
        [label(image, text) for image, text in zip(scaled, labels or [""] * len(images), strict=True)], GAP
    )


def letterbox(image: Image, cell_hw: tuple[int, int]) -> Image:
    """Scales an image, undistorted, as large as fits in the middle of a cell; returns (*cell_hw, 3)."""
    image = as_rgb(image)
    height, width = image.shape[:2]
    scale = min(cell_hw[0] / height, cell_hw[1] / width)
    inner = (max(1, min(cell_hw[0], round(height * scale))), max(1, min(cell_hw[1], round(width * scale))))
    return _placed(_resized(image, inner), cell_hw, across=0.5, down=0.5, ground=CELL)


def contact_sheet(
    rows: Sequence[Sequence[Image | None]],
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    cell_hw: tuple[int, int] = (192, 192),
    *,
    title: str = "",
    note: str = "",
) -> Image:
    """Lays images out in a table on a dark ground, each letterboxed into a cell of one size.

    Texts keep a legible size whatever the size of a cell: labels break into lines, and columns become wider than the
    cell where a single word needs it.

    Args:
        rows: images of any size and kind, None for an empty cell; rows may differ in length.
        row_labels: none, or a text for the left of each row.
        column_labels: none, or a text for the top of each column.
        cell_hw: height and width of a cell in pixels.
        title: large, above everything.
        note: small, below everything.

    Returns:
        uint8 RGB, as large as needed.

    Raises:
        ValueError: no cells, or labels that do not fit the rows and columns.
    """
    columns = max((len(row) for row in rows), default=0)
    _check_labels(rows, columns, row_labels, column_labels)
    size = int(np.clip(min(cell_hw) // 11, 12, 20))
    gap = max(3, size // 3)

    row_texts = [text_block(wrapped(text, size, 12 * size), size, TEXT, GROUND) for text in row_labels]
    pitch_w = max([cell_hw[1], *(longest_word(text, size) for text in column_labels)])
    pitch_w = max(cell_hw[1], min(pitch_w, 12 * size))
    pitch_h = max([cell_hw[0], *(block.shape[0] for block in row_texts)])
    label_w = max((block.shape[1] for block in row_texts), default=0)

    table: list[Image] = []
    if column_labels:
        blocks = [text_block(wrapped(text, size, pitch_w), size, TEXT, GROUND, centred=True) for text in column_labels]
        header_h = max(block.shape[0] for block in blocks)
        heads = [_placed(block, (header_h, pitch_w), across=0.5, down=1.0) for block in blocks]
        table.append(_in_a_row([*([_blank(header_h, label_w)] if row_labels else []), *heads], gap))
    for number, row in enumerate(rows):
        cells = [_cell(image, cell_hw, (pitch_h, pitch_w)) for image in row]
        cells += [_blank(pitch_h, pitch_w)] * (columns - len(row))
        head = [_placed(row_texts[number], (pitch_h, label_w), across=0.0, down=0.5)] if row_labels else []
        table.append(_in_a_row([*head, *cells], gap))
    return _framed(table, title, note, size, gap)


def _check_labels(
    rows: Sequence[Sequence[Image | None]],
    columns: int,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
) -> None:
    if columns == 0:
        raise ValueError("a contact sheet needs at least one cell")
    if row_labels and len(row_labels) != len(rows):
        raise ValueError(f"{len(row_labels)} row labels for {len(rows)} rows")
    if column_labels and len(column_labels) != columns:
        raise ValueError(f"{len(column_labels)} column labels for {columns} columns")


def _framed(table: list[Image], title: str, note: str, size: int, gap: int) -> Image:
    """The rows of a table under a title and above a note, with margins."""
    room = max(table[0].shape[1], 16 * size)
    parts = [part for row in table for part in (row, _blank(gap, 1))][:-1]
    if title:
        title_size = size + size // 3
        head = text_block(wrapped(title, title_size, room), title_size, TEXT, GROUND)
        parts = [head, _blank(2 * gap, 1), *parts]
    if note:
        parts = [*parts, _blank(2 * gap, 1), text_block(wrapped(note, size - 1, room), size - 1, FAINT_TEXT, GROUND)]
    width = max(part.shape[1] for part in parts)
    inside = np.concatenate([_placed(part, (part.shape[0], width), across=0.0, down=0.0) for part in parts])
    margin = size + 2
    return _placed(inside, (inside.shape[0] + 2 * margin, width + 2 * margin), across=0.5, down=0.5)


def _cell(image: Image | None, cell_hw: tuple[int, int], pitch_hw: tuple[int, int]) -> Image:
    inner = np.full((*cell_hw, 3), CELL, np.uint8) if image is None else letterbox(image, cell_hw)
    return _placed(inner, pitch_hw, across=0.5, down=0.5, ground=CELL)


def _placed(image: Image, size_hw: tuple[int, int], across: float, down: float, ground: Colour = GROUND) -> Image:
    """The image in a block of `size_hw`, at a share of the room that is left (0 = left or top, 1 = right or bottom)."""
    block = np.full((*size_hw, 3), ground, np.uint8)
    height, width = image.shape[:2]
    top, left = int((size_hw[0] - height) * down), int((size_hw[1] - width) * across)
    block[top : top + height, left : left + width] = image
    return block


def _blank(height: int, width: int) -> Image:
    return np.full((height, width, 3), GROUND, np.uint8)


def _in_a_row(blocks: Sequence[Image], gap: int) -> Image:
    """Blocks of one height next to each other with a gap between them."""
    between = _blank(blocks[0].shape[0], gap)
    return np.concatenate([part for block in blocks for part in (block, between)][:-1], axis=1)


def _resized(image: Image, size_hw: tuple[int, int]) -> Image:
    if image.shape[:2] == size_hw:
        return image
    smaller = size_hw[0] < image.shape[0]
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    scaled: Image = cv2.resize(image, (size_hw[1], size_hw[0]), interpolation=way)
    return scaled


def as_rgb(image: npt.NDArray[Any]) -> Image:
    """uint8 RGB of a grey, boolean, RGB or RGBA (over a chequerboard) image.

    Raises:
        ValueError: another shape or type.
    """
    if image.dtype == np.bool_:
        image = image.astype(np.uint8) * 255
    if image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"an image must be uint8 and not empty, not {image.dtype} {image.shape}")
    if image.ndim == 2:
        return np.repeat(image[..., None], 3, axis=2)
    if image.ndim == 3 and image.shape[2] == 3:
        return image
    if image.ndim == 3 and image.shape[2] == 4:
        rows, columns = np.indices(image.shape[:2]) // 8
        chequers = np.where((rows + columns) % 2, 205, 235)[..., None]
        alpha = image[..., 3:] / 255.0
        blended: Image = np.rint(image[..., :3] * alpha + chequers * (1 - alpha)).astype(np.uint8)
        return blended
    raise ValueError(f"an image must be (H, W), (H, W, 3) or (H, W, 4), not {image.shape}")
