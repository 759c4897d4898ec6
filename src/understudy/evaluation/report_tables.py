"""The numbers of a report, laid out as tables: what stands in which cell, and which cell of a row is best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from understudy.evaluation.intervals import block_of, ratio_interval
from understudy.evaluation.results import Evaluation, Measure, Method, Summary, Test

OURS = "performance-cloning"
BASELINES = ("nearest-neighbour", "cyclegan", "pix2pix", "limb-warp")
"""in the order of the paper's table; limb-warp is not in it"""
PAPER_TITLES = ("Theirs", "Nearest neighbour", "CycleGAN", "pix2pix")
PAPER_ERRORS = {
    "actor 1": (15.4, 26.4, 28.4, 20.8),
    "actor 2": (16.9, 29.4, 27.2, 24.8),
    "actor 3": (16.3, 28.4, 32.9, 19.9),
}
"""Aberman et al. 2018, Table 1"""
PAPER_RATIOS = {"nearest-neighbour": 0.58, "pix2pix": 0.75, "paired-only": 0.93}
"""ours over the other: means of Table 1; of the paired branch alone (17.5, with both 16.2) from section 5.2"""
PAPER_MEASURES = ("rmse", "mse")
"""to whose ratios those of the paper can be likened"""
MAIN_FIGURES = (("perceptual", "person"), ("rmse", "person"), ("rmse", "frame"), ("mse", "person"), ("mse", "frame"))
"""what the report turns on: the first of these that was measured. A perceptual distance, since by RMSE a blur is nearer
to the truth than a whole person a step aside; in the person's box, since the room is the same in all clips and the more
of it there is, the smaller is the error of a frame"""


WORDS = {
    "temporal": "temporal error",
    "joint_distance": "joint distance",
    "perceptual": "perceptual distance",
    "sharpness": "sharpness",
    "torn": "torn pieces and holes",
}
"""measures that are not named by their initials"""
NOTHING, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Figure:
    """A measure and the region it was taken over."""

    measure: str
    region: str


@dataclass(frozen=True)
class Cell:
    text: str
    interval: str = ""
    best: bool = False
    note: int | None = None
    """number of the footnote"""


@dataclass(frozen=True)
class Row:
    head: str
    cells: list[Cell]
    mean: bool = False
    """of the rows above"""
    missing: str = ""
    """why no cell has a value"""


@dataclass(frozen=True)
class Group:
    """Rows under a common head."""

    head: str
    arrow: str
    rows: list[Row]


@dataclass
class Notes:
    """Footnotes: each text once, numbered in the order of first use."""

    texts: list[str] = field(default_factory=list)

    def number(self, text: str) -> int | None:
        """Its number, from 1; None for no text."""
        if not text:
            return None
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


@dataclass(frozen=True)
class Column:
    name: str
    title: str
    aside: bool
    """neither ours nor a baseline: an ablation, say"""


def columns_of(tests: Sequence[Test]) -> list[Column]:
    """All methods of the tests: ours, so that a phone shows it; the paper's baselines in its order; then the rest."""
    titles: dict[str, str] = {}
    for test in tests:
        for method in test.methods:
            titles.setdefault(method.name, method.title)
    known = [name for name in dict.fromkeys([ours_of(tests), *BASELINES]) if name in titles]
    alike = {title for title in titles.values() if list(titles.values()).count(title) > 1}
    return [
        Column(name, f"{titles[name]} ({name})" if titles[name] in alike else titles[name], aside=name not in known)
        for name in dict.fromkeys([*known, *titles])
    ]


def ours_of(tests: Sequence[Test]) -> str:
    """The method the report is about: performance cloning, else the first that is no baseline, else the first."""
    names = [method.name for test in tests for method in test.methods]
    others = [name for name in names if name not in BASELINES]
    return OURS if OURS in names else next(iter([*others, *names]), "")


def main_figure(evaluation: Evaluation) -> Figure | None:
    """What the report turns on; None where nothing at all was measured."""
    measured = [
        Figure(name, region)
        for test in evaluation.tests
        for method in test.methods
        for name, measure in method.measures.items()
        for region, summary in measure.regions.items()
        if finite(summary.mean) is not None
    ]
    preferred = [Figure(*pair) for pair in MAIN_FIGURES]
    return next((figure for figure in [*preferred, *measured] if figure in measured), None)


def method_of(test: Test, name: str) -> Method | None:
    return next((method for method in test.methods if method.name == name), None)


def summary_of(test: Test, method: str, figure: Figure) -> Summary | None:
    found = method_of(test, method)
    measure = found.measures.get(figure.measure) if found else None
    return measure.regions.get(figure.region) if measure else None


def value_of(test: Test, method: str, figure: Figure) -> float | None:
    summary = summary_of(test, method, figure)
    return finite(summary.mean) if summary else None


def is_measured(tests: Sequence[Test], figure: Figure) -> bool:
    """Whether any method has it in any test."""
    return any(value_of(test, method.name, figure) is not None for test in tests for method in test.methods)


def errors_of(test: Test, method: str, figure: Figure) -> list[float]:
    """One value a frame, NaN where there is none; empty where there are none at all."""
    found = method_of(test, method)
    measure = found.measures.get(figure.measure) if found else None
    values = measure.per_frame.get(figure.region, []) if measure else []
    return [math.nan if finite(value) is None else float(value or 0) for value in values]


def mean_of(tests: Sequence[Test], method: str, figure: Figure) -> float | None:
    """Mean over the tests; None unless every test has it, since a mean of the easy ones would mislead."""
    values = [value_of(test, method, figure) for test in tests]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def ratio(tests: Sequence[Test], ours: str, other: str, figure: Figure) -> Summary | None:
    """Mean of ours over the mean of the other's, over all tests; of a single test with its interval.

    Both are measured on the same frames, so the interval is that of resampling both together.
    """
    mine, theirs = mean_of(tests, ours, figure), mean_of(tests, other, figure)
    if mine is None or not theirs:
        return None
    values, base = errors_of(tests[0], ours, figure), errors_of(tests[0], other, figure)
    if len(tests) > 1 or not values or len(values) != len(base):
        return Summary(mine / theirs, None, None)
    found = ratio_interval(np.array(values), np.array(base), block_of(Fraction(tests[0].fps)))
    return Summary(mine / theirs, found.low, found.high)


def finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def measure_of(tests: Sequence[Test], name: str) -> Measure | None:
    """The first of that name, for its title and its direction."""
    return next((method.measures[name] for test in tests for method in test.methods if name in method.measures), None)


def arrow(measure: Measure) -> str:
    if measure.real is not None:
        return f"{measure.real:g} is like the real clip"
    return "↓ lower is better" if measure.lower_is_better else "↑ higher is better"


def comparison(tests: Sequence[Test], columns: Sequence[Column], figure: Figure, notes: Notes) -> list[Row]:
    """A row for each test and, of several, their mean: methods as columns, as in the paper's table."""
    measure = measure_of(tests, figure.measure)
    rows = []
    for test in tests:
        summaries = [summary_of(test, column.name, figure) for column in columns]
        rows.append(Row(capitalised(test.name), cells(summaries, measure, notes)))
    if len(tests) > 1:
        means = [mean_of(tests, column.name, figure) for column in columns]
        rows.append(Row("mean", cells([Summary(mean, None, None) for mean in means], measure, notes), mean=True))
    return rows


def all_measures(test: Test, columns: Sequence[Column], notes: Notes) -> list[Group]:
    """Every measure of a test, by region."""
    groups = []
    for name in dict.fromkeys(name for method in test.methods for name in method.measures):
        measure = measure_of([test], name)
        assert measure is not None
        regions = dict.fromkeys(
            region for method in test.methods if name in method.measures for region in method.measures[name].regions
        )
        rows = []
        for region in regions:
            summaries = [summary_of(test, column.name, Figure(name, region)) for column in columns]
            rows.append(measured_row(region, summaries, measure, notes))
        if len({row.missing for row in rows}) == 1 and rows[0].missing:
            rows = [Row(", ".join(regions), [], missing=rows[0].missing)]
        groups.append(Group(measure.title, arrow(measure), rows))
    return groups


def measured_row(
    head: str,
    summaries: Sequence[Summary | None],
    measure: Measure | None,
    notes: Notes,
    decimals: int | None = None,
) -> Row:
    """A row of cells, or the one reason why there are none."""
    reasons = {summary.note for summary in summaries if summary and finite(summary.mean) is None}
    if len(reasons) == 1 and all(summary is None or finite(summary.mean) is None for summary in summaries):
        return Row(head, [], missing=reasons.pop() or "not measured")
    return Row(head, cells(summaries, measure, notes, decimals))


def paper_table() -> list[Row]:
    """Table 1 of Aberman et al. 2018, with the mean of its rows."""
    rows = [Row(actor, _plain_cells(values)) for actor, values in PAPER_ERRORS.items()]
    means = [sum(column) / len(column) for column in zip(*PAPER_ERRORS.values(), strict=True)]
    return [*rows, Row("mean", _plain_cells(means), mean=True)]


def ratios(
    kinds: Mapping[str, Sequence[Test]], columns: Sequence[Column], figures: Sequence[Figure]
) -> tuple[list[str], list[Row]]:
    """Ours over each other method: heads and rows; a column for each figure and kind of test, and the paper's last."""
    ours = ours_of([test for tests in kinds.values() for test in tests])
    pairs = [(figure, kind) for figure in figures for kind in kinds if measure_of(kinds[kind], figure.measure)]
    rows = []
    for column in columns:
        found = [ratio(kinds[kind], ours, column.name, figure) for figure, kind in pairs]
        if column.name == ours or not any(found):
            continue
        paper = PAPER_RATIOS.get(column.name) if ours == OURS else None
        shown = cells(found, None, Notes(), decimals=2)
        rows.append(Row(column.title, [*shown, Cell(NOTHING if paper is None else f"{paper:.2f}")]))
    heads = [
        f"{figure_words(figure)}, {kind.lower()}" if len(kinds) > 1 else figure_words(figure) for figure, kind in pairs
    ]
    return heads, rows


def capitalised(name: str) -> str:
    """As a heading, names within it untouched."""
    return name[:1].upper() + name[1:]


def figure_words(figure: Figure) -> str:
    """ "SSIM (face)": a measure and its region, within a sentence or a table's head."""
    known = WORDS.get(figure.measure, figure.measure.upper())
    return f"{known} ({figure.region})"


def number(value: float, like: float | None = None, decimals: int | None = None) -> str:
    """Three or so figures; as many decimals as suit `like`, so that a row's numbers line up."""
    size = abs(value if like is None else like)
    if decimals is None:
        decimals = 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 0.995 else 3
    return f"{value:.{decimals}f}".replace("-", MINUS)


def cells(
    summaries: Sequence[Summary | None], measure: Measure | None, notes: Notes, decimals: int | None = None
) -> list[Cell]:
    """A row's cells; the best is marked, unless `measure` is None."""
    values = [finite(summary.mean) if summary else None for summary in summaries]
    known = [value for value in values if value is not None]
    best = min(known, key=measure.rank) if known and measure else None
    like = max(map(abs, known), default=None)
    row = []
    for summary, value in zip(summaries, values, strict=True):
        if summary is None:
            row.append(Cell(NOTHING))
            continue
        note = notes.number(summary.note)
        if value is None:
            row.append(Cell("n/a", note=note))
            continue
        # A method alone in its row beats nobody
        won = value == best and len(known) > 1
        row.append(Cell(number(value, like, decimals), _interval(summary, like, decimals), won, note))
    return row


def _interval(summary: Summary, like: float | None, decimals: int | None) -> str:
    low, high = finite(summary.low), finite(summary.high)
    if low is None or high is None:
        return ""
    return f"{number(low, like, decimals)} to {number(high, like, decimals)}"


def _plain_cells(values: Sequence[float]) -> list[Cell]:
    return [Cell(f"{value:.1f}", best=value == min(values)) for value in values]
