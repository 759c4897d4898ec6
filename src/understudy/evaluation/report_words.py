"""What a report says in sentences, computed from its numbers: also when the answer is not a flattering one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from understudy.evaluation.report_tables import (
    OURS,
    PAPER_MEASURES,
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
    ratio,
    summary_of,
)
from understudy.evaluation.results import Coverage, Evaluation, Measure, Summary, Test

GLUE = "\N{NO-BREAK SPACE}"
SELF, CROSS, REST = "Self-reenactment", "Cross-identity", "Other tests"
MEASURES = {
    "perceptual": "difference as a trained network sees it, weighed by where it is largest: blur, ghosts, torn or "
    "missing limbs count, a step aside or a little more light hardly; 0 is identical.",
    "sharpness": "fine detail on the person against the real clip's; 1 is as sharp, less is blurred, more is noise.",
    "torn": "pieces cut off the person, holes and slits in him that the truth has not; a mean over frames.",
    "rmse": "how far a colour typically is from the true one, in steps of 0 to 255.",
    "mse": "the same before the square root, the name that the paper gives its figure.",
    "psnr": "the same on a logarithmic scale, in decibels.",
    "ssim": "likeness of local structure; 1 is identical.",
    "lpips": "difference as a trained network sees it, nearer to a viewer's judgement; 0 is identical.",
    "fid": "how far the frames as a set are from the true ones; it says nothing about single frames.",
    "temporal": "flicker: change between frames that the motion does not explain; the real clip has 1.",
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


@dataclass(frozen=True)
class Paragraph:
    lead: str
    """the answer in one sentence"""
    rest: str


def answer(evaluation: Evaluation, figure: Figure | None) -> list[Paragraph]:
    """The answer to "how good is it?", a paragraph for each kind of test."""
    if figure is None:
        return [Paragraph("Nothing could be measured.", "The notes under the tables say why.")]
    ours = ours_of(evaluation.tests)
    paragraphs = [_paragraph(kind, tests, ours, figure) for kind, tests in kinds_of(evaluation.tests).items()]
    if _random_features(evaluation.tests, ours):
        paragraphs.append(Paragraph("", "The perceptual loss compared random instead of ImageNet features."))
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
        return self.measure is None or (self.measure.real is None and self.measure.lower_is_better)

    @property
    def measure(self) -> Measure | None:
        return measure_of(self.tests, self.figure.measure)

    def better(self, value: float, other: float) -> bool:
        return value < other if self.measure is None else self.measure.rank(value) < self.measure.rank(other)

    @property
    def rivals(self) -> dict[str, float]:
        """The others' values, best first."""
        found = {name: mean_of(self.tests, name, self.figure) for name in self.titles if name != self.ours}
        known = {name: value for name, value in found.items() if value is not None}
        rank = self.measure.rank if self.measure else float
        return dict(sorted(known.items(), key=lambda item: rank(item[1])))

    def ratio(self, rival: str) -> Summary | None:
        return ratio(self.tests, self.ours, rival, self.figure)

    def share_of_frames(self, rival: str) -> float | None:
        """Of the frames where both have a value, how many ours is better in."""
        wins, compared = 0, 0
        for test in self.tests:
            mine, theirs = errors_of(test, self.ours, self.figure), errors_of(test, rival, self.figure)
            pairs = [(a, b) for a, b in zip(mine, theirs, strict=False) if a == a and b == b]  # nan is not itself
            wins += sum(self.better(a, b) for a, b in pairs)
            compared += len(pairs)
        return wins / compared if compared else None


def _paragraph(kind: str, tests: Sequence[Test], ours: str, figure: Figure) -> Paragraph:
    contest = _Contest(tests, ours, figure)
    mine = contest.mine
    title = contest.titles.get(ours, ours)
    if mine is None:
        return Paragraph(f"{kind}: {title} was not measured in every test, so there is no answer.", "")
    ratios = _ratios(contest) if contest.lower_is_better else ""
    sentences = [_level(contest, mine)]
    if ratios and kind == SELF and ours == OURS and figure.measure in PAPER_MEASURES:
        sentences.append(
            f"The paper has, on its own data, {PAPER_RATIOS['nearest-neighbour']} and {PAPER_RATIOS['pix2pix']}."
        )
    if contest.rivals:
        sentences += [_standing(contest, mine), _other_measures(tests, ours, figure)]
    lead = f"{kind}: {title} has {ratios}." if ratios else f"{kind}: {title}."
    return Paragraph(lead, " ".join(filter(None, sentences)))


def _ratios(contest: _Contest) -> str:
    """ "0.58 times the error of Nearest neighbour and 0.75 times the error of pix2pix"; intervals are in the table."""
    parts = []
    for name in ("nearest-neighbour", "pix2pix"):
        found = contest.ratio(name) if name in contest.rivals else None
        if found and found.mean is not None:
            parts.append(f"{found.mean:.2f} times the error of {contest.titles[name]}")
    return " and ".join(parts)


def _level(contest: _Contest, mine: float) -> str:
    tests, figure = contest.tests, contest.figure
    frames = sum(test.frames for test in tests)
    clips = f"{frames} frames" if len(tests) == 1 else f"{frames} frames of {len(tests)} clips"
    known = {"rmse": "of 255 colour steps", "perceptual": "(perceptual distance, 0 is identical)"}
    unit = known.get(figure.measure, f"({figure_words(figure)})")
    summary = summary_of(tests[0], contest.ours, figure) if len(tests) == 1 else None
    interval = interval_words(summary, mine) if summary else ""
    verb = "is off by" if contest.lower_is_better else "reaches"
    where = {"person": "in the person's box", "face": "in the face's box", "frame": "over the whole frame"}
    return f"In {clips} it {verb} {number(mine)} {unit}{interval} {where.get(figure.region, figure.region)}."


def _standing(contest: _Contest, mine: float) -> str:
    rival, theirs = next(iter(contest.rivals.items()))
    title = contest.titles[rival]
    lowest = "lowest error" if contest.lower_is_better else "highest score"
    of = "the two methods" if len(contest.rivals) == 1 else f"all {len(contest.rivals) + 1} methods"
    won = contest.better(mine, theirs)
    found = contest.ratio(rival)
    low, high = (finite(found.low), finite(found.high)) if found else (None, None)
    close = mine == theirs or (low is not None and high is not None and low <= 1 <= high)
    share = contest.share_of_frames(rival)
    frames = "" if share is None else f" Of the two it is the better one in {100 * share:.0f}{GLUE}% of the frames."
    if close:
        return f"Against {title} ({number(theirs, mine)}) it is too close to call.{frames}"
    if won:
        return f"It has the {lowest} of {of}; next is {title} with {number(theirs, mine)}.{frames}"
    behind = f", {abs(mine / theirs - 1) * 100:.0f} % better" if theirs else ""
    return f"It does not win: {title} has the {lowest}, {number(theirs, mine)}{behind}.{frames}"


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
        if contest.better(theirs, mine):
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


def interval_words(summary: Summary, like: float | None = None, decimals: int | None = None) -> str:
    """ " (95 % interval 7.9 to 8.4)", or nothing where it is unknown."""
    low, high = finite(summary.low), finite(summary.high)
    if low is None or high is None:
        return ""
    return f" (95{GLUE}% interval {number(low, like, decimals)} to {number(high, like, decimals)})"


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
        verdict = "Too few frames to say"
    elif low > 0:
        verdict = "Yes: frames farther from the reference have larger errors"
    elif high < 0:
        verdict = "No, the opposite: frames farther from the reference have smaller errors"
    else:
        verdict = "Not in this test: the interval includes zero"
    strength = "weak" if abs(rho) < 0.3 else "moderate" if abs(rho) < 0.6 else "strong"
    sentences = [
        f"{verdict}. For {title}, Spearman's rho of {what} is {number(rho, decimals=2)}"
        f"{interval_words(summary, decimals=2)}, a {strength} relation."
    ]
    clearer = {
        other: told.mean or 0.0
        for other, told in known.items()
        if (finite(told.low) or 0.0) > 0 and (told.mean or 0.0) > abs(rho) and other != what
    }
    if clearer:
        better = max(clearer, key=lambda other: clearer[other])
        told = known[better]
        sentences.append(
            f"More telling was {better}: {number(told.mean or 0.0, decimals=2)}{interval_words(told, decimals=2)}."
        )
    elif len(known) > 1:
        sentences.append("Nothing else that is known beforehand told more.")
    return " ".join(sentences)
