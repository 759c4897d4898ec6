"""Tables 1 and 5 of Human Motion Transfer from Poses in the Wild, with its numbers beside those of made-up people."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.evaluation.intervals import block_of, mean_interval
from understudy.evaluation.results import Summary, Test

PAPER_LADDER = {
    "PL-Stage1": (0.9611, 8.0105),
    "PL-Stage1-DA": (0.9633, 7.1197),
    "PL-Stage1-DA-F": (0.9651, 6.5701),
    "PL-Stage2": (0.9655, 6.2046),
    "PL-UL-Stage2": (0.9666, 5.9453),
}
"""its table 5: SSIM and FID of each rung"""
ROOM, SEGMENTED, ALONE = "with background", "segmented afterwards", "foreground first"
PAPER_FOREGROUND = {
    ("everybody-dance-now", ROOM): (0.838, 0.050),
    ("poses-in-the-wild", ROOM): (0.948, 0.027),
    ("poses-in-the-wild", SEGMENTED): (0.959, 0.031),
    ("poses-in-the-wild", ALONE): (0.976, 0.015),
}
"""its table 1: SSIM and LPIPS of each recipe and way"""
OTHER_DATA = "paper's (its own data set)"

Doubles = npt.NDArray[np.float64]


def ladder_rows(tests: Sequence[Test]) -> list[dict[str, Any]]:
    """A row a rung over all people, with what changed from the rung before, frame by frame.

    Args:
        tests: of one kind, one a person, each with the rungs in their order.
    """
    block = block_of(Fraction(tests[0].fps))
    rows: list[dict[str, Any]] = []
    for number, method in enumerate(tests[0].methods):
        row: dict[str, Any] = {
            "rung": method.title,
            "steps": [test.methods[number].training.get("steps") for test in tests],
            "seconds": [test.methods[number].training.get("seconds") for test in tests],
            "paper": PAPER_LADDER.get(method.title),
            "frame": {}, "person": {}, "change": {},
        }  # fmt: skip
        for measure in ("ssim", "rmse", "temporal"):
            for region in ("frame", "person"):
                row[region][measure] = mean_interval(_frames(tests, number, measure, region), block)
            if number:
                mine, before = (_frames(tests, n, measure, "person") for n in (number, number - 1))
                row["change"][measure] = mean_interval(mine - before, block)
        row["fid"] = _mean_of_whole(tests, number, "fid", "person")
        rows.append(row)
    return rows


def ladder_table(kind: str, rows: Sequence[dict[str, Any]]) -> str:
    """Markdown in the form of the paper's table 5."""
    lines = [f"\n**The ladder, {kind}**, person's box; changes are from the rung before, with 95 % intervals\n"]
    lines += _head(
        [
            "",
            "SSIM",
            "change",
            "temporal error",
            "change",
            "RMSE",
            "SSIM, frame",
            "FID",
            "steps",
            f"{OTHER_DATA} SSIM",
            "paper's FID",
        ]
    )
    for row in rows:
        person, change, paper = row["person"], row["change"], row["paper"] or (None, None)
        cells = [row["rung"], _n(person["ssim"].mean, 4), _change(change.get("ssim"), 4)]
        cells += [_n(person["temporal"].mean, 3), _change(change.get("temporal"), 3), _n(person["rmse"].mean, 2)]
        cells.append(_n(row["frame"]["ssim"].mean, 4))
        cells += [_n(row["fid"], 2), ", ".join(str(one) for one in row["steps"]), _n(paper[0], 4), _n(paper[1], 2)]
        lines.append(_line(cells))
    return "\n".join(lines)


def foreground_rows(tests: Sequence[Test]) -> list[dict[str, Any]]:
    """A row for each recipe and way, over the people for whom it could be had."""
    block = block_of(Fraction(tests[0].fps))
    rows = []
    for name, title in {method.name: method.title for test in tests for method in test.methods}.items():
        having = [_alone(test, name) for test in tests if any(method.name == name for method in test.methods)]
        recipe, _, way = name.partition(", ")
        row: dict[str, Any] = {"method": title, "people": len(having), "paper": PAPER_FOREGROUND.get((recipe, way))}
        for region in ("frame", "person"):
            row[region] = {
                measure: mean_interval(_frames(having, 0, measure, region), block)
                for measure in ("ssim", "rmse", "temporal")
            }
            row[region]["lpips"] = Summary(_mean_of_whole(having, 0, "lpips", region), None, None)
        rows.append(row)
    return rows


def _alone(test: Test, name: str) -> Test:
    return dataclasses.replace(test, methods=[method for method in test.methods if method.name == name])


def foreground_table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown in the form of the paper's table 1."""
    lines = ["\n**Background or foreground** (self-reenactment; whole frame, then person's box)\n"]
    lines += _head(
        ["", "SSIM", "SSIM, person", "RMSE", "RMSE, person", "temporal error, person", "LPIPS",
         f"{OTHER_DATA} SSIM", "paper's LPIPS"]
    )  # fmt: skip
    people = max(row["people"] for row in rows)
    for row in rows:
        frame, person, paper = row["frame"], row["person"], row["paper"] or (None, None)
        cells = [f"{row['method']} ({row['people']} of {people} people)" if row["people"] < people else row["method"]]
        for measure, digits in (("ssim", 3), ("rmse", 1)):
            cells += [_with_interval(frame[measure], digits), _with_interval(person[measure], digits)]
        cells += [_n(person["temporal"].mean, 2), _n(frame["lpips"].mean, 3), _n(paper[0], 3), _n(paper[1], 3)]
        lines.append(_line(cells))
    return "\n".join(lines)


def name_of(recipe: str, way: str) -> str:
    """A method's name, from which the table knows its recipe and way again."""
    return f"{recipe}, {way}"


def _frames(tests: Sequence[Test], number: int, measure: str, region: str) -> Doubles:
    """(frames of all tests,) one after another, nan where there is no value."""
    columns = []
    for test in tests:
        column = test.methods[number].measures[measure].per_frame.get(region, [None] * test.frames)
        columns.append(np.array(column, np.float64))
    return np.concatenate(columns)


def _mean_of_whole(tests: Sequence[Test], number: int, measure: str, region: str) -> float | None:
    found = [test.methods[number].measures[measure].regions[region].mean for test in tests]
    known = [one for one in found if one is not None]
    return sum(known) / len(known) if len(known) == len(found) else None


def _head(cells: Sequence[str]) -> list[str]:
    return [_line(cells), "|---" * len(cells) + "|"]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _n(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"


def _change(change: Summary | None, digits: int) -> str:
    if change is None or change.mean is None:
        return ""
    shown = f"{change.mean:+.{digits}f}"
    if change.low is None or change.high is None:
        return shown
    return f"{shown} ({change.low:+.{digits}f} to {change.high:+.{digits}f})"


def _with_interval(one: Summary, digits: int) -> str:
    if one.mean is None or one.low is None or one.high is None:
        return _n(one.mean, digits)
    return f"{one.mean:.{digits}f} ({one.low:.{digits}f} to {one.high:.{digits}f})"
