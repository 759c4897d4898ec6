"""What verbs say reaches the page in its own words: which tab, which button, and no options of the command line."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import understudy
from tiny import tiny_performance, tiny_poses
from understudy.compositing.backgrounds import Background
from understudy.covering.oddities import oddities
from understudy.errors import UnderstudyError
from understudy.performance.header import check_is_performance
from understudy.performing.missing_limbs import say_missing
from understudy.poses.pose import BODY, FEET, Pose
from understudy.recipes.parts.settings import assignments, changed
from understudy.recipes.performance_cloning import Config
from understudy.retargeting.alignment import body_statistics
from understudy.tracking.finishing import _say_slips
from understudy.tracking.gaps import require_person
from understudy.tracking.passes import Footage
from understudy.tracking.slips import Slip
from understudy.verbs.verify import Marks, Verified
from understudy.web.wording import in_page_words

HERE = Path(understudy.__file__).parent
SPOKEN = (
    "actor.py", "base/frame_store.py", "compositing/backgrounds.py", "consent.py", "covering/*.py", "evaluation/*.py",
    "media/*.py", "marks/*.py", "performance/*.py", "performing/*.py", "retargeting/*.py", "tracking/*.py",
    "training/*.py", "recipes/*.py", "recipes/parts/*.py", "unpaired/*.py", "verbs/assign.py", "verbs/checks.py",
    "verbs/evaluate.py", "verbs/outputs.py", "verbs/perform.py", "verbs/train.py", "verbs/verify.py",
)  # fmt: skip
"""what the page's tasks run through"""
SHELL = re.compile(r"`understudy |(?<![\w-])--[a-z]|: understudy [a-z]|`\w+=")
OUT_OF_REACH = (
    # photographs, which the page does not take as people or dances
    "`understudy perform --person PHOTO", "`understudy track PHOTO --rotate", "`understudy track X --region",
    "--size 1024 --landmarks wholebody", "and with --rotate how it is turned", "`understudy train-freestyle",
    "`people=X`: give made-up",
    # what the page does not let anybody choose
    "`background=X`", "`parsing='auto'`", "`surface='auto'`", "whatever `--fit` says", "`understudy poses X sized.json",
    "`matte='auto'`", "`tracker=", "`--nproc-per-node`", "start all of them again, with `resume=True`", "`variant=X`",
    "`recipe='poses-in-the-wild'` takes", "`normalization=X` moves", "marks, which `marks=False`", "`marks=False`, and",
    "where `marks=False` asks",
    # asked for before anything begins, see `asking.py`
    'add `consent="..."`', "`preset=X`: X has no such", "nobody is there to perform: give",
    # pieces, of which whole sentences are looked at below
    "`missing_limbs=X`", "`understudy inspect X` lists them", "`understudy track X X --output X`", "X --double-rate",
    "X --landmarks X", "--region X", " --landmarks wholebody",
)  # fmt: skip


def texts(file: Path) -> Iterator[str]:
    """All texts of a module but docstrings, with X where something is put in."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(inner) for inner in ast.walk(node) if inner is not node}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "X" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_all_advice_of_what_the_page_runs_is_said_in_its_words() -> None:
    """A new message with an option in it: say in `web/wording.py` what to do on the page, or here why it is not met."""
    left = {
        f"{file.relative_to(HERE).as_posix()}: {text}"
        for pattern in SPOKEN
        for file in HERE.glob(pattern)
        for text in texts(file)
        if SHELL.search(in_page_words(text))
    }
    unknown = [text for text in left if not any(known in text for known in OUT_OF_REACH)]
    assert not unknown
    assert [known for known in OUT_OF_REACH if not any(known in text for text in left)] == []


def raised(work: Callable[[], Any]) -> str:
    with pytest.raises(UnderstudyError) as caught:
        work()
    return str(caught.value)


def upside_down() -> Pose:
    pose = tiny_poses(20, 64, 0)
    return Pose(64 - pose.xy, pose.confidence, pose.size_hw)


def nobody() -> Pose:
    return Pose(np.zeros((4, 133, 2), np.float32), np.zeros((4, 133), np.float32), (32, 32))


CLIP = Footage(Path("dance.mp4"), 1.0, None, False, False, size=512, landmarks="wholebody")
SAID: dict[str, tuple[Callable[[], str], str]] = {
    "upside down": (
        lambda: oddities(upside_down(), Fraction(25))[0],
        "turn the video upright with another program, and bring the clip once more; as it is",
    ),
    "another person": (
        lambda: f"followed one; to follow another one: {CLIP.chosen_with('--region X,Y,W,H')}, and give that",
        "followed one; to follow another one, bring the clip once more and point there",
    ),
    "somebody else": (
        lambda: f"one more is there; to follow that one: {CLIP.chosen_with('--region 1,2,3,4')}",
        "one more is there; to follow that one, bring the clip once more and point there",
    ),
    "hardly anybody": (
        lambda: raised(lambda: require_person(np.zeros(9, np.uint8), Fraction(25))),
        "film the whole body in better light, or bring a shorter part of it, and point at the one who is meant",
    ),
    "no body": (
        lambda: raised(lambda: body_statistics(nobody())),
        "film the whole body, or bring the clip once more and point at the right person",
    ),
    "gone": (
        lambda: raised(lambda: check_is_performance(Path("a.performance"))),
        "there is no performance a.performance: bring the clip once more, on the tab Person or Dance",
    ),
    "its own room": (
        lambda: raised(lambda: Background.of("white").check_room(True)),
        "choose “The person's room” behind the performer: this actor paints",
    ),
    "no such number": (
        lambda: raised(lambda: changed(Config(), assignments(["zzzzqqq=1"]))),
        "zzzzqqq: there is no such number; the list under the field has them all",
    ),
    "another number": (
        lambda: raised(lambda: changed(Config(), assignments(["optimisation.bach=1"]))),
        "optimisation.bach: there is no such number; did you mean optimisation.batch?",
    ),
    "opinion": (
        lambda: str(Verified((Marks(Path("a.mp4"), None, None, False, None),))),
        "no proof: tick “Ask the detector, too” to hear it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_what_is_really_said(name: str) -> None:
    work, there = SAID[name]
    said = in_page_words(work())
    assert there in said and not SHELL.search(said)


def test_notes_as_they_are_really_made(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "understudy")
    driver = tiny_performance(tmp_path / "a.performance")
    driver.poses.confidence[:, [*range(BODY.stop - 4, BODY.stop), *range(FEET.start, FEET.stop)]] = 0
    say_missing(driver, "stand")
    slip = Slip.of("sides exchanged", "mended", np.array([True, False]))
    _say_slips((slip,), Path("a.mp4"), Path("people/a b.performance"))
    missing, slipped = (in_page_words(record.getMessage()) for record in caplog.records)
    assert missing.endswith("the clone's legs stand on the reference's floor")
    assert slipped.endswith("; what still deserves a look is red on the tab Fix joints")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "this cannot be corrected in dances/My tango (2).performance: why",
            "this cannot be corrected in My tango (2): why",
        ),
        ("actors/Ann.actor exists", "Ann exists"),
        ("films/Tango.mp4 was danced by clip.mp4, dances/Slow.performance", "Tango was danced by clip.mp4, Slow"),
        ("nothing of all this", "nothing of all this"),
        ("`" * 2000, "`" * 2000),
        ("`understudy track " * 100, "`understudy track " * 100),
    ],
)
def test_the_rest_stays_as_it_is(said: str, shown: str) -> None:
    assert in_page_words(said) == shown
