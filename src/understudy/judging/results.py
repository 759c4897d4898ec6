"""The votes of several judges, counted: who was preferred, how sure that is, and the table that says so."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from statistics import median

from understudy.base.arguments import StrPath
from understudy.base.files import write_json
from understudy.errors import UsageError
from understudy.judging.statistics import agreement, difference, sign_test, wilson
from understudy.judging.votes import VERSION, Item, Key, Kind, Votes, read_votes

REAL = "real"
"""label of the videos that are recordings"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """Two methods, seen side by side."""

    first: str
    second: str
    items: int
    """pairs of videos"""
    wins: tuple[int, int]
    """votes for each"""
    share: float
    """of the votes that preferred the first"""
    low: float
    """of the 95 % Wilson interval of the share"""
    high: float
    p: float
    """exact two-sided sign test over votes"""
    judges: tuple[int, int]
    """judges who preferred each more often than the other"""
    p_judges: float
    """the same test over judges, who are independent of each other, as the votes of one judge are not"""
    agreement: float | None
    """how often two judges answered alike about the same pair of videos"""


@dataclass(frozen=True)
class Realism:
    """How often a method's videos were called real."""

    method: str
    items: int
    votes: int
    called_real: int
    share: float
    low: float
    """of the 95 % Wilson interval of the share"""
    high: float
    against_real: tuple[float, float, float] | None
    """share minus that of the real videos, with its 95 % interval; None of the real ones and where there are none"""
    agreement: float | None


@dataclass(frozen=True)
class StudyResults:
    """What the judges of a study found."""

    study: str
    kind: Kind
    named: bool
    """whether the study's key was there; without it checks are not looked at and methods have neutral names"""
    judges: tuple[str, ...]
    """those that count"""
    left_out: dict[str, str]
    """judge: why"""
    median_seconds: float | None
    """an answer took"""
    left_share: float | None
    """of pairs: how often the left (upper) video was chosen; far from one half, the judges did not look"""
    comparisons: tuple[Comparison, ...]
    realism: tuple[Realism, ...]

    def save(self, path: StrPath) -> None:
        """Writes JSON, atomically."""
        write_json(path, {"understudy_study_results": VERSION, **asdict(self)})

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def study_results(
    results: Sequence[StrPath],
    *,
    study: StrPath | None = None,
    output: StrPath | None = None,
) -> StudyResults:
    """Counts the votes of a study's judges.

    Args:
        results: files of votes that the judges sent back, which are counted.
        study: the study's folder or its study.json, which says whose video is whose. Without it methods have neutral
            names, and nobody is left out for a failed attention check.
        output: a JSON file to write; left out, none is written.

    Returns:
        The counts, with intervals and tests; `print` shows a table.

    Raises:
        UsageError: a file is not a file of votes, is of another version or another study, or answers something
            that was not asked.

    Example:
        print(study_results(["votes-anna.json", "votes-ben.json"], study="study"))

    Shell:
        $ understudy study --results votes-1.json votes-2.json --study study --output results.json
    """
    if not results:
        raise UsageError("there are no votes: give the files that the judges sent back")
    if output is not None and Path(output).suffix.lower() != ".json":
        raise UsageError(f"the results are written as JSON: name {output} with .json")
    votes = _one_a_judge([read_votes(path) for path in results])
    key = None if study is None else Key.load(study)
    for one in votes:
        _check_same_study(one, votes[0] if key is None else key, study or votes[0].path)
    if key is None:
        _log.warning("without `study` the methods have neutral names, and judges who failed a check are counted too")
    found = _count(_key_of(votes) if key is None else key, votes, named=key is not None)
    if output is not None:
        found.save(output)
    return found


def _one_a_judge(votes: Sequence[Votes]) -> list[Votes]:
    """Of several files of one judge the one finished last counts; a judge changes an answer and sends it again."""
    latest: dict[str, Votes] = {}
    for one in votes:
        other = latest.get(one.judge)
        if other is None:
            latest[one.judge] = one
            continue
        newer, older = (one, other) if one.finished > other.finished else (other, one)
        latest[one.judge] = newer
        if newer.answers == older.answers:
            _log.warning(f"{newer.path} and {older.path} hold the same votes of judge {one.judge}: counted once")
        else:
            _log.warning(
                f"judge {one.judge} voted in {newer.path} and in {older.path}: only {newer.path}, the later, counts"
            )
    return list(latest.values())


def _check_same_study(votes: Votes, other: Key | Votes, named: StrPath) -> None:
    if (votes.study, votes.kind) != (other.study, other.kind):
        raise UsageError(f"{votes.path} is of study {votes.study}, and {named} is of study {other.study}: leave it out")
    if isinstance(other, Key):
        known = {item.item for item in other.items}
        foreign = [answer.item for answer in votes.answers if answer.item not in known]
        if foreign:
            raise UsageError(f"{votes.path} answers {foreign[0]}, which study {other.study} does not ask")
    repeated = [item for item, count in Counter(answer.item for answer in votes.answers).items() if count > 1]
    if repeated:
        raise UsageError(f"{votes.path} answers {repeated[0]} more than once: ask judge {votes.judge} for it again")


def _key_of(votes: Sequence[Votes]) -> Key:
    """A key for votes whose study is not at hand: every item stands for itself."""
    names = sorted({answer.item for one in votes for answer in one.answers})
    sides = ("a", "b") if votes[0].kind == "pairs" else ("",)
    items = tuple(Item(name, tuple(f"{name} {side}".strip() for side in sides), (), None) for name in names)
    return Key(votes[0].study, votes[0].kind, items)


def _count(key: Key, votes: Sequence[Votes], named: bool) -> StudyResults:
    left_out = {one.judge: why for one in votes if (why := _why_left_out(key, one))}
    counted = [one for one in votes if one.judge not in left_out]
    asked = [item for item in key.items if item.expected is None]
    for one in counted:
        missing = len(key.items) - len(one.answers)
        if missing:
            _log.warning(f"{one.path} leaves {missing} of {len(key.items)} questions unanswered")
    answers = [answer for one in counted for answer in one.answers]
    names = {item.item for item in asked}
    sided = [answer for answer in answers if answer.left is not None and answer.item in names]
    return StudyResults(
        study=key.study,
        kind=key.kind,
        named=named,
        judges=tuple(one.judge for one in counted),
        left_out=left_out,
        median_seconds=median(answer.seconds for answer in answers) if answers else None,
        left_share=sum(a.choice == a.left for a in sided) / len(sided) if sided else None,
        comparisons=_comparisons(asked, counted) if key.kind == "pairs" else (),
        realism=_realism(asked, counted) if key.kind == "single" else (),
    )


def _why_left_out(key: Key, votes: Votes) -> str:
    given = {answer.item: answer.choice for answer in votes.answers}
    checks = [item for item in key.items if item.expected is not None]
    if any(item.item not in given for item in checks):
        return "did not answer the attention check"
    failed = sum(given[item.item] != item.expected for item in checks)
    return f"failed {failed} of {len(checks)} attention check{'s' if len(checks) > 1 else ''}" if failed else ""


def _comparisons(items: Sequence[Item], votes: Sequence[Votes]) -> tuple[Comparison, ...]:
    order = list(dict.fromkeys(method for item in items for method in sorted(item.methods)))
    found = []
    for first, second in combinations(order, 2):
        between = {item.item: item for item in items if set(item.methods) == {first, second}}
        if between:
            found.append(_comparison(first, second, between, votes))
    return tuple(found)


def _comparison(first: str, second: str, items: dict[str, Item], votes: Sequence[Votes]) -> Comparison:
    """Counts per judge and per item whether the first was preferred."""
    by_judge: dict[str, list[bool]] = {}
    by_item: dict[str, list[bool]] = {name: [] for name in items}
    for one in votes:
        for answer in one.answers:
            if answer.item in items:
                preferred = items[answer.item].methods["ab".index(answer.choice)] == first
                by_judge.setdefault(one.judge, []).append(preferred)
                by_item[answer.item].append(preferred)
    wins = _split(preferred for judged in by_item.values() for preferred in judged)
    majorities = [2 * sum(preferred) - len(preferred) for preferred in by_judge.values()]
    judges = (sum(m > 0 for m in majorities), sum(m < 0 for m in majorities))
    total = sum(wins)
    low, high = wilson(wins[0], total)
    return Comparison(
        first=first,
        second=second,
        items=len(items),
        wins=wins,
        share=wins[0] / total if total else 0.5,
        low=low,
        high=high,
        p=sign_test(*wins),
        judges=judges,
        p_judges=sign_test(*judges),
        agreement=agreement(_split(preferred) for preferred in by_item.values()),
    )


def _realism(items: Sequence[Item], votes: Sequence[Votes]) -> tuple[Realism, ...]:
    methods = sorted({item.methods[0] for item in items}, key=lambda method: (method != REAL, method))
    called = {
        item.item: _split(a.choice == "real" for one in votes for a in one.answers if a.item == item.item)
        for item in items
    }
    counts = {method: [called[item.item] for item in items if item.methods[0] == method] for method in methods}
    totals = {method: (sum(k for k, _ in c), sum(k + j for k, j in c)) for method, c in counts.items()}
    real = totals.get(REAL, (0, 0))
    found = []
    for method in methods:
        successes, total = totals[method]
        low, high = wilson(successes, total)
        comparable = method != REAL and total and real[1]
        found.append(
            Realism(
                method=method,
                items=len(counts[method]),
                votes=total,
                called_real=successes,
                share=successes / total if total else 0.5,
                low=low,
                high=high,
                against_real=difference((successes, total), real) if comparable else None,
                agreement=agreement(counts[method]),
            )
        )
    return tuple(found)


def _split(values: Iterable[bool]) -> tuple[int, int]:
    listed = list(values)
    return sum(listed), len(listed) - sum(listed)


def _lines(found: StudyResults) -> list[str]:
    """The table for people."""
    lines = [f"{_plural(len(found.judges), 'judge')} of study {found.study}"]
    if found.median_seconds is not None:
        lines[0] += f", {found.median_seconds:.1f} s an answer (median)"
    lines += [f"left out: judge {judge} {why}" for judge, why in found.left_out.items()]
    if not found.judges:
        return [*lines, "nothing to count: every judge was left out"]
    lines.append("")
    if found.kind == "pairs":
        head = ("preferred", "over", "votes", "share", "95 % interval", "p", "judges", "p", "agreement")
        lines += _columns(head, [_comparison_row(one) for one in found.comparisons])
        lines += ["", f"The left (upper) video was chosen in {_percent(found.left_share)} of the votes; 50 % is even."]
        lines += [
            "p: exact two-sided sign test, first over votes, then over judges by what each preferred more often;",
            "the votes of one judge are not independent of each other, so the second is the safer one.",
        ]
    else:
        heads = ("method", "videos", "votes", "called real", "95 % interval", "less real videos", "agreement")
        lines += _columns(heads, [_realism_row(one) for one in found.realism])
        lines += ["", "less real videos: share minus that of the real videos, with its 95 % interval."]
    return [*lines, "Intervals: Wilson. Agreement: how often two judges answered alike; coins would in 50 %."]


def _comparison_row(one: Comparison) -> tuple[str, ...]:
    first, second, wins, judges, share, low, high = (
        (one.first, one.second, one.wins, one.judges, one.share, one.low, one.high)
        if one.wins[0] >= one.wins[1]
        else (one.second, one.first, one.wins[::-1], one.judges[::-1], 1 - one.share, 1 - one.high, 1 - one.low)
    )
    return (
        first,
        second,
        f"{wins[0]}:{wins[1]}",
        _percent(share),
        f"{_percent(low)} to {_percent(high)}",
        _p(one.p),
        f"{judges[0]}:{judges[1]}",
        _p(one.p_judges),
        _percent(one.agreement),
    )


def _realism_row(one: Realism) -> tuple[str, ...]:
    against = one.against_real
    return (
        one.method,
        str(one.items),
        str(one.votes),
        f"{one.called_real} ({_percent(one.share)})",
        f"{_percent(one.low)} to {_percent(one.high)}",
        "-" if against is None else f"{100 * against[0]:+.0f} ({100 * against[1]:+.0f} to {100 * against[2]:+.0f})",
        _percent(one.agreement),
    )


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    text = {column for column in range(len(head)) if head[column] in ("preferred", "over", "method")}
    return [
        "  ".join(
            cell.ljust(width) if column in text else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "<0.001"


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
