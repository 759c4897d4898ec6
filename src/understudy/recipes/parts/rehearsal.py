"""A reference played from its own other frames, where the truth is known: what a refining network learns from.

The kept frames are cut into blocks of time. Each block drives once, dressed in frames of the other blocks alone, with a
gap between, so that the truth is never among what it is to be made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from understudy.base.progress import progress_bar
from understudy.conditioning.limb_warps import PARTS
from understudy.poses.pose import Pose
from understudy.recipes.parts.dressing import Dressing, Warping, dressings
from understudy.recipes.parts.kept_frames import KeptPictures, kept_poses
from understudy.recipes.parts.person_alone import PersonAlone
from understudy.recipes.parts.source_choice import chosen_frames
from understudy.recipes.parts.trained import Arrays

STEP_APART = 3
"""frames of the reference that two moments of a pair may lie apart"""


class Rehearsing(Warping, Protocol):
    """What a config says of rehearsing."""

    @property
    def gap(self) -> int:
        """frames of the reference that lie at least between a moment and what it is dressed in"""


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """M moments in pairs: 2i and 2i + 1 follow each other, or are the same where nothing follows."""

    sources: npt.NDArray[np.uint8]
    """(M, K, N, N, 4) premultiplied"""
    filmed: npt.NDArray[np.uint8]
    """(M, K, N/2, N/2): 255 where it was filmed"""
    logits: npt.NDArray[np.float16]
    """(M, K, N/2, N/2) of the choice by agreement"""
    pose: npt.NDArray[np.uint8]
    """(M, P, N/2, N/2): 255 on the middle lines"""
    truth: npt.NDArray[np.uint8]
    """(M, N, N, 4): RGB and matte"""

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def pairs(self) -> int:
        return len(self) // 2

    def part(self, moments: slice) -> Rehearsal:
        """Some of the moments."""
        return Rehearsal(*(getattr(self, one.name)[moments] for one in fields(self)))

    @classmethod
    def empty(cls, moments: int, sources: int, side: int) -> Rehearsal:
        """Room for moments."""
        half = side // 2
        return cls(
            sources=np.zeros((moments, sources, side, side, 4), np.uint8),
            filmed=np.zeros((moments, sources, half, half), np.uint8),
            logits=np.zeros((moments, sources, half, half), np.float16),
            pose=np.zeros((moments, len(PARTS), half, half), np.uint8),
            truth=np.zeros((moments, side, side, 4), np.uint8),
        )

    def put(self, moment: int, dressing: Dressing, truth: npt.NDArray[np.uint8]) -> None:
        """Sets one moment."""
        self.sources[moment] = dressing.pictures + 0.5
        self.filmed[moment] = 255 * dressing.filmed + 0.5
        self.logits[moment] = np.maximum(dressing.logits, -100)
        self.pose[moment] = 255 * dressing.pose + 0.5
        self.truth[moment] = truth


def blocks_of(
    filmed_at: npt.NDArray[Any], blocks: int, gap: int, least: int
) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """For each block of kept frames: those in it, and those that it may be dressed in, where there are such.

    Args:
        filmed_at: (F,) which frame of the reference each kept one is, rising.
        gap: frames of the reference that lie at least between a block and what it is dressed in.
        least: kept frames to dress a block in; with fewer there is nothing to rehearse.
    """
    found = []
    for own in np.array_split(np.arange(len(filmed_at)), blocks):
        if not len(own):
            continue
        first, last = filmed_at[own[0]], filmed_at[own[-1]]
        others = np.flatnonzero((filmed_at < first - gap) | (filmed_at > last + gap))
        if len(others) >= least:
            found.append((own, others))
    return found


def rehearsed(
    config: Rehearsing,
    weights: Arrays,
    blocks: int,
    moments: int,
    *,
    paired: bool,
    title: str = "rehearsing",
) -> list[Rehearsal]:
    """The rehearsal of each block, at a network's side.

    Args:
        config: its `size` is N.
        weights: the reference's frames, as `kept_frames.keep_frames` makes them.
        blocks: of time.
        moments: at most, over all blocks.
        paired: two consecutive ones each; else every moment stands alone, and fills both places of a pair.
        title: of the bar of progress.

    Raises:
        ActorError: the frames in `weights` cannot be decoded.
    """
    kept, filmed_at = kept_poses(weights, config.size), weights["moment"]
    frames = PersonAlone(config, kept, KeptPictures(weights, config.size, range(len(kept))))
    parted = blocks_of(filmed_at, blocks, config.gap, config.sources)
    found = []
    pairs = max(1, (moments // 2 if paired else moments) // max(1, len(parted)))
    shown_of = [_paired(filmed_at[own], pairs, STEP_APART if paired else 0) for own, _ in parted]
    with progress_bar(title, sum(len(set(shown)) for shown in shown_of)) as advance:
        for (own, others), shown in zip(parted, shown_of, strict=True):
            driving, wardrobe = _some(kept, own), _some(kept, others)
            chosen = chosen_frames(config, driving, wardrobe, filmed_at[others])
            wanted = sorted(set(shown))
            needed = {int(others[frame]): int(frame) for frame in chosen.frames[:, wanted].ravel()}
            pictures = {place: frames[frame] for frame, place in needed.items()}
            rehearsal = Rehearsal.empty(len(shown), config.sources, config.size)
            dressed = dressings(config, wardrobe, pictures, chosen, driving, wanted)
            for moment, dressing in zip(wanted, dressed, strict=True):
                for place in (place for place, one in enumerate(shown) if one == moment):
                    rehearsal.put(place, dressing, frames[int(own[moment])])
                advance()
            found.append(rehearsal)
    return found


def _some(pose: Pose, which: npt.NDArray[np.intp]) -> Pose:
    return Pose(pose.xy[which], pose.confidence[which], pose.size_hw)


def _paired(filmed_at: npt.NDArray[Any], pairs: int, apart: int) -> Sequence[int]:
    """Places of pairs of moments, one after the other, spread evenly; twice the same where the next is farther away."""
    shown: list[int] = []
    for first in np.unique(np.linspace(0, max(0, len(filmed_at) - 2), pairs).astype(int)):
        follows = min(first + 1, len(filmed_at) - 1)
        near = filmed_at[follows] - filmed_at[first] <= apart
        shown += [int(first), int(follows if near else first)]
    return shown
