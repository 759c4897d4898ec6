"""The tables of benchmarks/fidelity.py, as docs/results.md shows them, and its numbers as the JSON holds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from understudy.evaluation.intervals import block_of, ratio_interval
from understudy.evaluation.results import Evaluation, Method, Summary, Test

COLUMNS = {
    "perceptual": ("perceptual distance", 3),
    "sharpness": ("sharpness", 2),
    "torn": ("torn, holes", 2),
    "joint_distance": ("joints, pixels", 1),
    "pck": ("joints found", 2),
    "temporal": ("temporal error", 2),
    "ssim": ("SSIM", 3),
    "rmse": ("RMSE", 1),
}
"""what a table shows, with its decimals; what leads, if it was measured, stands first"""


def table(tests: Sequence[Test], region: str = "person") -> str:
    """Markdown: a row a method; what leads with its interval and its ratio to ours, then the rest of `COLUMNS`.

    Results of versions that had no perceptual distance are led by RMSE.
    """
    lines = []
    for test in tests:
        lead = leading(test, region)
        rest = [name for name in COLUMNS if name != lead and any(_mean(one, name, region) for one in test.methods)]
        title, digits = COLUMNS[lead]
        lines += [f"\n**{test.name}** ({test.frames} frames of {test.size}x{test.size})\n"]
        heads = ["method", title, "95 %", *(COLUMNS[name][0] for name in rest), "ours / this"]
        lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        ours = next((m for m in test.methods if m.name == "performance-cloning"), None)
        for method in test.methods:
            error = method.measures[lead].regions[region]
            ratio = _ratio(ours, method, lead, region, test) if ours and ours is not method else None
            others = [_n(_mean(method, name, region), COLUMNS[name][1]) for name in rest]
            interval = f"{_n(error.low, digits)} to {_n(error.high, digits)}"
            cells = [method.title, _n(error.mean, digits), interval, *others, _interval(ratio)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def leading(test: Test, region: str = "person") -> str:
    """The measure that a test's table turns on: perceptual distance, where every method has it, else RMSE."""
    return "perceptual" if all(_mean(one, "perceptual", region) is not None for one in test.methods) else "rmse"


def _mean(method: Method, measure: str, region: str) -> float | None:
    """None where it was not measured, as in results of older versions."""
    found = method.measures.get(measure)
    return found.regions[region].mean if found and region in found.regions else None


def across_people(tests: Sequence[Test], kind: str, measure: str = "rmse", digits: int = 1) -> str:
    """Markdown in the form of the paper's Table 1: a row a method, a column a person, their mean, ours over it."""
    chosen = [test for test in tests if test.name.startswith(f"{kind} of person-") and "," not in test.name]
    if not chosen or any(_mean(one, measure, "person") is None for test in chosen for one in test.methods):
        return ""
    people = [test.name.removeprefix(f"{kind} of ") for test in chosen]
    lines = [f"\n**{kind}, {measure}**\n", f"| method | {' | '.join(people)} | mean | ours / this |"]
    lines.append("|---" * (len(people) + 3) + "|")
    means: dict[str, float] = {}
    for number, method in enumerate(chosen[0].methods):
        found = [test.methods[number].measures[measure].regions["person"] for test in chosen]
        assert all(test.methods[number].name == method.name for test in chosen)
        means[method.name] = sum(summary.mean or 0.0 for summary in found) / len(found)
        cells = [f"{_n(one.mean, digits)} ({_n(one.low, digits)} to {_n(one.high, digits)})" for one in found]
        ratio = means["performance-cloning"] / means[method.name]
        lines.append(f"| {method.title} | {' | '.join(cells)} | {means[method.name]:.{digits}f} | {ratio:.2f} |")
    return "\n".join(lines)


def _ratio(ours: Method, other: Method, measure: str, region: str, test: Test) -> Summary:
    mine, theirs = (method.measures[measure].per_frame[region] for method in (ours, other))
    return ratio_interval(mine, theirs, block_of(Fraction(test.fps)))


def _interval(ratio: Summary | None) -> str:
    return "" if ratio is None else f"{_n(ratio.mean, 2)} ({_n(ratio.low, 2)} to {_n(ratio.high, 2)})"


def _n(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"


def compact(evaluation: Evaluation) -> Any:
    """Without the figures of every frame, which the work folder keeps."""
    content = dataclasses.asdict(evaluation)
    for test in content["tests"]:
        if test["coverage"]:
            test["coverage"] = {key: test["coverage"][key] for key in ("gamma", "share_of_frames", "correlations")}
        for method in test["methods"]:
            for measure in method["measures"].values():
                del measure["per_frame"]
    return content
