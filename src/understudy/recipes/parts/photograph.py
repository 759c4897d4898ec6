"""One picture of a person, and what it says of another pose: the copies that "copy visible texture" chooses among.

Not the paper's: Gafni et al. paint every pixel from an embedding. Shape letters: N the side of the square that networks
see, S that of the picture, N once or several times; K copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.nearest import nearest_inside
from understudy.body.labels import LABEL, LABELS, MIRRORED, other_side
from understudy.body.surface_mesh import CHARTS
from understudy.conditioning.limb_warps import part_transforms, with_made_up_points
from understudy.conditioning.surface_copy import copied, interpolated_places, looked_up, seen_places
from understudy.errors import ActorError
from understudy.media.images import at_side, decoded_image, image_array
from understudy.poses.pose import POINTS, Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.trained import Arrays, ArraySpec
from understudy.recipes.parts.usual_labels import belongs, filled, usual_labels
from understudy.recipes.parts.wardrobe import Wardrobe

if TYPE_CHECKING:
    from understudy.performance import Performance

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

COPIES = ("surface", "limbs", "colours")
"""K kinds of copy, sharpest first"""
FEW = 12
"""pixels of a label, below which its colour is taken from one that is likely to look alike"""
GREY = 128
LEAST_SIDE = 128
"""pixels: in a smaller picture limbs are too thin to be cut"""
WHOLE = 240
"""of 255: alpha from which a pixel shows the person alone"""
EDGE = 1
"""pixels of the N x N picture, next to the first that shows less, whose colours may be mixed with the room's, too"""

_ALIKE: dict[str, tuple[str, ...]] = {
    "face": ("torso skin", "left arm", "right arm", "left hand", "right hand", "left leg", "right leg"),
    "torso skin": ("face", "left arm", "right arm", "left hand", "right hand"),
    "arm": ("hand", "face", "torso skin", "leg"),
    "hand": ("arm", "face", "torso skin", "leg"),
    "leg": ("arm", "face", "torso skin", "hand"),
    "shoe": ("socks", "pants"),
    "socks": ("left shoe", "right shoe"),
    "upper clothes": ("coat", "dress", "scarf"),
    "dress": ("upper clothes", "coat", "skirt"),
    "coat": ("upper clothes", "dress"),
    "pants": ("skirt", "dress", "upper clothes"),
    "skirt": ("pants", "dress", "upper clothes"),
    "scarf": ("upper clothes", "coat"),
    "hat": ("hair",),
    "gloves": ("left hand", "right hand"),
    "sunglasses": ("hair",),
}
"""where the colour of what a picture does not show is looked for; "arm" stands for the arm of the same side"""

_KINDS = (("arm", "hand", "gloves"), ("face", "hair", "hat", "sunglasses"))
_KIND = np.array(
    [next((row for row, words in enumerate(_KINDS) if name.split(" ")[-1] in words), len(_KINDS)) for name in LABELS]
)
"""(22,) of each label: arms, heads and the rest are not taken for each other when limbs are warped"""
_SIDELESS = np.minimum(np.arange(len(LABELS)), MIRRORED).astype(np.uint8)


@dataclass(frozen=True)
class Look:
    """How the limbs of a photograph are cut and warped: see `limb_warp.Config`."""

    size: int
    softness: float = 0.5
    reach: float = 1.8
    layers: bool = True


@dataclass(frozen=True, eq=False)
class Photograph:
    """What is known of one picture of somebody.

    Attributes:
        picture: (S, S, 4) RGB and matte, straight.
        labels: (N, N) of `body.labels.LABELS`.
        surface: (N, N, 3) surface map.
        xy, confidence: (133, 2) pixels of the N x N picture, (133,).
    """

    picture: Image
    labels: Image
    surface: Image
    xy: Floats
    confidence: Floats

    @property
    def size(self) -> int:
        """N."""
        return len(self.labels)

    @property
    def detail(self) -> int:
        """S / N"""
        return len(self.picture) // len(self.labels)

    @cached_property
    def small(self) -> Image:
        """(N, N, 4): `picture` as networks see it."""
        return at_side(self.picture, self.size)

    @cached_property
    def clean(self) -> Image:
        """(S, S, 4) straight: `picture`, and about the outline the person's own colours, without the room's in them."""
        colours, alpha = self.picture[..., :3], self.picture[..., 3]
        reach = EDGE * self.detail
        inside = cv2.erode((alpha > WHOLE).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
        if not inside.any():
            return self.picture
        _, nearest = nearest_inside(inside > 0)
        return np.dstack([colours.reshape(-1, 3)[nearest], alpha])

    @cached_property
    def premultiplied(self) -> Image:
        """(S, S, 4) of `clean`"""
        alpha = self.clean[..., 3:].astype(np.float32) / 255
        return np.dstack([np.asarray(self.clean[..., :3] * alpha + 0.5, np.uint8), self.clean[..., 3]])

    @cached_property
    def palette(self) -> Image:
        """(22, 3) RGB of each label: medians where it shows the label, else of what is likely to look alike."""
        return palette_of(self.small[..., :3], np.where(self.small[..., 3] > 200, self.labels, 0))

    @cached_property
    def _places(self) -> Floats:
        return seen_places(self.surface, self._shown > 0)

    @cached_property
    def _usual(self) -> Image:
        return usual_labels(self.surface, self._shown)

    @cached_property
    def _shown(self) -> Image:
        """(N, N) labels where the picture shows what the surface map says, and not an arm that lies before it."""
        shown = (self.small[..., 3] > 127) & belongs(self.surface[..., 0], self.labels)
        return np.where(shown, self.labels, np.uint8(0))

    @cached_property
    def _wardrobe(self) -> Wardrobe:
        side = len(self.picture)
        pose = Pose(self._finer(self.xy)[None], self.confidence[None], (side, side))
        return Wardrobe(Look(side), pose, {0: self.clean})

    @cached_property
    def _wardrobe_of_kinds(self) -> Wardrobe:
        """The same of a picture of `_KIND`, RGB are arms, heads and the rest; half as large, where limbs stay so."""
        side = self.size // 2 if self.size >= 2 * LEAST_SIDE else self.size
        xy = np.asarray(Similarity.resized(side / self.size).of_points(self.xy), np.float32)
        kind = _KIND[self.labels]
        if self.labels.any():  # the matte's edge, where there is no label, is an edge of what is next to it
            kind = kind.ravel()[nearest_inside(self.labels > 0)[1]]
        kinds = 255 * np.eye(len(_KINDS) + 1, dtype=np.uint8)[kind]
        pictures = {0: at_side(np.dstack([kinds, self.small[..., 3]]), side)}
        return Wardrobe(Look(side), Pose(xy[None], self.confidence[None], (side, side)), pictures)

    def _kinds_along(self, wanted: Floats, seen: npt.NDArray[np.bool_]) -> Image:
        """(N, N, 3) what the limbs' warp shows: shares of 255 of arms, heads and the rest."""
        wardrobe = self._wardrobe_of_kinds
        smaller = np.asarray(Similarity.resized(wardrobe.config.size / self.size).of_points(wanted), np.float32)
        shown = wardrobe.dressed(0, wardrobe.wanted(smaller, seen)).picture
        shares = shown[..., :3] * 255 / np.maximum(shown[..., 3:], 1)
        return np.asarray(cv2.resize(shares.clip(0, 255), (self.size, self.size)) + 0.5, np.uint8)

    def _finer(self, xy: Floats) -> Floats:
        """Pixels of the N x N picture -> pixels of the S x S picture."""
        return np.asarray(Similarity.resized(self.detail).of_points(xy), np.float32)

    def prepare(self) -> None:
        """Makes all that is made once, so that threads need not each make it."""
        _ = self._places, self._usual, self._wardrobe, self._wardrobe_of_kinds, self.premultiplied, self.palette

    def along(self, xy: Floats, confidence: Floats, surface: Image) -> Along:
        """The picture in another pose, as far as that can be said before it is known what is to be where.

        Args:
            xy, confidence: (133, 2) pixels of the N x N picture, (133,): the wanted pose.
            surface: (N, N, 3) its surface map.
        """
        wardrobe = self._wardrobe
        wanted, seen = with_made_up_points(xy, confidence)
        own, own_seen = with_made_up_points(self.xy, self.confidence)
        transforms = part_transforms(wanted, own, seen & own_seen, self.size)
        where, trust = looked_up(self._places, surface, transforms)
        finer = self._finer(wanted)
        by_limbs = wardrobe.dressed(0, wardrobe.wanted(finer, seen)).picture
        labels = cv2.remap(self.labels, where, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
        complete = filled(np.asarray(labels, np.uint8), surface, self._usual)
        kinds = self._kinds_along(wanted, seen)
        return Along(where, trust, np.asarray(labels, np.uint8), complete, kinds, np.asarray(by_limbs + 0.5, np.uint8))

    def copies(self, along: Along, labels: Image) -> Image:
        """The picture in another pose, in every one of `COPIES`' ways.

        Args:
            along: of that pose.
            labels: (N, N) what is to be where.

        Returns:
            (K, S, S, 4) premultiplied RGBA.
        """
        # What hung before the body in the photograph is no part of it
        trust, colours = along.trust * _alike(along.labels, labels), in_colours(self.palette, labels)
        where, side = along.where, (along.by_limbs.shape[1], along.by_limbs.shape[0])
        # An arm that lay before the trunk is no part of it either, wherever the warp cuts
        alike = np.take_along_axis(along.kinds, _KIND[labels][..., None], axis=2)[..., 0]
        if self.detail > 1:
            where = self._finer(interpolated_places(where, side))
            trust, colours, alike = (
                cv2.resize(maps, side, interpolation=cv2.INTER_LINEAR) for maps in (trust, colours, alike)
            )
        share = np.clip(2 * alike.astype(np.float32) / 255 - 0.5, 0, 1)[..., None]
        by_limbs = np.asarray(along.by_limbs * share + 0.5, np.uint8)
        return np.stack([copied(self.premultiplied, where, trust), by_limbs, colours])


@dataclass(frozen=True, eq=False)
class Along:
    """A photograph in another pose.

    Attributes:
        where: (N, N, 2) where in the photograph each pixel is looked up along the surface.
        trust: (N, N) as `surface_copy.looked_up` gives it.
        labels: (N, N) what the photograph shows there, 0 where nothing can be said.
        complete: (N, N) the same, and where the photograph shows nothing of the body what is usual there.
        kinds: (N, N, 3) of 255, how much of what `by_limbs` shows is arm, head, and the rest.
        by_limbs: (S, S, 4) premultiplied: the photograph warped limb by limb.
    """

    where: Floats
    trust: Floats
    labels: Image
    complete: Image
    kinds: Image
    by_limbs: Image

    def within(self, box: tuple[slice, slice]) -> Along:
        """The same of some rows and columns of the N x N picture."""
        times = len(self.by_limbs) // len(self.labels)
        finer = tuple(slice(*(None if edge is None else times * edge for edge in (one.start, one.stop))) for one in box)
        where, trust = (np.ascontiguousarray(maps[box]) for maps in (self.where, self.trust))
        labels, complete, kinds = (np.ascontiguousarray(maps[box]) for maps in (self.labels, self.complete, self.kinds))
        return Along(where, trust, labels, complete, kinds, np.ascontiguousarray(self.by_limbs[finer]))


def frames_of(reference: Performance, chosen: npt.NDArray[np.intp], side: int) -> tuple[list[Image], list[Image], Pose]:
    """Frames, mattes and poses of some moments of a performance, in side x side pixels."""
    frames, mattes = (
        [at_side(next(iter(kind(int(one), int(one) + 1))), side) for one in chosen]
        for kind in (reference.frames, reference.mattes)
    )
    poses = reference.poses
    own = Pose(poses.xy[chosen], poses.confidence[chosen], poses.size_hw)
    return frames, mattes, Similarity.resized(side / reference.header.size_hw[0]).of_pose(own, (side, side))


PHOTOGRAPH: ArraySpec = {
    "picture_png": ("|u1", (None,)),
    "labels_png": ("|u1", (None,)),
    "surface_png": ("|u1", (None,)),
    "xy": ("<f4", (POINTS, 2)),
    "confidence": ("<f4", (POINTS,)),
}
"""a photograph as an actor holds it; pictures as PNG files"""


def stored(photograph: Photograph) -> dict[str, npt.NDArray[Any]]:
    """The arrays of `PHOTOGRAPH`."""
    pictures = {"picture": photograph.picture, "labels": photograph.labels, "surface": photograph.surface}
    found: dict[str, npt.NDArray[Any]] = {f"{name}_png": image_array(picture) for name, picture in pictures.items()}
    return {**found, "xy": photograph.xy, "confidence": photograph.confidence}


def stored_photograph(weights: Arrays) -> Photograph:
    """The photograph that an actor holds.

    Raises:
        ActorError: its pictures cannot be decoded, or do not belong together.
    """
    try:
        picture, labels, surface = (decoded_image(weights[f"{name}_png"]) for name in ("picture", "labels", "surface"))
    except ValueError as cause:
        raise ActorError(f"the actor's photograph cannot be used ({cause}): make it again") from None
    side, fine = len(labels), len(picture)
    shapes = labels.shape, surface.shape, picture.shape
    if shapes != ((side, side), (side, side, 3), (fine, fine, 4)) or fine % side:
        raise ActorError("the actor's photograph and its maps are of different sizes: make it again")
    if labels.max() >= len(LABELS) or surface[..., 0].max() >= len(CHARTS):
        raise ActorError("the actor's photograph has labels that there are not: make it again")
    return Photograph(picture, labels, surface, weights["xy"], weights["confidence"])


def _alike(shown: Image, wanted: Image) -> npt.NDArray[np.bool_]:
    """(H, W): the same label of a person, of whichever side."""
    return np.asarray((_SIDELESS[shown] == _SIDELESS[wanted]) & (wanted > 0))


def in_colours(palette: Image, labels: Image) -> Image:
    """(H, W, 4) premultiplied: a label map in a palette's colours, nothing where nobody is."""
    opaque = np.where(labels > 0, np.uint8(255), np.uint8(0))
    return np.dstack([palette[labels] * (labels > 0)[..., None], opaque])


def palette_of(picture: Image, labels: Image) -> Image:
    """(22, 3) RGB: see `Photograph.palette`."""
    found: dict[str, npt.NDArray[np.float64]] = {}
    for name in LABELS[1:]:
        pixels = picture[labels == LABEL[name]]
        if len(pixels) >= FEW:
            found[name] = np.median(pixels, axis=0)
    grey = np.full(3, GREY, np.float64)
    colours = [grey, *(next((found[one] for one in _likely(name) if one in found), grey) for name in LABELS[1:])]
    return np.asarray(np.stack(colours) + 0.5, np.uint8)


def _likely(label: str) -> list[str]:
    """A label and those that are likely to look alike, likeliest first."""
    side, _, part = label.rpartition(" ") if label.startswith(("left ", "right ")) else ("", "", label)
    alike = [f"{side} {one}" if side and one in ("arm", "hand", "leg") else one for one in _ALIKE.get(part, ())]
    return [other for one in [label, *alike] for other in dict.fromkeys((one, other_side(one)))]
