"""Whether the frames that an actor paints are kept, so that they need not be painted again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.base.folders import cache_folder
from understudy.recipes.parts.remembered import Memory, folder_of

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.performance import Performance


def memory_of(actor: Actor, driving: Performance) -> Memory | None:
    """Where this actor's frames are kept; None where nobody would ask for them again.

    Joints are corrected in performances that users keep somewhere (`performance.fixes`), and hardly in those of the
    cache, which stand for videos. What cannot be said to be somebody's could not be forgotten either.
    """
    cached = driving.path.absolute().is_relative_to(cache_folder().absolute())
    if cached or not actor.reference_sha256:
        return None
    return Memory(folder_of(cache_folder(), actor.reference_sha256))
