"""Reference frames, warped limb by limb into the driver's pose: a first look within seconds, without any training.

No paper's method: the bar that learning has to clear. Along the whole dance the reference frames that need the least
warping are chosen (`retargeting.frame_path`); each is cut into trunk, arms and legs (`limb_layers`), which move by the
transforms of their limbs (`conditioning.limb_warps`) and are laid over one another again. Faces stay sharp; what the
chosen frame does not show (the other side of a hand, a chest behind a crossed arm) is smeared from around.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.conditioning.limb_warps import (
    blended_places,
    distances_to_parts,
    part_transforms,
    parts_seen,
    picture_grid,
    with_made_up_points,
)
from understudy.poses.pose import Pose
from understudy.recipes.parts.groups import Placement
from understudy.recipes.parts.kept_frames import (
    STATISTICS,
    WEIGHTS,
    gathered,
    kept_pictures,
    kept_poses,
)
from understudy.recipes.parts.limb_layers import Layer, cut, soft, thicknesses, whole
from understudy.recipes.parts.player import BATCH, Frame, Moment, Need, pose_of
from understudy.recipes.parts.recipe import Recipe
from understudy.recipes.parts.trained import Arrays, ArraySpec, Trained
from understudy.retargeting.frame_path import Frames, cheapest_path, nearest_candidates
from understudy.retargeting.nearest import warp_distances
from understudy.retargeting.pose_metrics import Descriptor, descriptor

if TYPE_CHECKING:
    from understudy.base.devices import Device
    from understudy.training.session import Session

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

GRID = 4
"""pixels: transforms are blended on a grid this coarse"""
MEASURED = 24
"""frames from which the thickness of the limbs is learnt"""
FRAMES_AT_ONCE = 256
"""driving frames compared with all kept ones at a time: the memory for it does not grow with the driver's length"""
CUT_AT_ONCE = 32
"""cut frames that are kept, since a path comes back to them"""
NEIGHBOURS = 3
"""frames of the reference by which a path may go on without the price of a jump"""


@dataclass(frozen=True)
class Config:
    """There is nothing to train, only how frames are chosen and blended."""

    size: int = 256
    """pixels: side S of the square picture"""
    placement: Placement = Placement(scale_by="body", fit_limbs=True)
    frames: int = 600
    """at most this many frames of the reference are kept, those with the most different poses"""
    candidates: int = 40
    """reference frames considered for each driving frame"""
    swing: float = 0.5
    """weight of a limb's swing beside its change of length, when frames are chosen"""
    jump: float = 2.0
    """pixels of a 256 frame, mean over limbs: the price of going on with a frame filmed at another time; 0 = chosen
    one by one"""
    fade: int = 2
    """frames before and after a jump over which both frames are mixed"""
    softness: float = 0.5
    """of the blending between neighbouring limbs' transforms, in thicknesses of the limbs"""
    reach: float = 1.8
    """thicknesses from a limb beyond which nothing of it is shown"""
    layers: bool = True
    """cut trunk, arms and legs apart before warping; without, an arm drags along what is behind it"""

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % GRID:
            raise ValueError(f"size must be a multiple of {GRID} of at least 32 pixels, not {self.size}")
        for name, least in (("frames", 1), ("candidates", 1), ("fade", 0), ("jump", 0), ("swing", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}")
        for name in ("softness", "reach"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")


def paper() -> Config:
    """256x256. There is no paper, and all presets but the smallest are the same."""
    return Config()


def fast() -> Config:
    """256x256."""
    return Config()


def preview() -> Config:
    """128x128."""
    return Config(size=128)


def train(session: Session) -> Trained:
    """Gathers the reference's frames.

    Raises:
        TrainingError: nobody is in any frame.
    """
    return gathered(session, session.config.frames)


def contents(config: Config) -> tuple[ArraySpec, ArraySpec]:
    """Weights and statistics that an actor of this recipe holds."""
    return WEIGHTS, STATISTICS


# -- Generation ----------------------------------------------------------------------------------------------------


class WarpPlayer:
    """Warps the chosen reference frames, with their mattes. They are chosen along the whole dance.

    Raises:
        ActorError: the frames in `weights` cannot be decoded.
    """

    latency: int | None = None
    needs: tuple[Need, ...] = ("poses",)

    def __init__(self, config: Config, weights: Arrays):
        self.config, self.weights = config, weights
        self.kept = kept_poses(weights, config.size)

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        """See `Player.play`: `(S, S, 4)`, cut out. Where no part of the body is seen: nobody."""
        config, pose = self.config, pose_of(moments, self.config.size)
        path = chosen_frames(config, pose, self.kept, self.weights["moment"])
        wardrobe = Wardrobe(config, self.kept, kept_pictures(self.weights, config.size, path))
        wanted, seen = with_made_up_points(pose.xy, pose.confidence)
        for moment in range(len(pose)):
            shown = np.zeros((config.size, config.size, 4), np.float32)
            for frame, share in mixture(path, moment, config.fade).items():
                shown += share * wardrobe.dressed(frame, wanted[moment], parts_seen(seen[moment]))
            yield np.asarray(shown + 0.5, np.uint8)


def player(config: Config, weights: Arrays, statistics: Arrays, device: Device = "auto") -> WarpPlayer:
    """Plays a `Trained`, on the processor whatever `device` says."""
    return WarpPlayer(config, weights)


def chosen_frames(config: Config, pose: Pose, kept: Pose, filmed_at: npt.NDArray[Any]) -> Frames:
    """(T,) which kept frame is warped for every pose."""
    limbs, kept_limbs = descriptor(pose), descriptor(kept)
    candidates, distances = [], []
    for start in range(0, len(pose), FRAMES_AT_ONCE):
        block = slice(start, start + FRAMES_AT_ONCE)
        distance = warp_distances(Descriptor(limbs.displacement[block], limbs.seen[block]), kept_limbs, config.swing)
        candidates.append(nearest_candidates(distance, config.candidates if config.jump else 1))
        distances.append(np.take_along_axis(distance, candidates[-1], axis=1))
    if not candidates:
        return np.zeros(0, np.intp)

    def price(before: Frames, after: Frames) -> npt.NDArray[np.floating[Any]]:
        apart = np.abs(filmed_at[before][:, None] - filmed_at[after])
        return np.where(apart <= NEIGHBOURS, 0.0, config.jump)

    return cheapest_path(np.concatenate(candidates), np.concatenate(distances), price)


def mixture(path: Frames, moment: int, fade: int) -> dict[int, float]:
    """Which frames are mixed at a moment, with their shares: those of the path around it, nearer ones more."""
    shares: Counter[int] = Counter()
    for offset in range(-fade, fade + 1):
        if 0 <= moment + offset < len(path):
            shares[int(path[moment + offset])] += fade + 1 - abs(offset)
    total = sum(shares.values())
    return {frame: share / total for frame, share in shares.items()}


class Wardrobe:
    """The reference's frames, cut when they are first needed, and put on poses."""

    def __init__(self, config: Config, kept: Pose, pictures: dict[int, Image]) -> None:
        self.config, self.pictures = config, pictures
        self.points, self.seen = with_made_up_points(kept.xy, kept.confidence)
        some = list(pictures)[:: max(1, len(pictures) // MEASURED)]
        self.thickness = thicknesses([(pictures[frame], self.points[frame]) for frame in some], config.size)
        self.grid = picture_grid(config.size, GRID)
        self._cut: OrderedDict[int, list[Layer]] = OrderedDict()

    def dressed(self, frame: int, wanted: Floats, usable: npt.NDArray[np.bool_]) -> Floats:
        """(S, S, 4) premultiplied, 0-255: a reference frame warped into a pose (139, 2), of which parts are usable."""
        size = self.config.size
        usable = usable & parts_seen(self.seen[frame])
        shown = np.zeros((size, size, 4), np.float32)
        transforms = part_transforms(wanted, self.points[frame], size)
        near = distances_to_parts(wanted, self.grid) / self.thickness[:, None, None]
        for parts, picture in self._layers(frame):
            present = tuple(part for part in parts if usable[part])
            if not present:
                continue
            within = soft(self.config.reach - near[list(present)].min(axis=0))
            box = _box(within)
            if box is None:
                continue
            coarse, fine = box
            places = blended_places(
                self.grid[coarse], near[:, coarse[0], coarse[1]], transforms, present, self.config.softness
            )
            side = (fine[1].stop - fine[1].start, fine[0].stop - fine[0].start)
            places, within = (cv2.resize(values, side) for values in (places, within[coarse]))
            layer = cv2.remap(picture, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
            layer = layer * within[..., None]
            shown[fine] *= 1 - layer[..., 3:] * np.float32(1 / 255)
            shown[fine] += layer
        return shown

    def _layers(self, frame: int) -> list[Layer]:
        if frame not in self._cut:
            picture = self.pictures[frame]
            seen = parts_seen(self.seen[frame])
            self._cut[frame] = (
                cut(picture, self.points[frame], seen, self.thickness) if self.config.layers else whole(picture)
            )
            if len(self._cut) > CUT_AT_ONCE:
                self._cut.popitem(last=False)
        self._cut.move_to_end(frame)
        return self._cut[frame]


def _box(within: Floats) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Rows and columns of the grid, and of the picture, that hold all that is not 0; None if nothing does."""
    left, top, width, height = cv2.boundingRect((within > 1 / 512).astype(np.uint8))
    if not width:
        return None
    coarse = slice(top, top + height), slice(left, left + width)
    fine = slice(GRID * top, GRID * (top + height)), slice(GRID * left, GRID * (left + width))
    return coarse, fine


RECIPE = Recipe(
    title="Limb warp (no training)",
    paper="",
    config=Config,
    presets={"instant": fast, "preview": preview, "fast": fast, "paper": paper},
    train=train,
    contents=contents,
    player=player,
    variants={
        "one by one": lambda config: replace(config, jump=0.0),
        "no layers": lambda config: replace(config, layers=False),
    },
    learns=False,
)
