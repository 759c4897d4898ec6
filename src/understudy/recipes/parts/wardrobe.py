"""The reference's frames, cut into layers when they are first needed, and put on poses."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from understudy.conditioning.limb_warps import (
    HIPS,
    TRUNK,
    blended_places,
    part_transforms,
    parts_seen,
    picture_grid,
    with_made_up_points,
)
from understudy.poses.pose import Pose
from understudy.recipes.parts.boxes import box_about
from understudy.recipes.parts.hanging_cloth import (
    THIGHS_AND_SHINS,
    between_legs,
    facing_alike,
    hanging,
    hanging_places,
)
from understudy.recipes.parts.limb_colours import LimbColours
from understudy.recipes.parts.limb_layers import Layer, cut, nearness, seen_from_there, soft, thicknesses, whole

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

GRID = 4
"""pixels: transforms are blended on a grid this coarse"""
MEASURED = 24
"""frames from which the thickness of the limbs is learnt"""
LOOKED_THROUGH = 48
"""frames in which is looked for cloth between the legs"""
COLOURS_SEEN_AT = 128
"""pixels along a person that teach what colours limbs have: of larger ones, every second or third"""
SURELY = 0.35
"""share of a layer in what is shown, from which a place counts as its own"""
RIM = 2
"""pixels about them that are looked up as if they were, so that an outline has its places, too"""
CUT_AT_ONCE = 96 << 16
"""pixels of cut frames that are kept, since paths come back to them: 96 frames of 256x256, or 8 at the least"""


class Cut(Protocol):
    """What a config says of cutting and warping."""

    @property
    def size(self) -> int:
        """pixels: side S of the square picture, a multiple of `GRID`"""

    @property
    def softness(self) -> float:
        """of the blending between neighbouring limbs' transforms, in thicknesses of the limbs"""

    @property
    def reach(self) -> float:
        """thicknesses from a limb beyond which nothing of it is shown"""

    @property
    def layers(self) -> bool:
        """whether trunk, arms and legs are cut apart"""


class Dressed(NamedTuple):
    """A reference frame warped into a pose."""

    picture: Floats
    """(S, S, 4) premultiplied, 0-255"""
    filmed: Floats
    """(S, S) in [0, 1]: 1 where it was filmed, 0 where it was made up from around"""
    places: Floats
    """(S, S, 2) x, y: which pixel of the frame is shown, that of the layer in front; NaN beyond the person"""


class Wardrobe:
    """Frames to be dressed in.

    Args:
        kept: the poses of the reference's frames, in pixels of the S x S picture.
        pictures: those that will be needed, by index: (S, S, 4) RGB and matte.
        colours: of the limbs, if others' are to be taken; left out, they are learnt from the pictures.
        cut_at_once: pixels of cut frames that are kept.
    """

    def __init__(
        self,
        config: Cut,
        kept: Pose,
        pictures: Mapping[int, Image],
        colours: LimbColours | None = None,
        cut_at_once: int = CUT_AT_ONCE,
    ) -> None:
        self.most_cut = max(8, cut_at_once // config.size**2)
        """frames that are kept cut apart"""
        self.config, self.kept, self.pictures = config, kept, pictures
        self.points, self.seen = with_made_up_points(kept.xy, kept.confidence)
        self.grid = picture_grid(config.size, GRID)
        some, many = (list(pictures)[:: max(1, len(pictures) // count)] for count in (MEASURED, LOOKED_THROUGH))
        measured = {frame: pictures[frame] for frame in some}  # each is decoded, and cleaned, when it is asked for
        self.thickness = thicknesses([(one, self.points[frame]) for frame, one in measured.items()], config.size)
        self.colours = colours
        if colours is None and config.layers:
            self.colours = LimbColours(self._sampled(measured))
        legs_seen = (parts_seen(self.seen[frame])[[TRUNK, *THIGHS_AND_SHINS]].all() for frame in many)
        self.cloth = hanging(
            (pictures[frame], self.points[frame]) for frame, seen in zip(many, legs_seen, strict=True) if seen
        )
        self._cut: OrderedDict[int, list[Layer]] = OrderedDict()

    def _sampled(self, pictures: Mapping[int, Image]) -> Iterator[tuple[Image, Floats]]:
        """Every n-th pixel of each person in reference frames (H, W, 4), and thicknesses to its parts (P, H, W)."""
        grid = picture_grid(self.config.size, 1)
        for frame, picture in pictures.items():
            box = box_about(picture[..., 3])
            if box is None:
                continue
            rows, columns = box.at()
            step = max(1, max(rows.stop - rows.start, columns.stop - columns.start) // COLOURS_SEEN_AT)
            some = slice(rows.start, rows.stop, step), slice(columns.start, columns.stop, step)
            near = nearness(self.points[frame], self.thickness, grid[some])
            near[~parts_seen(self.seen[frame])] = 1e3
            yield picture[some], near

    def nearness(self, wanted: Floats) -> Floats:
        """(P, S/4, S/4): thicknesses from every place of the grid to the parts of a pose (141, 2)."""
        return nearness(wanted, self.thickness, self.grid)

    def dressed(self, frame: int, wanted: Floats, seen: npt.NDArray[np.bool_], near: Floats) -> Dressed:
        """A reference frame warped into a pose.

        Args:
            frame: index of the reference frame.
            wanted: (141, 2) pixels, see `with_made_up_points`.
            seen: (141,) which of its points are seen.
            near: `nearness` of it.
        """
        size = self.config.size
        both = seen & self.seen[frame]
        usable = parts_seen(both)
        shown, filmed = np.zeros((size, size, 4), np.float32), np.ones((size, size), np.float32)
        looked_up, owned = np.full((size, size, 2), np.nan, np.float32), np.zeros((size, size), bool)
        transforms = part_transforms(wanted, self.points[frame], both, size)
        for layer in self.layers(frame):
            present = tuple(part for part in layer.parts if usable[part])
            if not present:
                continue
            within = soft(self.config.reach - near[list(present)].min(axis=0))
            if layer.hangs and usable[list(THIGHS_AND_SHINS)].all():
                within = np.maximum(within, between_legs(wanted, size, GRID))
            box = _box(within)
            if box is None:
                continue
            coarse, fine = box
            beside = near[:, coarse[0], coarse[1]]
            if layer.hangs:
                pixels = beside[list(present)] * seen_from_there(wanted, self.thickness)[list(present), None, None]
                alike = part_transforms(wanted, facing_alike(self.points[frame], wanted), both, size)
                followed = [HIPS if part == TRUNK else part for part in present]
                places = hanging_places(self.grid[coarse], pixels, alike[followed])
            else:
                places = blended_places(self.grid[coarse], beside, transforms, present, self.config.softness, wanted)
            side = (fine[1].stop - fine[1].start, fine[0].stop - fine[0].start)
            # What the filmed picture's edge cut off was not filmed: another frame may show it
            cut_off = soft(1 - beside[list(present)].min(axis=0)) * _beyond(places, size)
            places, within, cut_off = (cv2.resize(values, side) for values in (places, within[coarse], cut_off))
            # Cubic, because a person who is looked up once here and once more on the way to the video blurs visibly
            picture = cv2.remap(layer.picture, places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
            own = cv2.remap(layer.filmed, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
            alpha = cv2.extractChannel(picture, 3)
            behind = 1 - alpha * (within / np.float32(255))
            # Beyond an edge a cubic rings: no colour may be brighter than its alpha
            colours = cv2.multiply(cv2.min(picture, cv2.merge([alpha] * 4)), cv2.merge([within] * 4), dtype=cv2.CV_32F)
            shown[fine] = cv2.add(colours, cv2.multiply(shown[fine], cv2.merge([behind] * 4)))
            filmed[fine] = (own * ((1 - behind) / 255) + behind * filmed[fine]) * (1 - cut_off)
            mine = behind < 1 - SURELY
            rim = cv2.dilate(mine.astype(np.uint8), np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)) > 0
            np.copyto(looked_up[fine], places, where=(mine | (rim & ~owned[fine]))[..., None])
            owned[fine] |= mine
        return Dressed(shown, filmed, looked_up)

    def layers(self, frame: int) -> list[Layer]:
        """A reference frame cut apart, the farthest from the camera first."""
        if frame not in self._cut:
            picture = self.pictures[frame]
            seen = parts_seen(self.seen[frame])
            self._cut[frame] = (
                cut(picture, self.points[frame], seen, self.thickness, self.cloth, self.colours)
                if self.config.layers
                else whole(picture)
            )
            if len(self._cut) > self.most_cut:
                self._cut.popitem(last=False)
        self._cut.move_to_end(frame)
        return self._cut[frame]


def _beyond(places: Floats, size: int) -> Floats:
    """(H, W): 1 where a place (H, W, 2) lies outside of the S x S picture, else 0."""
    return np.asarray(((places < 0) | (places > size - 1)).any(axis=-1), np.float32)


def _box(within: Floats) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Rows and columns of the grid, and of the picture, that hold all that is not 0; None if nothing does."""
    left, top, width, height = cv2.boundingRect((within > 1 / 512).astype(np.uint8))
    if not width:
        return None
    coarse = slice(top, top + height), slice(left, left + width)
    fine = slice(GRID * top, GRID * (top + height)), slice(GRID * left, GRID * (left + width))
    return coarse, fine
