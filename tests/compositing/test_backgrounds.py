"""Backgrounds: what --background understands, and the frames it gives."""

from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from understudy.compositing.backgrounds import backgrounds, check_room, cover, parse_background
from understudy.errors import UsageError
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
    assert parse_background(text) == meaning


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
        parse_background(text)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("background", "value"),
    [("reference", (10, 10, 10)), ("driving", (20, 20, 20)), ("1,2,3", (1, 2, 3)), ("transparent", (0, 0, 0, 0))],
)
def test_stills_fill_the_output_and_may_be_drawn_on(background: str, value: tuple[int, ...]) -> None:
    frames = backgrounds(
        parse_background(background), (20, 30), Fraction(25), reference=REFERENCE, driving=lambda: DRIVING
    )
    for _ in range(2):
        frame = next(frames)
        assert frame.shape == (20, 30, len(value)) and (frame == value).all()
        frame[:] = 99


def test_a_picture_is_cut_to_the_shape(tmp_path: Path) -> None:
    picture = np.zeros((10, 40, 3), np.uint8)
    picture[:, 15:25] = 200
    write_image(tmp_path / "room.png", picture)
    frame = next(
        backgrounds(
            parse_background(str(tmp_path / "room.png")),
            (20, 20),
            Fraction(25),
            reference=REFERENCE,
            driving=lambda: DRIVING,
        )
    )
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
    frames = backgrounds(tmp_path / "loop.mp4", (16, 16), Fraction(20), reference=REFERENCE, driving=lambda: DRIVING)
    levels = [int(round(float(frame.mean()) / 10) * 10) for frame in islice(frames, 14)]
    assert levels == [40, 40, 120, 120, 200, 200] * 2 + [40, 40]


@pytest.mark.parametrize("behind", ["driving", "transparent", (1, 2, 3), Path("room.png")], ids=str)
def test_a_room_that_was_learnt_along_cannot_be_exchanged(behind: object) -> None:
    check_room(False, behind)
    check_room(True, "reference")
    with pytest.raises(UsageError, match="--background must be reference: this actor paints the room") as caught:
        check_room(True, behind)
    assert "\n" not in str(caught.value)
