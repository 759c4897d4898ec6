"""The reference's frames, cut into layers when they are first needed, and put on poses."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from understudy.conditioning.limb_warps import (
    HIPS,
    TRUNK,
    Blending,
    mixed_places,
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
    hanging_weights,
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
    places: Floats | None
    """(S, S, 2) x, y: which pixel of the frame is shown, that of the layer in front; NaN beyond the person. None where
    nobody asked"""


class Outline:
    """Where a layer may be in a wanted pose, and how it is warped there, whichever frame it comes from.

    Args:
        parts: of the body, that are seen in both.
        within: (S/4, S/4) in [0, 1]: how much of it may be shown where.
        box: rows and columns of the grid, and of the picture, that hold it.
    """

    def __init__(
        self,
        wanted: Wanted,
        parts: tuple[int, ...],
        within: Floats,
        box: tuple[tuple[slice, slice], tuple[slice, slice]],
    ) -> None:
        self._wanted, self._parts = wanted, parts
        self._coarse, self.fine = box
        """rows and columns of the picture"""
        self.side_wh = (self.fine[1].stop - self.fine[1].start, self.fine[0].stop - self.fine[0].start)
        self.within = np.asarray(cv2.resize(within[self._coarse], self.side_wh), np.float32)
        """(h, w)"""
        self._beside = wanted.near[:, self._coarse[0], self._coarse[1]]
        self.inside = soft(1 - self._beside[list(parts)].min(axis=0))
        """(h/4, w/4) in [0, 1]: 1 on the limbs themselves"""

    @cached_property
    def _blending(self) -> Blending:
        wanted = self._wanted
        return Blending(wanted.grid[self._coarse], self._beside, self._parts, wanted.config.softness, wanted.points)

    @cached_property
    def _cloth(self) -> Floats:
        parts = list(self._parts)
        thick = seen_from_there(self._wanted.points, self._wanted.thickness)[parts, None, None]
        return hanging_weights(self._beside[parts] * thick)

    def places(self, transforms: Floats) -> Floats:
        """(h/4, w/4, 2): which pixels of a frame are looked up, by its `part_transforms`."""
        return self._blending.places(transforms)

    def cloth_places(self, transforms: Floats) -> Floats:
        """The same of what hangs over both legs."""
        followed = [HIPS if part == TRUNK else part for part in self._parts]
        return mixed_places(self._wanted.grid[self._coarse], self._cloth, transforms[followed])


class Wanted:
    """A pose that frames are dressed in. What does not depend on the frame is made when the first one asks for it.

    Args:
        config, thickness, grid: of a `Wardrobe`.
        points: (141, 2) pixels, see `with_made_up_points`.
        seen: (141,) which of them are seen.
        near: (P, S/4, S/4) `Wardrobe.nearness` of them.
    """

    def __init__(
        self,
        config: Cut,
        thickness: Floats,
        grid: Floats,
        points: Floats,
        seen: npt.NDArray[np.bool_],
        near: Floats,
    ) -> None:
        self.config, self.thickness, self.grid = config, thickness, grid
        self.points, self.seen, self.near = points, seen, near
        self._outlines: dict[tuple[tuple[int, ...], bool], Outline | None] = {}

    def outline(self, parts: tuple[int, ...], hangs: bool) -> Outline | None:
        """That of a layer of these parts; None where nothing of it is in the picture.

        Args:
            hangs: whether it is cloth that goes from one leg to the other.
        """
        if (parts, hangs) not in self._outlines:
            self._outlines[parts, hangs] = self._outlined(parts, hangs)
        return self._outlines[parts, hangs]

    def _outlined(self, parts: tuple[int, ...], hangs: bool) -> Outline | None:
        if not parts:
            return None
        within = soft(self.config.reach - self.near[list(parts)].min(axis=0))
        if hangs and set(THIGHS_AND_SHINS) <= set(parts):
            within = np.maximum(within, between_legs(self.points, self.config.size, GRID))
        box = _box(within)
        return None if box is None else Outline(self, parts, within, box)


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

    def wanted(self, points: Floats, seen: npt.NDArray[np.bool_]) -> Wanted:
        """A pose (141, 2) in pixels, see `with_made_up_points`, and which of its points are seen, (141,)."""
        return Wanted(self.config, self.thickness, self.grid, points, seen, self.nearness(points))

    def dressed(self, frame: int, wanted: Wanted, places: bool = False) -> Dressed:
        """A reference frame warped into a pose.

        Args:
            frame: index of the reference frame.
            wanted: of this wardrobe, or of one of the same config, thickness of limbs and size.
            places: whether to tell which pixels are shown.
        """
        size = self.config.size
        both = wanted.seen & self.seen[frame]
        usable = parts_seen(both)
        shown, filmed = np.zeros((size, size, 4), np.float32), np.ones((size, size), np.float32)
        looked_up = _LookedUp(size) if places else None
        transforms = part_transforms(wanted.points, self.points[frame], both, size)
        for layer in self.layers(frame):
            present = tuple(part for part in layer.parts if usable[part])
            outline = wanted.outline(present, layer.hangs)
            if outline is None:
                continue
            if layer.hangs:
                alike = part_transforms(wanted.points, facing_alike(self.points[frame], wanted.points), both, size)
                there = outline.cloth_places(alike)
            else:
                there = outline.places(transforms)
            # What the filmed picture's edge cut off was not filmed: another frame may show it
            cut_off = outline.inside * _beyond(there, size)
            there, cut_off = (cv2.resize(values, outline.side_wh) for values in (there, cut_off))
            within, fine = outline.within, outline.fine
            # Cubic, because a person who is looked up once here and once more on the way to the video blurs visibly
            picture = cv2.remap(layer.picture, there, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
            own = cv2.remap(layer.filmed, there, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
            alpha = cv2.extractChannel(picture, 3)
            behind = 1 - alpha * (within / np.float32(255))
            # Beyond an edge a cubic rings: no colour may be brighter than its alpha
            colours = cv2.multiply(cv2.min(picture, cv2.merge([alpha] * 4)), cv2.merge([within] * 4), dtype=cv2.CV_32F)
            shown[fine] = cv2.add(colours, cv2.multiply(shown[fine], cv2.merge([behind] * 4)))
            filmed[fine] = (own * ((1 - behind) / 255) + behind * filmed[fine]) * (1 - cut_off)
            if looked_up is not None:
                looked_up.put(fine, there, behind < 1 - SURELY)
        return Dressed(shown, filmed, None if looked_up is None else looked_up.places)

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


class _LookedUp:
    """Which pixels of a frame are shown, as one layer after the other comes before those that lie behind it."""

    def __init__(self, size: int) -> None:
        self.places = np.full((size, size, 2), np.nan, np.float32)
        """(S, S, 2), NaN where nothing is shown"""
        self._owned = np.zeros((size, size), bool)

    def put(self, where: tuple[slice, slice], places: Floats, own: npt.NDArray[np.bool_]) -> None:
        """A layer in a part of the picture: its (h, w, 2) places, and (h, w) where they count."""
        rim = cv2.dilate(own.astype(np.uint8), np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)) > 0
        np.copyto(self.places[where], places, where=(own | (rim & ~self._owned[where]))[..., None])
        self._owned[where] |= own


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
