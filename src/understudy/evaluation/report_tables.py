"""The numbers of a report, laid out as tables: what stands in which cell, and which cell of a row is best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from understudy.evaluation.results import Evaluation, Measure, Method, Summary, Test

OURS = "performance-cloning"
BASELINES = ("nearest-neighbour", "cyclegan", "pix2pix", "limb-warp")
"""in the order of the paper's table; limb-warp is not in it"""
PAPER_METHODS = ("nearest-neighbour", "cyclegan", "pix2pix", OURS)
PAPER_ERRORS = {
    "actor 1": (26.4, 28.4, 20.8, 15.4),
    "actor 2": (29.4, 27.2, 24.8, 16.9),
    "actor 3": (28.4, 32.9, 19.9, 16.3),
}
"""Aberman et al. 2018, Table 1"""
PAPER_RATIOS = {"nearest-neighbour": 0.58, "pix2pix": 0.75, "paired-only": 0.93}
"""ours over the other: means of Table 1; of the paired branch alone (17.5, with both 16.2) from section 5.2"""
MAIN_FIGURES = (("rmse", "frame"), ("rmse", "person"), ("mse", "frame"), ("mse", "person"))
"""what the report turns on: the first of these that was measured"""


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
    summary: bool = False
    """a mean of the rows above"""


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
    """All methods of the tests: the paper's baselines in its order, other baselines, ours, then the rest."""
    titles: dict[str, str] = {}
    for test in tests:
        for method in test.methods:
            titles.setdefault(method.name, method.title)
    ours = ours_of(tests)
    first = [name for name in (*BASELINES, ours) if name in titles and (name != ours or name not in BASELINES)]
    first += [name for name in titles if name == ours and name not in first]
    return [Column(name, titles[name], aside=name not in first) for name in dict.fromkeys([*first, *titles])]


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


def ratio(tests: Sequence[Test], ours: str, other: str, figure: Figure) -> float | None:
    """Mean of ours over the mean of the other's, over all tests."""
    mine, theirs = mean_of(tests, ours, figure), mean_of(tests, other, figure)
    return mine / theirs if mine is not None and theirs else None


def finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def measure_of(tests: Sequence[Test], name: str) -> Measure | None:
    """The first of that name, for its title and its direction."""
    return next((method.measures[name] for test in tests for method in test.methods if name in method.measures), None)


def arrow(measure: Measure) -> str:
    return "↓ lower is better" if measure.lower_is_better else "↑ higher is better"


def comparison(tests: Sequence[Test], columns: Sequence[Column], figure: Figure, notes: Notes) -> list[Row]:
    """A row for each test and, of several, their mean: methods as columns, as in the paper's table."""
    measure = measure_of(tests, figure.measure)
    lower = measure is None or measure.lower_is_better
    rows = []
    for test in tests:
        summaries = [summary_of(test, column.name, figure) for column in columns]
        rows.append(Row(test.name, cells(summaries, lower, notes)))
    if len(tests) > 1:
        means = [mean_of(tests, column.name, figure) for column in columns]
        rows.append(Row("mean", cells([Summary(mean, None, None) for mean in means], lower, notes), summary=True))
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
        rows = [
            Row(
                region,
                cells(
                    [summary_of(test, column.name, Figure(name, region)) for column in columns],
                    measure.lower_is_better,
                    notes,
                ),
            )
            for region in regions
        ]
        groups.append(Group(measure.title, arrow(measure), rows))
    return groups


def paper_table() -> list[Row]:
    """Table 1 of Aberman et al. 2018, with the mean of its rows."""
    rows = [Row(actor, _plain_cells(values)) for actor, values in PAPER_ERRORS.items()]
    means = [sum(column) / len(column) for column in zip(*PAPER_ERRORS.values(), strict=True)]
    return [*rows, Row("mean", _plain_cells(means), summary=True)]


def ratios(
    kinds: Mapping[str, Sequence[Test]], columns: Sequence[Column], figures: Sequence[Figure]
) -> list[tuple[str, list[Row]]]:
    """Ours over each other method, for each figure: a cell for each kind of test, and the paper's ratio last."""
    ours = ours_of([test for tests in kinds.values() for test in tests])
    found = []
    for figure in figures:
        rows = []
        for column in columns:
            values = [ratio(tests, ours, column.name, figure) for tests in kinds.values()]
            if column.name == ours or all(value is None for value in values):
                continue
            paper = PAPER_RATIOS.get(column.name) if ours == OURS else None
            shown = [Cell("n/a" if value is None else f"{value:.2f}") for value in values]
            rows.append(Row(column.title, [*shown, Cell(NOTHING if paper is None else f"{paper:.2f}")]))
        if rows:
            found.append((figure_words(figure), rows))
    return found


def figure_words(figure: Figure) -> str:
    """ "SSIM (face)": a measure and its region, within a sentence or a table's head."""
    name = figure.measure.replace("_", " ")
    known = name.upper() if len(name) <= 5 else name
    return f"{known} ({figure.region})"


def number(value: float, like: float | None = None) -> str:
    """Three or so figures; as many decimals as suit `like`, so that a row's numbers line up."""
    size = abs(value if like is None else like)
    decimals = 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 0.995 else 3
    text = f"{value:.{decimals}f}"
    return text.replace("-", MINUS)


def cells(summaries: Sequence[Summary | None], lower_is_better: bool | None, notes: Notes) -> list[Cell]:
    """A row's cells; the best is marked unless `lower_is_better` is None."""
    values = [finite(summary.mean) if summary else None for summary in summaries]
    known = [value for value in values if value is not None]
    best = (min(known) if lower_is_better else max(known)) if known else None
    like = max(map(abs, known), default=None)
    cells = []
    for summary, value in zip(summaries, values, strict=True):
        if summary is None:
            cells.append(Cell(NOTHING))
        elif value is None:
            cells.append(Cell("n/a", note=notes.number(summary.note)))
        else:
            # A method alone in its row beats nobody
            won = value == best and len(known) > 1 and lower_is_better is not None
            cells.append(Cell(number(value, like), _interval(summary, like), won, notes.number(summary.note)))
    return cells


def _interval(summary: Summary, like: float | None) -> str:
    low, high = finite(summary.low), finite(summary.high)
    return "" if low is None or high is None else f"{number(low, like)} to {number(high, like)}"


def _plain_cells(values: Sequence[float]) -> list[Cell]:
    return [Cell(f"{value:.1f}", best=value == min(values)) for value in values]
