"""Good files that begin oddly, that number their frames oddly, or that hold more than one film."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import av.stream
import numpy as np
import pytest
from PIL import Image

import clips
from understudy.errors import MediaError, UsageError
from understudy.media.info import inspect
from understudy.media.reading import VideoReader, is_video, probe
from understudy.media.writing import VideoWriter

ONE_KEY = {"g": "500", "bf": "3", "sc_threshold": "0"}


def _remuxed(source: Path, target: Path, *, earlier: int = 0, order: Sequence[int] | None = None) -> Path:
    """The packets of a file in another one, the video's moved to earlier times by some ticks, streams reordered."""
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        streams = list(read.streams)
        targets = {number: written.add_stream_from_template(streams[number]) for number in order or range(len(streams))}
        for packet in list(read.demux()):
            if packet.dts is None:
                continue
            number = packet.stream.index
            if packet.stream.type == "video":
                packet.pts -= earlier
                packet.dts -= earlier
            packet.stream = targets[number]
            written.mux(packet)
    return target


def _trimmed(folder: Path, frames: int, hidden: Fraction | int, rate: int = 30, **options: object) -> Path:
    """An MP4 trimmed without encoding anew: an edit list hides the frames before the new beginning."""
    whole = clips.write_clip(folder / "whole.mp4", _noisy(frames), rate, options=ONE_KEY, **options)
    with av.open(str(whole)) as container:
        ticks = Fraction(1, rate) / container.streams.video[0].time_base
    return _remuxed(whole, folder / "trimmed.mp4", earlier=int(ticks * hidden))


def _noisy(count: int) -> list[np.ndarray]:
    """Numbered frames that refer to each other: noise keeps the encoder from beginning anew at each number."""
    noise = np.random.default_rng(3).integers(-30, 30, (count, *clips.SIZE_HW, 1))
    return [np.clip(clips.numbered(k) + noise[k], 0, 255).astype(np.uint8) for k in range(count)]


@pytest.mark.parametrize("hidden", [36, 60, 120])
def test_frames_hidden_before_the_first_are_no_damage(tmp_path: Path, hidden: int) -> None:
    path = _trimmed(tmp_path, hidden + 24, hidden)
    with av.open(str(path)) as container:
        assert sum(packet.is_discard for packet in container.demux(video=0)) == hidden
    reader = VideoReader(path, strict=True)
    assert reader.expected_frames == 24
    assert clips.numbers_of(reader) == list(range(hidden, hidden + 24))
    assert reader.notes == []
    assert clips.numbers_of(VideoReader(path, start=0.5)) == list(range(hidden + 15, hidden + 24))


@pytest.mark.parametrize("part", [Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)])
def test_an_edit_list_that_cuts_a_frame_in_two_is_counted_as_it_is_read(tmp_path: Path, part: Fraction) -> None:
    reader = VideoReader(_trimmed(tmp_path, 84, 46 + part), strict=True)
    assert clips.numbers_of(reader) == list(range(47, 84))
    assert reader.info.frames == reader.expected_frames == 37
    assert reader.info.duration == Fraction(37, 30)


def _without_first(path: Path, packets: int) -> Path:
    """A transport stream as of a recorder that was switched on while it ran."""
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    path.write_bytes(path.read_bytes()[places[packets] // 188 * 188 :])
    return path


@pytest.mark.parametrize(
    ("codec", "options", "first"),
    [
        ("libx264", {"g": "40", "bf": "3", "sc_threshold": "0"}, 40),
        ("libx264", {"x264-params": "keyint=20:min-keyint=20:open-gop=1:scenecut=0:bframes=3:b-adapt=0"}, 20),
        ("libx264", {"x264-params": "keyint=20:intra-refresh=1:scenecut=0:bframes=0"}, None),
        ("libx265", {"x265-params": "keyint=20:min-keyint=20:open-gop=1:scenecut=0:log-level=none"}, 20),
        ("mpeg2video", {"g": "20", "bf": "2", "sc_threshold": "1000000000"}, 21),
        ("mpeg4", {"g": "20", "bf": "2", "sc_threshold": "1000000000"}, 21),
    ],
    ids=["h264", "h264 open", "h264 refreshed bit by bit", "hevc open", "mpeg2", "mpeg4"],
)
def test_what_begins_between_key_frames_is_read_from_the_first_on(
    tmp_path: Path, codec: str, options: dict[str, str], first: int | None
) -> None:
    clip = clips.write_clip(tmp_path / "recorder.ts", _noisy(80), 25, codec=codec, options=options)
    reader = VideoReader(_without_first(clip, 9), strict=True)
    got = clips.numbers_of(reader)
    first = got[0] if first is None else first
    assert 9 < first < 60 and got == list(range(first, 80))
    assert reader.expected_frames == len(got)
    [note] = reader.notes
    assert "recorder.ts begins between key frames: its first " in note and "left out" in note
    assert clips.numbers_of(VideoReader(clip, start=0.4)) == got[10:]
    assert clips.numbers_of(VideoReader(clip, tolerate_damage=True)) == got


def test_a_beginning_between_key_frames_keeps_its_sound_in_step(tmp_path: Path) -> None:
    options = {"g": "40", "bf": "3", "sc_threshold": "0"}
    clip = clips.write_clip(tmp_path / "a.ts", _noisy(80), 25, options=options, audio="aac")
    clip = _without_first(clip, 9)
    out = tmp_path / "out.mp4"
    with VideoReader(clip) as frames, VideoWriter(out, frames.fps, audio_from=clip) as writer:
        for frame in frames:
            writer.write(frame)
    sound, start = clips.decoded_sound(out)
    whole = clips.tone(80 / 25)[:, 0] / 32768
    expected = whole[round((1.6 + start) * 48000) :][:24000]
    lags = range(-1200, 1201, 24)
    errors = [np.abs(np.roll(sound, lag)[2400:20000] - expected[2400:20000]).mean() for lag in lags]
    assert abs(lags[int(np.argmin(errors))]) <= 480


def test_damage_behind_a_beginning_between_key_frames_is_still_damage(tmp_path: Path) -> None:
    options = {"g": "20", "bf": "0", "sc_threshold": "0"}
    clip = _without_first(clips.write_clip(tmp_path / "a.ts", _noisy(80), 25, options=options), 9)
    with av.open(str(clip)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    data = clip.read_bytes()
    lost = (places[40] // 188 + 1) * 188
    clip.write_bytes(data[:lost] + data[lost + 188 :])
    with pytest.raises(MediaError, match="is damaged near"):
        list(VideoReader(clip))


@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "mpeg2video"])
@pytest.mark.parametrize("make", [None, "stored.mp4", "stored.mkv"], ids=["avi", "mp4 from avi", "mkv from avi"])
def test_frames_whose_time_stamps_do_not_rise_come_once_each_and_in_order(
    tmp_path: Path, codec: str, make: str | None
) -> None:
    path = clips.write_clip(tmp_path / "b.avi", 40, 25, codec=codec, options={"bf": "3" if codec == "libx264" else "2"})
    path = path if make is None else _remuxed(path, tmp_path / make)
    reader = VideoReader(path, strict=True)
    assert clips.numbers_of(reader) == list(range(40))
    assert reader.expected_frames == 40 and reader.notes == []
    assert clips.numbers_of(VideoReader(path, start=0.8, end=1.2)) == list(range(20, 30))


def test_a_trimmed_file_whose_time_stamps_do_not_rise_comes_in_order(tmp_path: Path) -> None:
    options = {"bf": "3", "g": "500", "sc_threshold": "0"}
    avi = clips.write_clip(tmp_path / "b.avi", _noisy(80), 25, options=options)
    stored = _remuxed(avi, tmp_path / "stored.mp4")
    with av.open(str(stored)) as container:
        ticks = Fraction(1, 25) / container.streams.video[0].time_base
    got = clips.numbers_of(VideoReader(_remuxed(stored, tmp_path / "trimmed.mp4", earlier=int(30 * ticks))))
    assert got == sorted(set(got)) and set(range(34, 80)) <= set(got) and min(got) > 25


def test_only_what_is_out_of_order_is_read_from_its_start(tmp_path: Path) -> None:
    plain = clips.write_clip(tmp_path / "a.mp4", 40, 25, options={"bf": "3"})
    intra = clips.write_clip(tmp_path / "a.avi", 40, 25, options={"bf": "0", "g": "1"})
    mixed = clips.write_clip(tmp_path / "b.avi", 40, 25, options={"bf": "3"})
    assert [inspect(path).ordered_by_decoding for path in (plain, intra, mixed)] == [False, False, True]


def test_a_video_behind_the_sound_is_read_to_its_end(tmp_path: Path) -> None:
    """The packet that ends a stream says that it is of stream 0."""
    clip = clips.write_clip(tmp_path / "a.mp4", 40, 25, options={"bf": "3"}, audio="aac")
    for target in ("sound_first.mkv", "sound_first.mp4"):
        path = _remuxed(clip, tmp_path / target, order=[1, 0])
        reader = VideoReader(path, strict=True)
        assert clips.numbers_of(reader) == list(range(40)) and reader.notes == []


def _two_films(path: Path, default: int, counts: tuple[int, int] = (20, 20)) -> Path:
    """Two video streams; the frames of the second are numbered from 100."""
    with av.open(str(path), "w") as container:
        streams = []
        for number in range(2):
            stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
            stream.height, stream.width = clips.SIZE_HW
            stream.pix_fmt = "yuv420p"
            stream.disposition = av.stream.Disposition.default if number == default else 0
            streams.append(stream)
        for number, stream in enumerate(streams):
            for k in range(counts[number]):
                frame = av.VideoFrame.from_ndarray(clips.numbered(100 * number + k), format="rgb24")
                frame.pts, frame.time_base = k, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("default", [0, 1])
def test_of_two_films_the_default_one_is_read_and_told(tmp_path: Path, suffix: str, default: int) -> None:
    reader = VideoReader(_two_films(tmp_path / f"two{suffix}", default), strict=True)
    assert clips.numbers_of(reader) == [100 * default + k for k in range(20)]
    [note] = reader.notes
    assert f"has 2 video streams: number {default + 1} is used" in note


def test_a_single_picture_beside_a_film_is_no_film(tmp_path: Path) -> None:
    reader = VideoReader(_two_films(tmp_path / "a.mp4", 0, (1, 20)), strict=True)
    assert clips.numbers_of(reader) == [100 + k for k in range(20)]
    assert reader.notes == []


def _animated(path: Path, durations: list[int]) -> Path:
    pictures = [Image.fromarray(clips.numbered(k)) for k in range(len(durations))]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations)
    return path


def test_an_animated_avif_is_read_whole(tmp_path: Path) -> None:
    path = _animated(tmp_path / "a.avif", [50] * 20)
    reader = VideoReader(path, strict=True)
    assert is_video(path) and reader.fps == 20
    assert clips.numbers_of(reader) == list(range(20)) and reader.notes == []


@pytest.mark.parametrize("suffix", [".apng", ".gif"])
def test_a_last_picture_that_stays_long_is_part_of_the_length(tmp_path: Path, suffix: str) -> None:
    pictures = _animated(tmp_path / "a.png" if suffix == ".apng" else tmp_path / "a.gif", [50] * 19 + [1000])
    path = pictures.rename(tmp_path / f"a{suffix}")
    reader = VideoReader(path, strict=True)
    assert len(list(reader)) == reader.info.frames == 39
    assert reader.info.duration == Fraction(39, 20)
    assert clips.numbers_of(VideoReader(path, start=1.2)) == [19] * 15


@pytest.mark.parametrize("frames", [1, 100, 600])
def test_a_program_stream_of_small_frames_is_as_long_as_it_is(tmp_path: Path, frames: int) -> None:
    pictures = [clips.numbered(k % 256) for k in range(frames)]
    path = clips.write_clip(tmp_path / "a.mpg", pictures, 25, codec="mpeg2video")
    assert (probe(path).frames, probe(path).duration) == (frames, Fraction(frames, 25))
    if frames == 100:
        assert clips.numbers_of(VideoReader(path, start=3.6)) == list(range(90, 100))
        with pytest.raises(UsageError, match=r"lasts 4\.00 s"):
            VideoReader(path, start=4.2)


@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mkv"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_range_among_groups_that_lean_on_those_before_is_exact(tmp_path: Path, codec: str, suffix: str) -> None:
    groups = "keyint=20:min-keyint=20:open-gop=1:scenecut=0:bframes=3:b-adapt=0"
    options = {"x264-params": groups} if codec == "libx264" else {"x265-params": f"{groups}:log-level=none"}
    path = clips.write_clip(tmp_path / f"open{suffix}", _noisy(80), 25, codec=codec, options=options)
    assert clips.numbers_of(VideoReader(path, strict=True)) == list(range(80))
    for first in (18, 20, 37, 39, 41, 60):
        part = VideoReader(path, start=first / 25, end=(first + 5) / 25)
        assert clips.numbers_of(part) == list(range(first, first + 5))
