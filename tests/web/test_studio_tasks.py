"""What the studio's tasks answer, beside what their verbs do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tiny import tiny_performance
from tiny_actor import tiny_actor
from understudy.errors import UsageError
from understudy.evaluation.measuring import MEASURES
from understudy.evaluation.results import Evaluation, Measure, Method, Summary, Test
from understudy.poses.pose import (
    FEET,
    LEFT_ANKLE,
    LEFT_ELBOW,
    LEFT_KNEE,
    LEFT_WRIST,
    RIGHT_ANKLE,
    RIGHT_ELBOW,
    RIGHT_KNEE,
    RIGHT_WRIST,
)
from understudy.tracking import several
from understudy.web import figures, fragments, tasks
from understudy.web.folder import Folder

PICTURE = np.full((16, 16, 3), 90, np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "studio")
    made.prepare()
    return made


def checked(folder: Folder, name: str, content: bytes) -> str:
    path = folder.new_upload(name)
    path.write_bytes(content)
    said = tasks.check(folder, upload=path.name, name="mine", detect=False)["said"]
    assert not path.exists() and path.name not in said
    return str(said)


@pytest.mark.parametrize("name", ["a.mp4", "a.png", "a.webp", "a.avi"])
@pytest.mark.parametrize("content", [b"hello\n", bytes(range(256)) * 40, b"RIFF\0\0\0\0WAVEfmt ", b""])
def test_a_file_that_is_no_media_is_said_to_be_none(folder: Folder, name: str, content: bytes) -> None:
    said = checked(folder, name, content)
    assert said == "mine is no picture and no video, or nothing can be read of it: there are no marks to look for."


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_picture_without_marks_is_one(folder: Folder, suffix: str) -> None:
    done, content = cv2.imencode(suffix, PICTURE)
    assert done
    for name in (f"a{suffix}", "a.mp4"):  # whatever it is called
        assert checked(folder, name, content.tobytes()).startswith("mine: no marks found\n")


def test_a_video_without_marks_is_one(folder: Folder, tmp_path: Path) -> None:
    file = str(tmp_path / "film.avi")
    writer = cv2.VideoWriter(file, cv2.VideoWriter.fourcc(*"MJPG"), 25, (16, 16))
    for _ in range(3):
        writer.write(PICTURE)
    writer.release()
    assert checked(folder, "a.mp4", Path(file).read_bytes()).startswith("mine: no marks found\n")


def test_everybody_is_looked_for_once_and_noted(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_performance(folder.root / "dances" / "duo.performance")
    folder.note("dances", "duo", {"footage": ["short"]})
    with pytest.raises(UsageError, match="the video of duo is not here"):
        tasks.everybody(folder, dance="duo")
    (folder.root / "dances" / "duo.mp4").touch()
    monkeypatch.setattr(several, "tracked_people", lambda clip, sides, **_: [clip.name, sides])
    assert folder.people_in("duo") == 0
    assert tasks.everybody(folder, dance="duo") == {"dance": "duo", "people": 2}
    assert folder.noted("dances", "duo") == {"footage": ["short"], "people": 2} and folder.people_in("duo") == 2
    assert "2 people dance in duo" in fragments.crowd(folder, "duo") and fragments.crowd(folder, ["duo"]) == ""


def test_each_person_of_the_clip_drives_an_actor(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_performance(folder.root / "dances" / "duo.performance")
    (folder.root / "dances" / "duo.mov").touch()
    for name in ("Ann", "Ben"):
        (folder.root / "actors" / f"{name}.actor").touch()
    asked: dict[str, Any] = {}

    def performed(actor: object, driving: Path, output: Path, **options: Any) -> None:
        asked.update(options, actor=actor, driving=driving, output=output)

    monkeypatch.setattr("understudy.verbs.perform.perform", performed)
    film: dict[str, Any] = {"dance": "duo", "film": "f", "background": "white", "compare": True, "label": True}
    tasks.perform(folder, actors=["Ann", "Ben"], assign={"1": "Ben", "2": "Ann"}, **film)
    root = folder.root
    assert asked["actor"] is None and asked["driving"] == root / "dances" / "duo.mov" and "layout" not in asked
    assert asked["assign"] == {"1": root / "actors" / "Ben.actor", "2": root / "actors" / "Ann.actor"}
    assert (asked["compare"], asked["label"], asked["background"]) == (True, "corner", "white")
    asked.clear()
    tasks.perform(folder, actors=["Ann"], **film)  # as tasks say that were asked for before there was a choice
    assert asked["actor"] == [root / "actors" / "Ann.actor"] and asked["layout"] == "stage" and "assign" not in asked


def summary(mean: float | None, low: float | None = None, high: float | None = None) -> dict[str, Summary]:
    return {"person": Summary(mean, low, high)}


def test_what_was_measured_is_said_in_words(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    measures = {
        "perceptual": Measure("", True, summary(1.234, 1.1, 1.4), {}),
        "sharpness": Measure("", False, summary(0.9), {}),
        "pck": Measure("", False, summary(None), {}),
        "temporal": Measure("", True, summary(1.0, 0.98, 1.02), {}),
        "torn": Measure("", True, {"frame": Summary(1, None, None)}, {}),
    }
    method = Method("limb-warp", "Limb warp", "clips/a.mp4", measures, {}, None, None)
    test = Test("self-reenactment", "Held out.", "25", 3, 32, "clips/truth.mp4", "", [method], None)
    made = Evaluation("How true?", "2026-03-02T10:11:12Z", "", {}, {}, [test])

    def evaluated(*, actor: Path, driving: Path, output: str) -> None:
        assert (actor.name, driving.name) == ("Ann.actor", "more.mp4")
        made.save(Path(output) / "results.json")

    monkeypatch.setattr("understudy.verbs.evaluate.evaluate", evaluated)
    tiny_performance(folder.root / "dances" / "more.performance")
    tiny_actor(reference_sha256="1" * 64).save(folder.root / "actors" / "Ann.actor")
    folder.note("actors", "Ann", {"person": "Ann"})
    with pytest.raises(UsageError, match="the video of more is not here"):
        tasks.measure(folder, actor="Ann", dance="more")
    (folder.root / "dances" / "more.mp4").touch()
    said = [
        "Perceptual distance 1.23 (1.10 to 1.40): 0 is as filmed, more is worse.",
        "Sharpness 90% of the real clip's.",
        "Flicker 1.0 times the real clip's; a blurred clip has less of it, too.",
    ]
    assert tasks.measure(folder, actor="Ann", dance="more") == {"actor": "Ann", "said": said}
    assert folder.noted("actors", "Ann") == {"person": "Ann", "measured": {"dance": "more", "said": said}}
    assert not list((folder.root / "scratch").iterdir())
    assert "How true, by more:" in fragments.gallery(folder) and "Perceptual distance 1.23" in fragments.gallery(folder)
    learnt = f"{0:064x}"  # as of the dance
    tiny_actor(reference_sha256=learnt).save(folder.root / "actors" / "Ann.actor")
    assert tasks.measure(folder, actor="Ann", dance="more")["said"] == [figures.LEARNT, *said]
    folder.note("actors", "Ann", {"measured": ["damaged"]})
    assert "Ann" in fragments.gallery(folder) and "How true" not in fragments.gallery(folder)
    assert set(figures.SAID) < set(MEASURES)


ANKLES, KNEES = [LEFT_ANKLE, RIGHT_ANKLE], [LEFT_KNEE, RIGHT_KNEE]
WRISTS, ELBOWS = [LEFT_WRIST, RIGHT_WRIST], [LEFT_ELBOW, RIGHT_ELBOW]


@pytest.mark.parametrize(
    ("unseen", "said"),
    [
        ([], ""),
        (ANKLES, "The dance never shows the body below the knees: there the clone's legs stand."),
        (WRISTS, "The dance never shows the forearms: there its arms hang."),
        (
            [*ANKLES, *KNEES, *WRISTS, *ELBOWS],
            "The dance never shows the arms and the body below the hips: "
            "there the clone's legs stand and its arms hang.",
        ),
    ],
)
def test_limbs_that_a_dance_never_shows_are_said(tmp_path: Path, unseen: list[int], said: str) -> None:
    dance = tiny_performance(tmp_path / "a.performance")
    dance.poses.confidence[:, [*unseen, *(range(FEET.start, FEET.stop) if unseen else ())]] = 0
    assert tasks.never_shown(dance) == said


def test_they_stand_beside_the_time_line_and_the_shots(folder: Folder) -> None:
    for kind in ("people", "dances"):
        tiny_performance(folder.root / kind / "a.performance")
    report = tasks.coverage(folder, person="a", dance="a")["report"]
    found = folder.noted("reports", report)
    assert found["unseen"] == "" and "never shows" not in fragments.coverage(folder, "a", "a")
    folder.note("reports", report, found | {"unseen": "The dance never shows <arms>"})
    assert "The dance never shows &lt;arms&gt;" in fragments.coverage(folder, "a", "a")
    del found["unseen"]  # as of a report made before
    folder.note("reports", report, found)
    assert "Time line of the dance" in fragments.coverage(folder, "a", "a")
