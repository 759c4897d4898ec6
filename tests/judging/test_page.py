"""Studies with human judges: what is made of the videos, what judges get to see of it, and what is said on mistakes."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from clips import number_of, numbered, write_clip
from understudy.cli import main as cli
from understudy.judging.clips import GAP
from understudy.judging.page import study
from understudy.judging.votes import Key
from understudy.media.reading import VideoReader


def failing(command: str, capfd: pytest.CaptureFixture[str]) -> str:
    """The one line of a command that fails."""
    with pytest.raises(SystemExit) as left:
        cli.main(command.split())
    assert left.value.code == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1 and lines[0].startswith("error: ")
    return lines[0]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of two methods at different rates: number k of the slow one shows what number 2 k of the fast one does."""
    folder = tmp_path_factory.mktemp("clips")
    for name in ("ours", "pix2pix", "full"):
        (folder / name).mkdir()
    fast, slow = [numbered(k) for k in range(30)], [numbered(2 * k, (96, 128)) for k in range(15)]
    write_clip(folder / "ours" / "1.mp4", fast, 30, audio="aac", metadata={"title": "made by ours"})
    write_clip(folder / "pix2pix" / "1.mp4", slow, 15)
    write_clip(folder / "wide.mp4", [numbered(1, (48, 96))] * 5, 15)
    write_clip(folder / "short.mp4", 12, 30)
    (folder / "text.mp4").write_text("this is no video")
    (folder / "full" / "thesis.tex").write_text("everything")
    return folder


@pytest.fixture
def here(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(clips, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def frames_of(path: Path) -> list[np.ndarray]:
    with VideoReader(path) as reader:
        return list(reader)


def test_a_pair_becomes_one_video_in_step(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = study(["ours/1.mp4", "pix2pix/1.mp4"], output="study")
    assert "sizes differ, all are shown at the smallest, 64x48" in caplog.text
    assert {item.methods for item in made.key.items if item.expected is None} <= {
        ("ours", "pix2pix"), ("pix2pix", "ours")
    }  # fmt: skip
    question, check = sorted(made.key.items, key=lambda item: item.expected is not None)
    clips = here / "study" / "for_judges" / "clips"
    assert sorted(path.name for path in clips.iterdir()) == ["v001.mp4", "v002.mp4"]
    shown = frames_of(clips / f"{question.item}.mp4")
    assert len(shown) == 15 and shown[0].shape == (48, 64 + GAP + 64, 3)
    halves = [(number_of(frame[:, :64]), number_of(frame[:, 64 + GAP :])) for frame in shown]
    assert halves == [(2 * k, 2 * k) for k in range(15)]
    with av.open(str(clips / f"{question.item}.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert container.streams.video[0].average_rate == 15
        assert "made by" not in str(container.metadata)
    first, second = slice(0, 64), slice(64 + GAP, None)
    good, bad = (first, second) if check.expected == "a" else (second, first)
    shown = frames_of(clips / f"{check.item}.mp4")
    assert [number_of(frame[:, good]) for frame in shown] == [2 * k for k in range(15)]
    moved = [np.abs(a[:, bad].astype(int) - b[:, bad]).mean() > 4 for a, b in pairwise(shown)]
    assert sum(moved) <= 2  # it stands still but for a jump every half second


def test_nothing_that_judges_get_names_a_method(here: Path) -> None:
    made = study(["ours/1.mp4", "pix2pix/1.mp4"], output="study", labels=["Zebra", "Quagga"])
    for path in made.page.parent.rglob("*"):
        told = path.name.encode() + (path.read_bytes() if path.is_file() else b"")
        assert not re.search(rb"\bours\b|pix2pix|zebra|quagga|expected|study\.json", told, re.IGNORECASE), path
    assert {path.name for path in Path("study").iterdir()} == {"for_judges", "study.json", "README.txt"}
    assert {path.stat().st_mtime for path in made.page.parent.rglob("*.mp4")} == {946_728_000}
    assert {method for item in Key.load("study").items for method in item.methods} == {"Zebra", "Quagga"}
    assert "Keep study.json to yourself" in Path("study/README.txt").read_text()


def test_the_same_arguments_make_the_same_study(here: Path) -> None:
    pair = ["ours/1.mp4", "pix2pix/1.mp4"]
    first, same, other = (study(pair, output=f"study{k}", seed=seed).key for k, seed in enumerate((1, 1, 2)))
    assert first == same and first.study != other.study


def test_pairs_are_cut_to_the_asked_seconds_and_the_shorter(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = study(["ours/1.mp4", "short.mp4"], output="study")
    assert len(frames_of(made.page.parent / "clips" / "v001.mp4")) == 12
    assert "lasts 1.00 s and short.mp4 0.40 s: both are cut to the shorter" in caplog.text
    made = study(["ours/1.mp4", "short.mp4"], output="brief", seconds=0.2)
    assert len(frames_of(made.page.parent / "clips" / "v001.mp4")) == 6


def test_single_videos_share_rate_length_and_size(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = study(videos=["ours/1.mp4", "pix2pix/1.mp4"], real=["short.mp4", "ours/../short.mp4"], output="study")
    asked = sorted(item.methods for item in made.key.items if item.expected is None)
    assert asked == [("ours",), ("pix2pix",), ("real",)]
    for path in (made.page.parent / "clips").iterdir():
        with VideoReader(path) as reader:
            assert (reader.size_hw, reader.fps, reader.expected_frames) == ((48, 64), 15, 6)
    assert [item.expected for item in made.key.items].count("generated") == 1
    assert "Real or not?" in made.page.read_text()


def test_a_shape_that_gives_it_away_is_said(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    study(videos=["ours/1.mp4"], real=["wide.mp4"], output="study")
    assert "only real videos have the shape of wide.mp4 (96x48)" in caplog.text


def test_many_questions_have_several_checks(here: Path) -> None:
    made = study(["ours/1.mp4", "pix2pix/1.mp4"] * 13, output="study", seconds=0.1)
    assert len(made.key.items) == 15 and sum(item.expected is not None for item in made.key.items) == 2


def test_pairs_that_do_not_add_up_are_noted(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    pairs = ["ours/1.mp4", "short.mp4", "pix2pix/1.mp4", "ours/1.mp4"]
    study(pairs, output="study", labels=["a", "b", "c", "d"], seconds=0.1)
    assert "every pair counts by itself; to add pairs up, name the methods alike" in caplog.text


MISTAKES = {
    "nothing": ("--output s", "nothing to judge: give --pairs, two videos for each, or --videos"),
    "no output": ("--pairs ours/1.mp4 pix2pix/1.mp4", "add --output study"),
    "odd": ("--pairs ours/1.mp4 --output s", "two videos for every pair, and 1 were given"),
    "both kinds": ("--pairs ours/1.mp4 short.mp4 --videos short.mp4 --output s", "either --pairs or --videos"),
    "no such video": ("--pairs ours/1.mp4 none.mp4 --output s", "none.mp4"),
    "text": ("--pairs ours/1.mp4 text.mp4 --output s", "text.mp4"),
    "shapes": ("--pairs ours/1.mp4 wide.mp4 --output s", "(64x48) and wide.mp4 (96x48) have different shapes"),
    "one method": ("--pairs ours/1.mp4 ours/1.mp4 --output s", "would both be called 'ours': name them with --labels"),
    "labels": ("--pairs ours/1.mp4 short.mp4 --labels a b c --output s", "two names or one for each of 2 videos"),
    "single labels": ("--videos ours/1.mp4 --real short.mp4 --labels a b --output s", "each of 1 videos that are not"),
    "label of the real": ("--videos ours/1.mp4 --real short.mp4 --labels real --output s", "label 'real' is that"),
    "nothing real": ("--videos ours/1.mp4 --output s", "there are no recordings: name them with --real"),
    "all real": ("--real ours/1.mp4 --output s", "there are no generated ones: add them to --videos"),
    "exists": ("--pairs ours/1.mp4 pix2pix/1.mp4 --output full", "full exists: choose another --output"),
    "is a file": ("--pairs ours/1.mp4 pix2pix/1.mp4 --output text.mp4", "text.mp4 exists"),
    "seconds": ("--pairs ours/1.mp4 pix2pix/1.mp4 --output s --seconds 0", "--seconds must be above 0, not 0"),
    "seed": ("--pairs ours/1.mp4 pix2pix/1.mp4 --output s --seed -1", "--seed must be 0 or above, not -1"),
    "study without votes": ("--study full --output s", "--study goes with --results"),
    "votes and videos": ("--results v.json --videos short.mp4", "--results counts votes: it goes with --study"),
    "table name": ("--results v.json --output results.csv", "name results.csv with .json"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_cost_one_line_and_leave_nothing(here: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    command, message = MISTAKES[name]
    before = sorted(here.rglob("*"))
    assert message in failing(f"study {command}", capfd)
    assert sorted(here.rglob("*")) == before


def test_the_command_says_what_to_send_and_what_to_do_next(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["study", "--pairs", "ours/1.mp4", "pix2pix/1.mp4", "--output", "made/study"])
    assert not left.value.code
    assert capsys.readouterr().out.splitlines() == [
        "study: made/study (2 questions)",
        "send to the judges: made/study/for_judges (all of it; index.html is the page to open)",
        "count the votes: understudy study --results votes-*.json --study made/study",
    ]
