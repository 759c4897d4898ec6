"""The time line of a detection as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from understudy.base.files import atomic_file
from understudy.pictures.typefaces import families

if TYPE_CHECKING:
    from understudy.forensics.verdict import Detection

REAL, UNSURE, GENERATED = "#4c78a8", "0.65", "#d1495b"
COLOURS = {"real": REAL, "unsure": UNSURE, "generated": GENERATED}


def write_time_line(found: Detection, path: Path) -> None:
    """A PNG: the probability of every second as a bar, the video's as a line.

    Raises:
        UnderstudyError: it cannot be written.
    """
    from matplotlib.figure import Figure

    from understudy.forensics.verdict import SURE, percent, verdict_of

    seconds = [second for second in found.time_line if second.probability is not None]
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.add_subplot()
    starts = [second.start for second in seconds]
    widths = [min(1.0, max(found.seconds - start, 0.05)) for start in starts]
    heights = [second.probability or 0.0 for second in seconds]
    colours = [UNSURE if found.unknowable else COLOURS[verdict_of(height)] for height in heights]
    gap = 0.1 if len(seconds) <= 90 else 0
    axes.bar(starts, heights, [width - gap * width for width in widths], align="edge", color=colours)
    axes.axhline(found.probability, color="black", linewidth=1.2)
    axes.text(found.seconds, found.probability, f" whole video\n {percent(found.probability)}", va="center", fontsize=8)
    for bound in (SURE, 1 - SURE):
        axes.axhline(bound, color="0.4", linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_ylim(0, 1)
    axes.set_xlim(0, max(found.seconds, 0.1))
    axes.set_yticks([0, 1 - SURE, 0.5, SURE, 1], ["real", "20 %", "50 %", "80 %", "generated"], fontsize=8)
    axes.tick_params(labelsize=8)
    axes.set_xlabel("seconds", fontsize=9)
    name, typefaces = families(str(found.video))
    title = f"{name}: probability of having been generated"
    axes.set_title(title, fontsize=9, loc="left", fontfamily=typefaces, parse_math=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png")
