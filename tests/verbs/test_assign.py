"""`perform` with an actor for each person of a video: what can be got wrong, and the way from the shell to the file."""

from pathlib import Path

import numpy as np
import pytest

import understudy
from tiny import tiny_performance
from tiny_actor import tiny_actor
from understudy.cli import main as cli
from understudy.errors import UsageError
from understudy.media.writing import VideoWriter
from understudy.performing import assigned


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("anna", "ben"):
        tiny_actor().save(f"{name}.actor")
    with VideoWriter(Path("duo.mp4"), 25) as writer:
        for _ in range(12):
            writer.write(np.full((48, 80, 3), 90, np.uint8))
    return tmp_path


def say(line: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as left:
        cli.main(line.split())
    return int(left.value.code or 0), capsys.readouterr().err


BOTH = "--assign left=anna.actor --assign right=ben.actor"


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (f"{BOTH} --layout stage", "with --assign everybody stands where that person stood: leave --layout out"),
        ("", "nobody is there to perform: give --actor NAME.actor"),
        (f"--actor anna.actor {BOTH}", "--actor and --assign are two ways to say who performs: give one of them"),
        (f"--person me.jpg {BOTH}", "--assign and --person are two ways to say who performs: give one of them"),
        ("--assign left=anna.actor --assign left=ben.actor", "--assign: left is given twice: one actor dances one"),
        ("--assign upstage=anna.actor", "--assign: there is no side 'upstage'; say left, centre, right, or a number"),
        ("--assign anna.actor", "'anna.actor' is not a side and an actor, as left=me.actor"),
        (f"{BOTH} --driving-region 1,2,40,40", "--driving-region is of one person, and --assign names several"),
        (f"{BOTH} --fit whole", "--fit frames one performer, and --assign places all as they stood"),
        (f"{BOTH} --missing-limbs crop", "--missing-limbs crop frames one performer, and --assign places all"),
        (f"{BOTH} --normalization ground", "--normalization ground moves everybody to their own reference's ground"),
        ("--assign left=anna.actor --assign right=nobody.actor", "there is no actor nobody.actor"),
        (BOTH, "duo.mp4: nobody was found in at least half of the 12 frames"),
    ],
)
def test_mistakes_are_one_line(here: Path, capsys: pytest.CaptureFixture[str], who: str, said: str) -> None:
    code, err = say(f"perform {who} --driving duo.mp4 --output out.mp4", capsys)
    assert code == 2 and said in " ".join(err.split()).replace(" │ ", " ") and "Traceback" not in err
    assert not Path("out.mp4").exists()


def test_what_shows_one_person_drives_one(here: Path) -> None:
    performance = tiny_performance(here / "dance.performance", 1)
    assign = {"left": "anna.actor", "right": "ben.actor"}
    for driving, said in (
        (performance, "the driving clip is one person tracked"),
        (performance.path, "dance.performance is a performance"),
        (here / "dance.bvh", "dance.bvh is motion of one person"),
    ):
        with pytest.raises(UsageError, match="`assign` needs a video with several people, and .*" + said):
            understudy.perform(None, driving, "out.mp4", assign=assign)
    with pytest.raises(UsageError, match="`assign` names nobody"):
        understudy.perform(None, "duo.mp4", "out.mp4", assign={})
    Path("ben.actor").rename("ben.mp4")
    with pytest.raises(UsageError, match=r"would overwrite what it is made from"):
        understudy.perform(None, "duo.mp4", "ben.mp4", assign={"left": "anna.actor", "right": "ben.mp4"})


def test_each_actor_gets_the_person_that_was_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    people = {side: tiny_performance(here / f"{side}.performance", seed) for seed, side in enumerate(("left", "right"))}
    asked = []

    def tracked(video: Path, sides: list[str], **options: object) -> list[understudy.Performance]:
        asked.append((Path(video).name, sides, options))
        return [people[side] for side in sides]

    monkeypatch.setattr("understudy.tracking.several.tracked_people", tracked)
    received = []
    original = assigned.perform_assigned
    monkeypatch.setattr(assigned, "perform_assigned", lambda *a, **b: received.append(a) or original(*a, **b))
    line = "perform --assign right=ben.actor --assign left=anna.actor --driving duo.mp4 --output out.mp4"
    code, err = say(f"{line} --driving-start 0.1", capsys)
    assert code == 0, err
    assert asked == [("duo.mp4", ["right", "left"], {"start": 0.1, "landmarks": asked[0][2]["landmarks"]})]
    cast, drivers = received[0][:2]
    assert [one.name for one in cast] == ["ben.actor", "anna.actor"]
    assert [one.performance.path.name for one in drivers] == ["right.performance", "left.performance"]
    assert all(one.outline.placement.normalization == "similarity" for one in cast)
    found = understudy.verify(["out.mp4"], json=True)
    assert str(found).count(cast[0].performer.consent.text) >= 1
