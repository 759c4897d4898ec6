"""A square cut out of pictures: from arrays, and from decoded frames by FFmpeg's filters where these can."""

import cv2
import numpy as np
import pytest

import clips
from understudy.media import squares
from understudy.media.info import TURNS
from understudy.media.reading import VideoReader
from understudy.media.squares import cut, reading_shrink, stored_square


def test_beyond_the_picture_the_edge_is_repeated_or_a_value_stands():
    frame = np.full((40, 40, 3), 90, np.uint8)
    assert (cut(frame, (-20, -20, 80), 32) == 90).all()
    matte = cut(frame[..., 0], (-20, -20, 80), 32, beyond=0)
    assert matte[0, 0] == 0
    assert matte[16, 16] == 90


def test_shrinking_averages():
    checks = ((np.indices((96, 96)).sum(0) % 2) * 200).astype(np.uint8)
    assert np.abs(cut(checks, (0, 0, 96), 16).astype(int) - 100).max() <= 2


def test_a_square_outside_the_picture_is_a_mistake():
    with pytest.raises(ValueError, match="outside"):
        cut(np.zeros((10, 10), np.uint8), (50, 50, 8), 8)


@pytest.mark.parametrize(
    ("original_hw", "square", "size", "expected"),
    [
        ((1920, 1080), (0, 288, 1080), 256, 2),
        ((1920, 1080), (4, 288, 1024), 128, 4),
        ((1920, 1080), (0, 288, 700), 256, 1),  # would shrink by less than 3
        ((1920, 1078), (4, 288, 1024), 128, 2),  # a quarter of 1078 is no whole number
        ((1921, 1080), (4, 288, 1024), 128, 1),
        ((4320, 7680), (-8, 288, 4096), 128, 8),
    ],
)
def test_frames_are_shrunk_on_reading_only_as_far_as_cutting_would(original_hw, square, size, expected):
    assert reading_shrink(original_hw, square, size) == expected


def test_cutting_from_a_shrunk_frame_is_cutting_from_the_whole():
    rng = np.random.default_rng(0)
    frame = cv2.GaussianBlur(rng.integers(0, 256, (480, 640, 3), np.uint8), (9, 9), 0)
    square, size = (20, 40, 400), 100
    assert reading_shrink((480, 640), square, size) == 2
    half = cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(cut(half, (10, 20, 200), size).astype(int), cut(frame, square, size), atol=1)


def scene(size_hw=(180, 240)):
    """Smooth noise in every colour, with a bright mark off the middle, so that no turn leaves it alike."""
    rng = np.random.default_rng(3)
    frame = cv2.GaussianBlur(rng.integers(0, 256, (*size_hw, 3), np.uint8), (0, 0), 8)
    frame = cv2.normalize(frame, None, 20, 230, cv2.NORM_MINMAX)
    cv2.circle(frame, (60, 50), 12, (250, 240, 20), -1)
    return frame


def both(path, square, size, **how):
    """The square by filters, and cut out of the whole frame; fails where no filters were used."""
    reader = VideoReader(path, **how)
    graphs = []
    make = squares.SquareConverter._graph
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(squares.SquareConverter, "_graph", lambda *a: graphs.append(make(*a)) or graphs[-1])
        direct = [shown for shown, _ in reader.squares(square, size, ())]
    assert len(graphs) == 1, "one graph for all frames"
    return direct, [cut(frame, square, size) for frame in VideoReader(path, **how)]


SQUARES = {
    "inside": (40, 20, 120),
    "beyond one side": (-24, 20, 120),
    "beyond all sides": (-20, -40, 280),
    "beyond a corner": (180, 120, 120),
}


@pytest.mark.parametrize("square", SQUARES.values(), ids=SQUARES)
@pytest.mark.parametrize("size", [48, 120, 160])
def test_filters_give_what_cutting_the_whole_frame_gives(tmp_path, square, size):
    path = clips.write_clip(tmp_path / "a.mp4", [scene()] * 2, options={"crf": "4"})
    direct, whole = both(path, square, size)
    assert len(direct) == len(whole) == 2
    for one, other in zip(direct, whole, strict=True):
        assert one.shape == (size, size, 3) and one.flags.c_contiguous and one.flags.owndata
        difference = one.astype(int) - other
        assert np.abs(difference).mean() < 1.2 and np.abs(difference.mean(axis=(0, 1))).max() < 0.4


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_the_square_is_that_of_the_picture_as_it_is_shown(tmp_path, rotation, rotate):
    path = clips.write_clip(tmp_path / "a.mp4", [scene()] * 2, rotation=rotation, options={"crf": "4"})
    direct, whole = both(path, (12, -8, 128), 64, rotate=rotate)
    assert np.abs(direct[0].astype(int) - whole[0]).mean() < 1.2


@pytest.mark.parametrize("turn", TURNS)
def test_a_square_is_found_in_the_stored_picture(turn):
    from understudy.media.colour import turned

    stored = np.arange(20 * 32).reshape(20, 32) % 251
    shown = turned(stored.astype(np.uint8), turn)
    left, top, side = stored_square((4, 8, 10), turn, shown.shape)
    np.testing.assert_array_equal(
        turned(stored[top : top + side, left : left + side].astype(np.uint8), turn), shown[8:18, 4:14]
    )


@pytest.mark.parametrize(
    ("pixel_format", "colour"),
    [
        ("yuv420p", (1, 1, 1, 1)),
        ("yuv420p", (6, 1, 6, 6)),
        ("yuv420p", (5, 2, 5, 1)),
        ("yuvj420p", (6, 2, 2, 2)),
        ("yuv444p", (1, 2, 1, 1)),
        ("yuv422p", (2, 0, 2, 2)),
        ("yuv420p10le", (1, 1, 1, 1)),
    ],
)
def test_colours_are_those_of_the_whole_frame(tmp_path, pixel_format, colour):
    path = clips.write_clip(
        tmp_path / "a.mp4", [scene()] * 2, pixel_format=pixel_format, colour=colour, options={"crf": "4"}
    )
    direct, whole = both(path, (40, 20, 120), 64)
    difference = direct[0].astype(int) - whole[0]
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.5 and np.abs(difference).mean() < 1.2


@pytest.mark.parametrize("size_hw", [(180, 240), (179, 239)], ids=["wide pixels", "odd sides"])
def test_what_filters_cannot_do_is_cut_from_the_whole(tmp_path, monkeypatch, size_hw):
    monkeypatch.setattr(squares.SquareConverter, "_graph", None)
    aspect = 4 / 3 if size_hw == (180, 240) else None
    options = {"pixel_format": "yuv444p"} if aspect is None else {"aspect": clips.Fraction(4, 3)}
    path = clips.write_clip(tmp_path / "a.mp4", [scene(size_hw)] * 2, **options)
    (one, none), (_, beside) = VideoReader(path).squares((8, 8, 96), 48, {1})
    frames = list(VideoReader(path))
    np.testing.assert_allclose(one.astype(int), cut(frames[0], (8, 8, 96), 48), atol=2)
    assert none is None and np.array_equal(beside, frames[1])


def test_transparent_and_hdr_films_are_cut_from_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(squares.SquareConverter, "_graph", None)
    path = clips.write_gif(tmp_path / "a.gif", 2)
    (one, _), _ = VideoReader(path, alpha_background=(10, 200, 30)).squares((0, 0, 40), 20, ())
    assert tuple(one[10, 2]) == (10, 200, 30)
    hlg = clips.real_clip("phone_hlg_rotated_no_person.mp4")
    reader = VideoReader(hlg, end=0.05, say_notes=False)
    whole = next(iter(VideoReader(hlg, end=0.05, say_notes=False)))
    (one, _), *_ = reader.squares((100, 200, 320), 160, ())
    np.testing.assert_allclose(one.astype(int), cut(whole, (100, 200, 320), 160), atol=2)
