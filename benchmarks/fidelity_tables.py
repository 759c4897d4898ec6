"""The tables of benchmarks/fidelity.py, as docs/results.md shows them, and its numbers as the JSON holds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from understudy.evaluation.intervals import block_of, ratio_interval
from understudy.evaluation.results import Evaluation, Summary, Test


def table(tests: Sequence[Test], region: str = "person") -> str:
    """Markdown: RMSE of every test and method with its interval, the temporal error, and ratios to ours."""
    lines = []
    for test in tests:
        lines += [f"\n**{test.name}** ({test.frames} frames of {test.size}x{test.size})\n"]
        lines += ["| method | RMSE | 95 % | SSIM | temporal error | ours / this |", "|---|---|---|---|---|---|"]
        ours = next((m for m in test.methods if m.name == "performance-cloning"), None)
        for method in test.methods:
            error, like, unsteady = (method.measures[name].regions[region] for name in ("rmse", "ssim", "temporal"))
            ratio = _ratio(ours, method, region, test) if ours and ours is not method else None
            lines.append(
                f"| {method.title} | {_n(error.mean, 1)} | {_n(error.low, 1)} to {_n(error.high, 1)} "
                f"| {_n(like.mean, 3)} | {_n(unsteady.mean, 2)} | {_interval(ratio)} |"
            )
    return "\n".join(lines)


def across_people(tests: Sequence[Test], kind: str, measure: str = "rmse", digits: int = 1) -> str:
    """Markdown in the form of the paper's Table 1: a row a method, a column a person, their mean, ours over it."""
    chosen = [test for test in tests if test.name.startswith(f"{kind} of person-") and "," not in test.name]
    if not chosen:
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


def _ratio(ours: Any, other: Any, region: str, test: Test) -> Summary:
    mine, theirs = (method.measures["rmse"].per_frame[region] for method in (ours, other))
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
