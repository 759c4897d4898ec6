"""What a performance is written with: the driver's rate and sound, and the marks that say how it was made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from understudy.compositing.backgrounds import REFERENCE, Background
from understudy.marks.statement import Performer, Statement
from understudy.media.writing import VideoWriter

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.marks.marking import Marking
    from understudy.marks.signing import Signing
    from understudy.performing.driver import Driver


def writer_for(
    output: Path,
    driver: Driver,
    performers: Sequence[Performer],
    background: Background = REFERENCE,
    *,
    marks: bool = True,
    signing: Signing | None = None,
) -> VideoWriter:
    """See-through if nothing is to stand behind; marked, unless that is not wanted.

    Args:
        background: behind the performers; of a comparison, which shows the driver too, whatever was filmed.
        signing: see `marking_of`.

    Raises:
        UsageError: the key for signing that was named cannot be used.
    """
    from understudy.marks.marking import Unmarked

    return VideoWriter(
        output,
        driver.performance.fps,
        audio_from=driver.sound,
        audio_start=driver.start,
        kind="transparent" if background.transparent else None,
        marking=marking_of(performers, background.filmed, signing) if marks else Unmarked(),
    )


def performer_of(actor: Actor) -> Performer:
    """What the marks say of an actor: the hash is of all that was learnt, names, types, shapes and values."""
    digest = hashlib.sha256()
    learnt = {"weights": actor.weights, "statistics": actor.statistics}
    for kind, arrays in learnt.items():
        for name in sorted(arrays):
            array = np.ascontiguousarray(arrays[name])
            digest.update(f"{kind}/{name} {array.dtype.str} {array.shape}\n".encode())
            digest.update(array.data)
    return Performer(actor.recipe, digest.hexdigest(), actor.consent)


def marking_of(performers: Sequence[Performer], composite: bool, signing: Signing | None = None) -> Marking:
    """The marks of a video in which these perform.

    Args:
        composite: whether what was filmed is in it, too.
        signing: with which key; None: as the environment says, see `marks.signing.signing`.

    Raises:
        UsageError: the key that the environment names cannot be used.
    """
    import understudy
    from understudy.marks import signing as keys
    from understudy.marks.marking import Marking

    shown = tuple(dict.fromkeys(performers))  # nobody twice
    return Marking(Statement(shown, composite, understudy.__version__), signing or keys.signing())
