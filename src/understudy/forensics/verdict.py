"""What a detection says: verdict, probability, time line, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.texts import shortened, shown

SURE = 0.8
"""from this probability on (or one minus it) a video or a second is called one or the other"""
SIGNS = {"real": ".", "unsure": "?", "generated": "#", "nobody": " "}
LINE_SECONDS = 60
MARKS_MISLEAD = "It has learnt from films without marks, and an invisible mark makes people look more filmed to it."


@dataclass(frozen=True)
class Second:
    """One second of the time line."""

    start: float
    """seconds into the video"""
    mean_log_odds: float | None
    """of its pairs; above 0 = generated; None where nobody is seen"""
    probability: float | None
    """that this part was generated, by itself"""


@dataclass(frozen=True)
class Detection:
    """What `detect` found."""

    video: str
    """file name"""
    verdict: str
    """"generated", "real" or "unsure": by `probability`, 80 % one way or the other"""
    probability: float
    """that the video was generated, if half of all videos were; see `Calibration`"""
    sum_of_log_odds: float
    """of the pairs: the paper's product of probabilities; its sign is the paper's decision"""
    pairs: int
    """that were judged"""
    seconds: float
    rate: float
    """frames a second"""
    person_found: float
    """share of the looks in which a person was seen, and some of the room; only those count"""
    unknowable: str | None
    """why nothing can be known of it, if so; then the verdict is "unsure\""""
    time_line: tuple[Second, ...]
    trained_on: str
    trust: tuple[str, ...]
    marked: tuple[str, ...] = ()
    """marks that say that it was generated, whatever the detector sees; the verdict is "generated" then"""

    def __str__(self) -> str:
        says = {
            "generated": "looks generated",
            "real": "no sign of having been generated",
            "unsure": "cannot tell",
        }[verdict_of(self.probability)]
        if self.unknowable is None:
            seen = f"{says} (probability of generated: {percent(self.probability)})"
        else:
            seen = f"cannot know ({self.unknowable})"
        lines = [f"{self.video}: {seen}"]
        if self.marked:
            lines = [f"{self.video}: generated, as its marks say: {', '.join(self.marked)}; see `understudy verify`"]
            lines += [f"What the detector sees without them: {seen}. {MARKS_MISLEAD}"]
        if self.unknowable is None:
            lines += ["", *drawn_time_line(self.time_line)]
        lines += ["", f"The detector: {in_a_line(self.trained_on)}", "How far to trust it:"]
        return "\n".join([*lines, *(f"- {in_a_line(sentence)}" for sentence in self.trust)])


def verdict_of(probability: float | None) -> str:
    """ "generated", "real", "unsure", or "nobody" where there is no probability."""
    if probability is None:
        return "nobody"
    return "generated" if probability >= SURE else "real" if probability <= 1 - SURE else "unsure"


def in_a_line(text: str) -> str:
    """What a detector's file says, which may be anybody's, fit for a terminal."""
    return shown(shortened(text))


def percent(probability: float) -> str:
    """Without claiming more than was measured: 0.969 is 97 %."""
    return f"{100 * probability:.0f} %"


def drawn_time_line(time_line: tuple[Second, ...]) -> list[str]:
    """A sign a second, a line a minute."""
    lines = ["second by second (. real, ? cannot tell, # generated, blank: nobody):"]
    signs = "".join(SIGNS[verdict_of(second.probability)] for second in time_line)
    for start in range(0, len(signs), LINE_SECONDS):
        lines.append(f"  {start // 60}:{start % 60:02d}  {signs[start : start + LINE_SECONDS]}")
    return lines
