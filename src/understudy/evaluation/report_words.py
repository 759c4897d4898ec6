"""What a report says in sentences, computed from its numbers: also when the answer is not a flattering one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from understudy.evaluation.report_tables import (
    OURS,
    PAPER_RATIOS,
    Figure,
    columns_of,
    errors_of,
    figure_words,
    finite,
    mean_of,
    measure_of,
    method_of,
    number,
    ours_of,
    summary_of,
)
from understudy.evaluation.results import Coverage, Evaluation, Summary, Test

SELF, CROSS, REST = "Self-reenactment", "Cross-identity", "Other tests"
MEASURES = {
    "rmse": "how far a colour typically is from the true one, in steps of 0 to 255.",
    "mse": "the same before the square root, the name that the paper gives its figure.",
    "psnr": "the same on a logarithmic scale, in decibels.",
    "ssim": "likeness of local structure; 1 is identical.",
    "lpips": "difference as a trained network sees it, nearer to a viewer's judgement; 0 is identical.",
    "fid": "how far the frames as a set are from the true ones; it says nothing about single frames.",
    "temporal": "flicker: change between frames that the motion does not explain, against that of the real clip.",
    "joint_distance": "the tracker run again on the result: how far its joints are from the true ones.",
    "pck": "the tracker run again on the result: the share of joints that are where they should be.",
}
"""in a viewer's words, by the measure's name"""


def kinds_of(tests: Sequence[Test]) -> dict[str, list[Test]]:
    """Tests by kind, self-reenactment first."""
    kinds: dict[str, list[Test]] = {SELF: [], CROSS: [], REST: []}
    for test in tests:
        name = test.name.lower()
        kinds[SELF if name.startswith("self") else CROSS if name.startswith("cross") else REST].append(test)
    return {kind: found for kind, found in kinds.items() if found}


def answer(evaluation: Evaluation, figure: Figure | None) -> list[str]:
    """The answer to "how good is it?", a paragraph for each kind of test."""
    if figure is None:
        return ["Nothing could be measured; the notes under the tables say why."]
    ours = ours_of(evaluation.tests)
    paragraphs = [_paragraph(kind, tests, ours, figure) for kind, tests in kinds_of(evaluation.tests).items()]
    if _random_features(evaluation.tests, ours):
        paragraphs.append("The perceptual loss compared random instead of ImageNet features.")
    return paragraphs


@dataclass(frozen=True)
class _Contest:
    """Ours against the others, by one figure over some tests."""

    tests: Sequence[Test]
    ours: str
    figure: Figure

    @property
    def titles(self) -> dict[str, str]:
        return {column.name: column.title for column in columns_of(self.tests)}

    @property
    def mine(self) -> float | None:
        return mean_of(self.tests, self.ours, self.figure)

    @property
    def lower_is_better(self) -> bool:
        measure = measure_of(self.tests, self.figure.measure)
        return measure is None or measure.lower_is_better

    @property
    def rivals(self) -> dict[str, float]:
        """The others' values, best first."""
        found = {name: mean_of(self.tests, name, self.figure) for name in self.titles if name != self.ours}
        known = {name: value for name, value in found.items() if value is not None}
        return dict(sorted(known.items(), key=lambda item: item[1], reverse=not self.lower_is_better))

    def share_of_frames(self, rival: str) -> float | None:
        """Of the frames where both have a value, how many ours is better in."""
        wins, compared = 0, 0
        for test in self.tests:
            mine, theirs = errors_of(test, self.ours, self.figure), errors_of(test, rival, self.figure)
            pairs = [(a, b) for a, b in zip(mine, theirs, strict=False) if a == a and b == b]  # nan is not itself
            wins += sum(a < b if self.lower_is_better else a > b for a, b in pairs)
            compared += len(pairs)
        return wins / compared if compared else None


def _paragraph(kind: str, tests: Sequence[Test], ours: str, figure: Figure) -> str:
    contest = _Contest(tests, ours, figure)
    mine = contest.mine
    if mine is None:
        return f"{kind}: {contest.titles.get(ours, ours)} was not measured in every test, so there is no answer."
    sentences = [_level(kind, contest, mine)]
    if contest.lower_is_better:
        sentences.append(_ratios(kind, contest, mine))
    if contest.rivals:
        sentences += [_standing(contest, mine), _other_measures(tests, ours, figure)]
    return " ".join(filter(None, sentences))


def _level(kind: str, contest: _Contest, mine: float) -> str:
    tests, figure = contest.tests, contest.figure
    frames = sum(test.frames for test in tests)
    clips = f"{frames} frames" if len(tests) == 1 else f"{frames} frames of {len(tests)} clips"
    unit = "of 255 colour steps" if figure.measure == "rmse" else f"({figure.measure.upper()})"
    summary = summary_of(tests[0], contest.ours, figure) if len(tests) == 1 else None
    interval = interval_words(summary, mine) if summary else ""
    verb = "is off by" if contest.lower_is_better else "reaches"
    title = contest.titles[contest.ours]
    return f"{kind} ({clips}): {title} {verb} {number(mine)} {unit}{interval}, over the {figure.region}."


def _ratios(kind: str, contest: _Contest, mine: float) -> str:
    parts = []
    for name in ("nearest-neighbour", "pix2pix"):
        if theirs := contest.rivals.get(name):
            paper = f" (paper, on its own data: {PAPER_RATIOS[name]:.2f})"
            known = contest.ours == OURS and kind == SELF
            parts.append(f"{mine / theirs:.2f} of the error of {contest.titles[name]}{paper if known else ''}")
    return f"That is {' and '.join(parts)}." if parts else ""


def _standing(contest: _Contest, mine: float) -> str:
    rival, theirs = next(iter(contest.rivals.items()))
    title = contest.titles[rival]
    share = contest.share_of_frames(rival)
    frames = "" if share is None else f", and is the better of the two in {100 * share:.0f} % of the frames"
    lowest = "lowest error" if contest.lower_is_better else "highest score"
    if mine == theirs:
        return f"It shares the {lowest} with {title}{frames}."
    if mine < theirs if contest.lower_is_better else mine > theirs:
        of = "both" if len(contest.rivals) == 1 else f"all {len(contest.rivals) + 1} methods"
        return f"It has the {lowest} of {of}, before {title} with {number(theirs, mine)}{frames}."
    behind = f" ({abs(mine / theirs - 1) * 100:.0f} % behind)" if theirs else ""
    return f"It does not win: {title} has the {lowest}, {number(theirs, mine)}{behind}. Ours{_instead(share)}."


def _instead(share: float | None) -> str:
    return (
        " is behind on the whole"
        if share is None
        else f" is the better of the two in {100 * share:.0f} % of the frames"
    )


def _other_measures(tests: Sequence[Test], ours: str, figure: Figure) -> str:
    """By which of the other measures and regions somebody else is best."""
    lost: dict[str, list[str]] = {}
    compared = 0
    for other in _figures(tests):
        contest = _Contest(tests, ours, other)
        mine, rivals = contest.mine, contest.rivals
        if other == figure or mine is None or not rivals:
            continue
        compared += 1
        name, theirs = next(iter(rivals.items()))
        if theirs < mine if contest.lower_is_better else theirs > mine:
            lost.setdefault(contest.titles[name], []).append(figure_words(other))
    if not compared:
        return ""
    if not lost:
        return f"By the {compared} other measures nobody is better." if compared > 1 else ""
    winners = "; ".join(f"{title} by {_listed(figures)}" for title, figures in lost.items())
    return f"Of the {compared} other measures {sum(map(len, lost.values()))} put another first: {winners}."


def _figures(tests: Sequence[Test]) -> list[Figure]:
    measures = [
        (name, measure) for test in tests for method in test.methods for name, measure in method.measures.items()
    ]
    return list(dict.fromkeys(Figure(name, region) for name, measure in measures for region in measure.regions))


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def interval_words(summary: Summary, like: float) -> str:
    """ " (95 % interval 7.9 to 8.4)", or nothing where it is unknown."""
    low, high = finite(summary.low), finite(summary.high)
    return "" if low is None or high is None else f" (95 % interval {number(low, like)} to {number(high, like)})"


def _random_features(tests: Sequence[Test], ours: str) -> bool:
    methods = [method_of(test, ours) for test in tests]
    return any(method is not None and method.training.get("features") == "random" for method in methods)


def prediction(coverage: Coverage, ours: str, title: str) -> str:
    """Did the distance to the reference tell the error beforehand?"""
    found = coverage.correlations.get(ours, {})
    known = {what: summary for what, summary in found.items() if finite(summary.mean) is not None}
    if not known:
        why = "; ".join(dict.fromkeys(summary.note for summary in found.values() if summary.note))
        return f"It could not be computed{f': {why}' if why else ''}."
    what, summary = next(iter(known.items()))
    rho = summary.mean or 0.0
    low, high = finite(summary.low), finite(summary.high)
    if low is None or high is None:
        verdict = "There is no interval, so this is a hint and no more"
    elif low > 0:
        verdict = "Yes: frames farther from the reference have larger errors"
    elif high < 0:
        verdict = "No, the opposite: frames farther from the reference have smaller errors"
    else:
        verdict = "Not in this test: the interval includes zero"
    strength = "weak" if abs(rho) < 0.3 else "moderate" if abs(rho) < 0.6 else "strong"
    return (
        f"{verdict}. For {title}, {what}: Spearman's rho is {number(rho, 0.5)}{interval_words(summary, 0.5)}, "
        f"a {strength} relation."
    )
