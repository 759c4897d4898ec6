"""Backgrounds: what the argument understands, and the frames it gives."""

from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from understudy.compositing.backgrounds import Background, cover
from understudy.errors import MediaError, UsageError
from understudy.media.reading import VideoWriter, write_image

REFERENCE = np.full((20, 30, 3), 10, np.uint8)
DRIVING = np.full((90, 40, 3), 20, np.uint8)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("reference", "reference"),
        ("Driving", "driving"),
        ("transparent", "transparent"),
        ("green", (0, 177, 64)),
        ("BLACK", (0, 0, 0)),
        ("#102030", (16, 32, 48)),
        ("#fff", (255, 255, 255)),
        ("1,2, 3", (1, 2, 3)),
    ],
)
def test_words_and_colours(text: str, meaning: object) -> None:
    assert Background.of(text) == Background(meaning)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("purpleish", "neither a colour nor an existing file"),
        ("#12345", "#rrggbb"),
        ("#gggggg", "#rrggbb"),
        ("1,2,256", "between 0 and 255"),
        ("1,2", "neither a colour nor an existing file"),
        ("room.png", "neither a colour nor an existing file"),
    ],
)
def test_anything_else_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        Background.of(text)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("background", "value"),
    [("reference", (10, 10, 10)), ("driving", (20, 20, 20)), ("1,2,3", (1, 2, 3)), ("transparent", (0, 0, 0, 0))],
)
def test_stills_fill_the_output_and_may_be_drawn_on(background: str, value: tuple[int, ...]) -> None:
    behind = Background.of(background)
    frames = behind.frames((20, 30), Fraction(25), reference=REFERENCE, driving=lambda: DRIVING)
    assert behind.transparent is (len(value) == 4)
    for _ in range(2):
        frame = next(frames)
        assert frame.shape == (20, 30, len(value)) and (frame == value).all()
        frame[:] = 99


def test_a_picture_is_cut_to_the_shape(tmp_path: Path) -> None:
    picture = np.zeros((10, 40, 3), np.uint8)
    picture[:, 15:25] = 200
    write_image(tmp_path / "room.png", picture)
    room = Background.of(tmp_path / "room.png")
    assert room.shape_hw((3, 4)) == (10, 40)
    frame = next(room.frames((20, 20), Fraction(25), reference=REFERENCE, driving=lambda: DRIVING))
    assert frame.shape == (20, 20, 3) and frame[:, 2:-2].min() > 150


@pytest.mark.parametrize("size_hw", [(20, 30), (7, 5), (100, 20), (333, 517)])
def test_cover_gives_exactly_the_size(size_hw: tuple[int, int]) -> None:
    for shape in ((20, 30), (45, 19), (19, 45)):
        covered = cover(np.full((*shape, 3), 77, np.uint8), size_hw)
        assert covered.shape == (*size_hw, 3) and (covered == 77).all()


def test_a_video_keeps_its_speed_and_starts_again(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "loop.mp4", Fraction(10)) as writer:
        for level in (40, 120, 200):
            writer.write(np.full((32, 32, 3), level, np.uint8))
    loop = Background.of(str(tmp_path / "loop.mp4"))
    assert loop.shape_hw((3, 4)) == (32, 32)
    frames = loop.frames((16, 16), Fraction(20), reference=REFERENCE, driving=lambda: DRIVING)
    levels = [int(round(float(frame.mean()) / 10) * 10) for frame in islice(frames, 14)]
    assert levels == [40, 40, 120, 120, 200, 200] * 2 + [40, 40]


@pytest.mark.parametrize("behind", ["driving", "transparent", (1, 2, 3), Path("room.png")], ids=str)
def test_a_room_that_was_learnt_along_cannot_be_exchanged(behind: object) -> None:
    asked = Background(behind)
    asked.check_room(False)
    Background("reference").check_room(True)
    with pytest.raises(UsageError, match="`background` must be reference: this actor paints the room") as caught:
        asked.check_room(True)
    assert "\n" not in str(caught.value)


def test_only_what_has_a_shape_of_its_own_says_one() -> None:
    assert Background("driving").shape_hw((3, 4)) == (3, 4)
    assert [Background(what).shape_hw((3, 4)) for what in ("reference", "transparent", (1, 2, 3))] == [None] * 3


@pytest.mark.parametrize("name", ["room.png", "room.mp4"])
def test_a_file_that_cannot_be_shown_is_refused_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("this is no picture")
    with pytest.raises(MediaError, match=name):
        Background.of(tmp_path / name)
