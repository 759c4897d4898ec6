"""Everything that can be wrong with a video costs one line and exit 2 on the command line, whichever command meets it.

What the reader itself says to each is in test_video.py; here it is said once, without a traceback, and nothing is left.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import clips
from tiny import tiny_performance
from tiny_actor import tiny_actor
from understudy.cli import main as cli

SILENT = {"bf": "0"}


def noise(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [random.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(count)]


def written(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def cut_before_its_index(path: Path) -> None:
    clips.cut(clips.write_clip(path, 30), 0.5)


def cut_in_the_middle(path: Path) -> None:
    clips.cut_in_packet(clips.write_clip(path, 30, options={"g": "1"}, muxer_options={"movflags": "faststart"}), 14)


def damaged(path: Path) -> None:
    clips.damage(clips.write_clip(path, noise(20), options=SILENT), 10)


def broken_metadata(path: Path) -> None:
    clips.write_clip(path, 5, metadata={"title": "XXXXXXXX"})
    path.write_bytes(path.read_bytes().replace(b"XXXXXXXX", b"\xff\xfe\x80\xc3(\xa0\xe2\x28"))


# name of the file, how it is made, what is said
HOPELESS = {
    "cut before its index": ("clip.mp4", cut_before_its_index, "cut off before its index"),
    "sound only": ("song.m4a", clips.write_sound, "only sound"),
    "sound only, named as video": ("song.mp4", clips.write_sound, "only sound"),
    "empty": ("clip.mp4", written(b""), "is empty (0 bytes)"),
    "text": ("clip.mp4", written(b"shopping list: milk, eggs\n" * 40), "is a text file"),
    "random bytes": ("clip.mp4", written(bytes(range(256)) * 20), "no video of a kind that is read here"),
    "huge": ("clip.gif", clips.write_huge_gif, "16000x16000 pixels; at most 8192x8192"),
    "playlist": ("clip.mp4", written(b"ffconcat version 1.0\nfile me.actor\n"), "it is a playlist"),
}
COMMANDS = {
    "track": "track {} --output x.performance",
    "train": "train --reference {} --output x.actor --consent me",
    "clone": "clone --reference me.performance --driving {} --output x.mp4 --consent me",
    "perform": "perform --actor me.actor --driving {} --output x.mp4",
    "several": "perform --actor me.actor --actor me.actor --driving {} --output x.mp4",
    "background": "perform --actor me.actor --driving me.performance --background {} --output x.mp4",
    "coverage": "coverage --reference me.performance --driving {}",
    "inspect": "inspect {}",
    "detect": "detect {} --output told",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    tiny_performance(tmp_path / "me.performance", 1)
    tiny_actor().save(tmp_path / "me.actor")
    return tmp_path


def said(here: Path, command: str, capfd: pytest.CaptureFixture[str]) -> str:
    """The one line of a command that fails and leaves no file behind."""
    before = {path for path in here.rglob("*") if path.is_file()}
    capfd.readouterr()
    with pytest.raises(SystemExit) as left:
        cli.main(command.split(" "))
    printed = capfd.readouterr()
    assert left.value.code == 2
    assert not printed.out
    lines = [line for line in printed.err.splitlines() if not line.endswith(", done")]  # a progress bar's
    assert len(lines) == 1 and lines[0].startswith("error: "), printed.err
    left_over = {path for path in here.rglob("*") if path.is_file()} - before
    assert [path for path in left_over if path.name != "consent.json"] == []
    return lines[0]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", HOPELESS)
def test_no_command_reads_a_hopeless_file(
    here: Path, capfd: pytest.CaptureFixture[str], kind: str, command: str
) -> None:
    name, make, words = HOPELESS[kind]
    make(here / name)
    line = said(here, COMMANDS[command].format(name), capfd)
    assert words in line and name in line


# what is found only while reading
PARTLY = {
    "cut, strict": (cut_in_the_middle, "track clip.mp4 --output x --strict", "is cut at 0.47 s of 1.00 s"),
    "damaged": (damaged, "track clip.mp4 --output x", "--tolerate-damage"),
    "damaged, for a command without that option": (
        damaged,
        "perform --actor me.actor --driving clip.mp4 --output x.mp4",
        "`understudy track VIDEO --tolerate-damage --output NAME.performance`, and give that",
    ),
    "broken metadata, and nobody there": (broken_metadata, "track clip.mp4 --output x", "found in 0 of 5 frames"),
    "odd size, and nobody there": (
        lambda path: clips.write_clip(path, [np.zeros((97, 131, 3), np.uint8)] * 4, pixel_format="yuv444p"),
        "track clip.mp4 --output x",
        "found in 0 of 4 frames",
    ),
}


@pytest.mark.parametrize("kind", PARTLY)
def test_what_is_found_while_reading_costs_one_line_too(
    here: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    make, command, words = PARTLY[kind]
    make(here / "clip.mp4")
    assert words in said(here, command, capfd)
