"""The reader: exact frames from whole, odd, variable, turned, cut and damaged files; one error for hopeless ones."""

from __future__ import annotations

import logging
import resource
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import clips
from understudy.errors import MediaError, UsageError
from understudy.media.info import _tagged_end
from understudy.media.reading import VideoReader, is_video, probe


def test_delivers_every_frame_in_order_and_again(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "plain.mp4", 40, Fraction(30000, 1001), audio="aac")
    with VideoReader(path) as reader:
        assert reader.fps == Fraction(30000, 1001)
        assert reader.size_hw == clips.SIZE_HW
        assert reader.expected_frames == 40
        assert clips.numbers_of(reader) == list(range(40))
        assert clips.numbers_of(reader) == list(range(40))
        assert reader.notes == []
    info = probe(path)
    assert (info.codec, info.pixel_format, info.has_audio, info.rotation) == ("h264", "yuv420p", True, 0)
    assert info.duration == Fraction(40 * 1001, 30000)


def test_frames_belong_to_the_caller(tmp_path: Path) -> None:
    path = clips.write_clip(
        tmp_path / "still.mp4", 5, times=[0, 1, 2, 8, 9]
    )  # the third frame is delivered several times
    kept, numbers = [], []
    for frame in VideoReader(path):
        assert frame.dtype == np.uint8 and frame.flags.c_contiguous and frame.flags.writeable
        numbers.append(clips.number_of(frame))
        frame[:] = 255
        kept.append(frame)
    assert numbers.count(2) > 2 and set(numbers) == {0, 1, 2, 3, 4}
    assert len({id(frame) for frame in kept}) == len(kept)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "extra"),
    [
        ("a.mkv", "libx264", Fraction(24000, 1001), {"audio": "libopus"}),
        ("a.webm", "libvpx-vp9", 25, {"audio": "libopus", "options": {"cpu-used": "8"}}),
        ("a.mov", "prores_ks", 24, {"pixel_format": "yuv422p10le"}),
        ("a.ts", "libx264", 25, {}),
        ("a.flv", "libx264", 30, {}),
        ("a.avi", "mjpeg", 25, {"pixel_format": "yuvj420p"}),
        ("fragments.mp4", "libx264", 30, {"muxer_options": {"movflags": "frag_keyframe+empty_moov"}}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_containers(tmp_path: Path, name: str, codec: str, rate: Fraction | int, extra: dict) -> None:
    path = clips.write_clip(tmp_path / name, 40, rate, codec=codec, **extra)
    reader = VideoReader(path, strict=True)
    assert reader.fps == rate
    assert clips.numbers_of(reader) == list(range(40))
    assert reader.notes == []


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0.5, 1.0, range(15, 30)), (None, 0.2, range(6)), (1.9, None, range(57, 60)), (1.017, 1.05, range(31, 32))],
)
@pytest.mark.parametrize("options", [{}, {"g": "1", "bf": "0"}, {"g": "12"}], ids=["one key frame", "intra", "g12"])
def test_range_is_exact(
    tmp_path: Path, start: float | None, end: float | None, expected: range, options: dict[str, str]
) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", 60, options=options)
    reader = VideoReader(path, start=start, end=end)
    assert reader.expected_frames == len(expected)
    assert clips.numbers_of(reader) == list(expected)


def test_range_of_variable_rate_equals_slice_of_the_whole(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "v.mp4", 60, times=_jittered(60), time_base=Fraction(1, 600), options={"g": "9"})
    whole = clips.numbers_of(VideoReader(path))
    fps = probe(path).fps
    assert clips.numbers_of(VideoReader(path, start=0.72, end=1.32)) == whole[round(0.72 * fps) : round(1.32 * fps)]


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [(2, 1, "holds no frame"), (-1, None, "holds no frame"), (1, 1, "holds no frame"), (9, None, "lasts 1.00 s")],
)
def test_empty_range_is_refused(tmp_path: Path, start: float, end: float | None, words: str) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", 30)
    with pytest.raises(UsageError, match=words):
        VideoReader(path, start=start, end=end)


def _jittered(count: int) -> list[int]:
    """Time stamps in 1/600 s around 25 frames a second, as telephones write them."""
    random = np.random.default_rng(5)
    return [int(stamp) for stamp in np.cumsum([0, *random.choice([20, 24, 24, 24, 30], count - 1)])]


@pytest.mark.parametrize(
    "times",
    [_jittered(50), [*range(0, 240, 20), *range(600, 840, 20)], [0, *range(300, 900, 20)], list(range(0, 1500, 25))],
    ids=["telephone", "gap", "late second frame", "constant"],
)
def test_variable_rate_becomes_constant_by_nearest_time(tmp_path: Path, times: list[int]) -> None:
    base = Fraction(1, 600)
    path = clips.write_clip(tmp_path / "v.mp4", len(times), times=times, time_base=base)
    reader = VideoReader(path, strict=True)
    got = clips.numbers_of(reader)
    last_duration = probe(path).duration - (times[-1] - times[0]) * base
    assert 0 < last_duration < Fraction(1, 10)
    assert abs(len(got) / reader.fps - probe(path).duration) <= 1 / reader.fps
    assert abs(reader.expected_frames - len(got)) <= 1
    stamps = np.array([float(time * base) for time in times])
    for index, number in enumerate(got):
        distance = np.abs(stamps - float(index / reader.fps))
        assert distance[number] <= distance.min() + 1e-6


@pytest.mark.parametrize(
    ("aspect", "size_hw"), [(Fraction(4, 3), (48, 85)), (Fraction(1, 2), (96, 64)), (Fraction(1), (48, 64))]
)
def test_sample_aspect_ratio_is_applied(tmp_path: Path, aspect: Fraction, size_hw: tuple[int, int]) -> None:
    path = clips.write_clip(tmp_path / "wide.mp4", 4, aspect=aspect)
    reader = VideoReader(path)
    assert reader.size_hw == size_hw == next(iter(reader)).shape[:2]
    assert clips.numbers_of(reader) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("long_side", "size_hw"), [(32, (24, 32)), (64, (48, 64)), (1000, (48, 64)), (1, (1, 1)), (33, (25, 33))]
)
def test_long_side_shrinks_and_never_enlarges(tmp_path: Path, long_side: int, size_hw: tuple[int, int]) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", 2)
    reader = VideoReader(path, long_side=long_side)
    assert reader.size_hw == size_hw == next(iter(reader)).shape[:2]


def test_chosen_frames_come_unshrunk_too(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", 6, times=[0, 1, 2, 5, 6, 7])  # the third stored frame stays longer
    whole = list(VideoReader(path))
    shrunk = VideoReader(path, long_side=80)
    frames = list(shrunk.with_whole({1, 3}))
    assert len(frames) == len(whole)
    for number, (frame, beside) in enumerate(frames):
        assert frame.shape[:2] == shrunk.size_hw
        if number in (1, 3):
            assert np.array_equal(beside, whole[number])
        else:
            assert beside is None


def test_frames_unshrunk_lie_over_the_stated_colour_too(tmp_path: Path) -> None:
    path = clips.write_gif(tmp_path / "a.gif", 2)
    [(small, whole), _] = VideoReader(path, long_side=32, alpha_background=(10, 200, 30)).with_whole({0})
    assert tuple(small[10, 2]) == tuple(whole[20, 5]) == (10, 200, 30)


def test_long_side_below_one_is_refused(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", 2)
    with pytest.raises(UsageError, match="at least 1 pixel, not 0"):
        VideoReader(path, long_side=0)


def _key_frames_cut(tmp_path: Path) -> Path:
    options = {"g": "1", "bf": "0"}
    path = clips.write_clip(tmp_path / "cut.mp4", 30, options=options, muxer_options={"movflags": "+faststart"})
    return clips.cut_in_packet(path, 14)


def test_cut_file_is_noticed_with_the_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = _key_frames_cut(tmp_path)
    reader = VideoReader(path)
    with caplog.at_level(logging.WARNING):
        got = clips.numbers_of(reader)
    assert got == list(range(14))
    assert reader.expected_frames == 30
    [note] = reader.notes
    assert "cut.mp4 is cut at 0.47 s of 1.00 s" in note
    assert note in caplog.text


def test_cut_file_is_an_error_when_strict(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"is cut at 0\.47 s of 1\.00 s: .*leave out `strict`"):
        list(VideoReader(_key_frames_cut(tmp_path), strict=True))


@pytest.mark.parametrize(("packets", "noticed"), [(30, False), (29, False), (28, True)])
def test_a_frame_less_than_the_header_says_is_no_cut_and_two_are(tmp_path: Path, packets: int, noticed: bool) -> None:
    options = {"g": "1", "bf": "0"}
    path = clips.write_clip(tmp_path / "short.mp4", 30, options=options, muxer_options={"movflags": "+faststart"})
    reader = VideoReader(clips.cut_behind_packet(path, packets - 1))
    assert clips.numbers_of(reader) == list(range(packets))
    assert ["is cut at 0.93 s of 1.00 s" in note for note in reader.notes] == [True] * noticed


def test_range_before_the_cut_is_no_error(tmp_path: Path) -> None:
    reader = VideoReader(_key_frames_cut(tmp_path), end=0.2, strict=True)
    assert clips.numbers_of(reader) == list(range(6))


def test_cut_matroska_is_noticed(tmp_path: Path) -> None:
    path = clips.cut(clips.write_clip(tmp_path / "cut.mkv", 60, options={"g": "1"}, audio="libopus"), 0.5)
    reader = VideoReader(path)
    got = clips.numbers_of(reader)
    assert 5 < len(got) < 55
    assert "is cut at" in reader.notes[0] and "of 2.0" in reader.notes[0]


def test_shorter_picture_than_sound_is_no_cut(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv"):
        path = clips.write_clip(tmp_path / name, 30, audio="aac", audio_seconds=2.5)
        reader = VideoReader(path, strict=True)
        assert len(list(reader)) == 30


def _noise(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [random.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(count)]


def test_damage_is_an_error_with_the_time(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "hurt.mp4", _noise(30), options={"bf": "0"})
    clips.damage(path, 15)
    with pytest.raises(MediaError, match=r"hurt.mp4 is damaged near 0\.[45]\d s: .*--tolerate-damage"):
        list(VideoReader(path))


def test_tolerated_damage_is_counted_and_keeps_the_length(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "hurt.mp4", _noise(30), options={"bf": "0"})
    for packet in (8, 15):
        clips.damage(path, packet)
    reader = VideoReader(path, tolerate_damage=True, strict=True)
    assert len(list(reader)) == 30
    assert reader.notes == [f"{path}: 2 damaged frames were concealed or left out"]


def test_damage_behind_the_range_does_not_matter(tmp_path: Path) -> None:
    path = clips.damage(clips.write_clip(tmp_path / "hurt.mp4", _noise(30), options={"bf": "0"}), 25)
    assert len(list(VideoReader(path, end=0.5))) == 15


def _written(name: str, data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "none.mp4", "is not there"),
        (lambda folder: folder, "is a folder"),
        (_written("empty.mp4", b""), r"is empty \(0 bytes\)"),
        (_written("notes.mp4", b"shopping list: milk, eggs\n" * 40), "text file, not a video"),
        (_written("blob.mp4", bytes(range(256)) * 20), "no video of a kind that is read here, or it is damaged"),
        (lambda folder: clips.write_sound(folder / "song.m4a"), "only sound"),
        (lambda folder: clips.write_sound(folder / "song.mp3", codec="libmp3lame"), "only sound"),
        (lambda folder: clips.write_sound(folder / "album.m4a", cover=clips.numbered(1)), "only sound"),
        (lambda folder: clips.cut(clips.write_clip(folder / "c.mp4", 30), 0.5), "cut off before its index"),
        (_written("list.mp4", b"ffconcat version 1.0\nfile other.mp4\n"), "it is a playlist"),
        (_written("list.txt", b"ffconcat version 1.0\nfile other.mp4\n"), "it is a playlist"),
        (_written("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n"), "it is a playlist"),
        (_written("dash.mpd", b'<?xml version="1.0"?><MPD><Period/></MPD>'), "it is a playlist"),
        (lambda folder: clips.write_huge_gif(folder / "huge.gif"), "frames of 16000x16000 pixels; at most 8192x8192"),
    ],
    ids=[
        "missing",
        "folder",
        "empty",
        "text",
        "blob",
        "sound",
        "mp3",
        "cover picture",
        "cut",
        "concat",
        "concat.txt",
        "hls",
        "dash",
        "huge",
    ],
)
def test_hopeless_files_give_one_line(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    clips.write_clip(tmp_path / "other.mp4", 3)  # what a playlist would open
    clips.write_clip(tmp_path / "other.ts", 3)
    path = make(tmp_path)
    with pytest.raises(MediaError, match=words) as caught:
        probe(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_huge_frames_take_no_memory(tmp_path: Path) -> None:
    path = clips.write_huge_gif(tmp_path / "huge.gif")
    assert path.stat().st_size == 35
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MediaError):
        probe(path)
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 64 * 2**20


def test_broken_metadata_text_is_read_over(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "m.mp4", 5, metadata={"title": "XXXXXXXX", "comment": "YYYYYYYY"})
    path.write_bytes(path.read_bytes().replace(b"XXXXXXXX", b"\xff\xfe\x80\xc3(\xa0\xe2\x28"))
    assert clips.numbers_of(VideoReader(path)) == list(range(5))


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ("00:00:01.500000000", Fraction(3, 2)),
        ("01:02:03", Fraction(3723)),
        ("", None),
        ("1:2", None),
        ("00:00:1e-9999999", None),  # a power of ten that would take ages to work out
        ("00:00:1/0", None),
    ],
)
def test_the_tag_that_tells_where_a_stream_ends(said: str, end: Fraction | None) -> None:
    assert _tagged_end(SimpleNamespace(metadata={"DURATION": said})) == end


def test_no_rate_is_above_240(tmp_path: Path) -> None:
    times = [0, 1, 3, 4, 6, 7, 9, 10]  # milliseconds
    assert probe(clips.write_clip(tmp_path / "fast.mkv", 8, times=times, time_base=Fraction(1, 1000))).fps == 240


def test_abandoned_iteration_ends_its_thread(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", 60)
    before = threading.active_count()
    with VideoReader(path) as reader:
        for frame in reader:
            assert clips.number_of(frame) == 0
            break
        frames = iter(reader)
        next(frames)
    assert threading.active_count() == before
    del frames
    for _ in range(3):
        next(iter(VideoReader(path)))
    assert threading.active_count() == before


def test_errors_of_the_thread_reach_the_caller(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", 10)
    reader = VideoReader(path)
    path.unlink()
    with pytest.raises(MediaError, match="is not there"):
        list(reader)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [("a.mp4", None, True), ("a.bin", None, True), ("b.mp4", b"broken", True), ("b.txt", b"text", False)],
)
def test_is_video(tmp_path: Path, name: str, data: bytes | None, expected: bool) -> None:
    path = tmp_path / name
    if data is None:
        clips.write_clip(tmp_path / "made.mp4", 2).rename(path)
    else:
        path.write_bytes(data)
    assert is_video(path) is expected
    assert not is_video(tmp_path / "missing.mp4")


@pytest.mark.parametrize(
    ("name", "size_hw", "fps", "frames"),
    [("balance_cam1.mp4", (1920, 1080), 60, 100), ("outdoor_two_people.mp4", (994, 1768), 30, 230)],
)
def test_real_clips(name: str, size_hw: tuple[int, int], fps: int, frames: int) -> None:
    reader = VideoReader(clips.real_clip(name), long_side=160, strict=True)
    assert (reader.info.size_hw, reader.fps, reader.expected_frames) == (size_hw, fps, frames)
    shown = list(reader)
    assert len(shown) == frames and reader.notes == []
    assert max(shown[0].shape[:2]) == 160 and shown[0].std() > 10
