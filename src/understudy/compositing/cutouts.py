"""Person over background: keys the generator's flat colour out and puts the performer back at the reference's place.

Most generators paint the performer over a flat colour that is known, so the matte is the distance from that colour and
needs no network (`key`). Others give their own alpha (`cutout_of`), and may paint in a box that moves with the
performer (`placed`). A cutout is the whole currency here: premultiplied RGBA, uint8, in the generator's square frame;
premultiplied because only then does enlarging it not drag the flat colour into the edges.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.poses.similarity import Similarity

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

NOISE = 20.0
"""Distance from the flat colour (RGB 0-255, Euclidean) up to which a pixel is the generator's noise: alpha is 0."""
CERTAIN = 2.2
"""Times the noise: the distance from which the fade from noise to picture has ended and alpha counts in full."""
MOST_NOISE = 70.0
"""However noisy the rim of the frame is, colours farther away than this are picture."""
RIM = 1 / 32
"""of the frame on each side: where hardly anybody stands, so that it shows the flat colour as it was painted"""
BORDER = 1 / 64
"""of the frame's side, in which a frame that is shown whole fades into what is around it"""
FARTHEST_PAINT = 120.0
"""A rim farther than this from the flat colour is not taken for it."""
EDGE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
"""How far mixed pixels reach from the flat area, and where each looks for the opaque colour it is a mixture of."""
SOLID = 0.96
"""Share of the opaque colour's distance that already counts as opaque, or noise would make the inside see-through."""
ALPHA_NOISE = 8 / 255
"""Alpha that a network gives within this of 0 or 1 is meant to be 0 or 1."""
SEGMENTED_TOO_WIDE = 0.2
"""Alpha up to which a segmentation network's matte shows the room: on made-up people such mattes spill over edges
more than they fall short of them, and less so without this (`benchmarks/edges.py`)."""
NEAR_BLURS = (12, 3)
"""pixels: reach of the two passes that look for an edge's own colour"""
SPECK_SHARE = 0.02
"""Separate pieces smaller than this share of the largest one are dropped, unless a pose point lies on them."""


def key(frame: Image, flat_colour: npt.NDArray[Any], keep_near: npt.NDArray[Any] | None = None) -> Image:
    """Cuts the performer out of a frame painted over a flat colour.

    A pixel near the flat area is a mixture c = a * foreground + (1 - a) * flat. Its alpha is its distance from the flat
    colour over the largest distance within two pixels (the nearest opaque colour), and at least what keeps the unmixed
    foreground inside 0-255; pixels farther from the flat area are opaque. Unmixing takes the flat colour out of the
    edges (despill).

    Args:
        frame: (S, S, 3) RGB uint8 over `flat_colour`.
        flat_colour: (3,) RGB, 0-255.
        keep_near: (K, 2) pixels x, y; small pieces that hold one of these points are kept (a hand, say).

    Returns:
        (S, S, 4) uint8: premultiplied RGB and alpha. Exactly 0 wherever the frame is flat but for noise.
    """
    named = np.asarray(flat_colour, np.float32).reshape(3)
    flat, noise = _as_painted(frame, named)
    certain = CERTAIN * noise
    levels = np.arange(256, dtype=np.float32)[:, None]
    # Whatever lies between the colour as painted and as it should be is flat, too
    offset = (levels - np.clip(levels, np.minimum(flat, named), np.maximum(flat, named)))[None]
    highest_step = np.where(offset > 0, 255 - flat, flat)
    least_alpha = np.divide(np.abs(offset), highest_step, out=np.zeros_like(offset), where=highest_step > 0)

    distance: Floats = np.sqrt(cv2.transform(cv2.LUT(frame, offset * offset), np.ones((1, 3), np.float32)))
    alpha = distance / np.maximum(SOLID * cv2.dilate(distance, EDGE), certain)
    red, green, blue = cv2.split(cv2.LUT(frame, least_alpha))
    alpha = cv2.max(alpha, cv2.max(red, cv2.max(green, blue)))
    near_flat = cv2.dilate((distance < certain).astype(np.uint8), EDGE)
    alpha[near_flat == 0] = 1
    alpha *= np.clip((distance - noise) / (certain - noise), 0, 1)
    np.minimum(alpha, 1, out=alpha)
    _drop_specks(alpha, keep_near)

    premultiplied = frame - (1 - alpha[..., None]) * flat
    np.clip(premultiplied, 0, 255 * alpha[..., None], out=premultiplied)
    cutout = np.empty((*alpha.shape, 4), np.uint8)
    cutout[..., :3] = premultiplied + 0.5
    cutout[..., 3] = alpha * 255 + 0.5
    cutout[cutout[..., 3] == 0] = 0
    return cutout


def _as_painted(frame: Image, flat: Floats) -> tuple[Floats, float]:
    """The flat colour as this generator paints it, and its noise: a short training gets neither quite right."""
    wide = max(1, round(RIM * frame.shape[0]))
    sides = (frame[:wide], frame[-wide:], frame[wide:-wide, :wide], frame[wide:-wide, -wide:])
    rim = np.concatenate([side.reshape(-1, 3) for side in sides])
    painted: Floats = np.median(rim, axis=0).astype(np.float32)
    if np.linalg.norm(painted - flat) > FARTHEST_PAINT:
        painted = flat
    typical = float(np.median(np.linalg.norm(rim - painted, axis=1)))
    return painted, min(max(NOISE, 3 * typical), MOST_NOISE)


def cutout_of(rgb_over_flat: Any, alpha: Any, flat_colour: npt.NDArray[Any] | tuple[int, int, int]) -> Image:
    """The cutout that a network paints: a picture over a flat colour, with its alpha.

    A pixel is a mixture c = a * foreground + (1 - a) * flat, so that a * foreground, which is what a cutout holds, is
    c - (1 - a) * flat. Keeping it within what its alpha allows takes out what is left of the flat colour where picture
    and alpha disagree.

    Args:
        rgb_over_flat: (..., H, W, 3) array, or tensor on any device; RGB, 0-255.
        alpha: (..., H, W) of the same kind, 0-1.
        flat_colour: (3,) RGB, 0-255, as the network was taught it.

    Returns:
        (..., H, W, 4) uint8: premultiplied RGB and alpha. Exactly 0 where alpha is no more than noise.
    """
    colours, flat = _as_array(rgb_over_flat), np.asarray(flat_colour, np.float32).reshape(3)
    opacity = np.clip((_as_array(alpha) - ALPHA_NOISE) / (1 - 2 * ALPHA_NOISE), 0, 1)[..., None]
    cutout = np.empty((*opacity.shape[:-1], 4), np.uint8)
    cutout[..., :3] = np.clip(colours - (1 - opacity) * flat, 0, 255 * opacity) + 0.5
    cutout[..., 3:] = 255 * opacity + 0.5
    cutout[cutout[..., 3] == 0] = 0
    return cutout


def clean_edges(frame: Image, matte: Image, too_wide: float = 0.0) -> tuple[Floats, Floats]:
    """The person's own colours and alpha, of a frame that shows the room through soft edges.

    What was filmed at an edge is a mixture with the room, which shows as a fringe before anything else. Colours of
    person and room near an edge are taken as means over what surely belongs to each; what the mixture of both leaves
    unexplained is the person's by as much as he is opaque: blur fusion (Forte 2021, "Approximate Fast Foreground Colour
    Estimation").

    Args:
        frame: (H, W, 3) RGB uint8.
        matte: (H, W) uint8.
        too_wide: alpha that is taken for none, in [0, 1); the rest is stretched.

    Returns:
        Colours (H, W, 3) float32, 0-255, which inside the person are those of the frame; alpha (H, W) in [0, 1].
    """
    filmed, alpha = frame.astype(np.float32), matte.astype(np.float32) / np.float32(255)
    alpha = np.asarray(np.clip((alpha - too_wide) / (1 - too_wide), 0, 1), np.float32)
    person, opacity = filmed, alpha[..., None]
    for reach in NEAR_BLURS:
        inner = _mean_near(person, alpha, reach)
        outer = _mean_near(filmed, 1 - alpha, reach)
        person = np.clip(inner + opacity * (filmed - opacity * inner - (1 - opacity) * outer), 0, 255)
    return person, alpha


def _mean_near(colours: Floats, weight: Floats, reach: int) -> Floats:
    """(H, W, 3) mean of the colours within `reach` pixels, by weight (H, W)."""
    size, weight = (2 * reach + 1, 2 * reach + 1), weight[..., None]
    weighted = cv2.blur(colours * weight, size, borderType=cv2.BORDER_REFLECT)
    return np.asarray(weighted / np.maximum(cv2.blur(weight, size, borderType=cv2.BORDER_REFLECT), 1e-4)[..., None])


def _as_array(values: Any) -> Floats:
    """float32 in main memory, of an array or of a tensor, which is not named here: compositing does without PyTorch."""
    return np.asarray(values if isinstance(values, np.ndarray) else values.detach().float().cpu().numpy(), np.float32)


def placed(cutout: Image, to_cutout: Similarity, size_hw: tuple[int, int]) -> Image:
    """A cutout painted in a box, where the box lies in the generator's frame.

    Args:
        cutout: (h, w, 4) premultiplied uint8.
        to_cutout: from pixels of the frame to pixels of the cutout.
        size_hw: of the frame.

    Returns:
        (*size_hw, 4) premultiplied uint8; where the cutout is shrunk, each pixel is the mean of what it covers.
    """
    frame = np.zeros((*size_hw, 4), np.uint8)
    box = _touched_box(cutout, to_cutout, size_hw)
    if box is None:
        return frame
    cutout, to_cutout = halved(cutout, to_cutout)
    left, top, right, bottom = box
    finer = max(1, int(np.ceil(to_cutout.scale)))  # looked up so many times along each side of a pixel, then averaged
    to_finer = Similarity.resized(finer).relative_to(to_cutout)
    to_part = Similarity.shifted(-finer * left, -finer * top) @ to_finer
    width, height = right - left, bottom - top
    part = cv2.warpAffine(cutout, to_part.matrix, (finer * width, finer * height), flags=cv2.INTER_LINEAR)
    frame[top:bottom, left:right] = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
    return frame


def without_specks(cutout: Image, keep_near: npt.NDArray[Any] | None = None) -> Image:
    """The cutout without small separate pieces, but those that hold one of `keep_near` (K, 2), pixels x, y."""
    alpha = cutout[..., 3].astype(np.float32)
    _drop_specks(alpha, keep_near)
    return np.where(alpha[..., None] > 0, cutout, np.uint8(0))


def _drop_specks(alpha: Floats, keep_near: npt.NDArray[Any] | None) -> None:
    """Sets small separate pieces of `alpha` to 0, in place."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats((alpha > 0).astype(np.uint8), connectivity=8)
    if count <= 2:
        return
    areas = statistics[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    kept = areas >= SPECK_SHARE * areas.max()
    if keep_near is not None and len(keep_near):
        height, width = alpha.shape
        x, y = np.rint(np.asarray(keep_near)).astype(int).T
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        kept[labels[y[inside], x[inside]]] = True
    alpha[~kept[labels]] = 0


def paste(cutout: Image, to_cutout: Similarity, background: Image) -> Image:
    """Puts a cutout over a background at the place it was cropped from.

    Args:
        cutout: (S, S, 4) premultiplied uint8 from `key`.
        to_cutout: the crop, from pixels of the background to pixels of the cutout.
        background: (H, W, 3) RGB uint8, or (H, W, 4) premultiplied RGBA. It is changed in place and returned: pass a
            copy of a still. Pixels where the cutout is empty keep their exact values.
    """
    box = _touched_box(cutout, to_cutout, (background.shape[0], background.shape[1]))
    if box is None:
        return background
    left, top, right, bottom = box
    to_part = Similarity.shifted(-left, -top) @ to_cutout.inverse
    placed = cv2.warpAffine(cutout, to_part.matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    under = background[top:bottom, left:right]
    rest = cv2.bitwise_not(cv2.extractChannel(placed, 3))
    if background.shape[2] == 3:
        placed = cv2.cvtColor(placed, cv2.COLOR_RGBA2RGB)
        rest = cv2.cvtColor(rest, cv2.COLOR_GRAY2RGB)
    else:
        rest = cv2.merge([rest] * 4)
    background[top:bottom, left:right] = cv2.add(cv2.multiply(under, rest, scale=1 / 255), placed)
    return background


def halved(cutout: Image, to_cutout: Similarity) -> tuple[Image, Similarity]:
    """A cutout that is to be shown at less than half of its size, made smaller until pasting it does not flicker.

    `paste` takes in two neighbours along each side only.

    Args:
        cutout: (S, S, 4) premultiplied uint8.
        to_cutout: from pixels of the picture to those of the cutout.

    Returns:
        Cutout and way for `paste`; both as they were if it is shown larger.
    """
    while to_cutout.scale >= 2 and cutout.shape[0] % 2 == 0 and cutout.shape[1] % 2 == 0:
        cutout = np.asarray(cv2.resize(cutout, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        to_cutout = Similarity.resized(0.5) @ to_cutout
    return cutout, to_cutout


def _touched_box(cutout: Image, to_cutout: Similarity, size_hw: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The part (left, top, right, bottom) of the output that the cutout can change, or None."""
    x, y, width, height = cv2.boundingRect(cutout[..., 3])
    if width == 0:
        return None
    corners = np.array([[x - 1, y - 1], [x + width, y + height]], np.float64)
    (left, top), (right, bottom) = to_cutout.back(corners)
    box = (
        max(0, int(np.floor(left))),
        max(0, int(np.floor(top))),
        min(size_hw[1], int(np.ceil(right)) + 1),
        min(size_hw[0], int(np.ceil(bottom)) + 1),
    )
    return box if box[0] < box[2] and box[1] < box[3] else None


def framed(frame: Image) -> Image:
    """The whole of a frame as a cutout, for one that shows its own background: a border of a few pixels fades out.

    Args:
        frame: (S, S, 3) RGB uint8.

    Returns:
        (S, S, 4) uint8: premultiplied RGB and alpha.
    """
    border = max(2, round(BORDER * len(frame)))
    ramp = (np.arange(len(frame), dtype=np.float32) + 0.5) / border
    ramp = np.minimum(1, np.minimum(ramp, ramp[::-1]))
    alpha = np.minimum(ramp[:, None], ramp)[..., None]
    return np.asarray(np.concatenate([frame * alpha, 255 * alpha], axis=2) + 0.5, np.uint8)


def faded(cutout: Image, presence: float) -> Image:
    """The cutout at `presence` (0 = gone, 1 = as it is) of its opacity."""
    return cutout if presence >= 1 else cv2.convertScaleAbs(cutout, alpha=max(0.0, presence))


def unpremultiplied(rgba: Image) -> Image:
    """Straight alpha, as video and PNG files store it, from premultiplied (H, W, 4) uint8."""
    alpha = cv2.extractChannel(rgba, 3)
    left, top, width, height = cv2.boundingRect(alpha)
    inside = slice(top, top + height), slice(left, left + width)
    straight = np.zeros_like(rgba)
    if width:
        spread = cv2.merge([alpha[inside]] * 3)
        straight[inside] = cv2.merge([*cv2.split(cv2.divide(rgba[inside][..., :3], spread, scale=255)), alpha[inside]])
    return straight
