"""What an actor learns from besides its reference: whole performances of other people, or their poses alone."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.performance import Performance
    from understudy.unpaired.pool import PoseSequence

Unpaired: TypeAlias = "str | os.PathLike[str] | Performance | PoseSequence"
"""What `train` takes as unpaired: a name (see `gathering.gather`), or what has been read already."""

FROM_POSES_ALONE = ("poses-in-the-wild",)
"""recipes that learn from other people's poses; the others need their flow or their frames, which only videos have"""

log = logging.getLogger(__name__)


def chosen_unpaired(recipe: str, config: Any, given: Sequence[Unpaired]) -> list[Unpaired]:
    """What was given, checked before hours of work; where nothing was and poses are enough, made-up dances.

    Args:
        recipe, config: its name and settings.
        given: names or clips.

    Raises:
        UsageError: a name of nothing, or poses alone for a recipe that needs more.
    """
    from understudy.unpaired.gathering import CHOREOGRAPHY, DANCES, clips_in, poses_alone

    names = [one for one in given if isinstance(one, (str, os.PathLike))]
    if recipe in FROM_POSES_ALONE:
        for name in names:
            clips_in(name)
        if given or not config.unpaired:
            return list(given)
        log.info(
            "no `unpaired` is given: motion is learnt from %d made-up dances (%s:%d)", DANCES, CHOREOGRAPHY, DANCES
        )
        return [CHOREOGRAPHY]
    for name in names:
        if poses_alone(name):
            raise UsageError(
                f"`unpaired` {name}: {recipe} learns from videos and performances, not from poses alone, which "
                f"`recipe={FROM_POSES_ALONE[0]!r}` takes"
            )
    return list(given)


def read_unpaired(recipe: str, chosen: Sequence[Unpaired], **options: Any) -> list[Performance | PoseSequence]:
    """The clips of `chosen_unpaired`, in an order that depends on nothing else: what was read already comes first.

    Args:
        recipe: its name.
        chosen: names or clips.
        **options: of `tracked`, for recipes that need performances.

    Raises:
        UnderstudyError: as `tracked` and `gather`.
    """
    names = [one for one in chosen if isinstance(one, (str, os.PathLike))]
    if recipe in FROM_POSES_ALONE:
        from understudy.unpaired.gathering import gather

        there = [one for one in chosen if not isinstance(one, (str, os.PathLike))]
        return [*there, *(gather(names, known=there) if names else [])]
    from understudy.tracking.track import tracked

    return [tracked(one, **options) for one in chosen]  # type: ignore[arg-type]
