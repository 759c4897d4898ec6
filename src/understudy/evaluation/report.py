"""The evaluation's report: one HTML file with its tables, plots, pictures and clips inside."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from understudy.base.progress import progress_bar
from understudy.covering.plots import limb_strips, time_line
from understudy.evaluation import report_tables as tables
from understudy.evaluation import report_words as words
from understudy.evaluation.report_clips import DETAILS, FULL_WHITE, Pictures, choose_frames, pictures_of
from understudy.evaluation.report_plots import over_time, scatter
from understudy.evaluation.report_tables import Column, Figure, Group, Notes, Row
from understudy.evaluation.results import Coverage, Evaluation, Summary, Test
from understudy.pictures.pages import plot_uri, render, write_page
from understudy.poses.pose import DESCRIPTOR_LIMB_NAMES
from understudy.retargeting.pose_metrics import UNIT_FRAME

LARGEST_PAGE = 15_000_000
"""bytes: small enough for an attachment; pictures and clips are made smaller until the page keeps to it"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CoverageSection:
    found: Coverage
    prediction: str
    plots: list[tuple[str, str, str]]
    """data address, text instead of it, caption"""
    columns: list[Column]
    correlations: list[Row]
    notes: Notes


@dataclass(frozen=True)
class TestSection:
    test: Test
    title: str
    rate: str
    """frames a second"""
    columns: list[Column]
    measures: list[Group]
    notes: Notes
    over_time: list[tuple[str, str]]
    """data address, text instead of it"""
    moments: str
    """which frames are worst and best"""
    coverage: CoverageSection | None


def write_report(evaluation: Evaluation, folder: Path, output: Path | None = None) -> Path:
    """Writes the report of an evaluation as one file that needs neither network nor other files.

    Args:
        evaluation: what was found.
        folder: where the clips lie that `evaluation` names.
        output: the HTML file; None: `folder`/index.html. An older one is replaced.

    Returns:
        The file's path.

    Raises:
        MediaError: a clip cannot be read or is shorter than its test.
        UsageError: a clip's path leads out of `folder`.
        UnderstudyError: the file cannot be written.
    """
    output = folder / "index.html" if output is None else output
    main = tables.main_figure(evaluation)
    columns = tables.columns_of(evaluation.tests)
    ours = tables.ours_of(evaluation.tests)
    sections = [_section(test, main, ours) for test in evaluation.tests]
    with progress_bar("writing the report", len(sections), "tests") as advance:
        for coarseness, detail in enumerate(DETAILS):
            pictures: list[Pictures] = []
            for section in sections:
                pictures.append(pictures_of(section.test, section.columns, main, ours, folder, detail))
                advance()
            page = render(
                "evaluation.html",
                **_overview(evaluation, columns, main),
                evaluation=evaluation,
                sections=list(zip(sections, pictures, strict=True)),
                made_smaller=coarseness > 0,
                without_clips=detail.seconds == 0,
                largest_page=LARGEST_PAGE,
                full_white=FULL_WHITE,
            )
            if len(page.encode()) <= LARGEST_PAGE:
                break
        else:
            logger.warning("the report takes %.0f MB even without clips: it holds many tests", len(page) / 1e6)
    write_page(output, page)
    return output


def _overview(evaluation: Evaluation, columns: Sequence[Column], main: Figure | None) -> dict[str, Any]:
    """What stands before and after the tests."""
    kinds = words.kinds_of(evaluation.tests)
    notes = Notes()
    colours = [Figure(name, main.region) for name in tables.PAPER_MEASURES] if main else []
    asked = dict.fromkeys([main, *colours, Figure(main.measure, "frame")]) if main else {}
    figures = [figure for figure in asked if tables.is_measured(evaluation.tests, figure)]
    measure = tables.measure_of(evaluation.tests, main.measure) if main else None
    names = {name for test in evaluation.tests for method in test.methods for name in method.measures}
    return {
        "date": _date(evaluation.made),
        "answer": words.answer(evaluation, main),
        "columns": columns,
        "ours": tables.ours_of(evaluation.tests),
        "unit": UNIT_FRAME,
        "comparisons": _comparisons(evaluation.tests, kinds, columns, main, notes),
        "tests_of_a_kind": any(len(tests) > 1 for tests in kinds.values()),
        "notes": notes,
        "paper_titles": tables.PAPER_TITLES,
        "paper_rows": tables.paper_table(),
        "kinds": list(kinds),
        "ratios": tables.ratios(kinds, columns, figures) if measure and measure.lower_is_better else ([], []),
        "ours_title": next((column.title for column in columns if column.name == tables.ours_of(evaluation.tests)), ""),
        "explained": {
            tables.WORDS.get(name, name.upper()): text for name, text in words.MEASURES.items() if name in names
        },
        "settings": facts(evaluation.settings),
        "machine": facts(evaluation.machine),
        "trainings": [(tables.capitalised(test.name), *_training(test)) for test in evaluation.tests],
    }


def _comparisons(
    tests: Sequence[Test],
    kinds: Mapping[str, Sequence[Test]],
    columns: Sequence[Column],
    main: Figure | None,
    notes: Notes,
) -> list[tuple[str, str, list[tuple[str, list[Row]]]]]:
    """The tables that a reader sees first: title, which way is better, rows by kind. The main figure's, then RMSE's."""
    if main is None:
        return []
    colours = Figure("rmse", main.region)
    shown = [main] if not tables.is_measured(tests, colours) else list(dict.fromkeys([main, colours]))
    found = []
    for figure in shown:
        measure = tables.measure_of(tests, figure.measure)
        assert measure is not None
        rows = [(kind, tables.comparison(some, columns, figure, notes)) for kind, some in kinds.items()]
        found.append((_main_title(measure.title, figure.region), tables.arrow(measure), rows))
    return found


def _main_title(measure: str, region: str) -> str:
    return f"{measure}, whole frame" if region == "frame" else f"{measure}, {region}'s box"


def _date(made: str) -> str:
    """ "2 March 2026, 10:11 UTC" from ISO 8601; anything else as it is."""
    try:
        time = datetime.fromisoformat(made.replace("Z", "+00:00"))
    except ValueError:
        return made
    if time.tzinfo is not None:
        time = time.astimezone(timezone.utc)
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def _section(test: Test, main: Figure | None, ours: str) -> TestSection:
    columns = tables.columns_of([test])
    notes = Notes()
    measures = tables.all_measures(test, columns, notes)
    return TestSection(
        test=test,
        title=tables.capitalised(test.name),
        rate=f"{float(Fraction(test.fps)):.4g}",
        columns=columns,
        measures=measures,
        notes=notes,
        over_time=_over_time(test, columns, main, ours),
        moments=_moments(test, main, ours),
        coverage=_coverage(test, columns, main, ours) if test.coverage else None,
    )


def _over_time(test: Test, columns: Sequence[Column], main: Figure | None, ours: str) -> list[tuple[str, str]]:
    """The main figure and, where it was measured, the flicker."""
    regions = [region for region in ("person", "frame") if tables.errors_of(test, ours, Figure("temporal", region))]
    flicker = Figure("temporal", regions[0]) if regions else None
    plots: list[tuple[str, str]] = []
    for figure in filter(None, dict.fromkeys((main, flicker))):
        errors = _errors(test, columns, figure, ours)
        measure = tables.measure_of([test], figure.measure)
        if not errors or measure is None:
            continue
        chosen = choose_frames(np.asarray(tables.errors_of(test, ours, figure), float), test.frames)
        marks = {frames[0]: word for word, frames in zip(("worst", "best"), chosen.values(), strict=False) if frames}
        title = f"{measure.title}, {figure.region}"
        plot = over_time(errors, float(Fraction(test.fps)), title, marks if figure == main else {})
        plots.append((plot_uri(plot), f"{title} of each method over time in {test.name}"))
    return plots


def _errors(test: Test, columns: Sequence[Column], figure: Figure, ours: str) -> dict[str, list[float]]:
    """Per-frame values by title, ours first; methods without any left out."""
    ordered = sorted(columns, key=lambda column: column.name != ours)
    errors = {column.title: tables.errors_of(test, column.name, figure) for column in ordered}
    return {title: values for title, values in errors.items() if any(map(math.isfinite, values))}


def _moments(test: Test, main: Figure | None, ours: str) -> str:
    errors = np.asarray(tables.errors_of(test, ours, main) if main else [], float)
    worst, best, _ = choose_frames(errors, test.frames).values()
    if not worst:
        return ""
    like = float(np.nanmax(errors))
    listed = [", ".join(f"{frame} ({tables.number(errors[frame], like)})" for frame in some) for some in (worst, best)]
    return f"Worst frames: {listed[0]}. Best frames: {listed[1]}."


def _coverage(test: Test, columns: Sequence[Column], main: Figure | None, ours: str) -> CoverageSection:
    found = test.coverage
    assert found is not None
    fps = Fraction(test.fps)
    distance = _array(found.distance)
    limbs = np.stack([_array(found.limbs.get(name, [None] * len(distance))) for name in DESCRIPTOR_LIMB_NAMES], axis=1)
    plots = []
    if len(distance):
        plots = [
            (
                plot_uri(time_line(distance, limbs, found.gamma, fps)),
                "Distance to the reference over time",
                "How far the driver's limbs are from the nearest ones in the reference.",
            ),
            (
                plot_uri(limb_strips(limbs, found.gamma, fps)),
                "For each limb, when it is covered",
                "Limb by limb: black is beyond the line, grey is covered, white is not seen in one of the two.",
            ),
        ]
    errors = _errors(test, columns, main, ours) if main else {}
    if errors and np.isfinite(distance).any():
        measure = tables.measure_of([test], main.measure) if main else None
        unit = f"{measure.title}, {main.region}" if measure and main else ""
        plots.append(
            (
                plot_uri(scatter(distance.tolist(), errors, unit)),
                "Error of each frame against its distance from the reference",
                "A dot is a frame. If coverage predicts the error, the dots rise to the right.",
            )
        )
    notes = Notes()
    title = next((column.title for column in columns if column.name == ours), ours)
    shown = [column for column in columns if column.name in found.correlations]
    return CoverageSection(
        found, words.prediction(found, ours, title), plots, shown, _correlations(found, shown, notes), notes
    )


def _correlations(found: Coverage, columns: Sequence[Column], notes: Notes) -> list[Row]:
    """Spearman's rho: a row for each pair of things that were correlated, a column for each method."""
    pairs = dict.fromkeys(what for column in columns for what in found.correlations[column.name])
    missing = Summary(None, None, None)
    return [
        tables.measured_row(
            what, [found.correlations[column.name].get(what, missing) for column in columns], None, notes, decimals=2
        )
        for what in pairs
    ]


def _array(values: Sequence[float | None]) -> Any:
    return np.array([math.nan if value is None else value for value in values], np.float32)


def _training(test: Test) -> tuple[list[Column], list[tuple[str, list[str]]]]:
    """What each method's training took: a row for each entry of the records, a column for each method."""
    columns = tables.columns_of([test])
    records = []
    for column in columns:
        method = tables.method_of(test, column.name)
        assert method is not None
        record = dict(facts({key: value for key, value in method.training.items() if key != "peak_memory_mib"}))
        if tables.finite(method.milliseconds_a_frame) is not None:
            record["milliseconds a frame"] = tables.number(method.milliseconds_a_frame or 0)
        if method.peak_memory_mib is not None:
            record["peak memory, MiB"] = str(method.peak_memory_mib)
        records.append(record)
    keys = dict.fromkeys(key for record in records for key in record)
    rows = [(key, [record.get(key, tables.NOTHING) for record in records]) for key in keys]
    return columns, [(key, values) for key, values in rows if set(values) != {tables.NOTHING}]


def facts(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Settings and records as pairs of words, whatever is in them; what is nested becomes "outer: inner"."""
    pairs: list[tuple[str, str]] = []
    for key, value in content.items():
        name = str(key).replace("_", " ")
        if isinstance(value, Mapping):
            pairs += [(f"{name}: {inner}", text) for inner, text in facts(value)]
        else:
            pairs.append((name, _words(value)))
    return pairs


def _words(value: Any) -> str:
    if value is None:
        return tables.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) and abs(value) < 1e4 else f"{value:.0f}"
    if isinstance(value, list | tuple):
        shown = ", ".join(_words(item) for item in value[:8])
        return f"{shown}, ... ({len(value)} in all)" if len(value) > 8 else shown
    return str(value)
