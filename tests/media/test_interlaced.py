"""Half pictures woven into frames are taken apart; a picture whose size changes keeps its shape."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph

import clips
from understudy.errors import UsageError
from understudy.media.reading import VideoReader, is_video
from understudy.performing.comparison import driving_panels
from understudy.performing.driver import Driver
from understudy.tracking.track import track

SIZE_HW = (96, 128)


def _moment(time: int) -> np.ndarray:
    """A white bar on grey that moves by 3 pixels from each half picture to the next."""
    picture = np.full((*SIZE_HW, 3), 60, np.uint8)
    picture[:, 10 + 3 * time : 26 + 3 * time] = 220
    return picture


def _bar_left(frame: np.ndarray) -> float:
    return float(np.argmax(frame[SIZE_HW[0] // 2, :, 1] > 140))


def _combs(frame: np.ndarray) -> float:
    """Mean difference, in levels, of each row from those above and below it."""
    rows = frame[:, :, 1].astype(int)
    return float(np.abs(2 * rows[1:-1] - rows[:-2] - rows[2:]).mean())


def _woven(path: Path, frames: int, top_first: bool, codec: str, marked: bool = True, **options: str) -> Path:
    """Film of 50 half pictures a second in 25 frames."""
    graph = Graph()
    mode = "prog" if not marked else "tff" if top_first else "bff"
    source = graph.add_buffer(width=SIZE_HW[1], height=SIZE_HW[0], format=av.VideoFormat("rgb24"), time_base=1)
    graph.link_nodes(source, graph.add("setfield", f"mode={mode}"), graph.add("buffersink")).configure()
    with av.open(str(path), "w") as container:
        flags = {"flags": "+ildct+ilme"} if marked else {}
        stream = container.add_stream(codec, rate=25, options={**flags, **options})
        stream.height, stream.width = SIZE_HW
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        for k in range(frames):
            picture = _moment(2 * k)
            picture[1 if top_first else 0 :: 2] = _moment(2 * k + 1)[1 if top_first else 0 :: 2]
            graph.vpush(av.VideoFrame.from_ndarray(picture, format="rgb24"))
            frame = graph.vpull()
            frame.pts, frame.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("top_first", [True, False], ids=["top first", "bottom first"])
def test_both_half_pictures_can_be_had(tmp_path: Path, top_first: bool) -> None:
    path = _woven(tmp_path / "film.mpg", 10, top_first, "mpeg2video")
    with VideoReader(path, double_rate=True) as reader:
        assert (reader.fps, reader.expected_frames, reader.info.frames) == (50, 20, 20)
        frames = list(reader)
        assert any("each half picture is made a whole one, at twice the rate" in note for note in reader.notes)
    assert len(frames) == 20
    lefts = [_bar_left(frame) for frame in frames]
    assert lefts[1:-1] == pytest.approx([10 + 3 * k for k in range(1, 19)], abs=1.5)
    assert max(map(_combs, frames[1:-1])) < 8
    part = list(VideoReader(path, start=0.1, end=0.2, double_rate=True))
    np.testing.assert_array_equal(np.stack(part), np.stack(frames[5:10]))


def test_of_whole_pictures_there_are_no_halves(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "whole.mp4", 5, 25)
    with pytest.raises(UsageError, match=r"whole\.mp4 is not interlaced: leave out `double_rate`"):
        VideoReader(path, double_rate=True)


def test_a_performance_of_half_pictures_says_so_and_its_video_is_read_alike(tmp_path: Path) -> None:
    path = _woven(tmp_path / "film.mpg", 10, True, "mpeg2video")
    people = [{"people": [{"pose_keypoints_2d": [v for k in range(18) for v in (40 + 2 * k, 20 + 3 * k, 0.9)]}]}] * 20
    (tmp_path / "poses").mkdir()
    for number, one in enumerate(people):
        (tmp_path / "poses" / f"{number:06d}.json").write_text(json.dumps(one))
    made = track(path, tmp_path / "x.performance", poses=tmp_path / "poses", matte="none", size=64, double_rate=True)
    assert made.header.double_rate and (len(made), made.fps) == (20, 50)
    shown = list(driving_panels(Driver.of(made)))
    np.testing.assert_array_equal(np.stack(shown), np.stack(list(VideoReader(path, double_rate=True))))


@pytest.mark.parametrize("top_first", [True, False], ids=["top first", "bottom first"])
@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mpg", "mpeg2video", {"bf": "2"}),
        ("a.mp4", "libx264", {"bf": "2"}),
        ("a.mkv", "libx264", {"bf": "0"}),
        ("b.avi", "libx264", {"bf": "2"}),
    ],
    ids=["mpeg2", "h264", "h264 in mkv", "h264 in avi"],
)
def test_woven_half_pictures_become_whole_ones(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], top_first: bool
) -> None:
    order = {"x264-params": "tff=1" if top_first else "bff=1"} if codec == "libx264" else {}
    path = _woven(tmp_path / name, 12, top_first, codec, **options, **order)
    reader = VideoReader(path, strict=True)
    frames = list(reader)
    assert len(frames) == reader.expected_frames == 12
    assert [_bar_left(frame) for frame in frames] == pytest.approx([10 + 6 * k for k in range(12)], abs=2)
    assert max(_combs(frame) for frame in frames) < 8
    [note] = reader.notes
    assert "is interlaced" in note
    part = list(VideoReader(path, start=0.2, end=0.32))
    assert [_bar_left(frame) for frame in part] == pytest.approx([40, 46, 52], abs=2)


def test_film_that_is_not_marked_as_interlaced_is_left_as_it_is(tmp_path: Path) -> None:
    reader = VideoReader(_woven(tmp_path / "a.mp4", 6, True, "libx264", marked=False))
    assert min(_combs(frame) for frame in reader) > 12
    assert reader.notes == []


def test_one_interlaced_frame_is_enough(tmp_path: Path) -> None:
    [frame] = VideoReader(_woven(tmp_path / "a.mpg", 1, True, "mpeg2video"), strict=True)
    assert _bar_left(frame) == pytest.approx(10, abs=2)


def test_colours_of_interlaced_film_stay(tmp_path: Path) -> None:
    picture = np.zeros((*SIZE_HW, 3), np.uint8)
    picture[:] = (200, 40, 90)
    colour = (1, 1, 1, 1)  # BT.709 where its size would say BT.601
    plain = clips.write_clip(tmp_path / "p.mp4", [picture] * 3, colour=colour)
    options = {"flags": "+ildct+ilme", "x264-params": "tff=1"}
    woven = clips.write_clip(tmp_path / "w.mp4", [picture] * 3, colour=colour, options=options)
    reader = VideoReader(woven)
    shown = next(iter(reader))
    assert reader.notes
    assert np.abs(shown.astype(int) - next(iter(VideoReader(plain)))).max() <= 2


def test_raw_dv_is_read(tmp_path: Path) -> None:
    frames = [clips.numbered(k, (576, 720)) for k in range(3)]
    path = clips.write_clip(tmp_path / "tape.dv", frames, 25, codec="dvvideo", pixel_format="yuv420p")
    assert is_video(path)
    reader = VideoReader(path, strict=True)
    assert reader.fps == 25
    assert clips.numbers_of(reader) == [0, 1, 2]


def _of_two_sizes(path: Path, first_hw: tuple[int, int], second_hw: tuple[int, int], aspect: Fraction | None) -> Path:
    """Ten frames of each size in one stream, with a red ring in the middle."""
    with av.open(str(path), "w") as container:
        target = container.add_stream("libx264", rate=25)
        target.height, target.width = first_hw
        target.pix_fmt = "yuv420p"
        streams = [target]
        for number, (height, width) in enumerate((first_hw, second_hw)):
            context = av.CodecContext.create("libx264", "w")
            context.height, context.width, context.pix_fmt = height, width, "yuv420p"
            context.time_base, context.options = Fraction(1, 25), {"bf": "0", "tune": "zerolatency"}
            if aspect is not None:
                context.sample_aspect_ratio = aspect
            y, x = np.mgrid[:height, :width]
            round_x = (x - width / 2 + 0.5) * float(aspect or 1)
            picture = np.full((height, width, 3), 120, np.uint8)
            picture[(y - height / 2 + 0.5) ** 2 + round_x**2 < (min(height, width) * 0.3) ** 2] = (230, 30, 30)
            for k in range(10):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = 10 * number + k, Fraction(1, 25)
                for packet in context.encode(frame):
                    packet.stream, packet.time_base = streams[0], Fraction(1, 25)
                    container.mux(packet)
    return path


def _ring_hw(frame: np.ndarray) -> tuple[int, int]:
    red = (frame[:, :, 0] > 180) & (frame[:, :, 1] < 90)
    return int(red.any(1).sum()), int(red.any(0).sum())


@pytest.mark.parametrize(
    ("first_hw", "second_hw", "aspect", "bars"),
    [
        ((128, 96), (96, 128), None, True),
        ((96, 128), (128, 96), None, True),
        ((96, 128), (192, 256), None, False),
        ((96, 128), (48, 64), None, False),
        ((96, 96), (96, 64), Fraction(4, 3), True),
    ],
    ids=["turned", "turned back", "larger", "smaller", "anamorphic"],
)
@pytest.mark.parametrize("long_side", [None, 64])
def test_a_size_that_changes_keeps_its_shape(
    tmp_path: Path,
    first_hw: tuple[int, int],
    second_hw: tuple[int, int],
    aspect: Fraction | None,
    bars: bool,
    long_side: int | None,
) -> None:
    path = _of_two_sizes(tmp_path / "a.ts", first_hw, second_hw, aspect)
    reader = VideoReader(path, strict=True, long_side=long_side)
    frames = list(reader)
    assert len(frames) == 20 and {frame.shape[:2] for frame in frames} == {reader.size_hw}
    for frame in (frames[2], frames[18]):
        height, width = _ring_hw(frame)
        assert height > 8 and abs(height - width) <= 3
    corners = frames[18][[0, -1]][:, [0, -1]]
    assert (corners.max() < 10) == bars
    [note] = reader.notes
    before, after = (f"{width}x{height}" for height, width in (first_hw, second_hw))
    assert f"changes its size at 0.40 s from {before} to {after}: fitted" in note
    later = VideoReader(path, start=0.6, long_side=long_side)
    assert np.array_equal(next(iter(later)), frames[15]) and later.size_hw == reader.size_hw
