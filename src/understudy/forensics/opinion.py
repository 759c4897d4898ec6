"""What the detector thinks of a video without marks, for `verify`: an opinion, and where it has none, why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from understudy.base.sandbox import Place
from understudy.errors import UnderstudyError
from understudy.forensics.detect import Judge
from understudy.forensics.verdict import percent

Says = Literal["generated", "real", "unsure", "unknown"]
WORDS: dict[Says, str] = {
    "generated": "looks generated",
    "real": "no sign of having been generated, which is not the same as real",
    "unsure": "cannot tell",
    "unknown": "cannot know",
}


@dataclass(frozen=True)
class Opinion:
    """Of one file. No proof of anything."""

    says: Says
    why: str | None = None
    """it cannot know; what it says all the same is in `probability`"""
    probability: float | None = None
    """that the video was generated, if half of all videos were"""
    trained_on: str | None = None
    trust: tuple[str, ...] = ()
    """what was measured of the detector, a sentence each"""

    def __str__(self) -> str:
        if self.why is not None:
            return f"{WORDS[self.says]} ({self.why})"
        more = "" if self.probability is None else f" (probability of generated: {percent(self.probability)})"
        return WORDS[self.says] + more


OF_PICTURES = Opinion("unknown", "it compares frames of a video, and these are pictures")


def opinion_of(video: Path, where: Place, judge: Judge) -> Opinion:
    """What the detector thinks; whatever keeps it from that is told in `why`.

    Args:
        where: the video is decoded.
    """
    try:
        found = judge.judged(video, where)
    except (UnderstudyError, OSError) as error:
        return Opinion("unknown", str(error))
    return Opinion(
        says="unknown" if found.unknowable else _said(found.verdict),
        why=found.unknowable,
        probability=found.probability,
        trained_on=found.trained_on,
        trust=found.trust,
    )


def _said(verdict: str) -> Says:
    return "generated" if verdict == "generated" else "real" if verdict == "real" else "unsure"
