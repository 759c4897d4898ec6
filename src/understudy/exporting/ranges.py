"""What an actor's networks are given when it dances: the pictures that ranges of 8-bit integers are learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from understudy.actor import Actor
from understudy.errors import UsageError
from understudy.performance import Performance
from understudy.performing.perform import driving_frames, part_for, played_part
from understudy.recipes.parts.cut import Cut
from understudy.recipes.parts.player import moments

Given = npt.NDArray[np.float32]
RUNS, LONG = 6, 8
"""stretches of a dance that are looked at, evenly spread, and moments in each: networks may see several"""
FEWEST = 6
"""pictures, below which ranges say nothing"""
MOST_BYTES = 2**30
"""of what is kept for one network; of larger ones fewer moments are"""


def inputs_of(actor: Actor, cuts: Sequence[Cut], driving: Performance) -> list[list[Given]]:
    """For each of an actor's networks, what it is given in some stretches of a dance.

    The actor is played, and what goes into its networks is kept: so each gets what it gets in a performance, of other
    networks before it and of the moment before, too.

    Args:
        cuts: the actor's.

    Returns:
        For each cut, arrays `(1, C, H, W)` float32.

    Raises:
        UsageError: one of them is hardly ever asked, as the face's where no face is seen.
    """
    player = actor.player("cpu")
    part = played_part(part_for(actor, driving), player)
    frames = driving_frames(actor, driving) if "frames" in player.needs else None
    wanted = {*_stretches(len(part), max(map(_bytes, cuts)))}
    shown = [moment for at, moment in enumerate(moments(part.in_window, frames)) if at in wanted]
    kept: list[list[Given]] = [[] for _ in cuts]

    def keep(module: nn.Module, given: tuple[Any, ...]) -> None:
        for cut, some in zip(cuts, kept, strict=True):
            if type(module) is type(cut.played or cut.network) and (values := _as_one(given, cut)) is not None:
                some.extend(values[:, None])

    handle = register_module_forward_pre_hook(keep)
    try:
        for _ in player.play(shown, batch=1):
            pass
    finally:
        handle.remove()
    for cut, some in zip(cuts, kept, strict=True):
        if len(some) < FEWEST:
            raise UsageError(
                f"`int8`: in this dance the network {cut.name or 'main'!r} is given {len(some)} pictures, and its "
                f"ranges take {FEWEST}; give a performance of the person that the actor shows, or a longer one"
            )
    return kept


def _stretches(length: int, largest: int) -> list[int]:
    """Which moments of a dance: RUNS stretches of LONG, fewer where one takes many bytes; a short dance whole."""
    long = min(LONG, max(2, MOST_BYTES // (RUNS * largest)))
    if length <= RUNS * long:
        return list(range(length))
    starts = np.linspace(0, length - long, RUNS).round().astype(int).tolist()
    return [start + at for start in starts for at in range(long)]


def _bytes(cut: Cut) -> int:
    return 4 * len(cut.given) * cut.size_hw[0] * cut.size_hw[1]


def _as_one(given: tuple[Any, ...], cut: Cut) -> Given | None:
    """What a network is given, `(B, C, H, W)`, if that is what the cut is given."""
    if not all(isinstance(one, torch.Tensor) and one.ndim == 4 for one in given):
        return None
    values = torch.cat([one.float() for one in given], 1)
    return values.numpy().copy() if values.shape[1:] == (len(cut.given), *cut.size_hw) else None
