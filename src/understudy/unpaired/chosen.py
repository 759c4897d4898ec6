"""What an actor learns from besides its reference: whole performances of other people, or their poses alone."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.performance import Performance
    from understudy.unpaired.pool import PoseSequence

Others = Literal["clips", "poses"]
"""of other people: whole performances (with motion, flow, frames), or their poses alone"""
Unpaired: TypeAlias = "str | os.PathLike[str] | Performance | PoseSequence"
"""What `train` takes as unpaired: a name (see `gathering.gather`), or what has been read already."""

log = logging.getLogger(__name__)


def chosen_unpaired(recipe: str, learns_from: Others | None, given: Sequence[Unpaired]) -> list[Unpaired]:
    """What was given, checked before hours of work; where nothing was and poses are enough, made-up dances.

    Args:
        recipe: its name, for messages.
        learns_from: what of other people it learns from, see `Recipe.learns_from`.
        given: names or clips.

    Raises:
        UsageError: a name of nothing, or poses alone for a recipe that needs more or learns from nobody else.
    """
    from understudy.unpaired.gathering import CHOREOGRAPHY, DANCES, clips_in, poses_alone

    names = [one for one in given if isinstance(one, (str, os.PathLike))]
    if learns_from == "poses":
        for name in names:
            clips_in(name)
        if given:
            return list(given)
        log.info(
            "no `unpaired` is given: motion is learnt from %d made-up dances (%s:%d)", DANCES, CHOREOGRAPHY, DANCES
        )
        return [CHOREOGRAPHY]
    for name in names:
        if poses_alone(name):
            learns = "the reference, not" if learns_from is None else "videos and performances, not"
            raise UsageError(
                f"`unpaired` {name}: {recipe} learns from {learns} from poses alone, which "
                "`recipe='poses-in-the-wild'` takes"
            )
    return list(given)


def read_unpaired(
    learns_from: Others | None, chosen: Sequence[Unpaired], **options: Any
) -> list[Performance | PoseSequence]:
    """The clips of `chosen_unpaired`, in an order that depends on nothing else: what was read already comes first.

    Args:
        learns_from: what of other people the recipe learns from, see `Recipe.learns_from`.
        chosen: names or clips.
        **options: of `driver_of`, for recipes that need performances.

    Raises:
        UnderstudyError: as `driver_of` and `gather`.
    """
    names = [one for one in chosen if isinstance(one, (str, os.PathLike))]
    if learns_from == "poses":
        from understudy.unpaired.gathering import gather

        there = [one for one in chosen if not isinstance(one, (str, os.PathLike))]
        return [*there, *(gather(names, known=there) if names else [])]
    from understudy.synthetic.drivers import driver_of

    return [driver_of(one, **options) for one in chosen]  # type: ignore[arg-type]
