"""What damaged poses do to clones, in numbers: tables, the record, and a plot of error against dose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.base.files import atomic_file
from understudy.evaluation.intervals import block_of, mean_interval, ratio_interval
from understudy.evaluation.pose_damage import dropped, jittered, stretched, swapped
from understudy.evaluation.report_plots import STYLES
from understudy.evaluation.results import Summary
from understudy.poses.pose import Pose

MEASURES = {"rmse": ("RMSE", 1), "temporal": ("temporal error", 2)}
"""what is measured on the person's box: its name and digits"""
ALL = "all"
"""in place of a damage's name: the mean over every damage and every dose above 0"""

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Damage:
    """A way of making poses worse, and the doses in which it is given."""

    name: str
    title: str
    unit: str
    inflict: Callable[[Pose, float, np.random.Generator], Pose]
    doses: tuple[float, ...]


DAMAGES = (
    Damage("dropped", "Joints lost", "share of joints and frames", dropped, (0.1, 0.2, 0.4)),
    Damage("jittered", "Joints misplaced", "deviation, share of the torso", jittered, (0.02, 0.05, 0.1)),
    Damage("swapped", "Left and right swapped", "share of frames", swapped, (0.1, 0.25, 0.5)),
    Damage("stretched", "Limbs stretched or shrunk", "factor beyond 1", stretched, (0.1, 0.2, 0.4)),
)


@dataclass(frozen=True)
class Played:
    """One clip that a recipe made of damaged poses, with its error in every frame."""

    person: str
    recipe: str
    title: str
    damage: str
    """"" where the poses are as they were tracked"""
    dose: float
    fps: str
    errors: dict[str, list[float | None]]
    """by measure, see `MEASURES`"""
    clip: str
    """relative to the work folder"""


@dataclass(frozen=True)
class Row:
    """A recipe at one dose of one damage."""

    recipe: str
    title: str
    damage: str
    dose: float
    error: dict[str, Summary]
    """by measure"""
    degradation: dict[str, Summary]
    """error less that of the same frames with undamaged poses"""
    times: dict[str, Summary]
    """error over that of the same frames with undamaged poses"""
    beyond: dict[str, Summary]
    """degradation less that of the recipe all are held against; empty where that was not played"""
    people: dict[str, dict[str, float | None]]
    """by person, then measure: the error's mean"""


def rows_of(played: Sequence[Played], against: str) -> list[Row]:
    """A row for every recipe, damage and dose, in the order of `played`; means are over the frames of all people."""
    recipes = {one.recipe: one.title for one in played}
    given = list(dict.fromkeys((one.damage, one.dose) for one in played))
    block = block_of(Fraction(played[0].fps))
    rows = []
    for recipe, title in recipes.items():
        for damage, dose in [*given, (ALL, 0.0)] if len(given) > 1 else given:
            error, degradation, times, beyond = {}, {}, {}, {}
            for measure in MEASURES:
                mine, clean = (_frames(played, recipe, measure, *at) for at in ((damage, dose), ("", 0.0)))
                error[measure] = mean_interval(mine, block)
                degradation[measure] = mean_interval(mine - clean, block)
                times[measure] = ratio_interval(mine, clean, block)
                if against in recipes and recipe != against:
                    theirs, their_clean = (_frames(played, against, measure, *at) for at in ((damage, dose), ("", 0.0)))
                    beyond[measure] = mean_interval((mine - clean) - (theirs - their_clean), block)
            people = _people(played, recipe, damage, dose)
            rows.append(Row(recipe, title, damage, dose, error, degradation, times, beyond, people))
    return rows


def _frames(played: Sequence[Played], recipe: str, measure: str, damage: str, dose: float) -> Doubles:
    """(frames of all people,) one after another, nan where there is no value."""
    if damage == ALL:
        worse = list(dict.fromkeys((one.damage, one.dose) for one in played if one.damage))
        return np.mean([_frames(played, recipe, measure, *at) for at in worse], axis=0)
    found = [one for one in played if (one.recipe, one.damage, one.dose) == (recipe, damage, dose)]
    return np.concatenate([np.array(one.errors[measure], np.float64) for one in found])


def _people(played: Sequence[Played], recipe: str, damage: str, dose: float) -> dict[str, dict[str, float | None]]:
    return {
        person: {
            measure: mean_interval(_frames(own, recipe, measure, damage, dose), block_of(Fraction(own[0].fps))).mean
            for measure in MEASURES
        }
        for person in dict.fromkeys(one.person for one in played)
        for own in [[one for one in played if one.person == person]]
    }


def record(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """As JSON holds it."""
    return [asdict(row) for row in rows]


def tables(rows: Sequence[Row], against: str) -> str:
    """Markdown: for each damage and measure the error at every dose, and what it is above that of undamaged poses."""
    recipes = {row.recipe: row.title for row in rows}
    lines = []
    for damage in DAMAGES:
        doses = sorted({row.dose for row in rows if row.damage == damage.name})
        for measure, (title, _) in MEASURES.items() if doses else ():
            lines += [f"\n**{damage.title}** ({damage.unit}): {title}, and its degradation with 95 % interval\n"]
            lines += _head(["method", "0", *(f"{dose:g}" for dose in doses)])
            for recipe in recipes:
                clean = _row(rows, recipe, "", 0.0).error[measure]
                cells = [_n(clean.mean, measure)]
                for dose in doses:
                    row = _row(rows, recipe, damage.name, dose)
                    cells.append(
                        f"{_n(row.error[measure].mean, measure)}, {_signed(row.degradation[measure], measure)}"
                    )
                lines.append(_line([recipes[recipe], *cells]))
    if any(row.damage == ALL for row in rows):
        lines += [*_overall(rows, recipes), *_beyond(rows, recipes, against)]
    return "\n".join(lines)


def _overall(rows: Sequence[Row], recipes: dict[str, str]) -> list[str]:
    lines = ["\n**All damages**: mean over every damage and dose, less and over that undamaged, with 95 % intervals\n"]
    columns = ("{}, undamaged", "degradation", "times")
    lines += _head(["method", *(column.format(title) for title, _ in MEASURES.values() for column in columns)])
    for recipe, title in recipes.items():
        clean, row = _row(rows, recipe, "", 0.0), _row(rows, recipe, ALL, 0.0)
        cells = []
        for measure in MEASURES:
            cells += [_n(clean.error[measure].mean, measure), _signed(row.degradation[measure], measure)]
            cells.append(_times(row.times[measure]))
        lines.append(_line([title, *cells]))
    return lines


def _beyond(rows: Sequence[Row], recipes: dict[str, str], against: str) -> list[str]:
    if against not in recipes or len(recipes) < 2:
        return []
    lines = []
    for measure, (title, _) in MEASURES.items():
        lines += [f"\n**Degradation in {title} less that of {recipes[against]}** (above 0: that one degrades less)\n"]
        lines += _head(["damage", "dose", *(title for recipe, title in recipes.items() if recipe != against)])
        for at in dict.fromkeys((row.damage, row.dose) for row in rows if row.damage):
            found = [_row(rows, recipe, *at).beyond[measure] for recipe in recipes if recipe != against]
            damage, dose = _titled(*at)
            lines.append(_line([damage, dose, *(_signed(one, measure) for one in found)]))
    return lines


def _titled(damage: str, dose: float) -> tuple[str, str]:
    if damage == ALL:
        return "all", ""
    return next(one.title for one in DAMAGES if one.name == damage), f"{dose:g}"


def _row(rows: Sequence[Row], recipe: str, damage: str, dose: float) -> Row:
    return next(row for row in rows if (row.recipe, row.damage, row.dose) == (recipe, damage, dose))


def _head(cells: Sequence[str]) -> list[str]:
    return [_line(cells), "|---" * len(cells) + "|"]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _n(value: float | None, measure: str) -> str:
    return "n/a" if value is None else f"{value:.{MEASURES[measure][1]}f}"


def _signed(summary: Summary, measure: str) -> str:
    digits = MEASURES[measure][1]
    if summary.mean is None:
        return "n/a"
    if summary.low is None or summary.high is None:
        return f"{summary.mean:+.{digits}f}"
    return f"{summary.mean:+.{digits}f} ({summary.low:+.{digits}f} to {summary.high:+.{digits}f})"


def _times(ratio: Summary) -> str:
    if ratio.mean is None:
        return "n/a"
    return f"{ratio.mean:.2f}" + (f" ({ratio.low:.2f} to {ratio.high:.2f})" if ratio.low is not None else "")


def plot(rows: Sequence[Row], output: Path) -> None:
    """Error against dose, a panel for each measure and damage; lines differ in dash and marker as well as in colour."""
    from matplotlib.figure import Figure

    recipes = {row.recipe: row.title for row in rows}
    damages = [damage for damage in DAMAGES if any(row.damage == damage.name for row in rows)]
    figure = Figure(figsize=(2.6 * len(damages) + 0.4, 5.6), layout="constrained")
    panels = figure.subplots(len(MEASURES), len(damages), sharey="row", sharex="col", squeeze=False)
    for measure, across in zip(MEASURES, panels, strict=True):
        for damage, axes in zip(damages, across, strict=True):
            doses = [0.0, *sorted({row.dose for row in rows if row.damage == damage.name})]
            for number, (recipe, title) in enumerate(recipes.items()):
                found = [_row(rows, recipe, damage.name if dose else "", dose) for dose in doses]
                _draw(axes, doses, [row.error[measure] for row in found], number, len(recipes), title)
            axes.set_xticks(doses, [f"{dose:g}" for dose in doses])
            axes.tick_params(labelsize=9)
            axes.grid(axis="y", color="0.88", linewidth=0.6)
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
        across[0].set_ylim(bottom=0)  # shared: only when all is drawn
        across[0].set_ylabel(f"{MEASURES[measure][0]}, person's box", fontsize=10)
    for damage, axes in zip(damages, panels[0], strict=True):
        axes.set_title(damage.title, fontsize=10, loc="left")
    for damage, axes in zip(damages, panels[-1], strict=True):
        axes.set_xlabel(damage.unit, fontsize=9)
    handles, titles = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, titles, loc="outside lower center", ncols=min(3, len(titles)), fontsize=9, frameon=False,
                  handlelength=4)  # fmt: skip
    with atomic_file(output) as temporary:
        figure.savefig(temporary, format="png", dpi=160)


def _draw(axes: Any, doses: Sequence[float], found: Sequence[Summary], number: int, of: int, title: str) -> None:
    style = STYLES[number % len(STYLES)]
    means = [np.nan if one.mean is None else one.mean for one in found]
    aside = (number - (of - 1) / 2) * 0.012 * max(doses)  # or the intervals would stand on each other
    x = [dose + aside for dose in doses]
    axes.plot(x, means, linewidth=1.5, markersize=5, label=title, **style)
    for place, one in zip(x, found, strict=True):
        if one.low is not None and one.high is not None:
            axes.vlines(place, one.low, one.high, color=style["color"], linewidth=0.9)
