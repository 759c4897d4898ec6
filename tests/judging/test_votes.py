"""Votes of human judges: how they are read and counted; statistics against published figures and exact fractions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from understudy.cli import main as cli
from understudy.errors import UnderstudyError
from understudy.judging.results import study_results
from understudy.judging.statistics import agreement, difference, sign_test, wilson
from understudy.judging.votes import Item, Key


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (5, 10, 0.2366, 0.7634),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
        (50, 100, 0.4038, 0.5962),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_intervals_are_the_published_ones(successes: int, total: int, low: float, high: float) -> None:
    assert wilson(successes, total) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [
        (0, 0, Fraction(1)),
        (5, 5, Fraction(1)),
        (1, 0, Fraction(1)),
        (8, 2, Fraction(2 * (1 + 10 + 45), 1024)),
        (2, 8, Fraction(2 * (1 + 10 + 45), 1024)),
        (10, 0, Fraction(2, 1024)),
        (6, 5, Fraction(1)),
        (1500, 1300, None),
    ],
)
def test_sign_test_is_exact(first: int, second: int, p: Fraction | None) -> None:
    if p is None:  # the normal curve with its correction is near by then
        assert sign_test(first, second) == pytest.approx(0.000169, abs=1e-5)
    else:
        assert sign_test(first, second) == pytest.approx(float(p), rel=1e-12)


def test_difference_of_shares_is_newcombes_example() -> None:
    """Newcombe 1998, Table II, example (a): 56/70 against 48/80."""
    assert difference((56, 70), (48, 80)) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert difference((10, 10), (0, 10))[2] == 1.0


def test_agreement_counts_pairs_of_judges() -> None:
    assert agreement([(3, 1), (2, 0), (1, 0)]) == pytest.approx((0.5 + 1) / 2)
    assert agreement([(1, 0)]) is None


def pair_key() -> Key:
    return Key(
        "cafe",
        "pairs",
        (
            Item("v1", ("ours", "pix2pix"), ("o1.mp4", "p1.mp4"), None),
            Item("v2", ("pix2pix", "ours"), ("p2.mp4", "o2.mp4"), None),
            Item("v3", ("ours", "ours"), ("o1.mp4", "o1.mp4"), "b"),
        ),
    )


def single_key() -> Key:
    methods = ("ours", "real", "ours", "real")
    items = tuple(
        Item(f"v{number}", (method,), ("x.mp4",), "generated" if number == 4 else None)
        for number, method in enumerate(methods, 1)
    )
    return Key("beef", "single", items)


def votes_of(judge: str, choices: str, study: str = "cafe", **changes: Any) -> dict[str, Any]:
    """A file of votes, as the page writes it; choices of single videos are r and g."""
    words = {"a": "a", "b": "b", "r": "real", "g": "generated"}
    answers = [
        {"item": f"v{number}", "choice": words[choice], "seconds": 2.0 * number, "changed": 0, "at": "2026"}
        | ({"left": "a"} if choice in "ab" else {})
        for number, choice in enumerate(choices, 1)
    ]
    kind = "pairs" if choices[0] in "ab" else "single"
    whole = {"understudy_study": 1, "study": study, "kind": kind, "judge": judge, "seed": 1, "started": "2026-01-01"}
    return whole | {"finished": "2026-01-02", "answers": answers} | changes


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Path]]:
    """Writes files of votes 1.json, 2.json ... beside the folder "study", and stands there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study").mkdir()
    pair_key().save("study/study.json")
    single_key().save("single.json")

    def write(*votes: Any) -> list[Path]:
        paths = [Path(f"{number}.json") for number in range(1, len(votes) + 1)]
        for path, one in zip(paths, votes, strict=True):
            path.write_text(one if isinstance(one, str) else json.dumps(one))
        return paths

    return write


def test_votes_on_pairs_are_added_up_whatever_the_side(written: Callable[..., list[Path]]) -> None:
    paths = written(votes_of("anna", "abb"), votes_of("ben", "aab"), votes_of("carl", "aba"), votes_of("dora", "abb"))
    found = study_results(paths, study="study", output="results.json")
    assert found.judges == ("anna", "ben", "dora")
    assert found.left_out == {"carl": "failed 1 of 1 attention check"}
    (one,) = found.comparisons
    assert (one.first, one.second, one.items, one.wins) == ("ours", "pix2pix", 2, (5, 1))
    assert (one.share, one.p) == (5 / 6, pytest.approx(14 / 64)) and (one.low, one.high) == wilson(5, 6)
    assert one.judges == (2, 0) and one.p_judges == 0.5  # ben preferred each once
    assert one.agreement == pytest.approx((1 + 1 / 3) / 2)
    assert found.left_share == 4 / 6 and found.median_seconds == 4.0
    stored = json.loads(Path("results.json").read_text())
    assert stored["comparisons"][0]["wins"] == [5, 1] and stored["understudy_study_results"] == 1
    assert re.search(r"^ours +pix2pix +5:1 +83 % +44 % to 97 % +0\.219 +2:0 +0\.500 +67 %$", str(found), re.M)
    assert "left out: judge carl failed 1 of 1 attention check" in str(found)


def test_a_comparison_that_is_lost_is_shown_from_the_winners_side(written: Callable[..., list[Path]]) -> None:
    found = study_results(written(votes_of("anna", "bab")), study="study")
    assert found.comparisons[0].wins == (0, 2)
    assert re.search(r"^pix2pix +ours +2:0 +100 % +34 % to 100 %", str(found), re.M)


def test_single_videos_are_held_against_the_real_ones(written: Callable[..., list[Path]]) -> None:
    paths = written(*(votes_of(judge, choices, "beef") for judge, choices in
                      (("anna", "grgg"), ("ben", "rrrg"), ("carl", "rrrr"), ("dora", "grrg"))))  # fmt: skip
    found = study_results(paths, study="single.json")
    real, ours = found.realism
    assert (real.method, real.called_real, real.votes, real.against_real) == ("real", 3, 3, None)
    assert (ours.method, ours.called_real, ours.votes) == ("ours", 3, 6)
    assert (ours.low, ours.high) == wilson(3, 6) and ours.against_real == difference((3, 6), (3, 3))
    assert list(found.left_out) == ["carl"]
    assert re.search(r"^ours +2 +6 +3 \(50 %\) +19 % to 81 % +-50 \(-81 to \+14\)", str(found), re.M)


def test_without_the_study_the_names_stay_neutral(
    written: Callable[..., list[Path]], caplog: pytest.LogCaptureFixture
) -> None:
    found = study_results(written(votes_of("anna", "aba"), votes_of("ben", "aab")))
    assert not found.named and not found.left_out
    assert {(one.first, one.second): one.wins for one in found.comparisons} == {
        ("v1 a", "v1 b"): (2, 0),
        ("v2 a", "v2 b"): (1, 1),
        ("v3 a", "v3 b"): (1, 1),
    }
    assert "without `study` the methods have neutral names" in caplog.text


def test_nobody_left_to_count_is_said(written: Callable[..., list[Path]]) -> None:
    found = study_results(written(votes_of("anna", "aba")), study="study")
    assert not found.judges and str(found).splitlines()[-1] == "nothing to count: every judge was left out"


NOTES = {
    "the same file twice": (
        (votes_of("anna", "abb"), votes_of("anna", "abb")),
        "1.json and 2.json hold the same votes of judge anna: counted once",
        (2, 0),
    ),
    "the same judge twice": (
        (votes_of("anna", "bab", finished="2026-01-03"), votes_of("anna", "abb")),
        "judge anna voted in 1.json and in 2.json: only 1.json, the later, counts",
        (0, 2),
    ),
    "unanswered": (
        (votes_of("anna", "abb") | {"answers": votes_of("anna", "abb")["answers"][1:]},),
        "1.json leaves 1 of 3 questions unanswered",
        (1, 0),
    ),
}


@pytest.mark.parametrize("name", NOTES)
def test_notes_on_votes(written: Callable[..., list[Path]], caplog: pytest.LogCaptureFixture, name: str) -> None:
    votes, note, wins = NOTES[name]
    found = study_results(written(*votes), study="study")
    assert note in caplog.text
    assert found.comparisons[0].wins == wins


def test_who_never_met_the_check_is_left_out(written: Callable[..., list[Path]]) -> None:
    found = study_results(written(votes_of("anna", "ab")), study="study")
    assert found.left_out == {"anna": "did not answer the attention check"}


def answers(**change: Any) -> list[dict[str, Any]]:
    return [votes_of("anna", "a")["answers"][0] | change]


BAD_VOTES = {
    "not there": (None, "cannot read 1.json: No such file"),
    "not JSON": ("votes: yes", "1.json is not valid JSON"),
    "a list": ("[1, 2]", "1.json is not a file of votes (it does not say understudy_study)"),
    "other JSON": ({"name": "anna"}, "1.json is not a file of votes (it does not say understudy_study)"),
    "the study's key": (
        {"understudy_study": 1, "study": "cafe", "kind": "pairs", "items": []},
        "1.json is not a file of votes (it lacks 'answers')",
    ),
    "other version": (
        votes_of("anna", "abb", understudy_study=2),
        "the votes in 1.json have version 2, and this program reads 1",
    ),
    "other study": (
        votes_of("anna", "abb", study="dead"),
        "1.json is of study dead, and study is of study cafe: leave it out",
    ),
    "other kind": (votes_of("anna", "rrr"), "1.json is of study cafe"),
    "unknown item": (votes_of("anna", "abba"), "1.json answers v4, which study cafe does not ask"),
    "unknown choice": (
        votes_of("anna", "a", answers=answers(choice="real")),
        "1.json is not a file of votes ('real' is no answer to v1)",
    ),
    "no side": (votes_of("anna", "a", answers=answers(left=None)), "None cannot be left in v1"),
    "answered twice": (
        votes_of("anna", "a", answers=answers() * 2),
        "1.json answers v1 more than once: ask judge anna for it again",
    ),
    "time": (votes_of("anna", "a", answers=answers(seconds=-1)), "-1.0 seconds is no time for v1"),
    "time in words": (votes_of("anna", "a", answers=answers(seconds="long")), "could not convert string"),
    "judge's name": (votes_of("\x1b[31m", "abb"), "is no name of a study, judge or item"),
    "answers are a number": (votes_of("anna", "a", answers=3), "1.json is not a file of votes"),
    "kind is a list": (votes_of("anna", "a", kind=["pairs"]), "1.json is not a file of votes"),
}


@pytest.mark.parametrize("name", BAD_VOTES)
def test_bad_votes_cost_one_line(
    written: Callable[..., list[Path]], capfd: pytest.CaptureFixture[str], name: str
) -> None:
    votes, message = BAD_VOTES[name]
    if votes is not None:
        written(votes)
    said = failing("study --results 1.json --study study", capfd)
    assert message in said and "\x1b" not in said


BAD_KEYS = {
    "no folder": ("nothing", "cannot read nothing"),
    "folder without key": ("empty", "cannot read empty/study.json"),
    "votes as key": ("1.json", "1.json is not the study.json of a study (it lacks 'items')"),
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_bad_keys_cost_one_line(
    written: Callable[..., list[Path]], capfd: pytest.CaptureFixture[str], name: str
) -> None:
    given, message = BAD_KEYS[name]
    written(votes_of("anna", "abb"))
    Path("empty").mkdir()
    assert message in failing(f"study --results 1.json --study {given}", capfd)


def test_votes_of_two_studies_are_not_mixed(written: Callable[..., list[Path]]) -> None:
    paths = written(votes_of("anna", "abb"), votes_of("ben", "abb", study="dead"))
    with pytest.raises(
        UnderstudyError, match=r"^2\.json is of study dead, and 1\.json is of study cafe: leave it out$"
    ):
        study_results(paths)


def failing(command: str, capfd: pytest.CaptureFixture[str]) -> str:
    """The one line of a command that fails."""
    with pytest.raises(SystemExit) as left:
        cli.main(command.split())
    assert left.value.code == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1 and lines[0].startswith("error: ")
    return lines[0]
