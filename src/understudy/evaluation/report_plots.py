"""The plots of a report. Lines differ in dash and marker as well as in colour, and carry their names at their ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from understudy.pictures.pages import plain, stretches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]

# Okabe and Ito's colours, darkest where they are thin: told apart with every kind of colour vision
STYLES: tuple[dict[str, Any], ...] = (
    {"color": "#000000", "linestyle": "-", "marker": "o"},
    {"color": "#0072b2", "linestyle": (0, (5, 2)), "marker": "s"},
    {"color": "#d55e00", "linestyle": (0, (1, 1.2)), "marker": "^"},
    {"color": "#009e73", "linestyle": (0, (6, 2, 1, 2)), "marker": "D"},
    {"color": "#aa4499", "linestyle": (0, (3, 1.5)), "marker": "v"},
    {"color": "#8a6d00", "linestyle": (0, (8, 2)), "marker": "P"},
    {"color": "#56789a", "linestyle": (0, (2, 1, 2, 3)), "marker": "X"},
    {"color": "#777777", "linestyle": (0, (4, 1, 1, 1, 1, 1)), "marker": "*"},
)
WIDTH = 5.4
"""inches, names at the ends of lines included: the lettering is still legible on a phone"""


def over_time(
    errors: Mapping[str, Sequence[float]], fps: float, unit: str, marks: Mapping[int, str] | None = None
) -> Figure:
    """A line for each method, the first one (ours) thick.

    Args:
        errors: by the method's title, one value a frame; NaN leaves a gap.
        fps: frames per second.
        unit: what is shown, written above.
        marks: by frame, a word above a thin line there, such as "worst".
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(0.72 * WIDTH, 2.7))
    axes = figure.add_subplot()
    ends: list[tuple[str, float, dict[str, Any]]] = []
    for number, (title, values) in enumerate(errors.items()):
        style = STYLES[number % len(STYLES)]
        first = stretches(len(values))
        shown = _means(np.asarray(values, float), first)
        width = 2.0 if number == 0 else 1.2
        every = max(1, len(first) // 9)
        axes.plot(
            first / fps, shown, linewidth=width, markersize=4, markevery=(number * every // 8 % every, every), **style
        )
        known = shown[np.isfinite(shown)]
        if len(known):
            ends.append((title, float(known[-max(1, len(known) // 20) :].mean()), style))
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    for frame, word in (marks or {}).items():
        axes.axvline(frame / fps, color="0.35", linewidth=0.8, linestyle=(0, (2, 2)))
        axes.annotate(
            f"{word} {frame}",
            (frame / fps, 1),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=8,
        )
    _name_ends(axes, ends)
    axes.set_xlabel("seconds", fontsize=9)
    axes.set_title(unit, fontsize=9, loc="left", pad=16 if marks else 6, parse_math=False)
    plain(axes)
    return figure


def scatter(distance: Sequence[float], errors: Mapping[str, Sequence[float]], unit: str) -> Figure:
    """A plot for each method: a dot a frame, distance against error, each with its own height.

    Args:
        distance: pose-to-sequence distance of each frame.
        errors: by the method's title, one value a frame.
        unit: of the error.
    """
    from matplotlib.figure import Figure

    across = min(2, len(errors))
    down = -(-len(errors) // across)
    figure = Figure(figsize=(WIDTH, 1.9 * down + 0.4 if across > 1 else 3), layout="constrained")
    grid = figure.subplots(down, across, sharex=True, squeeze=False)
    x = np.asarray(distance, float)
    for axes, (title, values) in zip(grid.flat, errors.items(), strict=False):
        length = min(len(x), len(values))
        axes.scatter(x[:length], np.asarray(values, float)[:length], s=9, alpha=0.45, color="black", linewidths=0)
        axes.set_title(title, fontsize=9, loc="left", parse_math=False)
        axes.set_ylim(bottom=0)
        plain(axes)
    for axes in grid.flat[len(errors) :]:
        axes.set_visible(False)
    figure.supxlabel("distance from the reference (eq. 8), pixels of 256", fontsize=9)
    figure.supylabel(unit, fontsize=9, parse_math=False)
    return figure


def _means(values: FloatArray, first: npt.NDArray[np.intp]) -> FloatArray:
    """Mean of each stretch over the frames that have a value; NaN where none has."""
    known = np.isfinite(values)
    total = np.add.reduceat(np.where(known, values, 0), first)
    count = np.add.reduceat(known.astype(float), first)
    with np.errstate(invalid="ignore"):
        means: FloatArray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return means


def _name_ends(axes: Any, ends: Sequence[tuple[str, float, dict[str, Any]]]) -> None:
    """Writes each line's name to the right of its end, with its dash and marker, moved apart where they would touch."""
    bottom, top = axes.get_ylim()
    gap = 0.085
    ordered = sorted(ends, key=lambda end: end[1])
    heights = [(height - bottom) / (top - bottom) for _, height, _ in ordered]
    for index in range(1, len(heights)):
        heights[index] = max(heights[index], heights[index - 1] + gap)
    ceiling = 1.0
    for index in reversed(range(len(heights))):
        heights[index] = min(heights[index], ceiling)
        ceiling = heights[index] - gap
    for (title, _, style), height in zip(ordered, heights, strict=True):
        axes.plot(
            [1.02, 1.06, 1.1],
            [height] * 3,
            transform=axes.transAxes,
            clip_on=False,
            markersize=4,
            markevery=[1],
            linewidth=1.4,
            **style,
        )
        axes.text(1.12, height, title, transform=axes.transAxes, va="center", fontsize=8, parse_math=False)
