"""The reference's frames without what passes before the person: a ball, a hand-held thing, somebody's arm.

A warp takes what lies on a thigh along with the thigh, in whatever pose it is shown. Other frames of the same person
say that it does not belong there: all of them are warped into one pose, where most of them agree on what the person
looks like, and that look is warped back into each frame. What a frame shows that hardly any other does, and that is
larger than a print may slip, is taken out, and the usual look put in its place.

People look otherwise from behind than from the front, and from the side: each view is compared with its own kind only.
Heads are left alone, since they turn by themselves, and so is what is near an arm: a hand before a hip is no stranger.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from understudy.conditioning.limb_warps import HEAD, NECK, PELVIS, parts_seen, with_made_up_points
from understudy.media.images import at_side
from understudy.poses.pose import LEFT_SHOULDER, RIGHT_SHOULDER, Pose
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.kept_frames import Smaller
from understudy.recipes.parts.limb_layers import ARM_PARTS, Layer
from understudy.recipes.parts.wardrobe import Cut, Wanted, Wardrobe

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

SIDE = 128
"""pixels of the squares in which looks are compared"""
COMPARED = 40
"""frames, spread over the reference, that say what the person looks like from one side"""
ASIDE = 0.3
"""lengths of the trunk: width between the shoulders, below which somebody is seen from the side"""
LEAST = 10
"""of them that must show a place for its look to be known"""
USUAL = (0.25, 0.75)
"""quantiles over them between which a colour is usual: what every fourth frame shows at a place belongs there"""
SLIP = 2
"""pixels of `SIDE` by which a print or a hem may lie elsewhere than usual"""
CLEARLY, SOMEWHAT = 45.0, 22.0
"""levels of a colour beyond what is usual, blurred: what is strange, and what still is if it touches that"""
BLUR = 1.2
"""pixels of `SIDE`: of that blur"""
SMALLEST = 0.008
"""of the person's pixels that a strange thing takes up; what is smaller is a fold or a shadow"""
LARGEST = 0.14
"""of them that all strange things take up: beyond, it is the person who has changed, a coat taken off say"""
NEAR_ARMS = 1.6
"""thicknesses of an arm within which everything may be it, seen from another side or followed badly"""
MEANWHILE = 4
"""frames that lie at least between one and those beside it, in which what moves by itself has moved on"""
WORN = 0.5
"""share of how strange a thing is, by which both differ less from a frame if they show it too: then it is worn"""
REMEMBERED = 512
"""frames of which it is kept what is strange in them, since their pictures are wanted in two sizes; 40 MB"""
RIM = 2
"""pixels of `SIDE` about a strange thing that show something of it"""


@dataclass(frozen=True)
class Small:
    """How frames are cut and warped for comparison: see `wardrobe.Cut`."""

    size: int
    softness: float
    reach: float
    layers: bool


class PersonAlone(Mapping[int, Image]):
    """Frames as `kept_frames.KeptPictures` has them, (S, S, 4) RGB and matte, of the person alone.

    Args:
        config: how they will be warped.
        kept: poses of all frames, in pixels of the S x S pictures.
        pictures: all of them, by index.
    """

    def __init__(self, config: Cut, kept: Pose, pictures: Mapping[int, Image]) -> None:
        self._filmed = self._pictures = pictures
        side = min(SIDE, config.size)
        smaller = Similarity.resized(side / config.size).of_pose(kept, (side, side))
        small = Small(side, config.softness, config.reach, config.layers)
        self._views = _views(smaller)
        self._looks = {view: _look_of(small, smaller, pictures, self._views == view) for view in np.unique(self._views)}

    def __getitem__(self, frame: int) -> Image:
        look = self._looks[self._views[frame]]
        things = None if look is None else look.things_in(frame, self._filmed)
        picture = self._pictures[frame]
        return picture if things is None else things.taken_out(picture)

    def at(self, side: int) -> PersonAlone:
        """The same frames at another side, N: (N, N, 4)."""
        smaller = copy(self)
        smaller._pictures = Smaller(self._pictures, side)
        return smaller

    def __iter__(self) -> Iterator[int]:
        return iter(self._pictures)

    def __len__(self) -> int:
        return len(self._pictures)


class _Things(NamedTuple):
    """What is no part of the person in a frame."""

    where: Bools
    """(N, N)"""
    usual: Image
    """(N, N, 4) premultiplied: what one would expect there"""

    def taken_out(self, picture: Image) -> Image:
        """The frame, at any size (S, S, 4), as the person alone would look in it."""
        size = picture.shape[1::-1]
        whole = cv2.resize(self.usual.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        wide = cv2.dilate(self.where.astype(np.uint8), np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8))
        share = cv2.resize(cv2.GaussianBlur(wide.astype(np.float32), (0, 0), 1), size)[..., None]
        alpha = picture[..., 3:] / np.float32(255)
        own = np.concatenate([picture[..., :3] * alpha, picture[..., 3:]], axis=-1)
        mixed = own + share * (whole - own)  # premultiplied, or what is no person would darken its edge
        straight = mixed[..., :3] * (255 / np.maximum(mixed[..., 3:], 1))
        cleaned = np.concatenate([straight, mixed[..., 3:]], axis=-1)
        return np.where(share > 0, np.clip(cleaned + 0.5, 0, 255), picture).astype(np.uint8)


class _Look:
    """What a person usually looks like.

    Args:
        filmed: frames, small, with all poses.
        usual: (N, N, 4) the least, the middle and the most of the usual range of colours, and 255 where it is known.
        shown_in: the frame in whose pose they are.
    """

    def __init__(self, filmed: Wardrobe, usual: list[Image], shown_in: int) -> None:
        self._filmed = filmed
        self._one_at_a_time = Lock()
        self._known: OrderedDict[int, _Things | None] = OrderedDict()
        self._usual = [self._wardrobe(picture, shown_in) for picture in usual]

    def _wardrobe(self, picture: Image, shown_in: int) -> Wardrobe:
        filmed = self._filmed
        one = Pose(filmed.kept.xy[[shown_in]], filmed.kept.confidence[[shown_in]], filmed.kept.size_hw)
        worn = Wardrobe(filmed.config, one, {0: picture}, filmed.colours)
        worn.thickness, worn.cloth = filmed.thickness, filmed.cloth
        return worn

    def things_in(self, frame: int, pictures: Mapping[int, Image]) -> _Things | None:
        """What is strange in one of the pictures (S, S, 4), if anything is; known once, whoever asks."""
        with self._one_at_a_time:
            if frame not in self._known:
                where, usual = self.strange(frame, pictures[frame])
                found = _Things(where, np.clip(usual + 0.5, 0, 255).astype(np.uint8)) if where.any() else None
                self._known[frame] = found
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            return self._known[frame]

    def strange(self, frame: int, picture: Image) -> tuple[Bools, Floats]:
        """(N, N) where a frame (S, S, 4) shows what is no part of the person, and (N, N, 4) what one would expect."""
        filmed = self._filmed
        side, wanted = filmed.config.size, filmed.wanted(filmed.points[frame], filmed.seen[frame])
        small = at_side(picture, side)
        near = wanted.near
        (least, *_), (middle, own, _), (most, *_) = (one.dressed(0, wanted) for one in self._usual)
        opaque, expected = small[..., 3] > 127, middle[..., 3] > 127
        compared = opaque & (middle[..., 3] > 200) & (own > 0.5)
        kernel = np.ones((2 * SLIP + 1, 2 * SLIP + 1), np.uint8)
        lowest, highest = cv2.erode(least[..., :3], kernel), cv2.dilate(most[..., :3], kernel)
        shown = small[..., :3].astype(np.float32)
        beyond = np.maximum(shown - highest, lowest - shown).max(axis=-1)
        weight = cv2.GaussianBlur(compared.astype(np.float32), (0, 0), BLUR)
        beyond = cv2.GaussianBlur(np.where(compared, np.maximum(beyond, 0), np.float32(0)), (0, 0), BLUR)
        beyond /= np.maximum(weight, np.float32(0.3))
        area = max(int(opaque.sum()), 1)
        core = _large((beyond > CLEARLY) & ~self._by_itself(near, filmed.seen[frame]), SMALLEST * area)
        if core.any():
            core = self._not_worn(core, wanted, frame, shown, middle)
        things = _touching((beyond > SOMEWHAT) | (opaque & ~expected), core)
        return (things if things.sum() < LARGEST * area else np.zeros_like(things)), middle

    def _not_worn(self, core: Bools, wanted: Wanted, frame: int, shown: Floats, usual: Floats) -> Bools:
        """Without the pieces that frames before and after show at the same place of the body: an open jacket, a hem."""
        beside = [worn for worn in (self._earlier(frame), self._later(frame)) if worn is not None]
        if len(beside) < 2:
            return core
        filmed = self._filmed
        _, labels = cv2.connectedComponents(core.astype(np.uint8))
        strange = np.abs(shown - usual[..., :3]).max(axis=-1)
        still = np.ones(labels.max() + 1, bool)
        for one in beside:
            other = filmed.dressed(one, wanted).picture
            apart = np.abs(shown - other[..., :3]).max(axis=-1)
            for piece in range(1, len(still)):
                still[piece] &= bool(apart[labels == piece].mean() < WORN * strange[labels == piece].mean())
        still[0] = True
        return np.asarray(core & ~still[labels])

    def _earlier(self, frame: int) -> int | None:
        return max((one for one in self._filmed.pictures if one <= frame - MEANWHILE), default=None)

    def _later(self, frame: int) -> int | None:
        return min((one for one in self._filmed.pictures if one >= frame + MEANWHILE), default=None)

    def _by_itself(self, near: Floats, seen: Bools) -> Bools:
        """(N, N): where the head is the nearest part of the body, or an arm is near."""
        known = np.where(parts_seen(seen)[:, None, None], near, np.float32(np.inf))
        moves = (known.argmin(axis=0) == HEAD) | (known[ARM_PARTS].min(axis=0) < NEAR_ARMS)
        side = self._filmed.config.size
        return np.asarray(cv2.resize(moves.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST) > 0)


def _views(kept: Pose) -> npt.NDArray[np.int_]:
    """(F,) 1 seen from the front, -1 from behind, 0 from the side."""
    points, _ = with_made_up_points(kept.xy, kept.confidence)
    across = points[:, LEFT_SHOULDER, 0] - points[:, RIGHT_SHOULDER, 0]
    trunk = np.linalg.norm(points[:, NECK] - points[:, PELVIS], axis=1)
    return np.where(np.abs(across) < ASIDE * trunk, 0, np.sign(across)).astype(int)


def _large(mask: Bools, least: float) -> Bools:
    """The pieces of a mask that have at least so many pixels."""
    _, labels, pieces, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    large = pieces[:, cv2.CC_STAT_AREA] >= least
    large[0] = False
    return np.asarray(large[labels])


def _touching(mask: Bools, core: Bools) -> Bools:
    """The pieces of a mask, with the core, that hold something of the core."""
    _, labels = cv2.connectedComponents((mask | core).astype(np.uint8))
    held = np.zeros(labels.max() + 1, bool)
    held[labels[core]] = True
    held[0] = False
    return np.asarray(held[labels])


def _look_of(config: Small, kept: Pose, pictures: Mapping[int, Image], view: Bools) -> _Look | None:
    """None where too few frames say anything, or all that they show is usual.

    Args:
        kept: all poses, in pixels of the small pictures.
        view: (F,) the frames to look at.
    """
    shown = [frame for frame in pictures if view[frame]]
    some, side = shown[:: max(1, len(shown) // COMPARED)], config.size
    if len(some) < LEAST:
        return None
    small = {frame: at_side(pictures[frame], side) for frame in some}
    filmed = Wardrobe(config, kept, small)
    pose = _least_hidden(filmed, some)
    wanted = filmed.wanted(filmed.points[pose], filmed.seen[pose])
    worn = [filmed.dressed(frame, wanted, places=True) for frame in some]
    dressed, own, places = (np.stack(kind) for kind in zip(*worn, strict=True))
    filmed_there = (own > 0.5) & ~np.stack(
        [_arm_before(filmed, frame, pose, at_places) for frame, at_places in zip(some, places, strict=True)]
    )
    shows = (dressed[..., 3] > 200) & filmed_there
    often = shows.sum(axis=0)
    known = (often >= LEAST) & (often > filmed_there.sum(axis=0) / 2)
    rising = np.sort(np.where(shows[..., None], dressed[..., :3], np.float32(np.inf))[:, known], axis=0)
    usual = [np.zeros((side, side, 4), np.uint8) for _ in range(3)]
    for picture, share in zip(usual, (USUAL[0], 0.5, USUAL[1]), strict=True):
        rank = np.rint(share * (often[known] - 1)).astype(int)
        picture[known, :3] = np.clip(rising[rank, np.arange(len(rank))] + 0.5, 0, 255)
        picture[known, 3] = 255
    look = _Look(filmed, usual, pose)
    return look if any(look.things_in(frame, small) for frame in some) else None


def _arm_before(filmed: Wardrobe, frame: int, pose: int, places: Floats) -> Bools:
    """(N, N) where a frame, warped into another's pose, may show an arm in a place that is no arm's there."""
    here, there = (_near_arms(filmed, one) for one in (pose, frame))
    looked_up = cv2.remap(there, np.nan_to_num(places, nan=-1e4), None, cv2.INTER_NEAREST, borderValue=1e3)
    return np.asarray((looked_up < NEAR_ARMS) & (here >= NEAR_ARMS))


def _near_arms(filmed: Wardrobe, frame: int) -> Floats:
    """(N, N) thicknesses to the nearer arm."""
    near = filmed.nearness(filmed.points[frame])[ARM_PARTS]
    usable = parts_seen(filmed.seen[frame])[ARM_PARTS]
    side = filmed.config.size
    nearest = np.where(usable[:, None, None], near, np.float32(1e3)).min(axis=0)
    return np.asarray(cv2.resize(nearest.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR))


def _least_hidden(filmed: Wardrobe, some: list[int]) -> int:
    """The frame that shows most parts of the body, and of those the one whose limbs hide least of each other."""
    parts = {frame: int(parts_seen(filmed.seen[frame]).sum()) for frame in some}
    whole = [frame for frame in some if parts[frame] == max(parts.values())]
    return min(whole, key=lambda frame: _hidden(filmed.layers(frame)))


def _hidden(layers: list[Layer]) -> float:
    """The share of all layers that other layers hide."""
    opaque = sum(int((layer.picture[..., 3] > 127).sum()) for layer in layers)
    made_up = sum(int(((layer.picture[..., 3] > 127) & (layer.filmed < 128)).sum()) for layer in layers)
    return made_up / max(opaque, 1)
